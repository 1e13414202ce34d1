package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/internal/fleet"
)

var update = flag.Bool("update", false, "make docs/status-page.png anew")

const screenshot = "../../docs/status-page.png"

// browser is a Chromium that is here already; the test fetches none.
func browser(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser: install chromium (apt-get install chromium), or say in CHROMIUM where one is")
	return ""
}

// browse runs the browser once, without a window.
func browse(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	args = append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--user-data-dir=" + t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", // there is no internet
	}, args...)
	cmd := exec.CommandContext(ctx, browser(t), args...)
	cmd.WaitDelay = 5 * time.Second
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		t.Fatalf("the browser: %v\n%s", err, problems.String())
	}
	return string(out)
}

// measured is what a page looks like in the browser, in pixels.
type measured struct {
	Width, Overflow, Pictures, Bars, Shards int
	Spilled                                 int     // names that are wider than their shard
	Smallest                                float64 // the font of any text
	AsOf                                    string
	Open                                    int // details that are open
	Stale                                   bool
	Styled                                  bool
	Fetched                                 []string // addresses
}

// measure is a page around the page: it has the measure of a phone or a desk, and looks in three times.
const measure = `<!doctype html><iframe id=f src="/" width=%d height=900></iframe><pre id=out></pre><script>
const f = document.getElementById("f"), all = [];
function look() {
  const d = f.contentDocument, w = f.contentWindow;
  let smallest = 99;
  for (const e of d.querySelectorAll("#live *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim() !== "");
    if (own && e.getClientRects().length && e.tagName !== "title") smallest = Math.min(smallest, parseFloat(w.getComputedStyle(e).fontSize));
  }
  const time = d.querySelector("time");
  all.push({
    Width: d.documentElement.clientWidth, Overflow: d.documentElement.scrollWidth - d.documentElement.clientWidth,
    Pictures: [...d.querySelectorAll("svg")].filter(e => e.getBoundingClientRect().width > 50).length,
    Bars: [...d.querySelectorAll(".timeline rect")].filter(e => e.getBoundingClientRect().width >= 1).length,
    Shards: d.querySelectorAll(".lineage g").length,
    Spilled: [...d.querySelectorAll(".lineage text")].filter(e => e.getBBox().width + 8 > e.parentNode.querySelector("rect").getBBox().width).length,
    Smallest: smallest, AsOf: time ? time.textContent : "", Open: d.querySelectorAll("details[open]").length,
    Stale: !d.getElementById("stale").hidden, Styled: w.getComputedStyle(d.querySelector(".figures")).display === "grid",
    Fetched: w.performance.getEntriesByType("resource").map(e => e.name),
  });
}
f.onload = () => {
  f.contentDocument.getElementById("spans").open = true;
  look();
  setTimeout(look, 11000);
  setTimeout(() => { look(); document.getElementById("out").textContent = JSON.stringify(all); }, 45000);
};
</script>`

func TestThePageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	browser(t)
	s := tell(t, false)
	for _, width := range []int{1280, 390} {
		t.Run(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			// Each time it is fetched it is a minute later, and after the third time it is away.
			var fetched atomic.Int64
			mux := http.NewServeMux()
			mux.HandleFunc("GET /measure", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, measure, width) })
			mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				o := s.options()
				if r.URL.Path == "/" {
					n := fetched.Add(1)
					if n > 3 {
						http.Error(w, "away", http.StatusBadGateway)
						return
					}
					later := s.report
					later.At = later.At.Add(time.Duration(n) * time.Minute)
					o.Read = func(context.Context) (fleet.Report, error) { return later, nil }
				}
				page := http.NewServeMux()
				New(o).Serve(page)
				page.ServeHTTP(w, r)
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			dom := browse(t, "--window-size=1400,1000", "--virtual-time-budget=60000", "--dump-dom", server.URL+"/measure")
			_, text, _ := strings.Cut(dom, `<pre id="out">`)
			text, _, _ = strings.Cut(text, "</pre>")
			var looks []measured
			if err := json.Unmarshal([]byte(html.UnescapeString(text)), &looks); err != nil || len(looks) != 3 {
				t.Fatalf("the browser measured nothing: %v\n%s", err, dom)
			}
			first, refreshed, away := looks[0], looks[1], looks[2]
			for _, m := range looks {
				if m.Width < width-20 || m.Width > width || m.Overflow > 0 {
					t.Errorf("%d pixels wide, %d over the edge", m.Width, m.Overflow)
				}
				if m.Pictures < 5 || m.Bars < 5 || m.Shards != len(s.report.Shards) || !m.Styled {
					t.Errorf("not all is seen: %+v", m)
				}
				if m.Spilled > 0 {
					t.Errorf("%d names are wider than their shard", m.Spilled)
				}
				if m.Smallest < 11 {
					t.Errorf("text of %v pixels", m.Smallest)
				}
				for _, at := range m.Fetched {
					if !strings.HasPrefix(at, server.URL+"/") && !strings.HasPrefix(at, "data:") {
						t.Errorf("the page asks for %s", at)
					}
				}
				if len(m.Fetched) < 2 {
					t.Errorf("it fetched %q, not even its own style and script", m.Fetched)
				}
				if m.Open != 1 {
					t.Error("what the reader opened is closed")
				}
			}
			if first.AsOf == refreshed.AsOf || refreshed.Stale || first.Stale {
				t.Errorf("after ten seconds it still shows %s, or is stale: %v", first.AsOf, refreshed.Stale)
			}
			if !away.Stale || away.AsOf == "" {
				t.Errorf("when its worker is away it does not say so, or shows nothing: %+v", away)
			}
		})
	}
	t.Run("screenshot", func(t *testing.T) {
		mux := http.NewServeMux()
		New(s.options()).Serve(mux)
		server := httptest.NewServer(mux)
		defer server.Close()
		file := filepath.Join(t.TempDir(), "page.png")
		browse(t, "--window-size=1280,1400", "--virtual-time-budget=2000", "--screenshot="+file, server.URL+"/")
		body, err := os.ReadFile(file)
		must(t, err)
		seen(t, body)
		if *update {
			must(t, os.WriteFile(screenshot, body, 0o644))
		}
	})
}

// TestTheScreenshotIsOfThePage: that of the README has the colours of the style sheet.
func TestTheScreenshotIsOfThePage(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	body, err := os.ReadFile(screenshot)
	if err != nil {
		t.Fatalf("%v: make it with go test ./internal/page -run Browser -update", err)
	}
	seen(t, body)
}

// seen fails unless a picture has what is whole, what was repaired, and a full export.
func seen(t *testing.T, body []byte) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(body))
	must(t, err)
	if w := picture.Bounds().Dx(); w != 1280 {
		t.Errorf("the picture is %d pixels wide", w)
	}
	for name, c := range map[string]color.RGBA{
		"whole": {0x2f, 0x9e, 0x68, 255}, "compacted": {0xd9, 0xa5, 0x21, 255}, "seed": {0x35, 0x66, 0xd6, 255},
	} {
		if n := count(picture, c); n < 40 {
			t.Errorf("%d pixels are as what is %s", n, name)
		}
	}
}

func count(picture image.Image, c color.RGBA) (n int) {
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.RGBAModel.Convert(picture.At(x, y)) == c {
				n++
			}
		}
	}
	return n
}
