package writer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// makeDir makes a folder and its parents, each durable before what it holds.
func (f *Folder) makeDir(dir string) error {
	err := os.Mkdir(dir, 0o777)
	switch {
	case err == nil:
		return syncDir(filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist) && len(dir) > len(f.root):
		if err := f.makeDir(filepath.Dir(dir)); err != nil {
			return err
		}
		return f.makeDir(dir)
	}
	return err
}

// place gives a synced temporary file its name, which must be free, durably.
func (f *Folder) place(temp, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	if err := f.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	err := os.Link(temp, path)
	if linkless(err) {
		err = copySynced(path, temp)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// copySynced is writeSynced of a file.
func copySynced(path, from string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	return writeSynced(path, file)
}

// writeSynced creates a file that must not exist. After an error there is none.
func writeSynced(path string, body io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(path) // the error that matters is the first
	}
	return err
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // the file system has no such thing
	}
	return err
}

// linkless tells that the file system has no hard links.
func linkless(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EMLINK) || errors.Is(err, syscall.EXDEV)
}
