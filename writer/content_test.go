package writer

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"dynamolake/internal/awssim"
)

func TestContentsOnEveryLake(t *testing.T) {
	for name, lakeOf := range lakes {
		t.Run(name, func(t *testing.T) {
			lake := lakeOf(t)
			ctx := t.Context()
			if _, _, err := lake.Open(ctx, "a/b"); !errors.Is(err, ErrNotFound) {
				t.Errorf("nothing there: %v", err)
			}
			if err := lake.Delete(ctx, "a/b"); err != nil {
				t.Errorf("nothing to delete: %v", err)
			}
			want := bytes.Repeat([]byte("content"), 100_000)
			if err := lake.PutNew(ctx, "a/b", want, nil); err != nil {
				t.Fatal(err)
			}
			r, o, err := lake.Open(ctx, "a/b")
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want) || o.Key != "a/b" || o.Size != int64(len(want)) || o.Modified.IsZero() {
				t.Errorf("%d bytes, %+v, %v", len(got), o, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if _, _, err := lake.Open(ctx, "a"); !errors.Is(err, ErrNotFound) {
				t.Errorf("a folder: %v", err)
			}
			for range 2 {
				if err := lake.Delete(ctx, "a/b"); err != nil {
					t.Error(err)
				}
			}
			if _, err := lake.Head(ctx, "a/b"); !errors.Is(err, ErrNotFound) {
				t.Errorf("after it was deleted: %v", err)
			}
		})
	}
}

func TestS3DeniesWithAHint(t *testing.T) {
	lake, cloud := simulated(t)
	cloud.Intercept(func(*awssim.Call) awssim.Fault {
		return awssim.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
	})
	_, _, open := lake.Open(t.Context(), "k")
	_, _, load := lake.Load(t.Context(), "k")
	for want, err := range map[string]error{
		"read s3://lake/pre/k: access denied; the lake needs":                   open,
		"read s3://lake/pre/k: access denied; the lake needs ":                  load,
		"delete s3://lake/pre/k: access denied; to delete its objects the lake": lake.Delete(t.Context(), "k"),
	} {
		var se *StoreError
		if !errors.As(err, &se) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
