package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"dynamolake/internal/advise"
)

// askImportance asks on the terminal for what no flag has said. The questions go
// where messages go, so that the advice can be piped.
func (c advising) askImportance(ctx context.Context, out io.Writer) error {
	var missing []advise.Dimension
	for _, d := range advise.Dimensions() {
		if c.plan.Importance[d] == 0 {
			missing = append(missing, d)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if !c.terminal {
		return notAnswered(missing)
	}
	fmt.Fprintf(out, "How much does it matter? From %d (little) to %d (much).\n", advise.Least, advise.Most)
	lines := readLines(c.in)
	for i, d := range missing {
		for c.plan.Importance[d] == 0 {
			fmt.Fprintf(out, "%s ", d.Question())
			select {
			case <-ctx.Done():
				return errors.New("interrupted")
			case line, ok := <-lines:
				if !ok {
					fmt.Fprintln(out)
					return notAnswered(missing[i:])
				}
				if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && n >= advise.Least && n <= advise.Most {
					c.plan.Importance[d] = n
					break
				}
				fmt.Fprintf(out, "Please answer with a number from %d to %d.\n", advise.Least, advise.Most)
			}
		}
	}
	fmt.Fprintln(out)
	return nil
}

func notAnswered(missing []advise.Dimension) error {
	var flags []string
	for _, d := range missing {
		flags = append(flags, "--"+string(d))
	}
	return fmt.Errorf("how much something matters is not known without %s: give each 1 to 5, or run it on a terminal to be asked", strings.Join(flags, ", "))
}

// readLines reads beside the caller, who may be interrupted while nobody types. The
// goroutine ends with the input, or with the process.
func readLines(in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}
