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
)

// settings are one command's flags, each of which is an environment variable
// too (--flush-interval, DYNAMOLAKE_FLUSH_INTERVAL). A flag wins over its
// variable. All problems are reported together.
type settings struct {
	name, summary string
	flags         *pflag.FlagSet
	checks        []func() error
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
}

func (v *value) String() string { return v.text }
func (v *value) Type() string   { return v.kind }
func (v *value) Set(text string) error {
	v.text, v.problem = text, v.parse(text)
	return nil
}

func (s *settings) add(name, kind, def, usage string, parse func(string) error) {
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
}

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

// required refuses an empty text.
func (s *settings) required(name string) {
	f := s.flags.Lookup(name)
	f.Usage += " (required)"
	s.check(func() error {
		if f.Value.String() == "" {
			return fmt.Errorf("--%s (%s) is required", name, envName(name))
		}
		return nil
	})
}

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
	})
}

func (s *settings) duration(dst *time.Duration, name string, def, least, most time.Duration, usage string) {
	s.add(name, "duration", def.String(), usage, func(t string) (err error) {
		d, err := time.ParseDuration(t)
		if err != nil || d < least || d > most {
			return fmt.Errorf("want a duration from %v to %v, like 500ms, 30s or 5m", least, most)
		}
		*dst = d
		return nil
	})
}

func (s *settings) count(dst *int, name string, def, least, most int, usage string) {
	s.add(name, "count", strconv.Itoa(def), usage, func(t string) (err error) {
		n, err := strconv.Atoi(t)
		if err != nil || n < least || n > most {
			return fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		*dst = n
		return nil
	})
}

func (s *settings) size(dst *int64, name string, def, least, most int64, usage string) {
	s.add(name, "bytes", formatSize(def), usage, func(t string) (err error) {
		n, err := parseSize(t)
		if err != nil || n < least || n > most {
			return fmt.Errorf("want a size from %s to %s, like 64MiB", formatSize(least), formatSize(most))
		}
		*dst = n
		return nil
	})
}

// check adds a condition over several settings.
func (s *settings) check(f func() error) { s.checks = append(s.checks, f) }

// read takes the flags and the environment, and reports everything that is wrong
// with them at once.
func (s *settings) read(args, env []string) error {
	problems, err := s.readFlags(args)
	if err != nil {
		return err
	}
	problems = append(problems, s.readEnv(env)...)
	s.flags.VisitAll(func(f *pflag.Flag) {
		if v := f.Value.(*value); v.problem != nil {
			problems = append(problems, fmt.Errorf("--%s (%s) = %q: %w", f.Name, envName(f.Name), v.text, v.problem))
		}
	})
	for _, c := range s.checks {
		problems = appendError(problems, c())
	}
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = "  " + p.Error()
	}
	return fmt.Errorf("dynamolake %s: the settings cannot be used:\n%s\nsee dynamolake %s --help", s.name, strings.Join(lines, "\n"), s.name)
}

// readFlags goes on behind a flag that does not exist, to find what else is wrong.
// Its error is errHelp.
func (s *settings) readFlags(args []string) (problems []error, err error) {
	for {
		err := s.flags.Parse(args)
		unknown, is := errors.AsType[*pflag.NotExistError](err)
		switch {
		case errors.Is(err, pflag.ErrHelp):
			return nil, errHelp
		case err != nil:
			problems = append(problems, err)
		}
		if is {
			name := "-" + unknown.GetSpecifiedName()
			i := slices.IndexFunc(args, func(arg string) bool {
				arg, _, _ = strings.Cut(arg, "=")
				return arg == name || arg == "-"+name
			})
			if i >= 0 {
				// What follows may be its value or not; either way it is not complained of.
				args = args[i+1:]
				for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
					args = args[1:]
				}
				continue
			}
		}
		if rest := s.flags.Args(); err == nil && len(rest) > 0 {
			problems = append(problems, fmt.Errorf("unexpected argument %q", rest[0]))
		}
		return problems, nil
	}
}

// readEnv sets what no flag set, and refuses variables that no command knows: a
// misspelt knob must not be ignored. An empty variable is as good as none.
func (s *settings) readEnv(env []string) (problems []error) {
	known := knownEnv()
	for _, pair := range env {
		key, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(key, envPrefix) {
			continue
		}
		if !known[key] {
			problems = append(problems, fmt.Errorf("environment variable %s is not a setting of any command", key))
			continue
		}
		f := s.flags.Lookup(strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(key, envPrefix)), "_", "-"))
		if f != nil && !f.Changed && text != "" {
			problems = appendError(problems, f.Value.Set(text))
		}
	}
	return problems
}

// knownEnv is every command's variables: a container may carry those of several.
func knownEnv() map[string]bool {
	known := map[string]bool{}
	for _, c := range commands() {
		s := newSettings(c.name, c.summary)
		c.setup(s)
		s.flags.VisitAll(func(f *pflag.Flag) { known[envName(f.Name)] = true })
	}
	return known
}

func (s *settings) help(w io.Writer) {
	fmt.Fprintf(w, "dynamolake %s: %s\n\n", s.name, s.summary)
	s.flags.VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(w, "  --%s <%s>\n      %s\n      %s", f.Name, f.Value.Type(), f.Usage, envName(f.Name))
		if f.DefValue != "" {
			fmt.Fprintf(w, ", default %s", f.DefValue)
		}
		fmt.Fprintln(w)
	})
}

func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func appendError(list []error, err error) []error {
	if err != nil {
		return append(list, err)
	}
	return list
}
