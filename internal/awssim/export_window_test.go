package awssim_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
)

func TestAWindowHoldsOneRecordOfAnItem(t *testing.T) {
	const at = `{"Metadata":{"WriteTimestampMicros":{"N":"MICROS"}},"Keys":{"pk":{"S":"k"}}`
	image := func(v string) string { return `{"pk":{"S":"k"},"v":{"N":"` + v + `"}}` }
	for _, c := range []struct {
		name          string
		before, write string // a digit is put, x deletes
		both, newOnly string // what follows the keys; "" = no record
		last          int    // microseconds of the last write
	}{
		{"an insert", "", "1", `,"NewImage":` + image("1") + `}`, `,"NewImage":` + image("1") + `}`, 0},
		{"an update", "1", "2", `,"OldImage":` + image("1") + `,"NewImage":` + image("2") + `}`, `,"NewImage":` + image("2") + `}`, 0},
		{"a delete", "1", "x", `,"OldImage":` + image("1") + `}`, `}`, 0},
		{"insert, then delete", "", "1x", "", "", 0},
		{"insert, delete, insert", "", "1x2", `,"NewImage":` + image("2") + `}`, `,"NewImage":` + image("2") + `}`, 2},
		{"delete, then insert", "1", "x2", `,"OldImage":` + image("1") + `,"NewImage":` + image("2") + `}`, `,"NewImage":` + image("2") + `}`, 1},
		{"many updates", "1", "2345", `,"OldImage":` + image("1") + `,"NewImage":` + image("5") + `}`, `,"NewImage":` + image("5") + `}`, 3},
		{"update, then delete", "1", "2x", `,"OldImage":` + image("1") + `}`, `}`, 1},
		{"there and back", "1", "21", `,"OldImage":` + image("1") + `,"NewImage":` + image("1") + `}`, `,"NewImage":` + image("1") + `}`, 1},
		{"a write that changes nothing", "1", "1", "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := newExportWorld(t, awssim.Config{})
				write := func(all string) {
					for _, op := range all {
						if op == 'x' {
							w.remove("k")
						} else {
							w.put("k", string(op))
						}
					}
				}
				write(c.before)
				time.Sleep(time.Hour)
				from := time.Now()
				write(c.write)
				time.Sleep(time.Hour)
				write("9") // not in the window
				for view, rest := range map[types.ExportViewType]string{types.ExportViewTypeNewAndOldImages: c.both, types.ExportViewTypeNewImage: c.newOnly} {
					d := w.wait(w.increment(from, from.Add(15*time.Minute), func(in *dynamodb.ExportTableToPointInTimeInput) {
						in.IncrementalExportSpecification.ExportViewType = view
					}))
					var want []string
					if rest != "" {
						want = append(want, strings.Replace(at, "MICROS", strconv.FormatInt(from.UnixMicro()+int64(c.last), 10), 1)+rest)
					}
					compare(t, w.lines(d), want...)
				}
			})
		})
	}
}

var (
	linePK  = regexp.MustCompile(`"Keys":(\{"pk":\{"S":"[^"]*"\}\})`)
	lineTS  = regexp.MustCompile(`"WriteTimestampMicros":\{"N":"([0-9]+)"\}`)
	lineOld = regexp.MustCompile(`"OldImage":(.*?)(?:,"NewImage"|\}$)`)
	lineNew = regexp.MustCompile(`"NewImage":(.*)\}$`)
)

func find(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// TestWindowsThatTouchAddUpToTheTable writes at random on clocks that are apart,
// and folds a full export and the windows after it. Each old image must be what the
// windows before left behind.
func TestWindowsThatTouchAddUpToTheTable(t *testing.T) {
	for _, skew := range []time.Duration{0, 40 * time.Second} {
		bubble.Run(t, func(t *testing.T) {
			w := newExportWorld(t, awssim.Config{Seed: 5, ClockSkew: skew, ExportFiles: 7})
			rng := rand.New(rand.NewPCG(5, 5))
			write := func(d time.Duration) {
				for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Duration(rng.IntN(6000)) * time.Millisecond) {
					for range rng.IntN(3) {
						if pk := fmt.Sprint("k", rng.IntN(40)); rng.IntN(3) == 0 {
							w.remove(pk)
						} else {
							w.put(pk, fmt.Sprint(rng.IntN(1000)))
						}
					}
				}
			}
			write(10 * time.Minute)
			cut := time.Now().Truncate(time.Second)
			d, err := w.full(func(in *dynamodb.ExportTableToPointInTimeInput) { in.ExportTime = &cut })
			write(20 * time.Minute) // clocks that are behind stamp some of this before the cut
			state := map[string]string{}
			for _, l := range w.lines(w.wait(d, err)) {
				l = strings.TrimSuffix(strings.TrimPrefix(l, `{"Item":`), `}`)
				m := regexp.MustCompile(`"pk":(\{"S":"[^"]*"\})`).FindString(l)
				v := regexp.MustCompile(`"v":\{"N":"[^"]*"\}`).FindString(l)
				state["{"+m+"}"] = "{" + m + "," + v + "}"
			}
			same := func(at time.Time) {
				want := map[string]string{}
				for _, r := range w.Journal("orders") {
					if r.Micros < at.UnixMicro() {
						if want[r.Key] = r.New; r.New == "" {
							delete(want, r.Key)
						}
					}
				}
				seen, err := w.ItemsAt("orders", at)
				if diff := cmp.Diff(want, state); diff != "" {
					t.Errorf("folded, %s: %s", at, diff)
				}
				if diff := cmp.Diff(want, seen); diff != "" || err != nil {
					t.Errorf("ItemsAt %s: %v %s", at, err, diff)
				}
			}
			same(cut)
			changed, shifted := 0, false
			for range 4 {
				to := cut.Add(15 * time.Minute)
				d, err := w.increment(cut, to)
				write(15 * time.Minute)
				for _, l := range w.lines(w.wait(d, err)) {
					k := find(linePK, l)
					if old := find(lineOld, l); old != state[k] {
						t.Errorf("%s: old image %s, but it was %s", k, old, state[k])
					}
					if state[k] = find(lineNew, l); state[k] == "" {
						delete(state, k)
					}
					micros, _ := strconv.ParseInt(find(lineTS, l), 10, 64)
					if micros < cut.UnixMicro() || micros >= to.UnixMicro() {
						t.Errorf("%s is not in the window from %s", l, cut)
					}
					changed++
				}
				cut = to
				same(cut)
			}
			for _, r := range w.Journal("orders") {
				shifted = shifted || r.Micros-r.Created.UnixMicro() > 1_000_000 || r.Micros-r.Created.UnixMicro() < -1_000_000
			}
			if changed < 50 || shifted != (skew > 0) {
				t.Errorf("%d changes, clocks apart %v: this tests nothing", changed, shifted)
			}
		})
	}
}

func TestOneItemIsInOneFile(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{Seed: 2, ExportFiles: 9})
		for i := range 300 {
			w.put(fmt.Sprint(i), "1")
		}
		time.Sleep(time.Second)
		d := w.wait(w.full())
		x := readExport(t, *d.ExportManifest, func(key string) []byte { b, _ := w.object(key); return b })
		if len(x.perFile) != 9 || slices.Contains(x.perFile, 0) || len(x.lines) != 300 {
			t.Errorf("items by file: %v", x.perFile)
		}
		first := 0
		for _, l := range x.lines {
			if strings.HasPrefix(l, `{"Item":{"pk"`) {
				first++
			}
		}
		if first < 100 || first > 200 {
			t.Errorf("the key comes first in %d of 300 lines", first)
		}
		list, err := w.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
		if err != nil || len(list.Contents) != 9+5 {
			t.Errorf("%d objects, error %v", len(list.Contents), err)
		}
	})
}
