// Package attribute is DynamoDB JSON made of the SDK's values, and the SDK's values made of it: for the few items that
// come by an API call. What comes by the million goes through package transform, which makes no values at all.
package attribute

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/transform"
)

// JSON is the DynamoDB JSON of an item.
func JSON(item map[string]types.AttributeValue) ([]byte, error) {
	all, err := plainMap(item)
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// Key is the canonical DynamoDB JSON of an item's key.
func Key(keys transform.KeySchema, item map[string]types.AttributeValue) ([]byte, error) {
	only := map[string]types.AttributeValue{keys.Hash.Name: item[keys.Hash.Name]}
	if keys.HasRange() {
		only[keys.Range.Name] = item[keys.Range.Name]
	}
	text, err := JSON(only)
	if err != nil {
		return nil, err
	}
	return transform.Canonical(text)
}

func plainMap(item map[string]types.AttributeValue) (map[string]any, error) {
	all := make(map[string]any, len(item))
	for name, v := range item {
		p, err := plain(v)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		all[name] = p
	}
	return all, nil
}

func plain(v types.AttributeValue) (any, error) {
	tag := func(name string, v any) (any, error) { return map[string]any{name: v}, nil }
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return tag("S", v.Value)
	case *types.AttributeValueMemberN:
		return tag("N", v.Value)
	case *types.AttributeValueMemberB:
		return tag("B", notNil(v.Value))
	case *types.AttributeValueMemberBOOL:
		return tag("BOOL", v.Value)
	case *types.AttributeValueMemberNULL:
		return tag("NULL", v.Value)
	case *types.AttributeValueMemberSS:
		return tag("SS", v.Value)
	case *types.AttributeValueMemberNS:
		return tag("NS", v.Value)
	case *types.AttributeValueMemberBS:
		set := [][]byte{}
		for _, b := range v.Value {
			set = append(set, notNil(b))
		}
		return tag("BS", set)
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			p, err := plain(e)
			if err != nil {
				return nil, err
			}
			list[i] = p
		}
		return tag("L", list)
	case *types.AttributeValueMemberM:
		m, err := plainMap(v.Value)
		if err != nil {
			return nil, err
		}
		return tag("M", m)
	}
	return nil, fmt.Errorf("a value of type %T is unknown", v)
}

// notNil is for empty binaries, which JSON would write as null.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Parse reads an item in DynamoDB JSON. It refuses what DynamoDB would, as far as the text alone shows.
func Parse(text []byte) (map[string]types.AttributeValue, error) {
	text, err := transform.Canonical(text)
	if err != nil {
		return nil, err
	}
	return parseMap(text)
}

func parseMap(text []byte) (map[string]types.AttributeValue, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	item := make(map[string]types.AttributeValue, len(all))
	for name, raw := range all {
		v, err := parse(raw)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		item[name] = v
	}
	return item, nil
}

// parse reads a value, of which Canonical has seen that it has one known type.
func parse(text []byte) (types.AttributeValue, error) {
	var v struct {
		S, N *string
		B    *[]byte
		BOOL *bool
		NULL *bool
		L    *[]json.RawMessage
		M    json.RawMessage
		SS   []string
		NS   []string
		BS   [][]byte
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	switch {
	case v.S != nil:
		return &types.AttributeValueMemberS{Value: *v.S}, nil
	case v.N != nil:
		return &types.AttributeValueMemberN{Value: *v.N}, nil
	case v.B != nil:
		return &types.AttributeValueMemberB{Value: *v.B}, nil
	case v.BOOL != nil:
		return &types.AttributeValueMemberBOOL{Value: *v.BOOL}, nil
	case v.NULL != nil:
		return &types.AttributeValueMemberNULL{Value: *v.NULL}, nil
	case v.SS != nil:
		return &types.AttributeValueMemberSS{Value: v.SS}, nil
	case v.NS != nil:
		return &types.AttributeValueMemberNS{Value: v.NS}, nil
	case v.BS != nil:
		return &types.AttributeValueMemberBS{Value: v.BS}, nil
	case v.L != nil:
		list := make([]types.AttributeValue, len(*v.L))
		for i, raw := range *v.L {
			e, err := parse(raw)
			if err != nil {
				return nil, err
			}
			list[i] = e
		}
		return &types.AttributeValueMemberL{Value: list}, nil
	}
	m, err := parseMap(v.M)
	return &types.AttributeValueMemberM{Value: m}, err
}
