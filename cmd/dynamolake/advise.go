package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/term"

	"dynamolake/consumer"
	"dynamolake/internal/advise"
)

// advising are the settings of `dynamolake advise`. Facts that were not given are nil.
type advising struct {
	table, lake, prices, output string
	offline, explain            bool
	items, size                 *int64
	shards                      *int
	writes                      *float64
	plan                        advise.Plan

	in       io.Reader // for the questions
	terminal bool      // somebody is there to answer them
}

// Texts that stand for what was not given.
const (
	askPerson = "ask"
	askAWS    = "auto"
)

func adviseCommand(s *settings) func(context.Context, streams) error {
	c := advising{in: os.Stdin, terminal: term.IsTerminal(int(os.Stdin.Fd()))}
	c.flags(s)
	return func(ctx context.Context, io streams) error {
		return c.run(ctx, io, loadAWS)
	}
}

func (c *advising) flags(s *settings) {
	c.plan.Importance = advise.Importance{}
	s.table(&c.table, "name of the DynamoDB table; not needed with --offline")
	s.parsed(&c.lake, "lake", "address", "", "where the lake shall lie, for the commands: s3://bucket/prefix or file:///folder", checkLake)
	for _, d := range []struct {
		flag, usage string
		dimension   advise.Dimension
	}{
		{"freshness", "that a change is in the lake soon", advise.Freshness},
		{"engineering", "to have little to build, run and watch", advise.Engineering},
		{"cost", "what it costs", advise.Spending},
		{"volume", "that a large or growing table stays easy", advise.Volume},
		{"downstream", "that readers get each change rather than a state", advise.Downstream},
	} {
		s.optional(d.flag, "1-5", askPerson, "how much it matters, 1 to 5, "+d.usage+"; asked on a terminal", func(t string) error {
			n, err := strconv.Atoi(t)
			if err != nil || n < advise.Least || n > advise.Most {
				return fmt.Errorf("want a whole number from %d to %d", advise.Least, advise.Most)
			}
			c.plan.Importance[d.dimension] = n
			return nil
		}).between(strconv.Itoa(advise.Least), strconv.Itoa(advise.Most))
	}
	s.optional("items", "count", askAWS, "items of the table; AWS is asked when "+askAWS, func(t string) error {
		return given(&c.items, "a whole number of items", t, func(t string) (int64, error) { return strconv.ParseInt(t, 10, 64) })
	})
	s.optional("size", "bytes", askAWS, "size of the table with its local indexes, like 120GB; AWS is asked when "+askAWS, func(t string) error {
		return given(&c.size, "a size like 120GB", t, parseTableSize)
	})
	s.optional("writes-per-second", "number", askAWS, "mean of the writes of items in a second; CloudWatch is asked when "+askAWS, func(t string) error {
		return given(&c.writes, "a number of writes", t, func(t string) (float64, error) { return strconv.ParseFloat(t, 64) })
	})
	s.optional("open-shards", "count", askAWS, "open shards of the stream; AWS is asked when "+askAWS+", or they are estimated", func(t string) error {
		err := given(&c.shards, "a whole number of shards", t, strconv.Atoi)
		if err == nil && c.shards != nil && *c.shards == 0 {
			return errors.New("want a whole number of shards, 1 or more")
		}
		return err
	})
	s.duration(&c.plan.FreshWithin, "fresh-within", 0, 0, 35*24*time.Hour, "how old the lake may be at the most; patterns that cannot keep it are ruled out; 0s when it may be any age")
	s.duration(&c.plan.FullEvery, "full-every", 24*time.Hour, time.Hour, 35*24*time.Hour, "time between full exports, for the pattern that makes nothing else")
	s.duration(&c.plan.Window, "window", time.Hour, advise.ShortestWindow, advise.LongestWindow, "length of an incremental export")
	s.duration(&c.plan.Flush, "flush-interval", consumer.Defaults().Limits.Age, 100*time.Millisecond, time.Hour, "the most that a change of the stream waits in memory before it is written")
	s.count(&c.plan.Workers, "workers", 2, 1, 10_000, "workers that read the stream")
	s.text(&c.prices, "prices", "", "file with prices, in YAML or JSON; those of us-east-1 on a day that is said, when empty")
	s.boolean(&c.offline, "offline", "ask AWS nothing: all facts are given by flags, or unknown")
	s.boolean(&c.explain, "explain", "say why each pattern has its score in each dimension")
	s.choice(&c.output, "output", "text", "how to print", "text", "json")
	s.check(func() error {
		if c.table == "" && !c.offline {
			return fmt.Errorf("--table (%s) is required, or --offline", envName("table"))
		}
		return nil
	})
}

// optional is a setting that may be left at a word that stands for something else.
func (s *settings) optional(name, kind, word, usage string, parse func(string) error) *value {
	return s.add(name, kind, word, usage, func(t string) error {
		if t == word {
			return nil
		}
		return parse(t)
	})
}

// given sets a fact that cannot be negative.
func given[T int | int64 | float64](dst **T, want, text string, parse func(string) (T, error)) error {
	v, err := parse(text)
	if err != nil || !(v >= 0 && float64(v) <= 1e18) { // NaN is neither
		return fmt.Errorf("want %s, or %s", want, askAWS)
	}
	*dst = &v
	return nil
}

// parseTableSize also knows TB, which nothing else is as large as.
func parseTableSize(text string) (int64, error) {
	terabytes, ok := strings.CutSuffix(strings.TrimSpace(text), "TB")
	if !ok {
		return parseSize(text)
	}
	n, err := parseSize(terabytes + "GB")
	if err != nil || n > 1e15 {
		return 0, fmt.Errorf("size %q", text)
	}
	return n * 1000, nil
}

func (c advising) run(ctx context.Context, io streams, load func(context.Context) (aws.Config, error)) error {
	var err error
	if c.plan.Prices, err = c.readPrices(); err != nil {
		return err
	}
	c.plan.Lake = c.lake
	if err := c.askImportance(ctx, io.err); err != nil {
		return err
	}
	facts := c.given()
	if !c.offline {
		cfg, err := load(ctx)
		if err != nil {
			return fmt.Errorf("%w; or give --offline, and the facts by flags", err)
		}
		if facts, err = c.facts(ctx, cfg, time.Now()); err != nil {
			return err
		}
	}
	a := advise.New(facts, c.plan)
	if c.output == "json" {
		return json.NewEncoder(io.out).Encode(a)
	}
	return printAdvice(io.out, a, c.explain)
}

func (c advising) readPrices() (advise.Prices, error) {
	if c.prices == "" {
		return advise.DefaultPrices(), nil
	}
	text, err := os.ReadFile(c.prices)
	if err != nil {
		return advise.Prices{}, fmt.Errorf("reading --prices: %w", err)
	}
	p, err := advise.ParsePrices(text)
	if err != nil {
		return p, fmt.Errorf("prices %s: %w", c.prices, err)
	}
	return p, nil
}
