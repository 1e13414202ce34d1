//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package writer

import (
	"errors"
	"os"
)

// tryLock cannot promise anything here.
func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
