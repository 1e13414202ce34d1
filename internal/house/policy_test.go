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
}{
	{"deploy/iam/advise.json", ofAdvise},
	{"deploy/iam/consume.json", func(f sourceFile) bool { return !ofAdvise(f) }},
}

func ofAdvise(f sourceFile) bool { return strings.HasPrefix(f.Path, "cmd/dynamolake/advise") }

// permissions of calls that are not named after the call. An empty one needs
// none: anybody may ask who he is.
var permissions = map[string]string{
	"s3:HeadObject":         "s3:GetObject",
	"s3:HeadBucket":         "s3:ListBucket",
	"s3:ListObjectsV2":      "s3:ListBucket",
	"sts:GetCallerIdentity": "",
}

// apiCall finds the calls by the input that each is given.
var apiCall = regexp.MustCompile(`\b(cloudwatch|dynamodb|dynamodbstreams|s3|sts)\.([A-Z]\w*)Input\{`)

// TestThePolicyAllowsWhatTheCodeCalls fails for a call that the policy does not
// allow, and for a permission that no call needs.
func TestThePolicyAllowsWhatTheCodeCalls(t *testing.T) {
	for _, p := range policies {
		t.Run(p.path, func(t *testing.T) { comparePolicy(t, p.path, p.of) })
	}
}

func comparePolicy(t *testing.T, path string, of func(sourceFile) bool) {
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
		if f.Test || strings.HasPrefix(f.Package, "internal/") || strings.Contains(f.Path, "demo") || !of(f) {
			continue
		}
		for _, call := range apiCall.FindAllStringSubmatch(read(t, f.Path), -1) {
			action := strings.TrimSuffix(call[1], "streams") + ":" + call[2]
			if needed, renamed := permissions[action]; renamed {
				action = needed
			}
			if action != "" && !allowed[action] {
				t.Errorf("%s calls %s, which %s does not allow", f.Path, action, path)
			}
			delete(unused, action)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(unused)) {
		t.Errorf("%s allows %s, which nothing calls", path, action)
	}
}
