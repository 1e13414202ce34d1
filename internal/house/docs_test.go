package house

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```")
	span    = regexp.MustCompile("`[^`\n]+`")
	flag    = regexp.MustCompile(`--([a-z][a-z0-9-]*)`)
	setting = regexp.MustCompile(`\bDYNAMOLAKE_([A-Z0-9_]+)\b`)
)

func documents(t *testing.T) []string {
	return append([]string{"README.md", "CHANGELOG.md"}, textFiles(t, ".md", "docs", "deploy")...)
}

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	for _, document := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(read(t, document), ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, ":") { // https:, mailto:
				continue
			}
			file := document
			if target != "" {
				file = path.Join(path.Dir(document), target)
			}
			if _, err := os.Stat(filepath.Join(root(t), file)); err != nil {
				t.Errorf("%s links to %s: %v", document, match[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s links to %s: no such heading", document, match[1])
			}
		}
	}
}

// TestDocumentsNameFlagsThatExist leaves the decisions alone: they say what was
// true on their day.
func TestDocumentsNameFlagsThatExist(t *testing.T) {
	var command strings.Builder
	for _, f := range sourceFiles(t) {
		if f.Package == "cmd/dynamolake" && !f.Test {
			command.WriteString(read(t, f.Path))
		}
	}
	for _, document := range documents(t) {
		if document == "CHANGELOG.md" || strings.HasPrefix(document, "docs/decisions/") {
			continue
		}
		for _, name := range flagsIn(read(t, document)) {
			if name != "help" && !strings.Contains(command.String(), `"`+name+`"`) {
				t.Errorf("%s names the flag --%s, which cmd/dynamolake does not have", document, name)
			}
		}
	}
}

func TestTheReadmeNamesWhatCIRuns(t *testing.T) {
	const target = "make check test"
	for _, file := range []string{"README.md", ".ci/run"} {
		if !strings.Contains(read(t, file), target) {
			t.Errorf("%s does not say %q", file, target)
		}
	}
}

// flagsIn finds the flags of dynamolake: code spans that start with one, commands
// in code blocks, and the environment variables of either.
func flagsIn(text string) []string {
	var code []string
	for _, block := range fence.FindAllString(text, -1) {
		for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", "")) {
			// What stands before the name is another program's: docker run --rm.
			if _, arguments, ok := strings.Cut(line, "dynamolake "); ok && !strings.HasPrefix(strings.TrimSpace(line), "aws ") {
				code = append(code, arguments)
			}
		}
	}
	for _, s := range span.FindAllString(fence.ReplaceAllString(text, ""), -1) {
		if strings.HasPrefix(s, "`--") || strings.HasPrefix(s, "`dynamolake ") {
			code = append(code, s)
		}
	}
	var names []string
	for _, match := range flag.FindAllStringSubmatch(strings.Join(code, "\n"), -1) {
		names = append(names, match[1])
	}
	for _, match := range setting.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ToLower(strings.ReplaceAll(match[1], "_", "-")))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// anchors are the fragments that the headings of a document get when it is
// shown: lower case, spaces as hyphens, no punctuation.
func anchors(text string) []string {
	var found []string
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		found = append(found, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, match[1]))
	}
	return found
}

func TestFlagsAreFoundInDocuments(t *testing.T) {
	text := strings.Join([]string{
		"Use `--one=1s`, or `DYNAMOLAKE_TWO_THREE`; `aws --not` is not ours.",
		"```",
		"dynamolake consume --four x \\",
		"  --five",
		"docker run --rm dynamolake demo",
		"aws dynamodb update-table --table-name dynamolake ",
		"```",
	}, "\n")
	if got, want := flagsIn(text), []string{"five", "four", "one", "two-three"}; !slices.Equal(got, want) {
		t.Errorf("flags %q, want %q", got, want)
	}
}

func TestHeadingsHaveAnchors(t *testing.T) {
	if got, want := anchors("# What `--on-gap` does, in short\n"), []string{"what---on-gap-does-in-short"}; !slices.Equal(got, want) {
		t.Errorf("anchors %q, want %q", got, want)
	}
}
