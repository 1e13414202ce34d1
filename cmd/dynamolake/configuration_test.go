package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

const configurationPage = "../../docs/configuration.md"

// TestConfigurationPage keeps docs/configuration.md what the code says.
func TestConfigurationPage(t *testing.T) {
	page := configuration()
	if *update {
		if err := os.WriteFile(configurationPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(have), page); diff != "" {
		t.Errorf("docs/configuration.md is not what the code says; go test ./cmd/dynamolake -run Configuration -update writes it anew:\n%s", diff)
	}
}

func TestConfigurationTellsAStoryOfEachSetting(t *testing.T) {
	used := map[string]bool{}
	for _, c := range described() {
		for _, k := range c.knobs {
			name := strings.TrimPrefix(k.Flag, "--")
			told := storyOf(c.name, name)
			used[told.setting] = true
			switch {
			case told.when == "":
				t.Errorf("%s --%s has no story: say in stories.go when an operator turns it, and which way", c.name, name)
			case !strings.HasSuffix(told.when, "."):
				t.Errorf("the story of --%s is no sentence: %q", name, told.when)
			case (k.Kind == "count" || k.Kind == "number") && told.unit == "" && name != "seed":
				t.Errorf("%s --%s is a number, and stories.go does not say of what", c.name, name)
			}
		}
	}
	seen := map[string]bool{}
	for _, s := range stories() {
		if !used[s.setting] {
			t.Errorf("stories.go tells of %q, which no command has", s.setting)
		}
		if seen[s.setting] {
			t.Errorf("stories.go tells of %q twice", s.setting)
		}
		seen[s.setting] = true
	}
}

// describedCommand is a command and its own settings.
type describedCommand struct {
	command
	knobs []knob
}

func described() (list []describedCommand) {
	for _, c := range commands() {
		s := newSettings(c.name, c.summary)
		c.setup(s)
		d := describedCommand{command: c}
		s.own(func(f *pflag.Flag) { d.knobs = append(d.knobs, knobOf(c.name, f)) })
		list = append(list, d)
	}
	return list
}

// shared is a setting that several commands have, as they mean it alike.
type sharedKnob struct {
	knob
	commands []string
}

// sharing are the settings of more than one command, in the order of their first one.
func sharing(list []describedCommand) (shared []sharedKnob) {
	count := map[string]int{}
	for _, c := range list {
		for _, k := range c.knobs {
			count[k.Flag]++
		}
	}
	order := map[string]int{}
	for _, c := range list {
		for _, k := range c.knobs {
			if count[k.Flag] < 2 {
				continue
			}
			if _, ok := order[k.Flag]; !ok {
				order[k.Flag] = len(order)
			}
			i := slices.IndexFunc(shared, func(s sharedKnob) bool { return s.Flag == k.Flag && s.same(k) })
			if i < 0 {
				shared, i = append(shared, sharedKnob{knob: k}), len(shared)
			}
			shared[i].commands = append(shared[i].commands, c.name)
		}
	}
	slices.SortStableFunc(shared, func(a, b sharedKnob) int { return cmp.Compare(order[a.Flag], order[b.Flag]) })
	return shared
}

func configuration() string {
	var b strings.Builder
	b.WriteString(configurationHead)
	list := described()
	shared := sharing(list)
	isShared := func(k knob) bool {
		return slices.ContainsFunc(shared, func(s sharedKnob) bool { return s.Flag == k.Flag })
	}
	b.WriteString("## Shared settings\n\nThose of more than one command. Where commands mean them differently, each has a row.\n\n")
	b.WriteString("| setting | of | kind | default | limits | what it is | when you turn it |\n|---|---|---|---|---|---|---|\n")
	for _, s := range shared {
		row(&b, s.knob, strings.Join(s.commands, ", "))
	}
	for _, c := range list {
		fmt.Fprintf(&b, "\n## `dynamolake %s`\n\n%s.\n", c.name, sentence(c.summary))
		var own, common []string
		for _, k := range c.knobs {
			if isShared(k) {
				common = append(common, "`"+k.Flag+"`")
			} else {
				own = append(own, k.Flag)
			}
		}
		if c.name == "config" {
			b.WriteString("\nIt takes the flags of the command that it looks at, and no other's.\n")
		}
		if len(common) > 0 {
			fmt.Fprintf(&b, "\nShared: %s.\n", strings.Join(common, ", "))
		}
		if len(own) > 0 {
			b.WriteString("\n| setting | kind | default | limits | what it is | when you turn it |\n|---|---|---|---|---|---|\n")
		}
		for _, k := range c.knobs {
			if slices.Contains(own, k.Flag) {
				row(&b, k, "")
			}
		}
	}
	return b.String()
}

func row(b *strings.Builder, k knob, of string) {
	cell := strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace
	limits, def := k.limits(), "none"
	switch {
	case k.Required:
		def = "required"
	case k.Secret:
		def = "none, secret"
	case k.Default != "":
		def = "`" + k.Default + "`"
	}
	kind := k.Kind
	if k.Unit != "" {
		kind += ", " + k.Unit
	}
	cells := []string{"`" + k.Flag + "`<br>`" + k.Variable + "`", kind, def, limits, cell(sentence(k.Usage)), cell(k.Story)}
	if of != "" {
		cells = slices.Insert(cells, 1, of)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// sentence begins with a capital letter.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

const configurationHead = `# Configuration

This page is made from the code, by ` + "`go test ./cmd/dynamolake -run Configuration -update`" + `.

Every setting is a flag and an environment variable; a flag wins over its variable, and an empty variable is as good as
none. A variable that begins with ` + "`DYNAMOLAKE_`" + ` and is no setting of any command is refused, and so is every value out of its
limits: all at once, with exit code 2. A container may carry the variables of several commands.

` + "`dynamolake config`" + ` shows what a command would run with, and where each value comes from. It takes the flags of that command, ` + "`consume`" + ` when none is named, and
calls nobody:

` + "```" + `
dynamolake config consume --table orders --lake s3://bucket/prefix
dynamolake config checkpoint list --json
` + "```" + `

It prints what is wrong as the command itself would. Of a secret it says only whether it is set.

| kind | is written |
|---|---|
| duration | with its unit: ` + "`500ms`, `30s`, `5m`, `24h`" + ` |
| bytes | with or without a unit: ` + "`1048576`, `64MiB`, `1.5GB`" + ` |
| count | a whole number, of what is named beside it |
| number | with or without decimals |
| bool | ` + "`true` or `false`" + `; the flag alone is ` + "`true`" + ` |
| choice | one of the words in its limits |
| address | ` + "`s3://bucket/prefix` or `file:///absolute/folder`" + ` |

## AWS

Region, credentials and endpoints are no settings of dynamolake. They are those of the AWS SDK for Go, and are read
where it reads them: environment, the files below ` + "`~/.aws`" + `, the role of the task, pod or instance. Give them to the deployment,
the same for all commands.

| variable | when you need it |
|---|---|
| ` + "`AWS_REGION`" + ` | always, unless a profile has one: the region of the table, which is the lake bucket's too |
| ` + "`AWS_PROFILE`" + ` | on your own machine. In AWS, give the task, pod or instance a role instead |
| ` + "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`" + ` | there is neither a profile nor a role. They are secrets of the platform, not part of an image |
| ` + "`AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`" + ` | a Kubernetes service account has a role: the platform sets them |
| ` + "`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL_DYNAMODB_STREAMS`, `AWS_ENDPOINT_URL_S3`" + ` | another S3 server, DynamoDB Local, or the endpoint of a VPC. An S3 endpoint of your own is asked by path, not by host name |
| ` + "`AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`" + ` | policy asks for it |
| ` + "`AWS_MAX_ATTEMPTS`, `AWS_RETRY_MODE`" + ` | hardly ever: what may pass by itself is tried again above the SDK as well |
| ` + "`AWS_CA_BUNDLE`, `HTTPS_PROXY`, `NO_PROXY`" + ` | the way to AWS leads through a proxy, or a certificate of your own |
| ` + "`GOMEMLIMIT`, `GOMAXPROCS`" + ` | hardly ever: ` + "`--memory`" + ` bounds what grows, and processors are those of the container's quota |

`
