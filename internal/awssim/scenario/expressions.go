package scenario

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// base is the item that the expressions are tried on.
const base = `{"pk":{"S":"a"},"n":{"N":"10"},"s":{"S":"hello"},"e":{"S":""},"b":{"B":"AAEC"},"t":{"BOOL":true},"z":{"NULL":true},
	"ss":{"SS":["x","y"]},"ns":{"NS":["1","2.5"]},"l":{"L":[{"N":"1"},{"S":"two"},{"M":{"k":{"N":"3"}}}]},
	"m":{"M":{"a":{"N":"1"},"d.t":{"S":"dotted"},"in":{"M":{"deep":{"S":"down"}}}}},"name":{"S":"reserved"}}`

func names() map[string]string {
	return map[string]string{"#n": "n", "#name": "name", "#m": "m", "#dot": "d.t", "#pk": "pk", "#none": "none", "#l": "l", "#new": "new"}
}

func values() map[string]types.AttributeValue {
	return item(`{":1":{"N":"1"},":10":{"N":"10"},":11":{"N":"11"},":9":{"N":"9"},":s":{"S":"hello"},":he":{"S":"he"},":z":{"S":"zz"},
		":b":{"B":"AAE="},":t":{"BOOL":true},":null":{"NULL":true},":x":{"S":"x"},":ss":{"SS":["y","x"]},":sq":{"SS":["q"]},":xy":{"SS":["x","y"]},
		":ns":{"NS":["2.50","7"]},":l":{"L":[{"N":"4"}]},":m":{"M":{"k":{"N":"3"}}},":N":{"S":"N"},":bad":{"S":"NOPE"},":big":{"N":"99999999999999999999999999999999999999"},
		":half":{"N":"0.5"},":empty":{"S":""}}`)
}

var conditions = []string{
	"n = :10", "n = :11", "n <> :11", "n < :11", "n <= :10", "n > :9", "n >= :11", "n < :s", "n = :s", "n <> :s",
	"s = :s", "s > :he", "s < :z", "b > :b", "b = :b", "t = :t", "t <> :t", "z = :null", "ss = :ss", "l = :l", "#l[2] = :m",
	"none = :1", "none <> :1", "none < :1", "NOT none = :1", "n = none", "none = none", "none <> none",
	"n BETWEEN :9 AND :11", "n between :11 and :9", "n BETWEEN :9 AND :s", "s BETWEEN :he AND :z",
	"n IN (:1, :10)", "n IN (:1)", "s in (:he,:s)", "none IN (:1)",
	"attribute_exists(n)", "attribute_exists(none)", "attribute_not_exists(none)", "attribute_not_exists(m.a)", "attribute_exists(m.nope)",
	"attribute_exists(l[1])", "attribute_exists(l[9])", "attribute_exists(#m.#dot)", "attribute_exists(m.in.deep)",
	"attribute_type(n, :N)", "attribute_type(s, :N)", "attribute_type(n, :bad)", "attribute_type(n, :1)",
	"begins_with(s, :he)", "begins_with(s, :z)", "begins_with(b, :b)", "begins_with(n, :he)", "begins_with(s, :1)", "begins_with(s, :empty)",
	"contains(s, :he)", "contains(ss, :x)", "contains(ss, :z)", "contains(l, :1)", "contains(ns, :1)", "contains(m, :x)", "contains(none, :x)", "contains(s, :1)",
	"size(s) = :9", "size(s) < :9", "size(ss) > :1", "size(l) > :1", "size(m) > :1", "size(b) > :1", "size(n) > :1", "size(none) > :1", "size(e) < :1",
	"n = :10 AND s = :s", "n = :11 OR s = :s", "n = :11 OR s = :z AND n = :10", "(n = :11 OR s = :s) AND n = :10", "NOT (n = :10)", "NOT n = :11 AND n = :10",
	"m.a = :1", "m.in.deep <> :s", "#m.#dot = :s", "l[0] = :1", "l[1] < :z", ":1 < n", ":10 = n", "n < :big", "n > :half",
	// refused
	"", "n", "n =", "= :1", "n = :1 AND", "n == :1", "(n = :1", "n = :1)", "n = :nope", "#nope = :1", "name = :s", "#name = :s",
	"nofunction(n)", "attribute_exists(:1)", "attribute_exists(n, s)", "begins_with(s)", "contains(s)", "size(n)", "n < :t", "n < :ss", "n > :null",
	"n BETWEEN :9", "n IN ()", "n = :1 n = :1", "a..b = :1", "l[x] = :1", "n $ :1",
}

var updates = []string{
	"SET n = :1", "SET #new = :l", "SET n = n + :1", "SET n = n - :half", "SET n = :1 + n", "SET n = n + n", "SET n = s + :1", "SET n = none + :1", "SET n = :big + :half",
	"SET x = if_not_exists(x, :1)", "SET n = if_not_exists(n, :1)", "SET n = if_not_exists(n, :1) + :1", "SET x = if_not_exists(x, none)",
	"SET l = list_append(l, :l)", "SET l = list_append(:l, l)", "SET l = list_append(s, :l)", "SET l = list_append(none, :l)",
	"SET l[0] = :s", "SET l[7] = :s", "SET l[2].k = :s", "SET l[1].k = :s", "SET m.a = :s", "SET m.q = :s", "SET #m.#dot = :1", "SET m.x.y = :1", "SET none.x = :1", "SET s.x = :1",
	"SET a = n, n = :1", "SET a = :1, c = :s REMOVE s, m.a ADD n :1 DELETE ss :x2", "set a = :1 remove s add n :1 delete ss :sq",
	"REMOVE s", "REMOVE none", "REMOVE l[0], l[1]", "REMOVE l[1], l[0]", "REMOVE l[9]", "REMOVE m.in.deep", "REMOVE m.nope.x", "REMOVE none.x", "REMOVE m",
	"ADD n :1", "ADD n :half", "ADD x :1", "ADD ss :ss", "ADD ss :sq", "ADD ns :ns", "ADD x :sq", "ADD s :1", "ADD n :ss", "ADD ss :ns", "ADD m.a :1", "ADD m.x :1",
	"DELETE ss :xy", "DELETE ss :sq", "DELETE none :sq", "DELETE ns :ns", "DELETE n :sq", "DELETE ss :ns",
	"SET #name = :1", "SET n = :10", "SET ss = :ss", "SET n = (:1)", "SET n = (n + :1)", "SET t = :null, z = :t",
	// refused
	"", "SET", "SET n", "SET n = ", "SET n = :1 SET s = :s", "SET pk = :s", "REMOVE pk", "SET #pk = :s", "ADD pk :1", "SET n = :1, n = :9", "SET m.a = :1, m = :m", "SET l[0] = :1 REMOVE l",
	"ADD n :s", "ADD n :l", "DELETE n :1", "DELETE ss :s", "SET n = :nope", "SET #nope = :1", "SET name = :1", "SET n = size(s)", "SET n = attribute_exists(n)", "SET x = if_not_exists(:1, :1)", "ADD n n", "NOSUCH n :1", "SET n = :1,", "SET n = n * :1", "SET n = n + :1 + :1",
}

func tryConditions(t *testing.T, env Env) {
	table := env.table(t, "cond", hashOnly, "")
	env.put(t, table, base)
	var lines []string
	for _, expr := range conditions {
		n, v := placeholders(names(), values(), expr)
		_, err := env.DynamoDB.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
			TableName: &table, Key: item(`{"pk":{"S":"a"}}`), ConditionExpression: &expr, ExpressionAttributeNames: n, ExpressionAttributeValues: v,
		})
		answer := "yes"
		switch {
		case err != nil && codeOf(err) == "ConditionalCheckFailedException":
			answer = "no"
		case err != nil:
			answer = refusal(err)
		default:
			env.put(t, table, base)
		}
		lines = append(lines, expr+"\n    "+answer)
	}
	golden(t, "conditions", lines)
}

func tryUpdates(t *testing.T, env Env) {
	table := env.table(t, "upd", hashOnly, "")
	var lines []string
	for _, expr := range updates {
		env.put(t, table, base)
		n, v := placeholders(names(), values(), expr)
		_, err := env.DynamoDB.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: item(`{"pk":{"S":"a"}}`), UpdateExpression: &expr, ExpressionAttributeNames: n, ExpressionAttributeValues: v,
		})
		if err != nil {
			lines = append(lines, expr+"\n    "+refusal(err))
			continue
		}
		lines = append(lines, expr+"\n    "+env.get(t, table, `{"pk":{"S":"a"}}`))
	}
	golden(t, "updates", lines)
}

func tryProjections(t *testing.T, env Env) {
	table := env.table(t, "proj", hashOnly, "")
	env.put(t, table, base)
	var lines []string
	for _, expr := range []string{
		"n", "n, s", "m.a", "m.a, m.#dot", "l[2].k", "l[2], l[0]", "none", "m.nope", "l[0].x", "n, m.in.deep, #name",
		"n, n", "m, m.a", "name", "", "n,", ":1",
	} {
		n, _ := placeholders(names(), nil, expr)
		out, err := env.DynamoDB.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: &table, Key: item(`{"pk":{"S":"a"}}`), ProjectionExpression: aws.String(expr), ExpressionAttributeNames: n, ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			lines = append(lines, expr+"\n    "+refusal(err))
			continue
		}
		lines = append(lines, expr+"\n    "+text(out.Item))
	}
	golden(t, "projections", lines)
}
