package writer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSwapsOfKilledProcesses lets processes count in one document, kills them at
// any moment, and starts others. Each number that one of them was told is its own
// must be nobody else's.
func TestSwapsOfKilledProcesses(t *testing.T) {
	const env = "DYNAMOLAKE_TEST_COUNTER"
	if dir := os.Getenv(env); dir != "" {
		f, err := NewFolder(dir)
		for err == nil {
			var n int
			if n, err = increment(context.Background(), f, "a/n"); err == nil {
				fmt.Println(n)
			}
		}
		t.Fatal(err)
	}
	dir := t.TempDir()
	type told struct {
		process int
		numbers []int
		err     error
	}
	results := make(chan told)
	const processes, rounds = 3, 5
	for p := range processes {
		go func() {
			r := told{process: p}
			for round := range rounds {
				cmd := exec.Command(os.Args[0], "-test.run=^TestSwapsOfKilledProcesses$")
				cmd.Env = append(os.Environ(), env+"="+dir)
				out, err := cmd.StdoutPipe()
				if err == nil {
					err = cmd.Start()
				}
				if err != nil {
					r.err = err
					break
				}
				time.AfterFunc(time.Duration(100+37*p+41*round)*time.Millisecond, func() { _ = cmd.Process.Kill() })
				lines := bufio.NewScanner(out)
				for lines.Scan() {
					n, err := strconv.Atoi(lines.Text())
					if err != nil {
						r.err = errors.New(lines.Text())
						break
					}
					r.numbers = append(r.numbers, n)
				}
				_ = cmd.Wait() // it was killed
			}
			results <- r
		}()
	}
	owner, total, most := map[int]int{}, 0, 0
	for range processes {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
		}
		for _, n := range r.numbers {
			if other, taken := owner[n]; taken {
				t.Errorf("%d is of processes %d and %d", n, other, r.process)
			}
			owner[n] = r.process
			most = max(most, n)
		}
		total += len(r.numbers)
	}
	f, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := f.Load(t.Context(), "a/n")
	n, _ := strconv.Atoi(string(body))
	// A process that is killed may not have come to tell its last number.
	if err != nil || n < most || n < total || n > total+processes*rounds {
		t.Errorf("counted to %q, told %d numbers up to %d, %v", body, total, most, err)
	}
	if total == 0 {
		t.Error("nobody counted")
	}
	t.Logf("%d numbers told, counted to %d", total, n)
}

func TestSwapWaitsForTheLockUntilItIsCalledOff(t *testing.T) {
	f := newFolder(t)
	unlock, err := f.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Swap(ctx, "k", []byte("x"), ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// The file of the lock goes, and comes again: who had the old one holds nothing.
	if err := os.Remove(filepath.Join(f.root, tempDir, swapLock)); err != nil {
		t.Fatal(err)
	}
	again, err := f.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	again()
	if _, err := f.Swap(t.Context(), "k", []byte("x"), ""); err != nil {
		t.Error(err)
	}
}

func TestSwapOnAFullDisk(t *testing.T) {
	f := smallDisk(t)
	version, err := f.Swap(t.Context(), "k", []byte("old"), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Swap(t.Context(), "k", make([]byte, 2<<20), version)
	var se *StoreError
	if !errors.As(err, &se) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	if body, now, err := f.Load(t.Context(), "k"); err != nil || string(body) != "old" || now != version {
		t.Errorf("%q at %s, %v", body, now, err)
	}
}
