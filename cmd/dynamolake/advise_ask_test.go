package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dynamolake/internal/advise"
)

func TestImportanceIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		flags       advise.Importance
		terminal    bool
		want        advise.Importance
		err         string
		asked       int // questions, repeated ones included
	}{
		{
			"all of it", "5\n4\n3\n4\n3\n", nil, true,
			advise.Importance{"freshness": 5, "engineering": 4, "cost": 3, "volume": 4, "downstream": 3},
			"", 5,
		},
		{
			"only what no flag says", "2\n1",
			advise.Importance{"freshness": 5, "cost": 3, "downstream": 3},
			true,
			advise.Importance{"freshness": 5, "engineering": 2, "cost": 3, "volume": 1, "downstream": 3},
			"", 2,
		},
		{
			"again after an answer that is none", "6\n\nmuch\n 5 \n",
			advise.Importance{"engineering": 4, "cost": 3, "volume": 4, "downstream": 3},
			true,
			advise.Importance{"freshness": 5, "engineering": 4, "cost": 3, "volume": 4, "downstream": 3},
			"", 4,
		},
		{"not when all is given, without a terminal", "", advise.Importance{"freshness": 1, "engineering": 1, "cost": 1, "volume": 1, "downstream": 1}, false, nil, "", 0},
		{"not without a terminal", "5\n5\n", advise.Importance{"freshness": 1, "engineering": 1, "volume": 1}, false, nil, "without --cost, --downstream: give each 1 to 5, or run it on a terminal", 0},
		{"the input ends", "5\n", nil, true, nil, "without --engineering, --cost, --volume, --downstream", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := advise.Importance{}
			for d, n := range c.flags {
				given[d] = n
			}
			a := advising{in: strings.NewReader(c.typed), terminal: c.terminal, plan: advise.Plan{Importance: given}}
			var out bytes.Buffer
			err := a.askImportance(t.Context(), &out)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if c.want != nil {
				if diff := cmp.Diff(c.want, a.plan.Importance); diff != "" {
					t.Error(diff)
				}
			}
			if n := strings.Count(out.String(), "? "); n != c.asked+min(c.asked, 1) { // and the headline
				t.Errorf("%d questions, want %d:\n%s", n, c.asked, out.String())
			}
		})
	}
}

func TestQuestionsCanBeInterrupted(t *testing.T) {
	in, keyboard := io.Pipe()
	defer keyboard.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := advising{in: in, terminal: true, plan: advise.Plan{Importance: advise.Importance{}}}
	if err := a.askImportance(ctx, io.Discard); err == nil || err.Error() != "interrupted" {
		t.Errorf("%v", err)
	}
}
