package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"
)

// configCommand looks at a consumer's settings; find has those of other commands looked at.
func configCommand(s *settings) func(context.Context, streams) error {
	c, _, _ := find([]string{"consume"})
	return configOf(c)(s)
}

// configOf is a command that takes another's flags, and says what that would run with.
func configOf(c command) func(*settings) func(context.Context, streams) error {
	return func(s *settings) func(context.Context, streams) error {
		c.setup(s)
		if s.flags.Lookup("json") == nil {
			s.boolean(new(bool), "json", "print JSON, with all that is known of each setting")
		}
		s.about = c.name
		s.show = func(io streams) error {
			if s.value("json").text == "true" {
				e := json.NewEncoder(io.out)
				e.SetEscapeHTML(false)
				return e.Encode(s.effective())
			}
			w := tabwriter.NewWriter(io.out, 0, 4, 2, ' ', 0)
			fmt.Fprintf(w, "SETTING\tVALUE\tSOURCE\n")
			for _, k := range s.effective().Settings {
				source := k.Source
				if source == sourceVariable {
					source += " " + k.Variable
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", k.Flag, cmp.Or(strings.ReplaceAll(k.Value, "\n", " "), "(empty)"), source)
			}
			return w.Flush()
		}
		return func(_ context.Context, io streams) error { return s.show(io) }
	}
}

// effective is what a command would run with, in the order in which its settings are declared.
type effective struct {
	Command  string   `json:"command"`
	Settings []knob   `json:"settings"`
	Problems []string `json:"problems"`
}

// Where a value comes from.
const (
	sourceFlag     = "flag"
	sourceVariable = "variable"
	sourceDefault  = "default"
)

func (s *settings) effective() effective {
	e := effective{Command: s.about, Settings: []knob{}, Problems: []string{}}
	s.flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "json" {
			e.Settings = append(e.Settings, knobOf(s.about, f))
		}
	})
	for _, p := range s.problems {
		e.Problems = append(e.Problems, p.Error())
	}
	return e
}
