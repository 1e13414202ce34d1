package main

import (
	"context"
	"encoding/json"
	"errors"

	"dynamolake/bootstrap"
)

// snapshotting are the settings of `dynamolake snapshot`: a part of the table as it is now, which AWS selects before it
// exports. It lies in a place of its own, as what a replay writes, for nothing can follow it.
type snapshotting struct {
	replaying
	filter bootstrap.Filter
	enable bool
}

func snapshotCommand(s *settings) func(context.Context, streams) error {
	var c snapshotting
	c.flags(s)
	placeFlag(s, &c.into)
	s.text(&c.filter.Items, "filter", "", "items to take: a filter expression of DynamoDB, like 'amount > :least'")
	s.text(&c.filter.Key, "key-condition", "", "items to take, by key: a key condition expression of DynamoDB, like 'customer = :c'; --filter can then name no key attribute")
	s.text(&c.filter.Attributes, "attributes", "", "attributes to take besides the key: a projection expression of DynamoDB, like 'amount, address.city'; all when empty")
	s.add("names", "JSON", "", `attributes that #names in the expressions stand for: {"#s": "status"}`, func(t string) error {
		if c.filter.Names = nil; t != "" && json.Unmarshal([]byte(t), &c.filter.Names) != nil {
			return errors.New(`want JSON like {"#s": "status"}`)
		}
		return nil
	})
	s.add("values", "JSON", "", `values that :names in the expressions stand for, as DynamoDB JSON: {":paid": {"S": "paid"}}`, func(t string) error {
		c.filter.Values = json.RawMessage(t)
		return nil
	})
	s.check(c.filter.Check)
	s.boolean(&c.enable, "enable", "turn on point-in-time recovery where it is off")
	c.rawFlags(s)
	c.convertFlags(s)
	c.schema.flags(s)
	outputFlags(s, &c.output, &c.logLevel, &c.logFormat)
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

func (c snapshotting) run(ctx context.Context, io streams) error {
	r, err := c.begin(ctx, io)
	if err != nil {
		return err
	}
	if err := r.take(ctx, claim{Of: ofSnapshot, Filter: &c.filter}); err != nil {
		return err
	}
	err = r.exported(ctx, func(o bootstrap.Options) (bootstrap.Result, error) {
		o.Filter = &c.filter
		return bootstrap.Bootstrap(ctx, o, bootstrap.Seed{Enable: c.enable, NoStream: true})
	})
	if err != nil {
		return err
	}
	return r.conclude(ctx, io.out)
}
