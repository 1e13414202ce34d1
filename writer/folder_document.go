package writer

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// swapLock is the file that a Swap holds locked; the sweep of old temporary files
// leaves it.
const swapLock = "swap.lock"

// Load reads a document. The version is a hash of it.
func (f *Folder) Load(ctx context.Context, key string) ([]byte, string, error) {
	body, _, err := f.Get(ctx, key)
	if err != nil {
		return nil, "", err
	}
	return body, contentVersion(body), nil
}

// Swap is for the processes of one host: they take turns by a lock on a file, that
// the kernel opens when its holder dies. The new content is written and synced
// under a temporary name and renamed, so a reader sees the old document or the
// new one, and so does whoever comes after a crash.
func (f *Folder) Swap(ctx context.Context, key string, body []byte, version string) (string, error) {
	if err := context.Cause(ctx); err != nil {
		return "", fmt.Errorf("write %s: %w", f.address(key), err)
	}
	path, err := f.path(key)
	if err != nil {
		return "", err
	}
	unlock, err := f.lock(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return "", fmt.Errorf("write %s: %w", f.address(key), context.Cause(ctx))
	case err != nil:
		return "", f.explain("write", key, err)
	}
	defer unlock()
	have, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if version != "" {
			return "", fmt.Errorf("write %s: it is gone: %w", f.address(key), ErrChanged)
		}
		// Not by renaming: who writes with PutNew takes no lock.
		if err := f.PutNew(ctx, key, body, nil); errors.Is(err, ErrExists) {
			return "", fmt.Errorf("write %s: %w", f.address(key), ErrChanged)
		} else if err != nil {
			return "", err
		}
		return contentVersion(body), nil
	case err != nil:
		return "", f.explain("write", key, err)
	case version != contentVersion(have):
		return "", fmt.Errorf("write %s: %w", f.address(key), ErrChanged)
	}
	temp := filepath.Join(f.root, tempDir, rand.Text())
	defer os.Remove(temp)
	if err := writeSynced(temp, bytes.NewReader(body)); err != nil {
		return "", f.explain("write", key, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return "", f.explain("write", key, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return "", f.explain("write", key, err)
	}
	return contentVersion(body), nil
}

// lock waits for the folder's lock. Asking again and again rather than in the
// kernel, it can be called off.
func (f *Folder) lock(ctx context.Context) (unlock func(), err error) {
	path := filepath.Join(f.root, tempDir, swapLock)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		got, err := tryLock(file)
		if err == nil && got {
			// Somebody may have removed the file, and somebody else made it anew.
			mine, err1 := file.Stat()
			now, err2 := os.Stat(path)
			if err1 == nil && err2 == nil && os.SameFile(mine, now) {
				return func() { file.Close() }, nil
			}
			file.Close()
			continue
		}
		file.Close()
		if err != nil {
			return nil, err
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

func contentVersion(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
