package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/internal/attribute"
	"dynamolake/transform"
	"dynamolake/writer"
)

func isThere(err error) bool { return errors.Is(err, writer.ErrExists) }

// batch is how many items one call may ask for.
const batch = 100

// absent asks the table, consistently, which of the items it does not have, or has as none of the dataset.
// Keys are canonical DynamoDB JSON.
func (w *workshop) absent(ctx context.Context, p *part, keys []string) ([]string, error) {
	if len(keys) > 0 && w.DynamoDB == nil {
		return nil, &Advice{What: "ask table " + w.Table.Name + " for items of the overlap", Fix: "it needs access to the table, also to import the last window of a gap"}
	}
	var gone []string
	for some := range slices.Chunk(keys, batch) {
		have, err := w.have(ctx, p, some)
		if err != nil {
			return nil, err
		}
		for _, text := range some {
			if !have[text] {
				gone = append(gone, text)
			}
		}
	}
	return gone, nil
}

// have asks for some items.
func (w *workshop) have(ctx context.Context, p *part, keys []string) (map[string]bool, error) {
	want := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	if p.all { // the key will do
		want.ProjectionExpression = aws.String("#h")
		want.ExpressionAttributeNames = map[string]string{"#h": w.Table.Keys.Hash.Name}
		if w.Table.Keys.HasRange() {
			want.ProjectionExpression = aws.String("#h, #r")
			want.ExpressionAttributeNames["#r"] = w.Table.Keys.Range.Name
		}
	}
	for _, text := range keys {
		key, err := attribute.Parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("a key of the lake: %w", err)
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
			key, err := attribute.Key(w.Table.Keys, item)
			if err != nil {
				return nil, fmt.Errorf("an item of the table: %w", err)
			}
			if have[string(key)], err = w.holds(p, item); err != nil {
				return nil, err
			}
		}
		if want.Keys = out.UnprocessedKeys[w.Table.Name].Keys; len(want.Keys) > 0 {
			if err := pause(ctx, backoff(try)); err != nil {
				return nil, err
			}
		}
	}
	return have, nil
}

// holds tells whether an item is one of the dataset. One that the dataset cannot judge stays there.
func (w *workshop) holds(p *part, item map[string]types.AttributeValue) (bool, error) {
	r := p.Encoder.NewRule()
	if p.all || r == nil {
		return true, nil
	}
	text, err := attribute.JSON(item)
	if err != nil {
		return false, fmt.Errorf("an item of the table: %w", err)
	}
	text = slices.Concat([]byte(`{"Item":`), text, []byte("}"))
	var page transform.Page
	if err := w.decoder.DecodeExport(text, transform.ViewFull, &page); err != nil {
		return false, err
	}
	if len(page.Changes) != 1 {
		return false, fmt.Errorf("an item of the table makes no sense: %s", page.Rejects[0].Reason)
	}
	r.Begin()
	out, why := r.Admit(&page.Changes[0])
	return out != nil || why != "", nil
}
