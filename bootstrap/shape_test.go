package bootstrap

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"

	"dynamolake/transform"
)

// shape makes items as measurements are made with: three kinds of entity in one
// table, 36 attributes, about 1,050 bytes of DynamoDB JSON, nested M, L, SS, NS
// and B, one item in ten with an attribute of another type, 3.7:1 in gzip.
type shape struct {
	*rand.Rand
	n int
}

var shapeKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'S'}}

var words = []string{
	"amber", "bracket", "copper", "delta", "ember", "fabric", "garden", "harbor", "island", "jacket", "kernel", "ladder",
	"marble", "needle", "orchid", "pepper", "quartz", "ribbon", "saddle", "timber", "umbrella", "velvet", "willow", "zephyr",
}

func (s *shape) text(n int) string {
	var b []byte
	for len(b) < n {
		b = append(append(append(b, words[s.IntN(len(words))]...), s.hex(2+s.IntN(2))...), ' ')
	}
	return string(b[:n])
}

func (s *shape) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdef"[s.IntN(16)]
	}
	return string(b)
}

func (s *shape) blob(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	return base64.StdEncoding.EncodeToString(b)
}

// price is a number, but for one item in ten a text.
func (s *shape) price(name string) string {
	if s.IntN(10) == 0 {
		return fmt.Sprintf(`%q:{"S":"%d EUR"}`, name, s.IntN(10_000))
	}
	return fmt.Sprintf(`%q:{"N":"%d.%02d"}`, name, s.IntN(10_000), s.IntN(100))
}

func (s *shape) line(b *bytes.Buffer) {
	s.n++
	at := 1_700_000_000 + s.n*7
	common := fmt.Sprintf(`"updatedAt":{"S":"2026-%02d-%02dT%02d:%02d:%02d.%03dZ"},"version":{"N":"%d"},"tenant":{"S":"tenant-%03d"},"active":{"BOOL":%t},"ttl":{"N":"%d"},"traceId":{"S":"%s"}`,
		1+s.IntN(12), 1+s.IntN(28), s.IntN(24), s.IntN(60), s.IntN(60), s.IntN(1000), s.IntN(50), s.IntN(200), s.IntN(2) == 0, at+86400*30, s.hex(32))
	switch s.n % 3 {
	case 0:
		fmt.Fprintf(b, `{"Item":{"entityType":{"S":"CUSTOMER"},"email":{"S":"%s.%d@example.com"},"sk":{"S":"PROFILE"},"displayName":{"S":"%s"},"address":{"M":{"street":{"S":"%s"},"city":{"S":"%s"},"zip":{"S":"%05d"},"geo":{"M":{"lat":{"N":"%d.%06d"},"lon":{"N":"%d.%06d"}}}}},"pk":{"S":"CUSTOMER#%09d"},"tags":{"SS":["%s-%d","%s-%d","beta"]},"scores":{"NS":["%d","%d","%d"]},"avatar":{"B":"%s"},"bio":{"S":"%s"},"referrer":{"NULL":true},"loyaltyPoints":{"N":"%d"},%s,%s}}`+"\n",
			words[s.IntN(24)], s.IntN(1e6), s.text(18), s.text(22), words[s.IntN(24)], s.IntN(1e5), s.IntN(90), s.IntN(1e6), s.IntN(180), s.IntN(1e6), s.n,
			words[s.IntN(24)], s.IntN(100), words[s.IntN(24)], 100+s.IntN(100), s.IntN(1000), 1000+s.IntN(1000), 2000+s.IntN(1000), s.blob(48), s.text(200), s.IntN(1e5), s.price("creditLimit"), common)
	case 1:
		fmt.Fprintf(b, `{"Item":{"pk":{"S":"ORDER#%09d"},"customerId":{"S":"CUSTOMER#%09d"},"entityType":{"S":"ORDER"},"status":{"S":"%s"},"lines":{"L":[`, s.n, s.IntN(s.n+1), []string{"NEW", "PAID", "SHIPPED", "RETURNED"}[s.IntN(4)])
		for i := range 3 {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, `{"M":{"sku":{"S":"SKU-%06d"},"qty":{"N":"%d"},"unit":{"N":"%d.%02d"}}}`, s.IntN(1e6), 1+s.IntN(9), s.IntN(500), s.IntN(100))
		}
		fmt.Fprintf(b, `]},"sk":{"S":"A#%d"},"currency":{"S":"EUR"},"discounts":{"L":[{"N":"%d"},{"S":"%s"}]},"shipTo":{"M":{"name":{"S":"%s"},"line1":{"S":"%s"}}},"note":{"S":"%s"},"warehouse":{"S":"WH-%02d"},"weightGrams":{"N":"%d"},%s,%s}}`+"\n",
			at, s.IntN(30), words[s.IntN(24)], s.text(16), s.text(24), s.text(150), s.IntN(20), s.IntN(50_000), s.price("total"), common)
	default:
		fmt.Fprintf(b, `{"Item":{"sk":{"S":"EVENT#%d#%s"},"eventName":{"S":"%s.%s"},"entityType":{"S":"EVENT"},"payload":{"M":{"path":{"S":"/%s/%s/%d"},"ms":{"N":"%d"},"ok":{"BOOL":true},"headers":{"M":{"agent":{"S":"%s"},"host":{"S":"%s.example.com"}}}}},"pk":{"S":"SESSION#%s"},"ip":{"S":"10.%d.%d.%d"},"signature":{"B":"%s"},"codes":{"NS":["%d","%d"]},"message":{"S":"%s"},"level":{"S":"INFO"},"device":{"S":"%s"},"sampled":{"BOOL":false},%s,%s}}`+"\n",
			at, s.hex(8), words[s.IntN(24)], words[s.IntN(24)], words[s.IntN(24)], words[s.IntN(24)], s.IntN(1e6), s.IntN(5000), s.text(40), words[s.IntN(24)], s.hex(20),
			s.IntN(256), s.IntN(256), s.IntN(256), s.blob(32), s.IntN(600), 600+s.IntN(100), s.text(260), words[s.IntN(24)], s.price("cost"), common)
	}
}

// shapedExport writes an export of a full table to a folder, and returns the address of its summary.
func shapedExport(tb testing.TB, root string, files, items int) (from string, text, packed int64) {
	tb.Helper()
	s := &shape{Rand: rand.New(rand.NewPCG(1, 2))}
	write := func(key string, body []byte) {
		path := filepath.Join(root, key)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o666); err != nil {
			tb.Fatal(err)
		}
	}
	sum := func(body []byte) string {
		sum := md5.Sum(body)
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	const dir = "AWSDynamoDB/01768385930622-0badcafe/"
	var list, lines bytes.Buffer
	for f := range files {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		for n := range items {
			if s.line(&lines); lines.Len() > 1<<20 || n == items-1 {
				text += int64(lines.Len())
				if _, err := z.Write(lines.Bytes()); err != nil {
					tb.Fatal(err)
				}
				lines.Reset()
			}
		}
		if err := z.Close(); err != nil {
			tb.Fatal(err)
		}
		packed += int64(out.Len())
		key := fmt.Sprintf("%sdata/file%d.json.gz", dir, f)
		write(key, out.Bytes())
		fmt.Fprintf(&list, `{"itemCount":%d,"md5Checksum":%q,"etag":"x","dataFileS3Key":%q}`+"\n", items, sum(out.Bytes()), key)
	}
	summary := fmt.Sprintf(`{"version":"2020-06-30","exportArn":"%s/export/01768385930622-0badcafe","tableArn":%q,"exportTime":"2026-01-14T10:18:50.000Z","manifestFilesS3Key":%q,"itemCount":%d,"outputFormat":"DYNAMODB_JSON"}`,
		someARN, someARN, dir+"manifest-files.json", files*items)
	write(dir+"manifest-files.json", list.Bytes())
	write(dir+"manifest-files.md5", []byte(sum(list.Bytes())))
	write(dir+summaryName, []byte(summary))
	write(dir+"manifest-summary.md5", []byte(sum([]byte(summary))))
	return "file://" + root + "/" + dir + summaryName, text, packed
}
