package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen prints lines. On a terminal the progress bar is the last line and is
// drawn in place; elsewhere each state of it is a line of its own.
type screen struct {
	out      io.Writer
	terminal bool

	mu  sync.Mutex
	bar bool // the cursor is behind a bar
}

func newScreen(out io.Writer) *screen {
	f, ok := out.(*os.File)
	return &screen{out: out, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// clearLine goes to the line's start and erases it.
const clearLine = "\r\x1b[2K"

func (s *screen) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar {
		fmt.Fprint(s.out, clearLine)
		s.bar = false
	}
	fmt.Fprintln(s.out, text)
}

// progress shows how much is done, 0 to 1.
func (s *screen) progress(prefix string, done float64, text string) {
	done = min(max(done, 0), 1)
	if !s.terminal {
		s.line(fmt.Sprintf("%s%3.0f %%  %s", prefix, done*100, text))
		return
	}
	const width = 24
	full := int(done * width)
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprint(s.out, clearLine, prefix, strings.Repeat("█", full), strings.Repeat("░", width-full), "  ", text)
	s.bar = true
}

// Write makes the screen the place of a log: its lines and the bar share the terminal.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar {
		fmt.Fprint(s.out, clearLine)
		s.bar = false
	}
	return s.out.Write(p)
}

// done leaves the bar's line for good.
func (s *screen) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar {
		fmt.Fprintln(s.out)
		s.bar = false
	}
}
