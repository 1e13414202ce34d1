package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/internal/scene"
)

// TestASchemaInABucket has its lookup file beside it.
func TestASchemaInABucket(t *testing.T) {
	s := exportScene(t)
	if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadAWS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put := func(key, text string) {
		if _, err := newS3(cfg).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: &key, Body: strings.NewReader(text)}); err != nil {
			t.Fatal(err)
		}
	}
	put("schemas/orders.yaml", `lookups: {names: data/names.csv}
datasets:
  - name: everything
    new_attributes: column
  - name: odd
    filter: lookup("names", string(size(item)), "odd") == "yes"
    hash: [v]
`)
	const named = "--schema=s3://lake/schemas/orders.yaml"
	if code, _, errs := invoke(t, "bootstrap", "--no-stream", named, "--hash-salt=x"); code != 1 || !strings.Contains(errs, "s3://lake/schemas/orders.yaml:1: lookup names: there is no object s3://lake/schemas/data/names.csv") {
		t.Fatalf("without a lookup file: exit code %d\n%s", code, errs)
	}
	put("schemas/data/names.csv", "n,odd\n1,yes\n3,yes\n5,yes\n7,yes\n")
	if code, _, errs := invoke(t, "bootstrap", "--no-stream", named); code != 1 || !strings.Contains(errs, "orders.yaml:7: dataset odd hashes, but there is no salt; set --hash-salt") {
		t.Fatalf("without a salt: exit code %d\n%s", code, errs)
	}
	if code, out, errs := invoke(t, "bootstrap", "--no-stream", named, "--hash-salt=x"); code != 0 || !strings.Contains(out, " 0 rejects") {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	parts := map[string]int{}
	for o, err := range s.Lake("reader").List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if _, rest, ok := strings.Cut(o.Key, "/snapshot/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			parts[name]++
		}
	}
	if len(parts) != 2 || parts["everything"] == 0 || parts["everything"] != parts["odd"] {
		t.Errorf("files of %v", parts)
	}
	if code, out, errs := invoke(t, "verify", "--depth=rows"); code != 0 || !strings.Contains(out, "proven") {
		t.Errorf("verify: exit code %d\n%s%s", code, out, errs)
	}
}
