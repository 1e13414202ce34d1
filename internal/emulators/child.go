package emulators

import (
	"fmt"
	"os"
	"os/exec"
)

// child is a started process.
type child struct {
	cmd  *exec.Cmd
	log  string        // path
	gone chan struct{} // closed when it has ended
}

// spawn starts cmd on the keeper's thread, its output going to a log file.
func spawn(k *keeper, cmd *exec.Cmd, log string) (*child, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", cmd.Path, err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := k.start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	c := &child{cmd: cmd, log: log, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // killed by us, or its log says why
		close(c.gone)
	}()
	return c, nil
}

// kill ends the process and waits for it. Nothing it holds needs saving.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.gone
}
