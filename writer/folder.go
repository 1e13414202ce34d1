package writer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tempDir holds files on their way, under names that no reader takes for the
// lake's: nothing in it ends in .parquet or .json.
const tempDir = ".tmp"

// Folder is a lake in a local folder.
//
// An object appears whole or not at all: it is written and synced under a
// temporary name, then linked to its own, which fails if that is taken; then the
// folder is synced. A crash leaves at most a temporary file. Where the file system
// has no links the object is created under its own name with O_EXCL: still one
// winner, but a crash of the machine may leave it cut short, which the chain
// reports when it meets it.
//
// Metadata has no place of its own. That of a Parquet file is in its footer, and
// Head reads it from there; other objects have none.
type Folder struct{ root string }

// NewFolder returns the lake in a folder, which it makes if need be. Temporary
// files that are more than a day old are removed.
func NewFolder(root string) (*Folder, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("open lake %s: %w", root, err)
	}
	f := &Folder{root: root}
	if err := os.MkdirAll(filepath.Join(root, tempDir), 0o777); err != nil {
		return nil, f.explain("open", "", err)
	}
	entries, err := os.ReadDir(filepath.Join(root, tempDir))
	if err != nil {
		return nil, f.explain("open", "", err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.Name() != swapLock && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.Remove(filepath.Join(root, tempDir, e.Name())) // another worker may be first
		}
	}
	return f, nil
}

// PutNew makes the object durable before it returns. meta must be in the body's
// own footer; it is not stored.
func (f *Folder) PutNew(ctx context.Context, key string, body []byte, _ map[string]string) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("write %s: %w", f.address(key), err)
	}
	path, err := f.path(key)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("write %s: %w", f.address(key), ErrExists)
	}
	temp := filepath.Join(f.root, tempDir, rand.Text())
	defer os.Remove(temp)
	if err := writeSynced(temp, bytes.NewReader(body)); err != nil {
		return f.explain("write", key, err)
	}
	return f.explain("write", key, f.place(temp, path))
}

// Head reads a Parquet file's metadata from its footer.
func (f *Folder) Head(ctx context.Context, key string) (Object, error) {
	if strings.HasSuffix(key, ".parquet") {
		file, o, err := f.open(ctx, key)
		if err != nil {
			return Object{}, err
		}
		defer file.Close()
		o.Meta, _ = footerMeta(file, o.Size)
		return o, nil
	}
	path, err := f.path(key)
	if err != nil {
		return Object{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return Object{}, f.explain("look up", key, err)
	}
	return Object{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil
}

// Get reads an object. Its Meta is not set.
func (f *Folder) Get(ctx context.Context, key string) ([]byte, Object, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, Object{}, fmt.Errorf("read %s: %w", f.address(key), err)
	}
	path, err := f.path(key)
	if err != nil {
		return nil, Object{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, Object{}, f.explain("read", key, err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, Object{}, f.explain("read", key, err)
	}
	return body, Object{Key: key, Size: int64(len(body)), Modified: info.ModTime()}, nil
}

// List walks the folder in key order.
func (f *Folder) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) { f.walk(ctx, "", prefix, yield) }
}

func (f *Folder) walk(ctx context.Context, dir, prefix string, yield func(Object, error) bool) bool {
	if err := context.Cause(ctx); err != nil {
		return yield(Object{}, fmt.Errorf("list %s: %w", f.address(prefix), err))
	}
	entries, err := os.ReadDir(filepath.Join(f.root, filepath.FromSlash(dir)))
	if err != nil {
		yield(Object{}, f.explain("list", dir, err))
		return false
	}
	// A folder sorts as its keys do: with the slash.
	name := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(name(a), name(b)) })
	for _, e := range entries {
		key := dir + name(e)
		switch {
		case key == tempDir+"/":
		case e.IsDir():
			if strings.HasPrefix(key, prefix) || strings.HasPrefix(prefix, key) {
				if !f.walk(ctx, key, prefix, yield) {
					return false
				}
			}
		case strings.HasPrefix(key, prefix):
			info, err := e.Info()
			if err != nil {
				yield(Object{}, f.explain("list", key, err))
				return false
			}
			if !yield(Object{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil) {
				return false
			}
		}
	}
	return true
}

// path refuses keys that would leave the folder or meet a temporary file.
func (f *Folder) path(key string) (string, error) {
	if !fs.ValidPath(key) || key == "." || !filepath.IsLocal(filepath.FromSlash(key)) || strings.HasPrefix(key, tempDir+"/") || strings.ContainsRune(key, 0) {
		return "", &StoreError{"use", f.address(key), "this key cannot be a file's path", fs.ErrInvalid}
	}
	return filepath.Join(f.root, filepath.FromSlash(key)), nil
}

func (f *Folder) address(key string) string { return "file://" + f.root + "/" + key }

// explain turns what the operating system says into one line.
func (f *Folder) explain(op, key string, err error) error {
	if err == nil {
		return nil
	}
	cause := err
	var pe *fs.PathError
	var le *os.LinkError
	switch { // the paths are of temporary files, or say the address again
	case errors.As(err, &pe):
		cause = pe.Err
	case errors.As(err, &le):
		cause = le.Err
	}
	hint := "the folder cannot be used; check it and its disk"
	switch {
	case errors.Is(err, fs.ErrExist) && op == "write":
		return fmt.Errorf("write %s: %w", f.address(key), ErrExists)
	case errors.Is(err, fs.ErrNotExist) && (op == "look up" || op == "read"):
		return fmt.Errorf("%s %s: %w", op, f.address(key), ErrNotFound)
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		hint = "the disk is full; free some space (nothing was written, and nothing is lost: the stream keeps its changes for 24 hours)"
	case errors.Is(err, syscall.EFBIG):
		hint = "the file is larger than allowed here; raise the limit (ulimit -f) or lower the flush limits"
	case errors.Is(err, errors.ErrUnsupported):
		hint = "the file system cannot do this (locks on files, for documents that change); put the lake on another or on S3"
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		hint = "this process may not write there; give it the folder or mount it writable"
		if op != "write" && op != "open" && op != "delete" {
			hint = "this process may not read there; give it access to the folder"
		}
	}
	return &StoreError{op, f.address(key), hint, cause}
}
