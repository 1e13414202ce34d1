package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheImageIsBuiltFromWhatTheBinaryNeeds(t *testing.T) {
	var copied []string
	for _, arguments := range instructions(t, "COPY") {
		if strings.HasPrefix(arguments[0], "--from=") {
			continue
		}
		for _, source := range arguments[:len(arguments)-1] {
			if _, err := os.Stat(filepath.Join(root(t), source)); err != nil {
				t.Errorf("Dockerfile copies %s: %v", source, err)
			}
			copied = append(copied, source)
		}
	}
	for _, needed := range []string{"go.mod", "go.sum"} {
		if !slices.Contains(copied, needed) {
			t.Errorf("Dockerfile does not copy %s", needed)
		}
	}
	for _, p := range goList(t, "-deps", "./cmd/dynamolake") {
		if strings.HasPrefix(p.ImportPath, module+"/") &&
			!slices.ContainsFunc(copied, func(source string) bool { return within(p.path(), source) }) {
			t.Errorf("Dockerfile does not copy %s, which the binary needs", p.path())
		}
	}
}

// TestTheBinaryKnowsTimeZones: an expression may name one, and the image has no files of them.
func TestTheBinaryKnowsTimeZones(t *testing.T) {
	if !slices.ContainsFunc(goList(t, "-deps", "./cmd/dynamolake"), func(p sourcePackage) bool { return p.ImportPath == "time/tzdata" }) {
		t.Error("getHours(\"Europe/Berlin\") would refuse every record in the image, and none where it was tried")
	}
}

func TestTheImageRunsAsNobodyInParticular(t *testing.T) {
	users := instructions(t, "USER")
	if len(users) == 0 {
		t.Fatal("Dockerfile has no USER: the binary would run as root")
	}
	user, _, _ := strings.Cut(users[len(users)-1][0], ":")
	if user == "0" || user == "root" {
		t.Errorf("Dockerfile ends as USER %s", user)
	}
}

func TestTheImageIsBuiltWithTheGoOfTheModule(t *testing.T) {
	var language string // "1.26" of "go 1.26.0"
	for line := range strings.Lines(read(t, "go.mod")) {
		if version, ok := strings.CutPrefix(line, "go "); ok {
			language = strings.Join(strings.SplitN(strings.TrimSpace(version), ".", 3)[:2], ".")
		}
	}
	for _, arguments := range instructions(t, "FROM") {
		for _, image := range arguments {
			if version, ok := strings.CutPrefix(image, "golang:"); ok && !strings.HasPrefix(version, language) {
				t.Errorf("Dockerfile builds with %s, go.mod says go %s", image, language)
			}
		}
	}
}

// instructions are the arguments of each such instruction of the Dockerfile.
func instructions(t *testing.T, name string) [][]string {
	t.Helper()
	var found [][]string
	for line := range strings.Lines(read(t, "Dockerfile")) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			found = append(found, fields[1:])
		}
	}
	if len(found) == 0 {
		t.Fatalf("Dockerfile has no %s", name)
	}
	return found
}
