package bootstrap_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
)

// data tells of a GET of a data file.
func data(c *awssim.Call) bool {
	return c.Operation == "GetObject" && strings.HasSuffix(c.Target, ".json.gz")
}

func TestBrokenReadsAreMended(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault awssim.Fault
		times int
	}{
		{"connections that break off", awssim.Fault{CutReply: 40}, 4},
		{"bytes that are wrong for a while", awssim.Fault{RewriteReply: func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }}, 3},
		{"an end that is missing for a while", awssim.Fault{RewriteReply: func(b []byte) []byte { return b[:len(b)-9] }}, 3},
		{"a service that is not there", awssim.Fault{Status: 503}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, awssim.Config{Seed: 5, ExportFiles: 1}, func(w *world) {
				w.live(time.Second, 60)
				w.pitr(35)
				n := 0
				w.Intercept(func(call *awssim.Call) awssim.Fault {
					if data(call) {
						if n++; n <= c.times {
							return c.fault
						}
					}
					return awssim.Fault{}
				})
				w.full()
				w.wantState(w.Items("orders"))
				w.wantOnce()
				if n <= c.times || c.fault.CutReply > 0 && n != c.times+1 { // each goes on where the last broke off
					w.Errorf("%d reads", n)
				}
			})
		})
	}
}

func TestDamagedFilesStopWithTheirName(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(w *world, key string, body []byte) []byte
	}{
		{"another byte", "MD5", func(_ *world, _ string, b []byte) []byte { b[5] ^= 1; return b }},
		{"cut short", "does not unpack", func(_ *world, _ string, b []byte) []byte { return b[:len(b)/2] }},
		{"something behind the end", "does not unpack", func(_ *world, _ string, b []byte) []byte { return append(b, "garbage"...) }},
		{"gone", "it is not there", func(*world, string, []byte) []byte { return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, awssim.Config{Seed: 5, ExportFiles: 1}, func(w *world) {
				w.live(time.Second, 60)
				w.pitr(35)
				var original []byte
				var key string
				var once sync.Once
				w.Intercept(func(call *awssim.Call) awssim.Fault {
					if data(call) && call.Client == "full" {
						once.Do(func() {
							key = strings.TrimPrefix(call.Target, "lake/")
							original, _, _ = w.store.Get(w.Context(), key)
							w.overwrite(key, c.change(w, key, bytes.Clone(original)))
						})
					}
					return awssim.Fault{}
				})
				_, err := bootstrap.Bootstrap(w.Context(), w.options("full"), bootstrap.Seed{NoStream: true})
				var damaged *bootstrap.Damaged
				if !errors.As(err, &damaged) || !strings.Contains(damaged.Object, key) || !strings.Contains(damaged.Problem, c.want) {
					w.Fatalf("%v, want %s damaged: %s", err, key, c.want)
				}
				l := w.read()
				if files := w.objects(".parquet"); len(files) != 0 || l.Base() != nil {
					w.Errorf("in the lake: %q\n%s", files, l.JSON())
				}
				w.overwrite(key, original) // as the advice says
				w.full()
				w.wantState(w.Items("orders"))
				if n := len(w.Exports("orders")); n != 1 {
					w.Errorf("%d exports", n)
				}
			})
		})
	}
}

// overwrite changes an object of an export, or deletes it.
func (w *world) overwrite(key string, body []byte) {
	w.Helper()
	var err error
	if body == nil {
		_, err = w.s3.DeleteObject(w.Context(), &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: &key})
	} else {
		_, err = w.s3.PutObject(w.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: &key, Body: bytes.NewReader(body)})
	}
	if err != nil {
		w.Fatal(err)
	}
}

func TestACountThatDiffersStops(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 5, ExportFiles: 1}, func(w *world) {
		w.live(time.Second, 60)
		w.pitr(35)
		w.Intercept(func(call *awssim.Call) awssim.Fault {
			// Both manifests count one more, and their sums do not notice.
			if call.Operation == "GetObject" && strings.Contains(call.Target, "manifest-") {
				return awssim.Fault{RewriteReply: func(b []byte) []byte { return rewriteManifest(w, call.Target, b) }}
			}
			return awssim.Fault{}
		})
		_, err := bootstrap.Bootstrap(w.Context(), w.options("full"), bootstrap.Seed{NoStream: true})
		if err == nil || !strings.Contains(err.Error(), "lines, the manifest says") || len(w.objects(".parquet")) != 0 {
			w.Errorf("%v", err)
		}
	})
}

func TestWhatPeopleMustMend(t *testing.T) {
	seed := func(w *world, s bootstrap.Seed, change ...func(*bootstrap.Options)) error {
		_, err := bootstrap.Bootstrap(w.Context(), w.options("full", change...), s)
		return err
	}
	bucket := func(name string) func(*bootstrap.Options) {
		return func(o *bootstrap.Options) { o.Raw.Bucket = name }
	}
	t.Run("recovery is off", func(t *testing.T) {
		inWorld(t, awssim.Config{}, func(w *world) {
			w.wantAdvice(seed(w, bootstrap.Seed{NoStream: true}), "aws dynamodb update-continuous-backups --region eu-west-1 --table-name orders --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true")
		})
	})
	t.Run("the stream is off", func(t *testing.T) {
		inWorld(t, awssim.Config{}, func(w *world) {
			w.pitr(35)
			w.wantAdvice(seed(w, bootstrap.Seed{}), "has no stream", "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES")
		})
	})
	t.Run("the bucket is missing", func(t *testing.T) {
		inWorld(t, awssim.Config{}, func(w *world) {
			w.pitr(35)
			w.put("a", 1, "x")
			time.Sleep(time.Second)
			w.wantAdvice(seed(w, bootstrap.Seed{NoStream: true}, bucket("none-such")), "aws s3 mb s3://none-such", "S3NoSuchBucket")
			l := w.read()
			if x := l.Epochs[0].Exports[0]; x.Status != ledger.Failed || !strings.Contains(x.Reason, "S3NoSuchBucket") {
				w.Errorf("the ledger: %s", l.JSON())
			}
			w.full() // with a bucket that is there
			w.wantState(w.Items("orders"))
		})
	})
	t.Run("the bucket of windows is missing", func(t *testing.T) {
		inWorld(t, awssim.Config{}, func(w *world) {
			w.pitr(35)
			w.full()
			w.live(20*time.Minute, 20)
			for range 2 {
				w.wantAdvice(w.tryCatchUp(bucket("none-such")), "aws s3 mb s3://none-such")
			}
			if n := len(w.Exports("orders")); n != 3 { // each start tries once
				w.Errorf("%d exports", n)
			}
			w.catchUp()
			w.wantItemsAt(w.reach())
		})
	})
	t.Run("a permission is missing", func(t *testing.T) {
		inWorld(t, awssim.Config{}, func(w *world) {
			w.put("a", 1, "x")
			w.pitr(35)
			for _, op := range []string{"DescribeContinuousBackups", "ExportTableToPointInTime", "DescribeExport"} {
				stop := w.Intercept(func(c *awssim.Call) awssim.Fault {
					if c.Operation == op {
						return awssim.Fault{Status: 400, Code: "AccessDeniedException", Message: "User is not authorized to perform: dynamodb:" + op}
					}
					return awssim.Fault{}
				})
				w.wantAdvice(seed(w, bootstrap.Seed{NoStream: true}), "allow this role dynamodb:"+op)
				stop()
			}
			stop := w.Intercept(func(c *awssim.Call) awssim.Fault {
				if data(c) {
					return awssim.Fault{Status: 403, Code: "AccessDenied"}
				}
				return awssim.Fault{}
			})
			w.wantAdvice(seed(w, bootstrap.Seed{NoStream: true}), "s3:GetObject")
			stop()
			w.full()
		})
	})
	t.Run("the table was made anew", func(t *testing.T) {
		inWorld(t, awssim.Config{}, func(w *world) {
			w.pitr(35)
			w.full()
			if _, err := w.db.DeleteTable(w.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("orders")}); err != nil {
				w.Fatal(err)
			}
			w.createTable()
			w.pitr(35)
			w.wantAdvice(seed(w, bootstrap.Seed{NoStream: true, Again: true}), "deleted and made anew")
			began := time.Now()
			w.wantAdvice(w.tryCatchUp(), "deleted and made anew")
			if took := time.Since(began); took > time.Minute {
				w.Errorf("windows were tried for %s", took)
			}

			// Who follows the table says it, and waits for somebody.
			var asked atomic.Int64
			stop := w.Intercept(func(c *awssim.Call) awssim.Fault {
				asked.Add(1)
				return awssim.Fault{}
			})
			r, err := bootstrap.NewRepairer(w.options("follower", func(o *bootstrap.Options) { o.Follow = true }))
			if err != nil {
				w.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(w.Context(), time.Hour)
			defer cancel()
			if err := r.Run(ctx); err != nil {
				w.Error(err)
			}
			if stop(); asked.Load() == 0 || asked.Load() > 100 {
				w.Errorf("%d calls in an hour", asked.Load())
			}
		})
	})
	t.Run("other settings for the same export", func(t *testing.T) {
		inWorld(t, awssim.Config{}, func(w *world) {
			w.pitr(35)
			lived := false
			var once sync.Once
			stop := w.Intercept(func(c *awssim.Call) awssim.Fault {
				var f awssim.Fault
				if c.Operation == "ExportTableToPointInTime" {
					once.Do(func() { lived = true })
					f.DropReply = true
				}
				return f
			})
			_ = seed(w, bootstrap.Seed{NoStream: true})
			stop()
			w.wantAdvice(seed(w, bootstrap.Seed{NoStream: true}, func(o *bootstrap.Options) { o.Raw.SSE, o.Raw.KMSKey = "KMS", "key" }), "give all workers the same settings")
			if !lived {
				w.Error("nobody asked")
			}
			w.full()
			if n := len(w.Exports("orders")); n != 1 {
				w.Errorf("%d exports", n)
			}
		})
	})
}
