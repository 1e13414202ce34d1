package scene

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Author writes inserts, updates and deletes, from one seed.
type Author struct {
	db    *dynamodb.Client
	table string
	keys  int
	rng   *rand.Rand
	steps int
}

// NewAuthor writes to so many different keys.
func NewAuthor(db *dynamodb.Client, table string, seed uint64, keys int) *Author {
	return &Author{db: db, table: table, keys: keys, rng: rand.New(rand.NewPCG(seed, 7))}
}

type item = map[string]types.AttributeValue

// Step makes one request: mostly one write, sometimes a transaction or a batch.
func (a *Author) Step(ctx context.Context) error {
	a.steps++
	var err error
	switch n := a.rng.IntN(100); {
	case n < 45:
		_, err = a.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &a.table, Item: a.item()})
	case n < 75:
		_, err = a.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &a.table, Key: a.key(),
			UpdateExpression:          aws.String("SET #s = :s, amount = if_not_exists(amount, :z) + :n REMOVE note"),
			ExpressionAttributeNames:  map[string]string{"#s": "status"},
			ExpressionAttributeValues: item{":s": a.word(), ":z": number(0), ":n": number(a.rng.IntN(9))},
		})
	case n < 90:
		_, err = a.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &a.table, Key: a.key()})
	case n < 95:
		one, two := a.item(), a.item()
		for sameKey(one, two) {
			two = a.item()
		}
		_, err = a.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: &a.table, Item: one}}, {Put: &types.Put{TableName: &a.table, Item: two}},
		}})
	default:
		var writes []types.WriteRequest
		var items []item
		for range 1 + a.rng.IntN(25) {
			next := a.item()
			for _, have := range items {
				if sameKey(have, next) {
					next = nil
					break
				}
			}
			if next != nil {
				items = append(items, next)
				writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: next}})
			}
		}
		_, err = a.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{a.table: writes}})
	}
	if err != nil {
		return fmt.Errorf("write %d: %w", a.steps, err)
	}
	return nil
}

func (a *Author) key() item {
	k := a.rng.IntN(a.keys)
	return item{"customer": &types.AttributeValueMemberS{Value: "c-" + strconv.Itoa(k%(a.keys/4+1))}, "order": number(k)}
}

// item carries every type that DynamoDB has.
func (a *Author) item() item {
	it := a.key()
	it["status"] = a.word()
	it["amount"] = &types.AttributeValueMemberN{Value: fmt.Sprintf("%d.%02d", a.rng.IntN(5000), 1+a.rng.IntN(99))}
	it["exact"] = &types.AttributeValueMemberN{Value: "1234567890123456789012345678901234567." + strconv.Itoa(1+a.rng.IntN(9))}
	it["paid"] = &types.AttributeValueMemberBOOL{Value: a.rng.IntN(2) == 0}
	it["note"] = &types.AttributeValueMemberS{Value: "naïve \"quoted\" \u2028 💧 \\ " + strings.Repeat("x", a.rng.IntN(300))}
	it["tags"] = &types.AttributeValueMemberSS{Value: []string{"a", "b" + strconv.Itoa(a.rng.IntN(9))}}
	it["raw"] = &types.AttributeValueMemberB{Value: []byte{0, byte(a.rng.IntN(256)), 255}}
	it["gone"] = &types.AttributeValueMemberNULL{Value: true}
	it["lines"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{
		&types.AttributeValueMemberM{Value: item{"sku": a.word(), "n": number(a.rng.IntN(5))}},
		&types.AttributeValueMemberNS{Value: []string{"1", "2.5"}},
	}}
	return it
}

func (a *Author) word() types.AttributeValue {
	words := []string{"new", "paid", "packed", "sent", "returned", ""}
	return &types.AttributeValueMemberS{Value: words[a.rng.IntN(len(words))]}
}

func number(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(n)} }

func sameKey(a, b item) bool {
	return a["order"].(*types.AttributeValueMemberN).Value == b["order"].(*types.AttributeValueMemberN).Value
}
