package emulators

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// startTimeout bounds one part's start, downloads and builds included.
const startTimeout = 8 * time.Minute

// parts is what this test binary has started. It is the package's only state: a
// JVM per test would cost more than the tests.
var parts struct {
	sync.Mutex
	main     bool // Main runs, so somebody will stop what is started
	dir      string
	dynamodb part
	s3       part
}

// part is one child process that is started once and shared by all tests of the
// binary.
type part struct {
	once   sync.Once
	err    error
	log    string // path
	stop   func()
	server server
}

// server is what a test needs to reach a part.
type server struct {
	endpoint, access, secret string
}

// Main runs the tests and then stops what they started. Every package that uses
// an emulator calls it from TestMain:
//
//	func TestMain(m *testing.M) { emulators.Main(m) }
//
// Logs are kept when a test failed.
func Main(m *testing.M) {
	parts.Lock()
	parts.main = true
	parts.Unlock()
	code := m.Run()
	parts.Lock()
	defer parts.Unlock()
	for _, p := range []*part{&parts.dynamodb, &parts.s3} {
		if p.stop != nil {
			p.stop()
		}
	}
	if parts.dir != "" && code == 0 {
		os.RemoveAll(parts.dir)
	}
	os.Exit(code)
}

// need starts the part if this is its first use, and skips the test where the
// machine lacks what it takes; with CI=true it fails instead.
func need(t testing.TB, name string, p *part, start func(ctx context.Context, dir string, p *part) error) server {
	t.Helper()
	parts.Lock()
	if !parts.main {
		parts.Unlock()
		t.Fatal("emulators: the package's TestMain must call emulators.Main")
	}
	p.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		dir, err := runDir()
		if err == nil {
			err = start(ctx, dir, p)
		}
		p.err = err
	})
	parts.Unlock()
	if p.err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s must run where CI=true: %v", name, p.err)
		}
		t.Skipf("%s cannot run here: %v", name, p.err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of %s: %s", name, p.log)
		}
	})
	return p.server
}

// runDir is this process's folder for data and logs.
func runDir() (string, error) {
	if parts.dir != "" {
		return parts.dir, nil
	}
	dir, err := xattrDir()
	if err != nil {
		return "", err
	}
	parts.dir = dir
	return dir, nil
}

// xattrDir makes a temporary folder on a filesystem with user extended
// attributes, which versitygw keeps object metadata in; a tmpfs may have none.
func xattrDir() (string, error) {
	candidates := []string{os.TempDir()}
	if cache, err := os.UserCacheDir(); err == nil {
		candidates = append(candidates, cache)
	}
	candidates = append(candidates, "/var/tmp")
	var last error
	for _, base := range candidates {
		dir, err := os.MkdirTemp(base, "dynamolake-emulators-")
		if err != nil {
			last = err
			continue
		}
		if err = setXattr(dir, "user.dynamolake", "1"); err == nil {
			return dir, nil
		}
		last = fmt.Errorf("set a user extended attribute in %s: %w", base, err)
		os.Remove(dir)
	}
	return "", fmt.Errorf("find a folder with user extended attributes (set TMPDIR to one): %w", last)
}

// cached returns <cache>/dynamolake/<name>, made by fill if it is not there yet.
// Test binaries run at the same time, so fill works on another name.
func cached(name string, fill func(path string) error) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	path := filepath.Join(base, "dynamolake", name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	made := filepath.Join(tmp, "made")
	if err := fill(made); err != nil {
		return "", err
	}
	if err := os.Rename(made, path); err != nil {
		if _, e := os.Stat(path); e != nil {
			return "", fmt.Errorf("place %s: %w", path, err)
		}
	}
	return path, nil
}

// command runs a tool to its end and puts what it printed into the error.
func command(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %v: %w\n%s", cmd.Args, err, out)
	}
	return nil
}

// answering waits until url answers HTTP with any status, or the child is gone.
func answering(ctx context.Context, url string, gone <-chan struct{}) error {
	client := &http.Client{Timeout: time.Second}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case <-gone:
			return fmt.Errorf("it ended before it answered at %s", url)
		case <-ctx.Done():
			return fmt.Errorf("no answer at %s: %w", url, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
