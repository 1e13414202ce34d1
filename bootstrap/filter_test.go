package bootstrap_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/writer"
)

// aside makes options those of a snapshot in a place of its own.
func (w *world) aside(into string, f *bootstrap.Filter) func(*bootstrap.Options) {
	place := writer.PlacePrefix(w.table.Account, w.table.Region, w.table.Name, into)
	return func(o *bootstrap.Options) {
		o.Into, o.Filter = into, f
		o.Ledger = ledger.NewStore(document{o.Store.(*writer.S3), place + "_ledger/ledger.json"}, w.table.ARN)
	}
}

// rowsIn reads the Parquet files of a place.
func (w *world) rowsIn(into string) []row {
	w.Helper()
	place := writer.PlacePrefix(w.table.Account, w.table.Region, w.table.Name, into)
	var all []row
	for _, key := range w.objects(".parquet") {
		if strings.HasPrefix(key, place) {
			all = append(all, readFile(w.T, w.store, key, w.table.Keys)...)
		}
	}
	return all
}

// outside are the objects that are no part of a place, with what is in them.
func (w *world) outside(into string) string {
	w.Helper()
	place := writer.PlacePrefix(w.table.Account, w.table.Region, w.table.Name, into)
	var all []string
	for _, key := range w.objects("") {
		if strings.HasPrefix(key, place) {
			continue
		}
		body, _, err := w.store.Get(w.Context(), key)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %x", key, body))
	}
	return strings.Join(all, "\n")
}

func TestASnapshotHasWhatItsFilterTakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     bootstrap.Filter
		takes func(pk string, sk int) bool
		attrs []string // of each image; nil: all
	}{
		{
			"items",
			bootstrap.Filter{Items: "#n BETWEEN :a AND :b AND attribute_exists(nested.n)", Names: map[string]string{"#n": "sk"}, Values: []byte(`{":a": {"N": "2"}, ":b": {"N": "4.0"}}`)},
			func(_ string, sk int) bool { return sk >= 2 && sk <= 4 }, nil,
		},
		{
			"one key",
			bootstrap.Filter{Key: "pk = :p AND sk > :s", Values: []byte(`{":p":{"S":"p1"},":s":{"N":"3"}}`)},
			func(pk string, sk int) bool { return pk == "p1" && sk > 3 }, nil,
		},
		{
			"attributes, without the key",
			bootstrap.Filter{Attributes: "v"},
			func(string, int) bool { return true },
			[]string{"pk", "sk", "v"},
		},
		{
			"attributes, with the key by another name",
			bootstrap.Filter{Attributes: "#hash, #k, nested.n", Names: map[string]string{"#hash": "v", "#k": "pk"}},
			func(string, int) bool { return true },
			[]string{"nested", "pk", "sk", "v"},
		},
		{
			"nothing",
			bootstrap.Filter{Items: "v = :v", Values: []byte(`{":v":{"BOOL":true}}`)},
			func(string, int) bool { return false }, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, awssim.Config{ManifestFilter: len(c.attrs) > 0}, func(w *world) {
				w.pitr(35)
				for i := range 60 {
					w.put(fmt.Sprint("p", i%6), i/6, fmt.Sprint(i))
				}
				time.Sleep(2 * time.Second)
				w.full()
				before := w.outside("part")
				r, err := bootstrap.Bootstrap(w.Context(), w.options("snap", w.aside("part", &c.f)), bootstrap.Seed{NoStream: true})
				if err != nil {
					w.Fatal(err)
				}
				var want, got []string
				for pk := range 6 {
					for sk := range 10 {
						if c.takes(fmt.Sprint("p", pk), sk) {
							want = append(want, fmt.Sprintf(`{"pk":{"S":"p%d"},"sk":{"N":"%d"}}`, pk, sk))
						}
					}
				}
				for _, row := range w.rowsIn("part") {
					got = append(got, row.key)
					var image map[string]any
					if err := json.Unmarshal([]byte(row.image), &image); err != nil {
						w.Fatal(err)
					}
					attrs := c.attrs
					if attrs == nil {
						attrs = []string{"nested", "pk", "set", "sk", "v"}
					}
					if len(image) != len(attrs) {
						w.Fatalf("an image is %s, want %q", row.image, attrs)
					}
					for _, name := range attrs {
						if image[name] == nil {
							w.Errorf("an image lacks %s: %s", name, row.image)
						}
					}
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) || int(r.Items) != len(want) {
					w.Errorf("%d items\n%s\nwant\n%s", r.Items, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if w.outside("part") != before {
					w.Error("the snapshot left something outside its place")
				}
				exports := len(w.Exports("orders"))
				again, err := bootstrap.Bootstrap(w.Context(), w.options("again", w.aside("part", &c.f)), bootstrap.Seed{NoStream: true})
				if err != nil || !again.Already || again.Export != r.Export || len(w.Exports("orders")) != exports {
					w.Errorf("again: %+v, error %v", again, err)
				}
			})
		})
	}
}

// TestTwoSnapshotsAtOnceAreTwoExports: equal times must not make AWS hand out the export of another filter.
func TestTwoSnapshotsAtOnceAreTwoExports(t *testing.T) {
	inWorld(t, awssim.Config{}, func(w *world) {
		w.pitr(35)
		w.put("a", 1, "x")
		w.put("b", 2, "x")
		time.Sleep(2 * time.Second)
		errs := make(chan error)
		for _, pk := range []string{"a", "b"} {
			f := &bootstrap.Filter{Key: "pk = :p", Values: fmt.Appendf(nil, `{":p":{"S":%q}}`, pk)}
			go func() {
				_, err := bootstrap.Bootstrap(w.Context(), w.options(pk, w.aside(pk, f)), bootstrap.Seed{NoStream: true})
				errs <- err
			}()
		}
		for range 2 {
			if err := <-errs; err != nil {
				w.Error(err)
			}
		}
		for _, pk := range []string{"a", "b"} {
			if rows := w.rowsIn(pk); len(rows) != 1 || !strings.Contains(rows[0].key, pk) {
				w.Errorf("in the place %s: %+v", pk, rows)
			}
		}
	})
}

// TestALakeIsNotMadeOfAFilteredExport: nobody can tell from its lines that it is one.
func TestALakeIsNotMadeOfAFilteredExport(t *testing.T) {
	for _, manifest := range []bool{false, true} {
		inWorld(t, awssim.Config{ManifestFilter: manifest}, func(w *world) {
			w.pitr(35)
			w.put("a", 1, "x")
			w.put("b", 2, "x")
			time.Sleep(2 * time.Second)
			begin := func(f *types.FilterSpecification) string {
				out, err := w.db.ExportTableToPointInTime(w.Context(), &dynamodb.ExportTableToPointInTimeInput{TableArn: &w.table.ARN, S3Bucket: aws.String("lake"), S3Prefix: aws.String("theirs"), FilterSpecification: f})
				if err != nil {
					w.Fatal(err)
				}
				time.Sleep(10 * time.Minute)
				return "s3://lake/theirs/AWSDynamoDB/" + ledger.Export{ARN: *out.ExportDescription.ExportArn}.ID() + "/manifest-summary.json"
			}
			part := begin(&types.FilterSpecification{FilterExpression: aws.String("pk = :p"), ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: "a"}}})
			if manifest { // then AWS need not be asked
				w.Intercept(func(call *awssim.Call) awssim.Fault {
					if call.Operation == "DescribeExport" && call.Client == "importer" {
						return awssim.Fault{Status: 400, Code: "AccessDeniedException"}
					}
					return awssim.Fault{}
				})
			}
			_, err := bootstrap.FromExport(w.Context(), w.options("importer"), bootstrap.Import{From: part})
			w.wantAdvice(err, "it is a filtered one", "dynamolake snapshot")
			if l := w.read(); len(l.Epochs) != 0 || len(w.objects(".parquet")) != 0 {
				w.Errorf("something of it was taken: %s", l.JSON())
			}
			r, err := bootstrap.FromExport(w.Context(), w.options("importer"), bootstrap.Import{From: begin(nil)})
			if err != nil || r.Items != 2 {
				w.Errorf("a whole one: %+v, %v", r, err)
			}
		})
	}
}

func TestFiltersThatAreNotAskedFor(t *testing.T) {
	for _, c := range []struct {
		f    bootstrap.Filter
		want string
	}{
		{bootstrap.Filter{}, "nothing to select by: give --filter, --key-condition or --attributes"},
		{bootstrap.Filter{Names: map[string]string{"#a": "a"}}, "nothing to select by"},
		{bootstrap.Filter{Items: "#s = :s"}, "values: nothing is said of :s"},
		{bootstrap.Filter{Items: "#s = :s"}, "names: nothing is said of #s"},
		{bootstrap.Filter{Items: "s = :s1", Values: []byte(`{":s":{"S":"x"},":s1":{"S":"x"}}`)}, "values: no expression has :s"},
		{bootstrap.Filter{Items: "s = :s", Values: []byte(`{":s":"x"}`)}, "want DynamoDB JSON"},
		{bootstrap.Filter{Items: "s = :s", Values: []byte(`{":s":{"S":"x"},"s":{"S":"x"}}`)}, "begins with a colon"},
		{bootstrap.Filter{Items: "attribute_exists(#a)", Names: map[string]string{"#a": "a", "#b": "b"}}, "names: no expression has #b"},
		{bootstrap.Filter{Attributes: "#a", Names: map[string]string{"#a": ""}}, "the attribute that it stands for"},
		{bootstrap.Filter{Items: strings.Repeat("a", 4097)}, "AWS takes 4096"},
	} {
		if err := c.f.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.f, err, c.want)
		}
	}
	inWorld(t, awssim.Config{}, func(w *world) {
		w.pitr(35)
		w.put("a", 1, "x")
		time.Sleep(2 * time.Second)
		f := &bootstrap.Filter{Items: "attribute_exists(v)"}
		_, err := bootstrap.Bootstrap(w.Context(), w.options("snap", func(o *bootstrap.Options) { o.Filter = f }), bootstrap.Seed{NoStream: true})
		if err == nil || !strings.Contains(err.Error(), "no place for a filtered export") {
			w.Errorf("without a place of its own: %v", err)
		}
		_, err = bootstrap.Bootstrap(w.Context(), w.options("snap", w.aside("part", &bootstrap.Filter{Items: "attribute_exists(v"})), bootstrap.Seed{NoStream: true})
		w.wantAdvice(err, "AWS refuses the filter", "Syntax error")
		if n := len(w.Exports("orders")); n != 0 {
			w.Errorf("%d exports", n)
		}
	})
}
