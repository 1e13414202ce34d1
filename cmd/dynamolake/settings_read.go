package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

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
			problems = append(problems, v.trouble(f.Name))
		}
	})
	for _, c := range s.checks {
		problems = appendError(problems, c())
	}
	if s.problems = problems; len(problems) == 0 {
		return nil
	}
	return s.refusal(problems)
}

// refusal tells all that is wrong with the settings.
func (s *settings) refusal(problems []error) error {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = "  " + p.Error()
	}
	return fmt.Errorf("dynamolake %s: the settings cannot be used:\n%s\nsee dynamolake %s --help", s.name, strings.Join(lines, "\n"), s.name)
}

// unusable are settings that were found to be wrong when the command ran already, as what a file of them says.
type unusable []error

func (u unusable) Error() string { return errors.Join(u...).Error() }

// trouble tells what is wrong with a setting. Of a secret not even that is told: the words may
// quote it.
func (v *value) trouble(name string) error {
	if v.hidden {
		return fmt.Errorf("--%s (%s) cannot be used; its value is not shown", name, envName(name))
	}
	return fmt.Errorf("--%s (%s) = %q: %w", name, envName(name), v.text, v.problem)
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
			f.Value.(*value).fromEnv = true
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

func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func appendError(list []error, err error) []error {
	if err != nil {
		return append(list, err)
	}
	return list
}
