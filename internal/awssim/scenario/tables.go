package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func tryTransactions(t *testing.T, env Env) {
	table := env.table(t, "tx", hashOnly, "")
	env.put(t, table, `{"pk":{"S":"a"},"n":{"N":"1"}}`)
	write := func(token, condition string) error {
		in := &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: &table, Item: item(`{"pk":{"S":"b"},"n":{"N":"5"}}`)}},
			{Update: &types.Update{TableName: &table, Key: item(`{"pk":{"S":"a"}}`), UpdateExpression: aws.String("ADD n :1"), ExpressionAttributeValues: item(`{":1":{"N":"1"}}`)}},
			{ConditionCheck: &types.ConditionCheck{TableName: &table, Key: item(`{"pk":{"S":"c"}}`), ConditionExpression: &condition}},
		}}
		if token != "" {
			in.ClientRequestToken = &token
		}
		_, err := env.DynamoDB.TransactWriteItems(t.Context(), in)
		return err
	}
	err := write("", "attribute_exists(pk)")
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatalf("with a failed condition: %v", err)
	}
	var codes []string
	for _, r := range cancelled.CancellationReasons {
		codes = append(codes, aws.ToString(r.Code))
	}
	if got := strings.Join(codes, " "); got != "None None ConditionalCheckFailed" {
		t.Errorf("reasons %s", got)
	}
	if got := env.get(t, table, `{"pk":{"S":"b"}}`); got != "none" {
		t.Errorf("a cancelled transaction left %s", got)
	}
	for range 2 { // the second is the same request again
		if err := write("token-"+env.Prefix, "attribute_not_exists(pk)"); err != nil {
			t.Fatal(err)
		}
	}
	if got := env.get(t, table, `{"pk":{"S":"a"}}`); got != `{"n":{"N":"2"},"pk":{"S":"a"}}` {
		t.Errorf("after one transaction sent twice: %s", got)
	}
	if err := write("token-"+env.Prefix, "attribute_not_exists(x)"); codeOf(err) != "IdempotentParameterMismatchException" {
		t.Errorf("the token for another request: %v", err)
	}
	_, err = env.DynamoDB.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &table, Item: item(`{"pk":{"S":"b"}}`)}}, {Delete: &types.Delete{TableName: &table, Key: item(`{"pk":{"S":"b"}}`)}},
	}})
	if codeOf(err) != "ValidationException" {
		t.Errorf("one item twice: %v", err)
	}
}

func tryBatches(t *testing.T, env Env) {
	table := env.table(t, "batch", hashOnly, "")
	batch := func(n int, same bool) error {
		var reqs []types.WriteRequest
		for i := range n {
			if same {
				i = 0
			}
			reqs = append(reqs, types.WriteRequest{PutRequest: &types.PutRequest{Item: item(fmt.Sprintf(`{"pk":{"S":"%d"}}`, i))}})
		}
		_, err := env.DynamoDB.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: reqs}})
		return err
	}
	if err := batch(25, false); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{batch(26, false), batch(2, true)} {
		if codeOf(err) != "ValidationException" {
			t.Errorf("too many or the same item twice: %v", err)
		}
	}
	_, err := env.DynamoDB.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: {
		{DeleteRequest: &types.DeleteRequest{Key: item(`{"pk":{"S":"3"}}`)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := env.DynamoDB.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {
		Keys: []map[string]types.AttributeValue{item(`{"pk":{"S":"3"}}`), item(`{"pk":{"S":"4"}}`), item(`{"pk":{"S":"24"}}`)},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range out.Responses[table] {
		got = append(got, text(it))
	}
	slices.Sort(got)
	if s := strings.Join(got, " "); s != `{"pk":{"S":"24"}} {"pk":{"S":"4"}}` || len(out.UnprocessedKeys) != 0 {
		t.Errorf("read %s, %d tables unprocessed", s, len(out.UnprocessedKeys))
	}
}

func tryTables(t *testing.T, env Env) {
	table := env.table(t, "tab", hashRange, "NEW_IMAGE")
	d, err := env.DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %s %t %d", d.Table.TableStatus, *d.Table.KeySchema[0].AttributeName, *d.Table.KeySchema[1].AttributeName, *d.Table.StreamSpecification.StreamEnabled, len(d.Table.AttributeDefinitions))
	if got != "ACTIVE pk sk true 2" || !strings.HasSuffix(*d.Table.LatestStreamArn, "/stream/"+*d.Table.LatestStreamLabel) || !strings.HasSuffix(*d.Table.TableArn, ":table/"+table) {
		t.Errorf("described as %s, stream %s, table %s", got, *d.Table.LatestStreamArn, *d.Table.TableArn)
	}
	_, err = env.DynamoDB.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: d.Table.AttributeDefinitions, KeySchema: d.Table.KeySchema,
	})
	if codeOf(err) != "ResourceInUseException" {
		t.Errorf("made twice: %v", err)
	}
	list, err := env.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || !slices.Contains(list.TableNames, table) {
		t.Errorf("tables %v, error %v", list, err)
	}
	if _, err := env.DynamoDB.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
		t.Fatal(err)
	}
	if _, err := env.DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}); codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("described after its deletion: %v", err)
	}
	if _, err := env.DynamoDB.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &table}); codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("deleted twice: %v", err)
	}
}

func tryIndexes(t *testing.T, env Env) {
	table := env.Prefix + "index"
	attr := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: "S"}
	}
	_, err := env.DynamoDB.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attr("leaseKey"), attr("leaseOwner")},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("leaseKey"), KeyType: "HASH"}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("byOwner"), Projection: &types.Projection{ProjectionType: "KEYS_ONLY"},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("leaseOwner"), KeyType: "HASH"}, {AttributeName: aws.String("leaseKey"), KeyType: "RANGE"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = env.DynamoDB.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table})
	})
	for i := range 9 {
		env.put(t, table, fmt.Sprintf(`{"leaseKey":{"S":"k%d"},"leaseOwner":{"S":"w%d"},"n":{"N":"1"}}`, i, i%2))
	}
	env.put(t, table, `{"leaseKey":{"S":"free"}}`)
	var got []string
	in := &dynamodb.QueryInput{TableName: &table, IndexName: aws.String("byOwner"), KeyConditionExpression: aws.String("leaseOwner = :w"), ExpressionAttributeValues: item(`{":w":{"S":"w0"}}`), Limit: aws.Int32(2)}
	for {
		out, err := env.DynamoDB.Query(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range out.Items {
			got = append(got, text(it))
		}
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			break
		}
	}
	var want []string
	for _, k := range []int{0, 2, 4, 6, 8} {
		want = append(want, fmt.Sprintf(`{"leaseKey":{"S":"k%d"},"leaseOwner":{"S":"w0"}}`, k))
	}
	if !slices.Equal(got, want) {
		t.Errorf("leases of w0: %s", got)
	}
}

func tryTimeToLive(t *testing.T, env Env) {
	table := env.table(t, "ttl", hashOnly, "")
	set := func(on bool) error {
		_, err := env.DynamoDB.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               &table,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("exp"), Enabled: &on},
		})
		return err
	}
	d, err := env.DynamoDB.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil || d.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusDisabled {
		t.Errorf("before: %v, error %v", d, err)
	}
	if err := set(true); err != nil {
		t.Fatal(err)
	}
	if err := set(true); codeOf(err) != "ValidationException" {
		t.Errorf("switched on twice: %v", err)
	}
	d, err = env.DynamoDB.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil || *d.TimeToLiveDescription.AttributeName != "exp" {
		t.Errorf("after: %v, error %v", d, err)
	}
}
