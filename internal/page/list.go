package page

import (
	"bytes"
	"net/http"

	"dynamolake/consumer"
)

// Listed is one of several tables that a worker reads.
type Listed struct {
	Table   string
	Page    bool              // it has a page, at tables/<table>/
	Reasons []consumer.Reason // why this worker is not ready for it
}

// ServeList adds to a mux the list of the tables that a worker reads.
func ServeList(mux *http.ServeMux, worker string, list func() []Listed) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, "tables.html", struct {
			Worker string
			Tables []Listed
		}{worker, list()})
	})
	assets(mux)
}

// assets serves what pages are made of.
func assets(mux *http.ServeMux) {
	for _, name := range []string{"style.css", "script.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, site, "site/"+name)
		})
	}
}

// show answers with a template.
func show(w http.ResponseWriter, name string, data any) {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
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
