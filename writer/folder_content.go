package writer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Open opens an object's file. Its Meta is not set.
func (f *Folder) Open(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	file, o, err := f.open(ctx, key)
	if err != nil {
		return nil, Object{}, err
	}
	return file, o, nil
}

func (f *Folder) open(ctx context.Context, key string) (*os.File, Object, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, Object{}, fmt.Errorf("read %s: %w", f.address(key), err)
	}
	path, err := f.path(key)
	if err != nil {
		return nil, Object{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, Object{}, f.explain("read", key, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() { // a folder, of which the key is a prefix
		err = fs.ErrNotExist
	}
	if err != nil {
		file.Close()
		return nil, Object{}, f.explain("read", key, err)
	}
	return file, Object{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil
}

// Delete removes an object's file, durably, and leaves its folder.
func (f *Folder) Delete(ctx context.Context, key string) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("delete %s: %w", f.address(key), err)
	}
	path, err := f.path(key)
	if err != nil {
		return err
	}
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return f.explain("delete", key, err)
}
