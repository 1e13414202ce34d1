package house

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const consumePolicy = "deploy/iam/consume.json"

// permissions of calls that are not named after the call. An empty one needs
// none: anybody may ask who he is.
var permissions = map[string]string{
	"s3:HeadObject":         "s3:GetObject",
	"s3:HeadBucket":         "s3:ListBucket",
	"s3:ListObjectsV2":      "s3:ListBucket",
	"sts:GetCallerIdentity": "",
}

// apiCall finds the calls by the input that each is given.
var apiCall = regexp.MustCompile(`\b(dynamodb|dynamodbstreams|s3|sts)\.([A-Z]\w*)Input\{`)

// TestThePolicyAllowsWhatTheCodeCalls fails for a call that the policy does not
// allow, and for a permission that no call needs.
func TestThePolicyAllowsWhatTheCodeCalls(t *testing.T) {
	var policy struct {
		Statement []struct {
			Effect string
			Action []string
		}
	}
	if err := json.Unmarshal([]byte(read(t, consumePolicy)), &policy); err != nil {
		t.Fatalf("%s: %v", consumePolicy, err)
	}
	unused := map[string]bool{}
	for _, statement := range policy.Statement {
		if statement.Effect != "Allow" {
			t.Errorf("%s: effect %s: a role without a permission is denied as it is", consumePolicy, statement.Effect)
		}
		for _, action := range statement.Action {
			unused[action] = true
		}
	}
	allowed := maps.Clone(unused)

	for _, f := range sourceFiles(t) {
		if f.Test || strings.HasPrefix(f.Package, "internal/") || strings.Contains(f.Path, "demo") {
			continue
		}
		for _, call := range apiCall.FindAllStringSubmatch(read(t, f.Path), -1) {
			action := strings.TrimSuffix(call[1], "streams") + ":" + call[2]
			if needed, renamed := permissions[action]; renamed {
				action = needed
			}
			if action != "" && !allowed[action] {
				t.Errorf("%s calls %s, which %s does not allow", f.Path, action, consumePolicy)
			}
			delete(unused, action)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(unused)) {
		t.Errorf("%s allows %s, which nothing calls", consumePolicy, action)
	}
}
