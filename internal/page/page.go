package page

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"dynamolake/consumer"
	"dynamolake/internal/fleet"
)

//go:embed site
var site embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"span": span, "clock": clock, "short": short,
}).ParseFS(site, "site/*.html"))

// Options of a page.
type Options struct {
	Worker   string // who serves it
	Headroom time.Duration
	Read     func(context.Context) (fleet.Report, error)
	Ready    func() []consumer.Reason // of the worker that serves it
	History  *History
}

// Page reads reports and shows them. A report is read when somebody looks and the last is
// older than fresh, or than ten times what it took to read: so a page that everybody
// looks at reads the lease table for a tenth of the time at most.
type Page struct {
	o    Options
	turn chan struct{} // holds a token while somebody reads or looks at what follows

	report fleet.Report
	err    error
	read   time.Time // when it was read; zero before
	took   time.Duration
}

const (
	fresh       = 5 * time.Second
	readTimeout = 30 * time.Second
)

// New reads nothing yet.
func New(o Options) *Page { return &Page{o: o, turn: make(chan struct{}, 1)} }

// Serve adds the page to a mux.
func (p *Page) Serve(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.page)
	mux.HandleFunc("GET /report.json", p.json)
	for _, name := range []string{"style.css", "script.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, site, "site/"+name)
		})
	}
}

// look is the report, as old as it may be. With an error it is the last that could be read.
func (p *Page) look(ctx context.Context) (fleet.Report, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return fleet.Report{}, context.Cause(ctx)
	}
	if !p.read.IsZero() && time.Since(p.read) < max(fresh, 10*p.took) {
		return p.report, p.err
	}
	// Others wait for it too: it does not end with who asked first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	began := time.Now()
	r, err := p.o.Read(ctx)
	p.read, p.err = time.Now(), err
	p.took = p.read.Sub(began)
	if err == nil {
		p.report = r
	}
	return p.report, err
}

func (p *Page) page(w http.ResponseWriter, r *http.Request) {
	report, err := p.look(r.Context())
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, "page.html", newView(report, err, p.o)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.Write(out.Bytes()) //nolint:errcheck // who asked has gone
}

func (p *Page) json(w http.ResponseWriter, r *http.Request) {
	report, err := p.look(r.Context())
	if err != nil {
		http.Error(w, fmt.Sprintf("the fleet cannot be looked at: %v", err), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(report) //nolint:errcheck // who asked has gone
}
