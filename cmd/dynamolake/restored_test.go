package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/internal/scene"
)

// lived is a table with a lake: a full export, a stream that was read for a while, and nobody who reads now.
func (s *stage) lived() {
	s.Helper()
	if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
		s.Fatal(err)
	}
	s.write(60)
	time.Sleep(10 * time.Minute)
	s.must("op", "bootstrap")
	stop := s.background("w1", "consume", "--flush-interval=1s")
	time.Sleep(time.Minute)
	s.write(60)
	time.Sleep(10 * time.Minute)
	stop()
}

// restore is what a restore from a backup leaves: a table with another id, without point-in-time recovery.
func (s *stage) restore(name string) (restored *stage) {
	s.Helper()
	table, err := s.Beside(s.Context(), name, "dynamolake-"+name, 2)
	if err != nil {
		s.Fatal(err)
	}
	time.Sleep(time.Minute)
	restored = &stage{T: s.T, Scene: table}
	restored.write(30)
	return restored
}

// refused runs a command that has to end with an error that says so.
func (s *stage) refused(want string, args ...string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), time.Hour)
	defer cancel()
	if code, out, errs := s.command(ctx, "op", args...); code != 1 || !strings.Contains(errs, want) {
		s.Errorf("%q: exit code %d, want 1 and %q\n%s%s", args, code, want, out, errs)
	}
}

// manifest is the address of the lake's first export.
func (s *stage) manifest() string {
	s.Helper()
	for o, err := range s.Store("op").List(s.Context(), "") {
		if err != nil {
			s.Fatal(err)
		}
		if strings.HasSuffix(o.Key, "/manifest-summary.json") {
			return "s3://" + scene.Bucket + "/" + o.Key
		}
	}
	s.Fatal("there is no export")
	return ""
}

// proves follows the steps of docs/operations.md for a restored table, with flags that say which, to a proof.
func (s *stage) proves(flags ...string) {
	s.Helper()
	with := func(args ...string) []string { return slices.Concat(args, flags) }
	s.must("op", with("bootstrap", "--enable")...)
	stop := s.background("w2", with("consume", "--flush-interval=1s")...)
	time.Sleep(time.Minute)
	s.write(60)
	time.Sleep(10 * time.Minute)
	stop()
	if out := s.must("op", with("verify", "--against-table")...); !strings.Contains(out, "proven") {
		s.Errorf("no proof:\n%s", out)
	}
}

// TestATableRestoredUnderItsNameIsAnother and needs a prefix of its own; the lake of the one before stays as it is.
func TestATableRestoredUnderItsNameIsAnother(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		s.lived()
		db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("author"))
		if _, err := db.DeleteTable(s.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(scene.TableName)}); err != nil {
			s.Fatal(err)
		}
		restored := s.restore(scene.TableName)
		const other = "is not the one that the lake is of"
		s.refused(other, "consume")
		s.refused(other, "bootstrap", "--enable", "--again")
		s.refused(other, "bootstrap", "--from-export="+s.manifest(), "--same-table", "--again")
		restored.proves("--lake=s3://"+scene.Bucket+"/restored", "--app=orders-restored")
		if out := s.must("op", "verify"); !strings.Contains(out, "proven") {
			s.Errorf("the lake of the table before:\n%s", out)
		}
	})
}

// TestATableRestoredUnderAnotherNameIsANewTable beside the first one.
func TestATableRestoredUnderAnotherNameIsANewTable(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		s.lived()
		restored := s.restore("restored")
		s.refused("it is of table ", "bootstrap", "--table=restored", "--from-export="+s.manifest())
		restored.proves("--table=restored")
		s.must("op", "verify", "--against-table")
	})
}
