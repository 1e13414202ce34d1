package writer

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func newFolder(t *testing.T) *Folder {
	t.Helper()
	f, err := NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func temps(t *testing.T, f *Folder) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(f.root, tempDir))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestFolderLetsOneWriterWin(t *testing.T) {
	f := newFolder(t)
	for round := range 20 {
		key := fmt.Sprintf("a/b%d/c", round)
		var won atomic.Int32
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				err := f.PutNew(t.Context(), key, []byte{byte(w)}, nil)
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, ErrExists):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d writers won", won.Load())
		}
	}
	if n := temps(t, f); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
}

func TestFolderListsInKeyOrder(t *testing.T) {
	f := newFolder(t)
	for _, key := range []string{"b", "a/z", "a-b/x", "a/b/c", "a.c"} {
		if err := f.PutNew(t.Context(), key, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	list := func(prefix string) string {
		var keys []string
		for o, err := range f.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, o.Key)
		}
		return strings.Join(keys, " ")
	}
	for prefix, want := range map[string]string{"": "a-b/x a.c a/b/c a/z b", "a/": "a/b/c a/z", "a/b": "a/b/c", "a": "a-b/x a.c a/b/c a/z", "x": "", "a/b/": "a/b/c"} {
		if got := list(prefix); got != want {
			t.Errorf("under %q: %q, want %q", prefix, got, want)
		}
	}
}

func TestFolderRefusesKeysThatLeaveIt(t *testing.T) {
	f := newFolder(t)
	for _, key := range []string{"../x", "a/../../x", "/x", "a//b", "", ".", ".tmp/x", "a/./b", "a\x00b"} {
		if err := f.PutNew(t.Context(), key, nil, nil); err == nil || errors.Is(err, ErrExists) {
			t.Errorf("%q: %v", key, err)
		}
		if _, _, err := f.Get(t.Context(), key); err == nil {
			t.Errorf("%q is read", key)
		}
	}
}

func TestFolderSweepsOldTemporaryFiles(t *testing.T) {
	f := newFolder(t)
	young, old := filepath.Join(f.root, tempDir, "young"), filepath.Join(f.root, tempDir, "old")
	for _, p := range []string{young, old} {
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFolder(f.root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(young); err != nil || temps(t, f) != 1 {
		t.Errorf("want the young file alone: %v", err)
	}
}

// smallDisk is a lake on a file system of 1 MB.
func smallDisk(t *testing.T) *Folder {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small tmpfs cannot be mounted here (needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFullDisk writes to a small file system until it is full.
func TestFullDisk(t *testing.T) {
	f := smallDisk(t)
	body := make([]byte, 300<<10)
	for n := 0; ; n++ {
		key := fmt.Sprintf("a/%d", n)
		err := f.PutNew(t.Context(), key, body, nil)
		if err == nil && n < 10 {
			continue
		}
		var se *StoreError
		if !errors.As(err, &se) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") || strings.Contains(err.Error(), tempDir) {
			t.Errorf("got %v", err)
		}
		if _, err := f.Head(t.Context(), key); !errors.Is(err, ErrNotFound) {
			t.Errorf("half an object: %v", err)
		}
		break
	}
	if n := temps(t, f); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
	if err := os.Remove(filepath.Join(f.root, "a", "0")); err != nil {
		t.Fatal(err)
	}
	if err := f.PutNew(t.Context(), "a/again", body, nil); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

// TestFileSizeLimit is a write that fails half-way without root: the test runs
// itself under ulimit -f.
func TestFileSizeLimit(t *testing.T) {
	const env = "DYNAMOLAKE_TEST_LIMITED"
	if dir := os.Getenv(env); dir != "" {
		f, err := NewFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		err = f.PutNew(t.Context(), "a", make([]byte, 1<<20), nil)
		if err == nil || !strings.Contains(err.Error(), "ulimit -f") {
			t.Errorf("got %v", err)
		}
		if _, err := f.Head(t.Context(), "a"); !errors.Is(err, ErrNotFound) || temps(t, f) != 0 {
			t.Errorf("something is left: %v", err)
		}
		return
	}
	cmd := exec.Command("sh", "-c", `ulimit -f 256 && exec "$0" -test.run='^TestFileSizeLimit$'`, os.Args[0])
	cmd.Env = append(os.Environ(), env+"="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // modes do not bind root
		if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
			t.Skipf("a read-only folder cannot be made here: %v", err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skipf("a read-only folder cannot be made here: %v", err)
		}
	} else {
		if err := os.Chmod(filepath.Join(dir, tempDir), 0o500); err != nil {
			t.Fatal(err)
		}
	}
	err = f.PutNew(t.Context(), "a", []byte("x"), nil)
	if err == nil || !strings.Contains(err.Error(), "may not write there") {
		t.Errorf("got %v", err)
	}
}

// TestFolderWithoutLinks takes the way of file systems that have none.
func TestFolderWithoutLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := writeSynced(path, strings.NewReader("first")); err != nil {
		t.Fatal(err)
	}
	if err := writeSynced(path, strings.NewReader("second")); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second writer got %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "first" {
		t.Errorf("%s, %v", text, err)
	}
	if !linkless(&os.LinkError{Op: "link", Err: syscall.EPERM}) || !linkless(syscall.ENOTSUP) || linkless(syscall.EEXIST) || linkless(nil) {
		t.Error("linkless mistakes an error")
	}
}
