package emulators

import (
	"fmt"
	"io"
	"net"
	"sync"
)

// relay listens on a loopback port of ours and passes every connection on into
// the keeper's network namespace.
type relay struct {
	listener net.Listener
	keeper   *keeper
	target   string
	mu       sync.Mutex
	open     map[net.Conn]struct{}
}

func newRelay(k *keeper, target string) (*relay, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on a loopback port: %w", err)
	}
	r := &relay{listener: l, keeper: k, target: target, open: map[net.Conn]struct{}{}}
	go r.accept()
	return r, nil
}

func (r *relay) addr() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		go r.pass(conn)
	}
}

// pass copies both ways until each side has said its last word.
func (r *relay) pass(near net.Conn) {
	defer r.forget(near)
	r.keep(near)
	far, err := r.keeper.dial(r.target)
	if err != nil {
		return // the client sees its connection closed, as if nobody listened
	}
	defer r.forget(far)
	r.keep(far)
	done := make(chan struct{})
	go func() {
		copyHalf(far, near)
		close(done)
	}()
	copyHalf(near, far)
	<-done
}

// copyHalf copies one direction and passes the end of it on. An error ends a
// direction as its end does: the other side sees the connection close.
func copyHalf(dst, src net.Conn) {
	_, _ = io.Copy(dst, src)
	_ = dst.(*net.TCPConn).CloseWrite()
}

func (r *relay) keep(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[c] = struct{}{}
}

func (r *relay) forget(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
	_ = c.Close()
}

func (r *relay) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		_ = c.Close()
	}
}
