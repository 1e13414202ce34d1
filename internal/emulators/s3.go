package emulators

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const versitygw = "github.com/versity/versitygw/cmd/versitygw"

// S3 returns a versitygw over a local folder that all tests of the binary share,
// with the credentials of its root user, in region us-east-1. It wants path-style
// addressing. Buckets are the test's to name apart.
func S3(t testing.TB) (endpoint, accessKey, secret string) {
	t.Helper()
	s := need(t, "versitygw", &parts.s3, startS3)
	return s.endpoint, s.access, s.secret
}

func startS3(ctx context.Context, dir string, p *part) error {
	bin, err := buildVersitygw(ctx)
	if err != nil {
		return err
	}
	k, err := newKeeper(false)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "s3")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return fmt.Errorf("make the S3 server's folder: %w", err)
	}
	p.server.access, p.server.secret = "dynamolake", "dynamolake-secret"
	// The port is free when it is chosen and may be taken when it is used, so
	// there are three tries.
	for range 3 {
		if err = serveS3(ctx, k, bin, data, dir, p); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

func serveS3(ctx context.Context, k *keeper, bin, data, dir string, p *part) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	// Metadata lives in extended attributes. Never --sidecar: it loses updates.
	cmd := exec.Command(bin, "--port", addr, "posix", data)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+p.server.access, "ROOT_SECRET_ACCESS_KEY="+p.server.secret)
	cmd.Dir = dir
	child, err := spawn(k, cmd, filepath.Join(dir, "versitygw.log"))
	if err != nil {
		return err
	}
	p.log, p.stop, p.server.endpoint = child.log, child.kill, "http://"+addr
	if err := answering(ctx, p.server.endpoint, child.gone); err != nil {
		child.kill()
		return fmt.Errorf("start versitygw (log: %s): %w", child.log, err)
	}
	return nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// buildVersitygw builds the version that tools/versitygw pins, once per go.sum.
func buildVersitygw(ctx context.Context) (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("there is no go on the PATH to build it with")
	}
	out, err := exec.CommandContext(ctx, goTool, "env", "GOMOD", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("run go env: %w", err)
	}
	mod, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	tool := filepath.Join(filepath.Dir(mod), "tools", "versitygw")
	sum, err := os.ReadFile(filepath.Join(tool, "go.sum"))
	if err != nil {
		return "", fmt.Errorf("find the pinned versitygw from the test's folder: %w", err)
	}
	name := fmt.Sprintf("versitygw-%.12x", sha256.Sum256(append(sum, version...)))
	return cached(name, func(path string) error {
		cmd := exec.CommandContext(ctx, goTool, "build", "-o", path, versitygw)
		cmd.Dir = tool
		return command(cmd)
	})
}
