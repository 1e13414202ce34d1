package house

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

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

// TestSomePolicyAllowsEachCallOfTheCode finds the call that was added to a branch which
// no scenario of cmd/dynamolake takes: there the policies are compared with what the
// commands call when they run.
func TestSomePolicyAllowsEachCallOfTheCode(t *testing.T) {
	var policies strings.Builder
	for _, path := range textFiles(t, ".json", "deploy/iam") {
		policies.WriteString(read(t, path))
	}
	shipped := map[string]bool{}
	for _, p := range goList(t, "-deps", "./cmd/dynamolake") {
		shipped[p.path()] = true
	}
	playing := []string{"internal/awssim", "internal/scene", "internal/lakecheck"} // on the embedded AWS
	found := 0
	for _, f := range sourceFiles(t) {
		if f.Test || !shipped[f.Package] || slices.Contains(playing, f.Package) || strings.HasPrefix(f.Path, "cmd/dynamolake/demo") {
			continue
		}
		for _, call := range apiCall.FindAllStringSubmatch(read(t, f.Path), -1) {
			action := strings.TrimSuffix(call[1], "streams") + ":" + call[2]
			if needed, renamed := permissions[action]; renamed {
				action = needed
			}
			found++
			if action != "" && !strings.Contains(policies.String(), `"`+action+`"`) {
				t.Errorf("%s calls %s, which no policy in deploy/iam allows", f.Path, action)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d calls were found: the expression does not fit the code any more", found)
	}
}
