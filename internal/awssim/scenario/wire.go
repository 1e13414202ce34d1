package scenario

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// testdata holds what DynamoDB Local answered, read and found right.
//
//go:embed testdata
var testdata embed.FS

// UpdateEnv names an environment variable: a folder that the golden texts are
// written to instead of being compared.
const UpdateEnv = "SCENARIO_UPDATE"

// golden compares the lines with the text of that name.
func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	got := strings.Join(lines, "\n") + "\n"
	if dir := os.Getenv(UpdateEnv); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".txt"), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := testdata.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	wants := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
	gots := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	for i := range max(len(wants), len(gots)) {
		w, g := "", ""
		if i < len(wants) {
			w = wants[i]
		}
		if i < len(gots) {
			g = gots[i]
		}
		if w != g {
			t.Errorf("%s.txt:%d: want %s\n    got %s", name, i+1, w, g)
		}
	}
}

// item reads DynamoDB JSON.
func item(text string) map[string]types.AttributeValue {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		panic(fmt.Sprintf("scenario: item %s: %v", text, err))
	}
	out := map[string]types.AttributeValue{}
	for name, v := range raw {
		out[name] = attribute(v)
	}
	return out
}

func attribute(raw json.RawMessage) types.AttributeValue {
	var v struct {
		S, N *string
		B    []byte
		BOOL *bool
		NULL *bool
		L    []json.RawMessage
		M    json.RawMessage
		SS   []string
		NS   []string
		BS   [][]byte
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		panic(fmt.Sprintf("scenario: value %s: %v", raw, err))
	}
	switch {
	case v.S != nil:
		return &types.AttributeValueMemberS{Value: *v.S}
	case v.N != nil:
		return &types.AttributeValueMemberN{Value: *v.N}
	case v.BOOL != nil:
		return &types.AttributeValueMemberBOOL{Value: *v.BOOL}
	case v.NULL != nil:
		return &types.AttributeValueMemberNULL{Value: *v.NULL}
	case v.L != nil:
		l := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
		for _, e := range v.L {
			l.Value = append(l.Value, attribute(e))
		}
		return l
	case v.M != nil:
		return &types.AttributeValueMemberM{Value: item(string(v.M))}
	case v.SS != nil:
		return &types.AttributeValueMemberSS{Value: v.SS}
	case v.NS != nil:
		return &types.AttributeValueMemberNS{Value: v.NS}
	case v.BS != nil:
		return &types.AttributeValueMemberBS{Value: v.BS}
	}
	return &types.AttributeValueMemberB{Value: v.B}
}

// text writes DynamoDB JSON with names and set members sorted.
func text(it map[string]types.AttributeValue) string {
	if it == nil {
		return "none"
	}
	names := make([]string, 0, len(it))
	for name := range it {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%s", quote(name), valueText(it[name]))
	}
	b.WriteByte('}')
	return b.String()
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func valueText(v types.AttributeValue) string {
	set := func(kind string, members []string) string {
		members = slices.Clone(members)
		slices.Sort(members)
		for i, m := range members {
			members[i] = quote(m)
		}
		return fmt.Sprintf(`{"%s":[%s]}`, kind, strings.Join(members, ","))
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return `{"S":` + quote(v.Value) + `}`
	case *types.AttributeValueMemberN:
		return `{"N":` + quote(v.Value) + `}`
	case *types.AttributeValueMemberB:
		return `{"B":` + quote(base64.StdEncoding.EncodeToString(v.Value)) + `}`
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprintf(`{"BOOL":%t}`, v.Value)
	case *types.AttributeValueMemberNULL:
		return `{"NULL":true}`
	case *types.AttributeValueMemberM:
		return `{"M":` + text(v.Value) + `}`
	case *types.AttributeValueMemberL:
		parts := make([]string, len(v.Value))
		for i, e := range v.Value {
			parts[i] = valueText(e)
		}
		return `{"L":[` + strings.Join(parts, ",") + `]}`
	case *types.AttributeValueMemberSS:
		return set("SS", v.Value)
	case *types.AttributeValueMemberNS:
		return set("NS", v.Value)
	case *types.AttributeValueMemberBS:
		parts := make([]string, len(v.Value))
		for i, e := range v.Value {
			parts[i] = base64.StdEncoding.EncodeToString(e)
		}
		return set("BS", parts)
	}
	return fmt.Sprintf("%T", v)
}

// refusal is an error as code and message.
func refusal(err error) string {
	var api interface {
		ErrorCode() string
		ErrorMessage() string
	}
	if !errors.As(err, &api) {
		return fmt.Sprint("error ", err)
	}
	message := api.ErrorMessage()
	if i := strings.Index(message, ", valid types:"); i >= 0 { // in any order
		message = message[:i]
	}
	if strings.Contains(message, "38 ") { // DynamoDB Local has other words
		message = "Attempting to store more than 38 significant digits in a Number"
	}
	return strings.TrimSpace(api.ErrorCode() + " " + message)
}

func codeOf(err error) string {
	code, _, _ := strings.Cut(refusal(err), " ")
	return code
}

var placeholder = regexp.MustCompile(`[#:][A-Za-z0-9_]+`)

// placeholders picks the names and values that the expressions mention.
func placeholders(names map[string]string, values map[string]types.AttributeValue, exprs ...string) (map[string]string, map[string]types.AttributeValue) {
	var n map[string]string
	var v map[string]types.AttributeValue
	for _, p := range placeholder.FindAllString(strings.Join(exprs, " "), -1) {
		if name, ok := names[p]; ok {
			if n == nil {
				n = map[string]string{}
			}
			n[p] = name
		}
		if value, ok := values[p]; ok {
			if v == nil {
				v = map[string]types.AttributeValue{}
			}
			v[p] = value
		}
	}
	return n, v
}
