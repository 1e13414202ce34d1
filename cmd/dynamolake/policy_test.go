package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// without are commands that call no AWS, or the embedded one.
var without = []string{"config", "demo", "health"}

// words are what the policies' variables stand for in the simulator; the table's exports have a bucket of their own,
// so that what is allowed there can be told apart.
var words = map[string]string{
	"PARTITION": "aws", "REGION": "eu-west-1", "ACCOUNT": "123456789012", "TABLE": "orders", "APP": "dynamolake-orders",
	"BUCKET": "lake", "LAKE": "lake/p", "EXPORTS": "exports", "EXPORT_BUCKET": "exports",
}

// inTheCallersName are the permissions that AWS uses when it writes an export.
const inTheCallersName = "LetAWSWriteExports"

// statement is one of a policy, its variables replaced.
type statement struct {
	Sid, Effect string
	Action      []string
	Resource    list
}

// list is a text or several.
type list []string

func (l *list) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

func readPolicy(t *testing.T, command string) []statement {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy/iam", command+".json"))
	if err != nil {
		t.Fatalf("%v: each command that calls AWS has a policy of what it calls", err)
	}
	var p struct{ Statement []statement }
	filled := os.Expand(string(text), func(word string) string {
		if words[word] == "" {
			t.Errorf("%s.json has the variable %s, which has no meaning", command, word)
		}
		return words[word]
	})
	if err := json.Unmarshal([]byte(filled), &p); err != nil {
		t.Fatalf("%s.json: %v", command, err)
	}
	return p.Statement
}

// permission is an action on a resource.
type permission struct{ action, resource string }

// TestEachPolicyIsWhatItsCommandCalls runs every command through its branches, and compares what the
// simulator saw with the policy: nothing is missing, no action and no resource of a
// statement is there for nothing.
func TestEachPolicyIsWhatItsCommandCalls(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	seen := callsOfCommands(t)
	names := map[string]bool{}
	for _, c := range commands() {
		name, _, _ := strings.Cut(c.name, " ") // a group has one policy
		names[name] = !slices.Contains(without, name)
	}
	for name, calls := range names {
		if !calls {
			if len(seen[name]) > 0 {
				t.Errorf("%s calls AWS: take it out of without, and give it a policy", name)
			}
			continue
		}
		t.Run(name, func(t *testing.T) {
			if len(seen[name]) == 0 {
				t.Fatal("no scenario of callsOfCommands runs this command")
			}
			for _, fault := range comparePolicy(readPolicy(t, name), seen[name]) {
				t.Error(fault)
			}
		})
	}
	files, err := filepath.Glob("../../deploy/iam/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); !names[name] {
			t.Errorf("%s is of no command that calls AWS", file)
		}
	}
}

// comparePolicy says what a policy lacks for these calls, and what it has too much.
func comparePolicy(policy []statement, calls map[permission]bool) (faults []string) {
	usedAction, usedResource := map[string]bool{}, map[string]bool{}
	for call := range calls {
		allowed := false
		for _, s := range policy {
			for _, resource := range s.Resource {
				if slices.Contains(s.Action, call.action) && covers(resource, call.resource) && s.Sid != inTheCallersName {
					allowed, usedAction[s.Sid+call.action], usedResource[s.Sid+resource] = true, true, true
				}
			}
		}
		if !allowed {
			faults = append(faults, fmt.Sprintf("it calls %s on %s, which its policy does not allow", call.action, call.resource))
		}
	}
	for _, s := range policy {
		if s.Effect != "Allow" {
			faults = append(faults, s.Sid+": effect "+s.Effect+": a role without a permission is denied as it is")
		}
		if s.Sid == inTheCallersName {
			continue
		}
		for _, action := range s.Action {
			if !usedAction[s.Sid+action] {
				faults = append(faults, fmt.Sprintf("%s allows %s, which it does not call there", s.Sid, action))
			}
		}
		for _, resource := range s.Resource {
			if !usedResource[s.Sid+resource] {
				faults = append(faults, fmt.Sprintf("%s covers %s, which it calls nothing of that on", s.Sid, resource))
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// covers tells whether a statement's resource is or includes another.
func covers(pattern, resource string) bool {
	if prefix, all := strings.CutSuffix(pattern, "*"); all {
		return strings.HasPrefix(resource, prefix)
	}
	return pattern == resource
}

func TestPolicyFaultsAreFound(t *testing.T) {
	allow := func(sid string, resource string, actions ...string) statement {
		return statement{Sid: sid, Effect: "Allow", Action: actions, Resource: list{resource}}
	}
	lake := allow("Lake", "arn:aws:s3:::lake/p/*", "s3:GetObject")
	read := permission{"s3:GetObject", "arn:aws:s3:::lake/p/a/b"}
	for _, c := range []struct {
		name   string
		policy []statement
		calls  []permission
		want   string // part of the only fault; empty for none
	}{
		{"all that is called and no more", []statement{lake}, []permission{read}, ""},
		{"a call that is not allowed", []statement{lake}, []permission{read, {"s3:PutObject", "arn:aws:s3:::lake/p/a"}}, "it calls s3:PutObject on arn:aws:s3:::lake/p/a"},
		{"a call elsewhere", []statement{lake}, []permission{read, {"s3:GetObject", "arn:aws:s3:::lake/q"}}, "s3:GetObject on arn:aws:s3:::lake/q"},
		{"an action that is not used", []statement{allow("Lake", "arn:aws:s3:::lake/p/*", "s3:GetObject", "s3:DeleteObject")}, []permission{read}, "Lake allows s3:DeleteObject"},
		{"a resource that is not used", []statement{{"Lake", "Allow", lake.Action, list{lake.Resource[0], "arn:aws:s3:::other/*"}}}, []permission{read}, "Lake covers arn:aws:s3:::other/*"},
		{"what AWS does is not the command's", []statement{lake, allow(inTheCallersName, "arn:aws:s3:::lake/*", "s3:PutObject")}, []permission{read}, ""},
		{"nor may the command live on it", []statement{allow(inTheCallersName, "arn:aws:s3:::lake/*", "s3:GetObject")}, []permission{read}, "it calls s3:GetObject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := map[permission]bool{}
			for _, p := range c.calls {
				calls[p] = true
			}
			faults := comparePolicy(c.policy, calls)
			if (c.want == "") != (len(faults) == 0) || len(faults) > 1 || c.want != "" && !strings.Contains(faults[0], c.want) {
				t.Errorf("faults %q, want %q", faults, c.want)
			}
		})
	}
}

// permissionOf is what IAM asks for a call. A target is a table, a stream's table and
// shard, or a bucket and key.
func permissionOf(service, operation, target string) permission {
	table, _, _ := strings.Cut(target, "/")
	arn := "arn:aws:dynamodb:" + words["REGION"] + ":" + words["ACCOUNT"] + ":table/" + table
	switch service + ":" + operation {
	case "s3:HeadBucket", "s3:ListObjectsV2":
		return permission{"s3:ListBucket", "arn:aws:s3:::" + table}
	case "s3:HeadObject":
		operation = "GetObject"
	case "s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload":
		operation = "PutObject"
	// These know no resources: IAM wants them allowed on all.
	case "dynamodb:ListExports", "cloudwatch:GetMetricStatistics":
		return permission{service + ":" + operation, "*"}
	case "dynamodb:DescribeExport":
		return permission{"dynamodb:DescribeExport", arn + "/export/1"}
	}
	switch service {
	case "streams":
		return permission{"dynamodb:" + operation, arn + "/stream/1"}
	case "s3":
		place := table
		if strings.HasPrefix(target, words["LAKE"]+"/") {
			place = words["LAKE"]
		}
		return permission{"s3:" + operation, "arn:aws:s3:::" + place + "/..."} // one for all objects
	}
	return permission{service + ":" + operation, arn}
}

// called is what was asked for, by command.
type called map[string]map[permission]bool

func (c called) add(command string, p permission) {
	if c[command] == nil {
		c[command] = map[permission]bool{}
	}
	c[command][p] = true
}
