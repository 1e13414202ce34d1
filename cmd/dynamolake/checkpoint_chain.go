package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// chains reads the files that shards have in the lake.
type chains struct {
	store    writer.Store
	prefix   string
	datasets []string // that the table is split into now
}

// openChains finds out what datasets a table has.
func openChains(ctx context.Context, cfg aws.Config, lake string, table consumer.Table) (chains, error) {
	store, err := openLake(lake, cfg)
	if err != nil {
		return chains{}, err
	}
	c := chains{store: store, prefix: writer.TablePrefix(table.Account, table.Region, table.Name), datasets: []string{dataset.All}}
	schema, err := dataset.NewCatalog(store, c.prefix).Latest(ctx)
	if err != nil || schema == nil {
		return c, err
	}
	c.datasets = nil
	for i := range schema.Datasets {
		c.datasets = append(c.datasets, schema.Datasets[i].Name)
	}
	return c, nil
}

// of are the chains of a shard, one for each dataset, with or without files.
func (c chains) of(ctx context.Context, shard string) ([]checkpoint.Chain, error) {
	list := make([]checkpoint.Chain, len(c.datasets))
	for i, name := range c.datasets {
		links, err := writer.NewChain(c.store, writer.ChainPrefix(c.prefix, name, shard)).Links(ctx)
		if err != nil {
			return nil, fmt.Errorf("shard %s, dataset %s: %w", shard, name, err)
		}
		list[i] = checkpoint.Chain{Dataset: name, Links: make([]checkpoint.Link, len(links))}
		for j, l := range links {
			list[i].Links[j] = linkOf(l)
		}
	}
	return list, nil
}

// written tells whether a shard has any file.
func (c chains) written(ctx context.Context, shard string) (bool, error) {
	for _, name := range c.datasets {
		for _, err := range c.store.List(ctx, writer.ChainPrefix(c.prefix, name, shard)) {
			return err == nil, err
		}
	}
	return false, nil
}

func linkOf(l writer.Link) checkpoint.Link {
	link := checkpoint.Link{After: digits(l.After), End: digits(l.End), Last: l.ShardEnd}
	if l.Rows > 0 {
		link.Epoch, link.Newest = l.Epoch, time.UnixMicro(l.MaxTS).UTC()
	}
	return link
}

// digits are "" for the beginning of a shard.
func digits(s transform.Seq) string {
	if s.IsZero() {
		return ""
	}
	return s.Digits()
}
