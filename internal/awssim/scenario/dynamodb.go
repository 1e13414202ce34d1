package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// DynamoDB is what must hold of tables.
var DynamoDB = []Scenario{
	{"conditions hold or fail as in the service", tryConditions},
	{"updates change an item as in the service", tryUpdates},
	{"projections cut an item as in the service", tryProjections},
	{"numbers have one spelling and keep every digit", tryNumbers},
	{"writes that cannot be right are refused with the reason", tryRefusals},
	{"a query selects by its key condition, forwards and backwards", tryQueries},
	{"a page goes on where the last one ended", tryPages},
	{"a write returns what was asked for", tryReturns},
	{"a failed condition shows the item when asked", tryFailedCondition},
	{"a transaction is applied as a whole or not at all, and once", tryTransactions},
	{"a batch writes and reads several items", tryBatches},
	{"a table is made once and is gone after its deletion", tryTables},
	{"an index finds items by another key", tryIndexes},
	{"a time to live is switched on once", tryTimeToLive},
}

// Kinds of keys.
const (
	hashOnly  = "hash"   // pk S
	hashRange = "range"  // pk S, sk N
	textRange = "text"   // pk S, sk S
	numbered  = "number" // pk N
)

// table makes a table for the scenario and removes it at its end; view is a stream's, or "".
func (env Env) table(t *testing.T, name, keys, view string) string {
	t.Helper()
	name = env.Prefix + name
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	add := func(attr string, kind types.ScalarAttributeType, role types.KeyType) {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &attr, AttributeType: kind})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &attr, KeyType: role})
	}
	add("pk", map[bool]types.ScalarAttributeType{true: "N", false: "S"}[keys == numbered], types.KeyTypeHash)
	switch keys {
	case hashRange:
		add("sk", "N", types.KeyTypeRange)
	case textRange:
		add("sk", "S", types.KeyTypeRange)
	}
	if view != "" {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(view)}
	}
	if _, err := env.DynamoDB.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = env.DynamoDB.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
	})
	if err := dynamodb.NewTableExistsWaiter(env.DynamoDB).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	return name
}

func (env Env) put(t *testing.T, table, it string) {
	t.Helper()
	if _, err := env.DynamoDB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item(it)}); err != nil {
		t.Fatalf("put %s: %v", it, err)
	}
}

func (env Env) get(t *testing.T, table, key string) string {
	t.Helper()
	out, err := env.DynamoDB.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: item(key), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	return text(out.Item)
}

func tryNumbers(t *testing.T, env Env) {
	table := env.table(t, "num", hashOnly, "")
	var lines []string
	for _, n := range []string{
		"0", "-0", "0.0", "00012", "+5", "1.50", "-1.50", ".5", "5.", "1e3", "1E-3", "123456789012345678901234567890.12345678",
		"99999999999999999999999999999999999999", "1e125", "9.9999999999999999999999999999999999999E+125", "1e-130", "-1e-130", "1e126", "1e-131",
		"123456789012345678901234567890123456789", "100000000000000000000000000000000000000000", "0.00000000000000000000000000000000000000012", "", " 1", "1 ", "abc", "1e", "--1", "1.2.3", "NaN", "Infinity", "0x10", "1_000",
	} {
		_, err := env.DynamoDB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "a"}, "n": &types.AttributeValueMemberN{Value: n},
		}})
		answer := ""
		if err != nil {
			answer = codeOf(err)
		} else {
			answer = env.get(t, table, `{"pk":{"S":"a"}}`)
		}
		lines = append(lines, fmt.Sprintf("%q\n    %s", n, answer))
	}
	golden(t, "numbers", lines)
}

func tryRefusals(t *testing.T, env Env) {
	one, two, num := env.table(t, "one", hashOnly, ""), env.table(t, "two", textRange, ""), env.table(t, "nums", numbered, "")
	none := env.Prefix + "absent"
	var lines []string
	for _, c := range []struct{ table, op, it string }{
		{one, "put", `{"x":{"S":"a"}}`},
		{one, "put", `{"pk":{"N":"1"}}`},
		{one, "put", `{"pk":{"S":""}}`},
		{two, "put", `{"pk":{"S":"a"}}`},
		{two, "put", `{"pk":{"S":"a"},"sk":{"S":""}}`},
		{num, "put", `{"pk":{"S":"a"}}`},
		{num, "put", `{"pk":{"N":"1.0"}}`},
		{none, "put", `{"pk":{"S":"a"}}`},
		{one, "put", `{"pk":{"S":"` + strings.Repeat("k", 2049) + `"}}`},
		{two, "put", `{"pk":{"S":"a"},"sk":{"S":"` + strings.Repeat("k", 1025) + `"}}`},
		{one, "put", `{"pk":{"S":"a"},"big":{"S":"` + strings.Repeat("x", 400<<10) + `"}}`},
		{one, "put", `{"pk":{"S":"a"},"big":{"S":"` + strings.Repeat("x", 400<<10-6) + `"}}`},
		{one, "put", `{"pk":{"S":"a"},"s":{"SS":[]}}`},
		{one, "put", `{"pk":{"S":"a"},"s":{"NS":[]}}`},
		{one, "put", `{"pk":{"S":"a"},"s":{"BS":[]}}`},
		{one, "put", `{"pk":{"S":"a"},"s":{"SS":["x","x"]}}`},
		{one, "put", `{"pk":{"S":"a"},"s":{"NS":["1","1.0"]}}`},
		{one, "put", `{"pk":{"S":"a"},"s":{"NULL":false}}`},
		{one, "put", `{"pk":{"S":"a"},"s":{"S":""},"b":{"B":""},"l":{"L":[]},"m":{"M":{}}}`},
		{one, "put", `{"pk":{"S":"a"},"m":{"M":{"":{"S":"x"}}}}`},
		{one, "put", `{"pk":{"S":"a"},"d":` + strings.Repeat(`{"L":[`, 31) + `{"S":"x"}` + strings.Repeat(`]}`, 31) + `}`},
		{one, "put", `{"pk":{"S":"a"},"d":` + strings.Repeat(`{"L":[`, 32) + `{"S":"x"}` + strings.Repeat(`]}`, 32) + `}`},
		{one, "get", `{"x":{"S":"a"}}`},
		{one, "get", `{"pk":{"N":"1"}}`},
		{one, "get", `{"pk":{"S":""}}`},
		{one, "get", `{"pk":{"S":"a"},"x":{"S":"b"}}`},
		{two, "get", `{"pk":{"S":"a"}}`},
		{none, "get", `{"pk":{"S":"a"}}`},
		{one, "delete", `{"pk":{"S":"never there"}}`},
		{two, "delete", `{"pk":{"S":"a"}}`},
	} {
		var err error
		switch c.op {
		case "put":
			_, err = env.DynamoDB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &c.table, Item: item(c.it)})
		case "get":
			_, err = env.DynamoDB.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &c.table, Key: item(c.it)})
		case "delete":
			_, err = env.DynamoDB.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &c.table, Key: item(c.it)})
		}
		answer := "done"
		if err != nil {
			answer = codeOf(err)
		}
		if len(c.it) > 100 {
			c.it = fmt.Sprintf("%s... (%d bytes)", c.it[:60], len(c.it))
		}
		lines = append(lines, strings.TrimPrefix(c.table, env.Prefix)+" "+c.op+" "+c.it+"\n    "+answer)
	}
	golden(t, "refusals", lines)
}

func tryQueries(t *testing.T, env Env) {
	table := env.table(t, "query", hashRange, "")
	for _, sk := range []string{"-1.5", "0", "2", "10", "100"} {
		env.put(t, table, `{"pk":{"S":"a"},"sk":{"N":"`+sk+`"},"odd":{"BOOL":true}}`)
		env.put(t, table, `{"pk":{"S":"b"},"sk":{"N":"`+sk+`"}}`)
	}
	vals := item(`{":a":{"S":"a"},":c":{"S":"c"},":0":{"N":"0"},":2":{"N":"2"},":50":{"N":"50"},":t":{"BOOL":true},":s":{"S":"x"}}`)
	var lines []string
	for _, c := range []struct {
		keys, filter string
		back         bool
	}{
		{"pk = :a", "", false},
		{"pk = :a", "", true},
		{"pk = :c", "", false},
		{"pk = :a AND sk = :2", "", false},
		{"pk = :a AND sk < :2", "", false},
		{"sk <= :2 AND pk = :a", "", true},
		{"pk = :a AND sk > :2", "", false},
		{"pk = :a and sk >= :2", "", true},
		{"pk = :a AND sk BETWEEN :0 AND :50", "", false},
		{"(pk = :a) AND (sk > :0)", "", false},
		{"pk = :a", "odd = :t", false},
		{"pk = :a", "attribute_not_exists(odd)", false},
		{"pk > :a", "", false},
		{"sk = :2", "", false},
		{"pk = :a OR sk = :2", "", false},
		{"pk = :a AND sk <> :2", "", false},
		{"pk = :a AND begins_with(sk, :2)", "", false},
		{"pk = :a AND sk = :s", "", false},
		{"pk = :2", "", false},
		{"pk = :a AND odd = :t", "", false},
		{"pk = :a", "sk = :2", false},
		{"pk = :a AND sk > :0 AND sk < :50", "", false},
	} {
		_, v := placeholders(nil, vals, c.keys, c.filter)
		in := &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: &c.keys, ExpressionAttributeValues: v, ScanIndexForward: aws.Bool(!c.back), ConsistentRead: aws.Bool(true)}
		if c.filter != "" {
			in.FilterExpression = &c.filter
		}
		out, err := env.DynamoDB.Query(t.Context(), in)
		answer := ""
		if err != nil {
			answer = codeOf(err)
		} else {
			answer = fmt.Sprintf("%d of %d:", out.Count, out.ScannedCount)
			for _, it := range out.Items {
				answer += " " + it["sk"].(*types.AttributeValueMemberN).Value
			}
		}
		lines = append(lines, fmt.Sprintf("%s | %s | backwards %t\n    %s", c.keys, c.filter, c.back, answer))
	}
	golden(t, "queries", lines)
}

func tryPages(t *testing.T, env Env) {
	table := env.table(t, "page", hashRange, "")
	pad := strings.Repeat("x", 100<<10)
	for i := range 30 {
		env.put(t, table, fmt.Sprintf(`{"pk":{"S":"p%d"},"sk":{"N":"%d"},"pad":{"S":"%s"}}`, i%3, i, pad))
	}
	for _, limit := range []int32{0, 1, 7, 30, 100} {
		seen := map[string]int{}
		pages := 0
		in := &dynamodb.ScanInput{TableName: &table}
		if limit > 0 {
			in.Limit = &limit
		}
		for {
			out, err := env.DynamoDB.Scan(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			pages++
			for _, it := range out.Items {
				seen[it["sk"].(*types.AttributeValueMemberN).Value]++
			}
			if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
				break
			}
		}
		for sk, n := range seen {
			if n != 1 {
				t.Errorf("limit %d: item %s was seen %d times", limit, sk, n)
			}
		}
		if least := map[int32]int{0: 3, 1: 30, 7: 5, 30: 3, 100: 3}[limit]; len(seen) != 30 || pages < least {
			t.Errorf("limit %d: %d items on %d pages, want 30 on at least %d", limit, len(seen), pages, least)
		}
	}
	var order []string
	in := &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item(`{":p":{"S":"p1"}}`),
		Limit: aws.Int32(3), ScanIndexForward: aws.Bool(false), ProjectionExpression: aws.String("sk"),
	}
	for {
		out, err := env.DynamoDB.Query(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range out.Items {
			order = append(order, it["sk"].(*types.AttributeValueMemberN).Value)
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	if got := strings.Join(order, " "); got != "28 25 22 19 16 13 10 7 4 1" {
		t.Errorf("backwards in pages of 3: %s", got)
	}
}

func tryReturns(t *testing.T, env Env) {
	table := env.table(t, "ret", hashOnly, "")
	key := item(`{"pk":{"S":"a"}}`)
	var lines []string
	note := func(what string, got map[string]types.AttributeValue, err error) {
		answer := text(got)
		if err != nil {
			answer = refusal(err)
		}
		lines = append(lines, what+"\n    "+answer)
	}
	for _, ret := range []types.ReturnValue{"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"} {
		_, _ = env.DynamoDB.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key})
		for i := range 2 {
			out, err := env.DynamoDB.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item(fmt.Sprintf(`{"pk":{"S":"a"},"n":{"N":"%d"}}`, i)), ReturnValues: ret})
			note(fmt.Sprintf("put %d %s", i, ret), value(out, func(o *dynamodb.PutItemOutput) map[string]types.AttributeValue { return o.Attributes }), err)
		}
		env.put(t, table, `{"pk":{"S":"a"},"n":{"N":"1"},"m":{"M":{"x":{"N":"1"}}},"old":{"S":"x"}}`)
		out, err := env.DynamoDB.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: key, ReturnValues: ret,
			UpdateExpression: aws.String("SET n = :n, q = :n REMOVE #old"), ExpressionAttributeNames: map[string]string{"#old": "old"}, ExpressionAttributeValues: item(`{":n":{"N":"7"}}`),
		})
		note("update "+string(ret), value(out, func(o *dynamodb.UpdateItemOutput) map[string]types.AttributeValue { return o.Attributes }), err)
		gone, err := env.DynamoDB.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key, ReturnValues: ret})
		note("delete "+string(ret), value(gone, func(o *dynamodb.DeleteItemOutput) map[string]types.AttributeValue { return o.Attributes }), err)
		_, _ = env.DynamoDB.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key})
		fresh, err := env.DynamoDB.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key, ReturnValues: ret})
		note("update of nothing "+string(ret), value(fresh, func(o *dynamodb.UpdateItemOutput) map[string]types.AttributeValue { return o.Attributes }), err)
	}
	golden(t, "returns", lines)
}

func value[T any](out *T, f func(*T) map[string]types.AttributeValue) map[string]types.AttributeValue {
	if out == nil {
		return nil
	}
	return f(out)
}

func tryFailedCondition(t *testing.T, env Env) {
	table := env.table(t, "failed", hashOnly, "")
	env.put(t, table, `{"pk":{"S":"a"},"owner":{"S":"w1"}}`)
	for _, c := range []struct{ key, want string }{
		{`{"pk":{"S":"a"}}`, `{"owner":{"S":"w1"},"pk":{"S":"a"}}`},
		{`{"pk":{"S":"absent"}}`, "none"},
	} {
		_, err := env.DynamoDB.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: item(c.key),
			UpdateExpression: aws.String("SET c = :c"), ConditionExpression: aws.String("c = :c"), ExpressionAttributeValues: item(`{":c":{"N":"1"}}`),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatalf("%s: %v", c.key, err)
		}
		if got := text(failed.Item); got != c.want {
			t.Errorf("%s: the error shows %s, want %s", c.key, got, c.want)
		}
	}
}
