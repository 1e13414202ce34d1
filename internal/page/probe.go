package page

import (
	"fmt"
	"net/http"

	"dynamolake/consumer"
)

// Probe answers 200 and "ok", or 503 and a line for each reason.
func Probe(reasons func() []consumer.Reason) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		found := reasons()
		if len(found) == 0 {
			fmt.Fprintln(w, "ok")
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		for _, r := range found {
			fmt.Fprintf(w, "%s: %s\n", r.Code, r.Text)
		}
	}
}
