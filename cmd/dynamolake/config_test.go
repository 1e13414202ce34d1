package main

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// configure runs `dynamolake config` with arguments and variables.
func configure(args, env []string) (out, err string, code int) {
	var o, e bytes.Buffer
	code = run(context.Background(), append([]string{"config"}, args...), env, streams{out: &o, err: &e})
	return o.String(), e.String(), code
}

func TestConfigSaysWhereEachValueComesFrom(t *testing.T) {
	text, problems, code := configure(
		[]string{"consume", "--table", "orders", "--lake=s3://b/p", "--flush-rows=7", "--old-image"},
		[]string{"DYNAMOLAKE_FLUSH_ROWS=8", "DYNAMOLAKE_FLUSH_INTERVAL=1m", "DYNAMOLAKE_APP=", "DYNAMOLAKE_SEED=3"},
	)
	if code != 0 || problems != "" {
		t.Fatalf("exit code %d, stderr %q", code, problems)
	}
	linesUp(t, "\n\n"+text)
	for _, want := range []string{
		`SETTING +VALUE +SOURCE`, `--table +orders +flag`, `--lake +s3://b/p +flag`, `--flush-rows +7 +flag`, `--old-image +true +flag`,
		`--flush-interval +1m +variable DYNAMOLAKE_FLUSH_INTERVAL`, `--app +\(empty\) +default`, `--memory +256MiB +default`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(text) {
			t.Errorf("no line %q:\n%s", want, text)
		}
	}
	if without, _, _ := configure([]string{"--table", "orders", "--lake=s3://b/p"}, nil); !strings.Contains(without, "--flush-interval") {
		t.Errorf("without a command it does not show a consumer's settings:\n%s", without)
	}
}

func TestConfigTakesTheSettingsOfEachCommand(t *testing.T) {
	for _, c := range commands() {
		s := newSettings(c.name, c.summary)
		c.setup(s)
		var want []string
		s.flags.VisitAll(func(f *pflag.Flag) {
			if f.Name != "json" {
				want = append(want, "--"+f.Name)
			}
		})
		text, _, _ := configure(append(strings.Fields(c.name), "--json"), nil)
		var got effective
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("config %s: %v\n%s", c.name, err, text)
			continue
		}
		var flags []string
		for _, k := range got.Settings {
			flags = append(flags, k.Flag)
		}
		if diff := cmp.Diff(want, flags); diff != "" {
			t.Errorf("config %s:\n%s", c.name, diff)
		}
	}
}

func TestConfigReportsProblemsAsTheCommandWould(t *testing.T) {
	args, env := []string{"consume", "--table=t", "--flush-rows=0"}, []string{"DYNAMOLAKE_FLUSH_INTERVALL=1s"}
	var o, itself bytes.Buffer
	code := run(context.Background(), args, env, streams{out: &o, err: &itself})
	text, problems, shown := configure(args, env)
	if want := strings.ReplaceAll(itself.String(), "dynamolake consume", "dynamolake config consume"); shown != code || problems != want {
		t.Errorf("exit code %d, want %d; it says\n%s\nwant\n%s", shown, code, problems, want)
	}
	if !strings.Contains(text, "--flush-rows") {
		t.Errorf("the settings are not shown beside what is wrong with them:\n%s", text)
	}
	text, _, _ = configure(append(args, "--json"), env)
	var got effective
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Problems) != 3 {
		t.Errorf("problems %q, want three", got.Problems)
	}
}

func TestConfigOfNoCommand(t *testing.T) {
	for _, args := range [][]string{{"nonesuch"}, {"nonesuch", "--table=t"}} {
		if out, problems, code := configure(args, nil); code != 2 || out != "" || problems != "dynamolake: there is no command \"nonesuch\"; see dynamolake --help\n" {
			t.Errorf("config %q: exit code %d, %q, %q", args, code, out, problems)
		}
	}
}

func TestSecretsAreShownToNobody(t *testing.T) {
	const salt = "correct horse"
	declare := func(bad bool) *settings {
		c := command{name: "example", summary: "an example", setup: func(s *settings) func(context.Context, streams) error {
			s.parsed(new(string), "hash-salt", "text", "", "salt of hashes", func(text string) error {
				if bad {
					return context.DeadlineExceeded
				}
				return nil
			})
			s.secret("hash-salt")
			return nil
		}}
		s := newSettings(c.name, c.summary)
		configOf(c)(s)
		return s
	}
	for _, c := range []struct {
		name string
		bad  bool
		args []string
		want string
	}{
		{"set", false, []string{"--hash-salt", salt}, secretSet},
		{"not set", false, nil, secretUnset},
		{"set and unusable", true, []string{"--hash-salt", salt}, secretSet},
	} {
		for _, extra := range [][]string{nil, {"--json"}} {
			s := declare(c.bad)
			var out bytes.Buffer
			err := s.read(slices.Concat(c.args, extra), nil)
			if (err != nil) != c.bad {
				t.Errorf("%s: %v", c.name, err)
			}
			if err := s.show(streams{out: &out}); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				out.WriteString(err.Error())
			}
			if !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), salt) {
				t.Errorf("%s: want %q and not the salt:\n%s", c.name, c.want, out.String())
			}
		}
	}
}
