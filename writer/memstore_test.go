package writer

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// memStore is a store in memory. before and after, where set, run around each
// PUT's effect and may delay it, or fail it.
type memStore struct {
	mu      sync.Mutex
	objects map[string]memObject
	puts    int

	before, after func(key string) error
	head          func(key string) error
	// late, where set, may answer that a PUT is lost on the way and lands, if
	// it still can, only so much later.
	late func() (time.Duration, error)
}

type memObject struct {
	body []byte
	meta map[string]string
}

func newMemStore() *memStore { return &memStore{objects: map[string]memObject{}} }

func (m *memStore) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if m.before != nil {
		if err := m.before(key); err != nil {
			return err
		}
	}
	if m.late != nil {
		if d, err := m.late(); err != nil {
			go func() {
				time.Sleep(d)
				_ = m.put(key, body, meta) // whether it lands is the history's affair
			}()
			return err
		}
	}
	if err := m.put(key, body, meta); err != nil {
		return err
	}
	if m.after != nil {
		return m.after(key)
	}
	return nil
}

// put is the effect alone.
func (m *memStore) put(key string, body []byte, meta map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts++
	if _, ok := m.objects[key]; ok {
		return fmt.Errorf("put %s: %w", key, ErrExists)
	}
	m.objects[key] = memObject{slices.Clone(body), maps.Clone(meta)}
	return nil
}

func (m *memStore) Head(ctx context.Context, key string) (Object, error) {
	if m.head != nil {
		if err := m.head(key); err != nil {
			return Object{}, err
		}
	}
	_, o, err := m.Get(ctx, key)
	return o, err
}

func (m *memStore) Get(_ context.Context, key string) ([]byte, Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return nil, Object{}, fmt.Errorf("get %s: %w", key, ErrNotFound)
	}
	return o.body, Object{Key: key, Size: int64(len(o.body)), Meta: o.meta, Modified: time.Unix(0, 0)}, nil
}

func (m *memStore) List(_ context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		m.mu.Lock()
		keys := slices.Sorted(maps.Keys(m.objects))
		m.mu.Unlock()
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) && !yield(Object{Key: key}, nil) {
				return
			}
		}
	}
}
