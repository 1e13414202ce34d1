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
			text, err := w.keyOf(item)
			if err != nil {
				return nil, err
			}
			if have[text], err = w.holds(p, item); err != nil {
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
	text, err := json.Marshal(map[string]any{"Item": plainMap(item)})
	if err != nil {
		return false, fmt.Errorf("an item of the table: %w", err)
	}
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

// keyOf is the canonical DynamoDB JSON of an item's key.
func (w *workshop) keyOf(item map[string]types.AttributeValue) (string, error) {
	key := map[string]any{w.Table.Keys.Hash.Name: plain(item[w.Table.Keys.Hash.Name])}
	if w.Table.Keys.HasRange() {
		key[w.Table.Keys.Range.Name] = plain(item[w.Table.Keys.Range.Name])
	}
	text, err := json.Marshal(key)
	if err == nil {
		text, err = transform.Canonical(text)
	}
	return string(text), err
}

// plain is a value as DynamoDB JSON has it.
func plain(v types.AttributeValue) map[string]any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": append([]byte{}, v.Value...)}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": v.Value}
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": v.Value}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": plainMap(v.Value)}
	case *types.AttributeValueMemberL:
		list := []any{}
		for _, e := range v.Value {
			list = append(list, plain(e))
		}
		return map[string]any{"L": list}
	}
	return nil
}

func plainMap(item map[string]types.AttributeValue) map[string]any {
	all := make(map[string]any, len(item))
	for name, v := range item {
		all[name] = plain(v)
	}
	return all
}
