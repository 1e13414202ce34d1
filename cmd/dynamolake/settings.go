package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"dynamolake/internal/tables"
)

// settings are one command's flags, each of which is an environment variable
// too (--flush-interval, DYNAMOLAKE_FLUSH_INTERVAL). A flag wins over its
// variable. All problems are reported together.
type settings struct {
	name, summary string
	flags         *pflag.FlagSet
	checks        []func() error
	problems      []error             // what read found
	about         string              // the command whose settings are only looked at; see configOf
	show          func(streams) error // prints them, usable or not
}

var errHelp = errors.New("help")

const envPrefix = "DYNAMOLAKE_"

func newSettings(name, summary string) *settings {
	f := pflag.NewFlagSet(name, pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	return &settings{name: name, summary: summary, flags: f}
}

// value is a flag whose text is checked when it is set; bad text is kept for the
// report instead of ending the parse.
type value struct {
	text, kind string
	parse      func(string) error
	problem    error

	least, most string // as an operator writes them; empty where there is no bound
	choices     []string
	needed      bool // it has no default, and must be given
	hidden      bool // it is shown to nobody
	fromEnv     bool // a variable set it
	joins       bool // given again it adds to what was given before
	given       bool
}

func (v *value) String() string { return v.text }
func (v *value) Type() string   { return v.kind }
func (v *value) Set(text string) error {
	if v.joins && v.given {
		text = v.text + "," + text
	}
	v.text, v.problem, v.given = text, v.parse(text), true
	return nil
}

// between notes the bounds that parse keeps.
func (v *value) between(least, most string) { v.least, v.most = least, most }

func (s *settings) add(name, kind, def, usage string, parse func(string) error) *value {
	v := &value{text: def, kind: kind, parse: parse}
	if def != "" {
		if err := parse(def); err != nil {
			panic("default of --" + name + ": " + err.Error())
		}
	}
	s.flags.Var(v, name, usage)
	if kind == "bool" {
		s.flags.Lookup(name).NoOptDefVal = "true"
	}
	return v
}

// value is a setting that was declared.
func (s *settings) value(name string) *value { return s.flags.Lookup(name).Value.(*value) }

// parsed is a text that parse must accept. Empty is for required to judge.
func (s *settings) parsed(dst *string, name, kind, def, usage string, parse func(string) error) {
	s.add(name, kind, def, usage, func(t string) error {
		*dst = t
		if t == "" {
			return nil
		}
		return parse(t)
	})
}

func (s *settings) text(dst *string, name, def, usage string) {
	s.add(name, "text", def, usage, func(t string) error { *dst = t; return nil })
}

// names are texts with commas between, which may be given in several flags.
func (s *settings) names(dst *[]string, name, usage string) {
	s.add(name, "names", "", usage, func(t string) (err error) {
		if *dst = nil; t != "" {
			*dst, err = parseNames(t)
		}
		return err
	}).joins = true
}

// table is the name of the one table that a command works on. Several are refused, and not the last one taken: consume has several.
func (s *settings) table(dst *string, usage string) {
	s.add("table", "text", "", usage, func(t string) error {
		switch *dst = t; {
		case t == "":
			return nil
		case strings.Contains(t, ","):
			return errors.New("this command takes one table at a time")
		}
		return tables.CheckName(t)
	}).joins = true
}

// required refuses an empty text.
func (s *settings) required(name string) {
	f := s.flags.Lookup(name)
	f.Usage += " (required)"
	s.value(name).needed = true
	s.check(func() error {
		if f.Value.String() == "" {
			return fmt.Errorf("--%s (%s) is required", name, envName(name))
		}
		return nil
	})
}

// secret keeps what a setting says out of all that is printed.
func (s *settings) secret(name string) { s.value(name).hidden = true }

func (s *settings) boolean(dst *bool, name, usage string) {
	s.add(name, "bool", "false", usage, func(t string) (err error) {
		if *dst, err = strconv.ParseBool(t); err != nil {
			return errors.New("want true or false")
		}
		return nil
	})
}

func (s *settings) choice(dst *string, name, def, usage string, choices ...string) {
	s.add(name, strings.Join(choices, "|"), def, usage, func(t string) error {
		if !slices.Contains(choices, t) {
			return fmt.Errorf("want one of %s", strings.Join(choices, ", "))
		}
		*dst = t
		return nil
	}).choices = choices
}

func (s *settings) duration(dst *time.Duration, name string, def, least, most time.Duration, usage string) {
	s.add(name, "duration", def.String(), usage, func(t string) (err error) {
		d, err := time.ParseDuration(t)
		if err != nil || d < least || d > most {
			return fmt.Errorf("want a duration from %v to %v, like 500ms, 30s or 5m", least, most)
		}
		*dst = d
		return nil
	}).between(shortDuration(least), shortDuration(most))
}

func (s *settings) count(dst *int, name string, def, least, most int, usage string) {
	s.add(name, "count", strconv.Itoa(def), usage, func(t string) (err error) {
		n, err := strconv.Atoi(t)
		if err != nil || n < least || n > most {
			return fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		*dst = n
		return nil
	}).between(strconv.Itoa(least), strconv.Itoa(most))
}

func (s *settings) size(dst *int64, name string, def, least, most int64, usage string) {
	s.add(name, "bytes", formatSize(def), usage, func(t string) (err error) {
		n, err := parseSize(t)
		if err != nil || n < least || n > most {
			return fmt.Errorf("want a size from %s to %s, like 64MiB", formatSize(least), formatSize(most))
		}
		*dst = n
		return nil
	}).between(formatSize(least), formatSize(most))
}

// check adds a condition over several settings.
func (s *settings) check(f func() error) { s.checks = append(s.checks, f) }

func (s *settings) help(w io.Writer) {
	fmt.Fprintf(w, "dynamolake %s: %s\n\n", s.name, s.summary)
	s.own(func(f *pflag.Flag) {
		fmt.Fprintf(w, "  --%s <%s>\n      %s\n      %s", f.Name, f.Value.Type(), f.Usage, envName(f.Name))
		if f.DefValue != "" {
			fmt.Fprintf(w, ", default %s", f.DefValue)
		}
		fmt.Fprintln(w)
	})
	if s.about != "" {
		fmt.Fprintf(w, "\nand the flags of dynamolake %s, which are what it shows\n", s.about)
	}
}

// own visits the settings that are not those of the command which is looked at.
func (s *settings) own(visit func(*pflag.Flag)) {
	s.flags.VisitAll(func(f *pflag.Flag) {
		if s.about == "" || f.Name == "json" {
			visit(f)
		}
	})
}
