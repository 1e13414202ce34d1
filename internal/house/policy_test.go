package house

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// policies are those of the commands, and the files whose calls each must allow.
var policies = []struct {
	path string
	of   func(sourceFile) bool
	// without are calls of these files that the command makes only with a flag that asks for it; deploy/README.md
	// says so.
	without []string
	// others are what AWS does in the caller's name, or what another file of the command calls.
	others []string
}{
	{"deploy/iam/advise.json", ofAdvise, nil, nil},
	{
		"deploy/iam/consume.json", inPackages("consumer", "consumer/adapter", "checkpoint", "checkpoint/ledger", "writer", "bootstrap"),
		[]string{"dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "s3:DeleteObject"},
		[]string{"s3:PutObjectAcl"},
	},
	{
		"deploy/iam/export.json", inPackages("bootstrap", "checkpoint/ledger", "writer"), nil,
		[]string{"s3:PutObjectAcl", "dynamodb:Scan"},
	},
	{
		"deploy/iam/read.json", inPackages("internal/verify"), nil,
		[]string{"dynamodb:DescribeTable", "dynamodb:GetItem", "s3:GetObject", "s3:ListBucket"},
	},
}

func ofAdvise(f sourceFile) bool { return strings.HasPrefix(f.Path, "cmd/dynamolake/advise") }

func inPackages(names ...string) func(sourceFile) bool {
	return func(f sourceFile) bool { return slices.Contains(names, f.Package) }
}

// permissions of calls that are not named after the call. An empty one needs
// none: anybody may ask who he is.
var permissions = map[string]string{
	"s3:HeadObject":    "s3:GetObject",
	"s3:HeadBucket":    "s3:ListBucket",
	"s3:ListObjectsV2": "s3:ListBucket",

	"s3:CreateMultipartUpload":   "s3:PutObject",
	"s3:UploadPart":              "s3:PutObject",
	"s3:CompleteMultipartUpload": "s3:PutObject",
	"sts:GetCallerIdentity":      "",
}

// apiCall finds the calls by the input that each is given.
var apiCall = regexp.MustCompile(`\b(cloudwatch|dynamodb|dynamodbstreams|s3|sts)\.([A-Z]\w*)Input\{`)

// TestThePolicyAllowsWhatTheCodeCalls fails for a call that the policy does not
// allow, and for a permission that no call needs.
func TestThePolicyAllowsWhatTheCodeCalls(t *testing.T) {
	for _, p := range policies {
		t.Run(p.path, func(t *testing.T) { comparePolicy(t, p.path, p.of, p.without, p.others) })
	}
}

func comparePolicy(t *testing.T, path string, of func(sourceFile) bool, without, others []string) {
	var policy struct {
		Statement []struct {
			Effect string
			Action []string
		}
	}
	if err := json.Unmarshal([]byte(read(t, path)), &policy); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	unused := map[string]bool{}
	for _, statement := range policy.Statement {
		if statement.Effect != "Allow" {
			t.Errorf("%s: effect %s: a role without a permission is denied as it is", path, statement.Effect)
		}
		for _, action := range statement.Action {
			unused[action] = true
		}
	}
	allowed := maps.Clone(unused)

	for _, f := range sourceFiles(t) {
		if f.Test || !of(f) {
			continue
		}
		for _, call := range apiCall.FindAllStringSubmatch(read(t, f.Path), -1) {
			action := strings.TrimSuffix(call[1], "streams") + ":" + call[2]
			if needed, renamed := permissions[action]; renamed {
				action = needed
			}
			if action != "" && !allowed[action] && !slices.Contains(without, action) {
				t.Errorf("%s calls %s, which %s does not allow", f.Path, action, path)
			}
			delete(unused, action)
		}
	}
	for _, action := range without {
		if allowed[action] {
			t.Errorf("%s allows %s, which it is to do without", path, action)
		}
	}
	for _, action := range others {
		delete(unused, action)
		if !allowed[action] {
			t.Errorf("%s does not allow %s", path, action)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(unused)) {
		t.Errorf("%s allows %s, which nothing calls", path, action)
	}
}
