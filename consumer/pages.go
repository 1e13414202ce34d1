package consumer

import (
	"sync"

	"dynamolake/transform"
)

// pagePool recycles the bodies and pages that a batch has let go of. What lies
// in the pool is not in the budget; the collector empties it.
type pagePool struct{ free sync.Pool }

type pooled struct {
	body []byte
	page *transform.Page
}

func (p *pagePool) get() ([]byte, *transform.Page) {
	if v, ok := p.free.Get().(*pooled); ok {
		return v.body, v.page
	}
	return nil, new(transform.Page)
}

func (p *pagePool) put(body []byte, page *transform.Page) {
	p.free.Put(&pooled{body: body[:0], page: page})
}
