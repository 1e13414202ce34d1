package awssim_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dynamolake/internal/attribute"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/transform"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// visits makes a table with a sort key, and items in it.
func (w *world) visits() (arn *string) {
	w.t.Helper()
	out, err := w.db.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String("visits"),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("who"), AttributeType: "S"}, {AttributeName: aws.String("n"), AttributeType: "N"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("who"), KeyType: "HASH"}, {AttributeName: aws.String("n"), KeyType: "RANGE"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.SetPITR("visits", 35); err != nil {
		w.t.Fatal(err)
	}
	for i := range 60 {
		it := map[string]types.AttributeValue{
			"who": &types.AttributeValueMemberS{Value: string(rune('a' + i%5))}, "n": &types.AttributeValueMemberN{Value: fmt.Sprint(i)},
			"status": &types.AttributeValueMemberS{Value: []string{"open", "paid", "gone"}[i%3]},
			"more":   &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"x": &types.AttributeValueMemberN{Value: fmt.Sprint(i * i)}, "y": &types.AttributeValueMemberBOOL{Value: i%2 == 0}}},
		}
		if i%4 == 0 {
			delete(it, "status")
		}
		if _, err := w.db.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("visits"), Item: it}); err != nil {
			w.t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
	return out.TableDescription.TableArn
}

func number(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
func words(s string) types.AttributeValue  { return &types.AttributeValueMemberS{Value: s} }

// TestAFilteredExportIsWhatAScanOrAQueryReturns: the API says of each of its expressions that it is as in these, which are
// tested against DynamoDB's own.
func TestAFilteredExportIsWhatAScanOrAQueryReturns(t *testing.T) {
	for _, f := range []types.FilterSpecification{
		{FilterExpression: aws.String("#s = :paid AND more.x > :x"), ExpressionAttributeNames: map[string]string{"#s": "status"}, ExpressionAttributeValues: map[string]types.AttributeValue{":paid": words("paid"), ":x": number("400")}},
		{FilterExpression: aws.String("attribute_not_exists(#s) OR n BETWEEN :a AND :b"), ExpressionAttributeNames: map[string]string{"#s": "status"}, ExpressionAttributeValues: map[string]types.AttributeValue{":a": number("10"), ":b": number("12")}},
		{KeyConditionExpression: aws.String("who = :w"), ExpressionAttributeValues: map[string]types.AttributeValue{":w": words("b")}},
		{KeyConditionExpression: aws.String("who = :w AND n >= :n"), FilterExpression: aws.String("more.y = :y"), ExpressionAttributeValues: map[string]types.AttributeValue{":w": words("c"), ":n": number("20"), ":y": &types.AttributeValueMemberBOOL{Value: true}}},
		{ProjectionExpression: aws.String("who, n, more.x")},
		{ProjectionExpression: aws.String("#s"), FilterExpression: aws.String("n < :n"), ExpressionAttributeNames: map[string]string{"#s": "status"}, ExpressionAttributeValues: map[string]types.AttributeValue{":n": number("9")}},
		{KeyConditionExpression: aws.String("who = :w"), ExpressionAttributeValues: map[string]types.AttributeValue{":w": words("nobody")}},
	} {
		t.Run(strings.Join([]string{aws.ToString(f.KeyConditionExpression), aws.ToString(f.FilterExpression), aws.ToString(f.ProjectionExpression)}, " / "), func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := newExportWorld(t, awssim.Config{})
				arn := w.visits()
				d := w.wait(w.full(func(in *exportInput) { in.TableArn, in.FilterSpecification = arn, &f }))
				var want []map[string]types.AttributeValue
				if f.KeyConditionExpression != nil {
					out, err := w.db.Query(t.Context(), &dynamodb.QueryInput{
						TableName: aws.String("visits"), KeyConditionExpression: f.KeyConditionExpression, FilterExpression: f.FilterExpression,
						ProjectionExpression: f.ProjectionExpression, ExpressionAttributeNames: f.ExpressionAttributeNames, ExpressionAttributeValues: f.ExpressionAttributeValues,
					})
					if err != nil {
						t.Fatal(err)
					}
					want = out.Items
				} else {
					out, err := w.db.Scan(t.Context(), &dynamodb.ScanInput{
						TableName: aws.String("visits"), FilterExpression: f.FilterExpression,
						ProjectionExpression: f.ProjectionExpression, ExpressionAttributeNames: f.ExpressionAttributeNames, ExpressionAttributeValues: f.ExpressionAttributeValues,
					})
					if err != nil {
						t.Fatal(err)
					}
					want = out.Items
				}
				var got, all []string
				for _, line := range w.lines(d) {
					var x struct{ Item json.RawMessage }
					if err := json.Unmarshal([]byte(line), &x); err != nil {
						t.Fatal(err)
					}
					got = append(got, canonical(t, x.Item))
				}
				for _, it := range want {
					text, err := attribute.JSON(it)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, canonical(t, text))
				}
				slices.Sort(got)
				slices.Sort(all)
				if !slices.Equal(got, all) || int(*d.ItemCount) != len(all) || d.FilterSpecification == nil {
					t.Errorf("%d items, described as %d and %v:\n%s\nwant %d:\n%s", len(got), *d.ItemCount, d.FilterSpecification, strings.Join(got, "\n"), len(all), strings.Join(all, "\n"))
				}
				if len(all) == 60 && f.ProjectionExpression == nil {
					t.Error("the filter takes all: this shows nothing")
				}
			})
		})
	}
}

func canonical(t *testing.T, item []byte) string {
	t.Helper()
	text, err := transform.Canonical(item)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAFilteredIncrementSaysNothingOfWhatStopsToMatch: which is why no lake may be built on one.
func TestAFilteredIncrementSaysNothingOfWhatStopsToMatch(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{ManifestFilter: true})
		w.put("stops", "9")
		w.put("deleted", "9")
		w.put("small and deleted", "1")
		time.Sleep(time.Minute)
		from := time.Now()
		w.put("stops", "1")
		w.put("starts", "9")
		w.put("small", "1")
		w.remove("deleted")
		w.remove("small and deleted")
		time.Sleep(20 * time.Minute)
		d := w.wait(w.increment(from, from.Add(15*time.Minute), func(in *exportInput) {
			in.FilterSpecification = &types.FilterSpecification{FilterExpression: aws.String("v>:v"), ExpressionAttributeValues: map[string]types.AttributeValue{":v": number("5")}}
		}))
		var got []string
		for _, line := range w.lines(d) {
			var x struct {
				Keys     map[string]map[string]string
				NewImage map[string]any
			}
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(x.Keys["pk"]["S"], " ", x.NewImage != nil))
		}
		slices.Sort(got)
		if want := []string{"deleted false", "starts true"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if summary, _ := w.object(*d.ExportManifest); !strings.Contains(string(summary), `"filterSpecification":{`) {
			t.Errorf("the summary has no filter: %s", summary)
		}
	})
}

func TestFiltersThatAreRefused(t *testing.T) {
	values := map[string]types.AttributeValue{":v": number("5")}
	for _, c := range []struct {
		f    types.FilterSpecification
		text string
	}{
		{types.FilterSpecification{}, "at least one expression"},
		{types.FilterSpecification{FilterExpression: aws.String("v > :w"), ExpressionAttributeValues: values}, "not defined; attribute value: :w"},
		{types.FilterSpecification{FilterExpression: aws.String("attribute_exists(v)"), ExpressionAttributeValues: values}, "unused in expressions: keys: {:v}"},
		{types.FilterSpecification{FilterExpression: aws.String("v >"), ExpressionAttributeValues: values}, "Syntax error"},
		{types.FilterSpecification{KeyConditionExpression: aws.String("v = :v"), ExpressionAttributeValues: values}, "missed key schema element"},
		{types.FilterSpecification{KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("pk <> :p"), ExpressionAttributeValues: map[string]types.AttributeValue{":p": words("a")}}, "can only contain non-primary key attributes"},
		{types.FilterSpecification{FilterExpression: aws.String("v > :v" + strings.Repeat(" ", 4096)), ExpressionAttributeValues: values}, "exceeded the maximum allowed size"},
		{types.FilterSpecification{FilterExpression: aws.String("v>:v" + strings.Repeat(" OR v>:v", 150)), ExpressionAttributeValues: values}, "too many operators"},
	} {
		bubble.Run(t, func(t *testing.T) {
			w := newExportWorld(t, awssim.Config{})
			if _, err := w.full(func(in *exportInput) { in.FilterSpecification = &c.f }); !says(err, "ValidationException", c.text) {
				t.Errorf("%q: %v, want %q", aws.ToString(c.f.FilterExpression)+aws.ToString(c.f.KeyConditionExpression), err, c.text)
			}
			if len(w.Exports("orders")) != 0 {
				t.Error("an export was begun")
			}
		})
	}
}

func TestATokenIsOfOneFilter(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{})
		with := func(least string) error {
			_, err := w.full(func(in *exportInput) {
				in.ClientToken = aws.String("t")
				in.FilterSpecification = &types.FilterSpecification{FilterExpression: aws.String("v > :v"), ExpressionAttributeValues: map[string]types.AttributeValue{":v": number(least)}}
			})
			return err
		}
		if err := with("1"); err != nil {
			t.Fatal(err)
		}
		if err := with("1"); err != nil {
			t.Errorf("the same again: %v", err)
		}
		if err := with("2"); !says(err, "ExportConflictException", "") {
			t.Errorf("another filter under the token: %v", err)
		}
	})
}
