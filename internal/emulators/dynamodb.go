package emulators

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed dynamodb-local/pom.xml
var pom []byte

const (
	// dynamodbVersion names the cache folder; it is the version in the pom.
	dynamodbVersion = "3.1.0"
	dynamodbMain    = "software.amazon.dynamodb.services.local.main.ServerRunner"
	// dynamodbAddr is inside the namespace, which nothing else shares.
	dynamodbAddr = "127.0.0.1:8000"
)

// DynamoDBLocal returns the endpoint of a DynamoDB Local that all tests of the
// binary share; any credentials and region will do. Tables are the test's to name
// apart and to delete.
func DynamoDBLocal(t testing.TB) (endpoint string) {
	t.Helper()
	return need(t, "DynamoDB Local "+dynamodbVersion, &parts.dynamodb, startDynamoDB).endpoint
}

func startDynamoDB(ctx context.Context, dir string, p *part) error {
	java, err := exec.LookPath("java")
	if err != nil {
		return errors.New("there is no java (17 or later) on the PATH")
	}
	jars, err := cached("dynamodb-local-"+dynamodbVersion, func(path string) error { return fetchDynamoDB(ctx, path) })
	if err != nil {
		return err
	}
	k, err := newKeeper(true)
	if err != nil {
		return err
	}
	// The native SQLite library is unpacked into java.io.tmpdir at every start.
	tmp := filepath.Join(dir, "java-tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return fmt.Errorf("make the JVM's temporary folder: %w", err)
	}
	cmd := exec.Command(java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xmx1g", "-Djava.io.tmpdir="+tmp,
		"-cp", filepath.Join(jars, "*"), dynamodbMain,
		"-inMemory", "-sharedDb", "-disableTelemetry", "-port", "8000")
	cmd.Dir = tmp
	child, err := spawn(k, cmd, filepath.Join(dir, "dynamodb-local.log"))
	if err != nil {
		return err
	}
	r, err := newRelay(k, dynamodbAddr)
	if err != nil {
		child.kill()
		return err
	}
	p.log = child.log
	p.stop = func() { r.close(); child.kill() }
	p.server.endpoint = "http://" + r.addr()
	if err := answering(ctx, p.server.endpoint, child.gone); err != nil {
		p.stop()
		return fmt.Errorf("start DynamoDB Local (log: %s): %w", child.log, err)
	}
	return nil
}

// fetchDynamoDB lets Maven copy the jars. Its licence allows the download and
// forbids passing it on, hence a cache of the user's and no copy of ours.
func fetchDynamoDB(ctx context.Context, path string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("there is no mvn (Maven) on the PATH to fetch it with")
	}
	project, err := os.MkdirTemp("", "dynamolake-pom-")
	if err != nil {
		return fmt.Errorf("make Maven's folder: %w", err)
	}
	defer os.RemoveAll(project)
	if err := os.WriteFile(filepath.Join(project, "pom.xml"), pom, 0o644); err != nil {
		return fmt.Errorf("write Maven's project file: %w", err)
	}
	cmd := exec.CommandContext(ctx, mvn, "--batch-mode", "--quiet", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+path)
	cmd.Dir = project
	return command(cmd)
}
