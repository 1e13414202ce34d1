package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthCommand asks a worker on this machine how it is. It is the health check of an
// image without a shell, so what it prints is one line that ends up in the platform's log.
func healthCommand(s *settings) func(context.Context, streams) error {
	var listen string
	var ready, started bool
	var timeout time.Duration
	s.text(&listen, "listen", ":9090", "the address that the worker was told to listen on")
	s.boolean(&ready, "ready", "ask /readyz, whether it keeps up, and not /healthz, whether it is alive")
	s.boolean(&started, "started", "ask /startz: whether it has begun to read, and from then on whether it is alive, however far behind it is")
	s.check(func() error {
		if ready && started {
			return errors.New("--ready and --started are two questions: ask one")
		}
		return nil
	})
	s.duration(&timeout, "timeout", 3*time.Second, 100*time.Millisecond, time.Minute, "the most to wait for its answer")
	return func(ctx context.Context, io streams) error {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		path := "/healthz"
		switch {
		case ready:
			path = "/readyz"
		case started:
			path = "/startz"
		}
		answer, err := ask(ctx, listen, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(io.out, answer)
		return err
	}
}

// ask returns the first line of what a worker answers; any answer but 200 is an error.
func ask(ctx context.Context, listen, path string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("--listen %s: want an address like :9090 or 127.0.0.1:9090", listen)
	}
	// All addresses are meant. An image of nothing else may have no file that knows localhost.
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	url := "http://" + net.JoinHostPort(host, port) + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("--listen %s: %w", listen, err)
	}
	// Not the default transport: a proxy of the environment must not answer for the worker.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return "", fmt.Errorf("no answer from %s in time; the worker hangs, or the machine is overloaded", url)
	}
	if err != nil {
		return "", fmt.Errorf("nobody answers; is there a worker with --listen %s?: %w", listen, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // a short answer is one too
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s: %s", url, resp.Status, line)
	}
	return line, nil
}
