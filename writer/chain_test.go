package writer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"dynamolake/internal/bubble"
	"dynamolake/transform"
)

const testShard = "shardId-00000001700000000000-0a1b2c3d"

func testPrefix() string { return ChainPrefix(TablePrefix("1", "eu-west-1", "t"), "all", testShard) }

// encodeRange is a file of the records from..to, after a cursor.
func encodeRange(t testing.TB, after, from, to int, end bool) File {
	t.Helper()
	var records []record
	for n := from; n <= to; n++ {
		records = append(records, insert(n))
	}
	next := "next"
	if end {
		next = ""
	}
	b := NewBatch(seqOf(after))
	body := pageBody(next, records...)
	b.Add(body, decode(t, stringKey, body), time.Unix(0, 0))
	s, ok := b.Cut(time.Unix(0, 0), Limits{}, true)
	if !ok {
		t.Fatal("nothing to cut")
	}
	e := NewEncoder(Schema{Keys: stringKey, Table: "t", Dataset: "all"})
	f, err := e.Encode(s, Info{Shard: testShard, Writer: "wörker/1", Epoch: 7})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// fakeS3 is a bucket "lake" over HTTP.
func fakeS3(t testing.TB) *s3.Client {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("lake"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return clientOf(server.URL)
}

func clientOf(url string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(url), Region: "eu-west-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

func stores(t *testing.T) map[string]Store {
	folder, err := NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Store{"memory": newMemStore(), "S3": NewS3(fakeS3(t), "lake", "pre/fix"), "folder": folder}
}

func TestChainOnEveryStore(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if err := Probe(ctx, store, "host/1 ä"); err != nil {
				t.Fatal(err)
			}
			c := NewChain(store, testPrefix())
			if _, ok, err := c.Next(ctx, seqOf(0)); ok || err != nil {
				t.Fatalf("an empty chain has a link, or says %v", err)
			}
			first := encodeRange(t, 0, 1, 3, false)
			link, won, err := c.Commit(ctx, first)
			if err != nil || !won {
				t.Fatalf("won %t, %v", won, err)
			}
			want := first.Link
			want.Key = testPrefix() + "after-0000000000000000000000000000000000000000.parquet"
			if link != want {
				t.Errorf("committed %+v, want %+v", link, want)
			}
			// A zombie with other boundaries, and the same writer once more.
			if link, won, err = c.Commit(ctx, encodeRange(t, 0, 1, 5, false)); err != nil || won || link != want {
				t.Errorf("the zombie: won %t, %+v, %v", won, link, err)
			}
			if link, won, err = c.Commit(ctx, first); err != nil || !won || link != want {
				t.Errorf("the winner again: won %t, %+v, %v", won, link, err)
			}
			// The same rows by another attempt are another file.
			if _, won, err = c.Commit(ctx, encodeRange(t, 0, 1, 3, false)); err != nil || won {
				t.Errorf("equal rows: won %t, %v", won, err)
			}
			if end, ended, err := c.Tip(ctx, seqOf(0)); err != nil || ended || end != seqOf(3) {
				t.Errorf("tip %s, ended %t, %v", end, ended, err)
			}
			last := encodeRange(t, 3, 4, 4, true)
			if _, won, err = c.Commit(ctx, last); err != nil || !won || !last.Link.ShardEnd {
				t.Errorf("the last link: won %t, %v", won, err)
			}
			if end, ended, err := c.Tip(ctx, seqOf(0)); err != nil || !ended || end != seqOf(4) {
				t.Errorf("tip %s, ended %t, %v", end, ended, err)
			}
			body, o, err := store.Get(ctx, want.Key)
			if err != nil || int64(len(body)) != want.Size || string(body) != string(first.Body) || o.Key != want.Key {
				t.Errorf("got %d bytes of %+v, %v", len(body), o, err)
			}
			var keys []string
			for o, err := range store.List(ctx, testPrefix()) {
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, strings.TrimPrefix(o.Key, testPrefix()))
			}
			if got := strings.Join(keys, " "); got != "after-0000000000000000000000000000000000000000.parquet after-"+seqOf(3).String()+".parquet" {
				t.Errorf("listed %s", got)
			}
		})
	}
}

// TestCommitKnowsItsOwnWrite when the store does not say, or says the opposite.
func TestCommitKnowsItsOwnWrite(t *testing.T) {
	lost := errors.New("reply lost")
	for _, c := range []struct {
		name    string
		prepare func(*testing.T, *memStore, File)
		won     bool
		puts    int // that reached the store
	}{
		{"the reply is lost after the effect", func(_ *testing.T, m *memStore, _ File) {
			m.after = func(string) error { return lost }
		}, true, 1},
		{"the request is lost before the effect, twice", func(_ *testing.T, m *memStore, _ File) {
			fail := 2
			m.before = func(string) error {
				if fail--; fail >= 0 {
					return lost
				}
				return nil
			}
		}, true, 1},
		{"refused because its own resend landed first", func(t *testing.T, m *memStore, f File) {
			if err := m.put(linkKey(testPrefix(), f.Link.After), f.Body, f.Meta); err != nil {
				t.Fatal(err)
			}
		}, true, 2},
		{"the reply is lost, and the place was another's", func(t *testing.T, m *memStore, _ File) {
			other := encodeRange(t, 0, 1, 5, false)
			if err := m.put(linkKey(testPrefix(), other.Link.After), other.Body, other.Meta); err != nil {
				t.Fatal(err)
			}
			m.before = func(string) error { return lost }
		}, false, 1},
		{"looking it up fails at first too", func(_ *testing.T, m *memStore, _ File) {
			fail := 3
			m.after = func(string) error { return lost }
			m.head = func(string) error {
				if fail--; fail >= 0 {
					return lost
				}
				return nil
			}
		}, true, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				m := newMemStore()
				f := encodeRange(t, 0, 1, 3, false)
				c.prepare(t, m, f)
				link, won, err := NewChain(m, testPrefix()).Commit(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				wantEnd := seqOf(3)
				if !c.won {
					wantEnd = seqOf(5)
				}
				if won != c.won || link.End != wantEnd || m.puts != c.puts {
					t.Errorf("won %t, end %s, %d puts; want %t, %s, %d", won, link.End, m.puts, c.won, wantEnd, c.puts)
				}
			})
		})
	}
}

func TestCommitEndsWithItsContext(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		m := newMemStore()
		m.before = func(string) error { return errors.New("no route to host") }
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, _, err := NewChain(m, testPrefix()).Commit(ctx, encodeRange(t, 0, 1, 1, false))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no route to host") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != time.Minute {
			t.Errorf("gave up after %s", d)
		}
	})
}

func TestCommitStopsAtWhatTryingAgainDoesNotCure(t *testing.T) {
	m := newMemStore()
	m.before = func(string) error { return &StoreError{"write", "s3://b/k", "access denied", errors.New("403")} }
	_, _, err := NewChain(m, testPrefix()).Commit(t.Context(), encodeRange(t, 0, 1, 1, false))
	var denied *StoreError
	if !errors.As(err, &denied) {
		t.Errorf("got %v", err)
	}
}

func TestALinkThatCannotBeReadIsNamed(t *testing.T) {
	good := encodeRange(t, 0, 1, 3, false)
	change := func(name, value string) map[string]string {
		m := maps.Clone(good.Meta)
		m[name] = value
		return m
	}
	for _, c := range []struct {
		name string
		body []byte
		meta map[string]string
		want string // of the error; empty when the link must be read
	}{
		{"metadata lost in a copy is read from the footer", good.Body, nil, ""},
		{"metadata spoilt on the way is read from the footer", good.Body, change("end", "12x"), ""},
		{"no metadata and no Parquet", []byte("half"), nil, "no usable metadata for format, after, end"},
		{"no metadata and half a Parquet file", good.Body[:len(good.Body)/2], nil, "no usable metadata"},
		{"a spoilt end and no Parquet", nil, change("end", "12x"), "no usable metadata for end"},
		{"the metadata of another link", nil, change("after", seqOf(9).String()), "says after " + seqOf(9).String()},
		{"an end before its start", nil, change("end", "0"), "does not go beyond its start"},
		{"a format of the future", nil, change("format", "2"), "format version 2, this program knows 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemStore()
			key := linkKey(testPrefix(), transform.Seq{})
			if err := m.put(key, c.body, c.meta); err != nil {
				t.Fatal(err)
			}
			chain := NewChain(m, testPrefix())
			link, won, err := chain.Commit(t.Context(), encodeRange(t, 0, 1, 5, false))
			if c.want == "" {
				if err != nil || won || link.End != seqOf(3) || link.SHA256 != good.Link.SHA256 {
					t.Errorf("got %+v, won %t, %v", link, won, err)
				}
				return
			}
			var broken *LinkError
			if !errors.As(err, &broken) || broken.Key != key || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q of %s", err, c.want, key)
			}
		})
	}
}

func TestChainPrefix(t *testing.T) {
	for shard, want := range map[string]string{
		testShard:                         "1/eu-west-1/t/changes/all/shard_day=2023-11-14/" + testShard + "/",
		"shardId-0000000170-x":            "1/eu-west-1/t/changes/all/shard_day=unknown/shardId-0000000170-x/",
		"other":                           "1/eu-west-1/t/changes/all/shard_day=unknown/other/",
		"shardId-99999999999999999999-00": "1/eu-west-1/t/changes/all/shard_day=unknown/shardId-99999999999999999999-00/",
	} {
		if got := ChainPrefix(TablePrefix("1", "eu-west-1", "t"), "all", shard); got != want {
			t.Errorf("%s: %s, want %s", shard, got, want)
		}
	}
}

func TestMetadataFitsS3(t *testing.T) {
	s := sliceOf(t, stringKey, insert(1))
	long := strings.Repeat("ä\n", 3000)
	e := NewEncoder(Schema{Keys: transform.KeySchema{Hash: transform.KeyAttr{Name: long, Type: 'S'}}, Table: long, Dataset: long})
	f, err := e.Encode(s, Info{Shard: long, Parent: long, Stream: long, Writer: long, GapBefore: long})
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for k, v := range f.Meta {
		size += len(k) + len(v)
		for _, c := range k + v {
			if c < ' ' || c > '~' {
				t.Fatalf("%s: %q is not plain ASCII", k, v)
			}
		}
	}
	if size > 2048 {
		t.Errorf("%d bytes of metadata, S3 takes 2048", size)
	}
	meta, ok := footerMeta(bytes.NewReader(f.Body), int64(len(f.Body)))
	if !ok || meta["gap-before"] != long || meta["shard"] != long {
		t.Error("the footer does not hold the whole texts")
	}
	for k, v := range f.Meta {
		if k != "dataset" && meta[k] != v {
			t.Errorf("%s is %q in the footer, %q in the metadata", k, meta[k], v)
		}
	}
	if _, err := parseLink(Object{Meta: f.Meta, Key: "k"}, f.Link.After); err != nil {
		t.Error(fmt.Errorf("its own metadata: %w", err))
	}
}
