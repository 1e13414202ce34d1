package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/transform"
	"dynamolake/writer"
)

func isThere(err error) bool { return errors.Is(err, writer.ErrExists) }

// batch is how many items one call may ask for.
const batch = 100

// absent asks the table, consistently, which of the items it does not have. Keys
// are canonical DynamoDB JSON.
func (w *workshop) absent(ctx context.Context, keys []string) ([]string, error) {
	if len(keys) > 0 && w.DynamoDB == nil {
		return nil, &Advice{What: "ask table " + w.Table.Name + " for items of the overlap", Fix: "it needs access to the table, also to import the last window of a gap"}
	}
	var gone []string
	for some := range slices.Chunk(keys, batch) {
		want := types.KeysAndAttributes{
			ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String("#h"),
			ExpressionAttributeNames: map[string]string{"#h": w.Table.Keys.Hash.Name},
		}
		if w.Table.Keys.HasRange() {
			want.ProjectionExpression = aws.String("#h, #r")
			want.ExpressionAttributeNames["#r"] = w.Table.Keys.Range.Name
		}
		for _, text := range some {
			key, err := attributes(text)
			if err != nil {
				return nil, err
			}
			want.Keys = append(want.Keys, key)
		}
		have := map[string]bool{}
		for try := 1; len(want.Keys) > 0; try++ {
			out, err := w.DynamoDB.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{w.Table.Name: want}})
			if err != nil {
				return nil, w.explain("ask table "+w.Table.Name+" for items", "BatchGetItem", err)
			}
			for _, item := range out.Responses[w.Table.Name] {
				text, err := keyOf(item)
				if err != nil {
					return nil, err
				}
				have[text] = true
			}
			if want.Keys = out.UnprocessedKeys[w.Table.Name].Keys; len(want.Keys) > 0 {
				if err := pause(ctx, backoff(try)); err != nil {
					return nil, err
				}
			}
		}
		for _, text := range some {
			if !have[text] {
				gone = append(gone, text)
			}
		}
	}
	return gone, nil
}

// attributes are those of a key.
func attributes(text string) (map[string]types.AttributeValue, error) {
	var all map[string]struct {
		S, N *string
		B    []byte
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("a key of the lake: %w", err)
	}
	key := map[string]types.AttributeValue{}
	for name, v := range all {
		switch {
		case v.S != nil:
			key[name] = &types.AttributeValueMemberS{Value: *v.S}
		case v.N != nil:
			key[name] = &types.AttributeValueMemberN{Value: *v.N}
		default:
			key[name] = &types.AttributeValueMemberB{Value: v.B}
		}
	}
	return key, nil
}

// keyOf is the canonical DynamoDB JSON of a key.
func keyOf(item map[string]types.AttributeValue) (string, error) {
	all := map[string]any{}
	for name, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			all[name] = map[string]string{"S": v.Value}
		case *types.AttributeValueMemberN:
			all[name] = map[string]string{"N": v.Value}
		case *types.AttributeValueMemberB:
			all[name] = map[string][]byte{"B": v.Value}
		}
	}
	text, err := json.Marshal(all)
	if err == nil {
		text, err = transform.Canonical(text)
	}
	return string(text), err
}
