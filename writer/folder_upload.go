package writer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Create opens a temporary file. meta must be in the object's own footer; it is not
// stored.
func (f *Folder) Create(ctx context.Context, key string, _ map[string]string) (Upload, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("write %s: %w", f.address(key), err)
	}
	path, err := f.path(key)
	if err != nil {
		return nil, err
	}
	temp := filepath.Join(f.root, tempDir, rand.Text())
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, f.explain("write", key, err)
	}
	return &folderUpload{f: f, key: key, path: path, file: file}, nil
}

type folderUpload struct {
	f         *Folder
	key, path string
	file      *os.File // the temporary one; nil when the upload is over
	err       error    // of a Write
}

func (u *folderUpload) Write(b []byte) (int, error) {
	if u.file == nil {
		return 0, errUploaded
	}
	n, err := u.file.Write(b)
	if err != nil {
		u.err = u.f.explain("write", u.key, err)
		return n, u.err
	}
	return n, nil
}

func (u *folderUpload) Commit(ctx context.Context) error {
	if u.file == nil {
		return errUploaded
	}
	defer u.drop()
	switch err := context.Cause(ctx); {
	case u.err != nil:
		return u.err
	case err != nil:
		return fmt.Errorf("write %s: %w", u.f.address(u.key), err)
	}
	if err := u.file.Sync(); err != nil {
		return u.f.explain("write", u.key, err)
	}
	return u.f.explain("write", u.key, u.f.place(u.file.Name(), u.path))
}

func (u *folderUpload) Abort(context.Context) error {
	if u.file == nil {
		return nil
	}
	return u.f.explain("write", u.key, u.drop())
}

// drop removes the temporary name.
func (u *folderUpload) drop() error {
	closeErr, err := u.file.Close(), os.Remove(u.file.Name())
	u.file = nil
	return errors.Join(err, closeErr)
}
