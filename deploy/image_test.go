package deploy

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

var (
	once     sync.Once
	built    string
	buildErr error
	scratch  string
)

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "dynamolake-deploy-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// binary is what the Dockerfile's own command makes of what the Dockerfile copies, and of nothing else.
func binary(t *testing.T) string {
	t.Helper()
	once.Do(func() { built, buildErr = buildAsTheImage() })
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	return built
}

func buildAsTheImage() (string, error) {
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		return "", err
	}
	src := filepath.Join(scratch, "src")
	for _, line := range regexp.MustCompile(`(?m)^COPY (.+)$`).FindAllStringSubmatch(string(text), -1) {
		words := strings.Fields(line[1])
		if strings.HasPrefix(words[0], "--") {
			continue
		}
		for _, from := range words[:len(words)-1] {
			if err := copyInto(src, from); err != nil {
				return "", err
			}
		}
	}
	command := regexp.MustCompile(`go build .+`).FindString(string(text))
	out := filepath.Join(scratch, "dynamolake")
	if !strings.Contains(command, " -o /dynamolake ") {
		return "", fmt.Errorf("the Dockerfile builds by %q, which does not make /dynamolake", command)
	}
	cmd := exec.Command("sh", "-c", strings.Replace(command, "/dynamolake", out, 1))
	cmd.Dir, cmd.Env = src, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, text)
	}
	return out, nil
}

// copyInto does what COPY does, less what .dockerignore leaves out below what it lets in.
func copyInto(dst, from string) error {
	return filepath.WalkDir(filepath.Join("..", from), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		to := filepath.Join(dst, strings.TrimPrefix(path, "../"))
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		return err
	})
}

func TestTheBinaryOfTheImageStandsAlone(t *testing.T) {
	bin := binary(t)
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if size := info.Size() >> 20; size > 64 {
		t.Errorf("the binary has %d MiB", size)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Skipf("not the format of the image's platform: %v", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it is linked dynamically: nothing in the image could load it")
		}
	}
}

// TestTheHealthCheckRunsWithoutAShell looks that it is the binary's own, and that the command is there.
func TestTheHealthCheckRunsWithoutAShell(t *testing.T) {
	check := regexp.MustCompile(`(?m)^HEALTHCHECK .*CMD (\[.*\])$`).FindStringSubmatch(read(t, "../Dockerfile"))
	if check == nil {
		t.Fatal("the Dockerfile has no HEALTHCHECK in exec form")
	}
	var words []string
	if err := json.Unmarshal([]byte(check[1]), &words); err != nil {
		t.Fatal(err)
	}
	if words[0] != "/dynamolake" {
		t.Errorf("%q is not in the image", words[0])
	}
	out, err := exec.Command(binary(t), append(words[1:], "--listen=127.0.0.1:1")...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "nobody answers; is there a worker") {
		t.Errorf("where no worker is, it ends with %v and says %s", err, out)
	}
	for _, file := range []string{"compose/compose.yaml", "ecs/task-definition.json"} {
		if !strings.Contains(read(t, file), `["CMD", "/dynamolake", "`+strings.Join(words[1:], `", "`)+`"]`) {
			t.Errorf("%s has another health check than the image", file)
		}
	}
}

func TestHadolintPasses(t *testing.T) {
	if out, err := exec.Command(tool(t, "hadolint"), "../Dockerfile").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// tool is the path of a program that pip brings, in a folder of the user's cache. Where it cannot be fetched the test is
// skipped; with CI=true it fails.
func tool(t *testing.T, name string) string {
	t.Helper()
	cannot := t.Skipf
	if os.Getenv("CI") == "true" {
		cannot = t.Fatalf
	}
	want := read(t, "../tools/deploy/requirements.txt")
	cache, err := os.UserCacheDir()
	if err != nil {
		cannot("there is no cache folder for %s: %v", name, err)
	}
	home := filepath.Join(cache, "dynamolake", fmt.Sprintf("deploy-tools-%x-%s", sha256.Sum256([]byte(want)), runtime.GOARCH)[:28])
	path := filepath.Join(home, "bin", name)
	if _, err := os.Stat(filepath.Join(home, "complete")); err == nil {
		return path
	}
	for _, args := range [][]string{
		{"python3", "-m", "venv", "--clear", home},
		{filepath.Join(home, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", "../tools/deploy/requirements.txt"},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			cannot("%s cannot be fetched; it needs python3 with venv, and a network: %v\n%s", name, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "complete"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
