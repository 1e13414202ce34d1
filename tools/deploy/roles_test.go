package deploy

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// TestRolesOfLongTableNames evaluates what Terraform would call them: IAM takes 64 characters.
func TestRolesOfLongTableNames(t *testing.T) {
	const file = "../../deploy/terraform/roles.tf"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, problems := hclparse.NewParser().ParseHCL(text, file)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	var roles hclsyntax.Expression
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		if b.Type == "locals" {
			roles = b.Body.Attributes["roles"].Expr
		}
	}
	sha := function.New(&function.Spec{
		Params: []function.Parameter{{Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(fmt.Sprintf("%x", sha256.Sum256([]byte(args[0].AsString())))), nil
		},
	})
	prefix := func(app, given string) string {
		v, problems := roles.Value(&hcl.EvalContext{
			Variables: map[string]cty.Value{
				"local": cty.ObjectVal(map[string]cty.Value{"app": cty.StringVal(app)}),
				"var":   cty.ObjectVal(map[string]cty.Value{"role_prefix": cty.StringVal(given)}),
			},
			Functions: map[string]function.Function{"length": stdlib.StrlenFunc, "substr": stdlib.SubstrFunc, "sha256": sha},
		})
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		return v.AsString()
	}
	most := 0
	policies, err := os.ReadDir("../../deploy/iam")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range policies {
		most = max(most, len(strings.TrimSuffix(p.Name(), ".json")))
	}
	long := "dynamolake-" + strings.Repeat("a", 244)
	for _, c := range []struct{ app, given, want string }{
		{"dynamolake-orders", "", "dynamolake-orders"},
		{"dynamolake-orders", "mine", "mine"},
		{"dynamolake-" + strings.Repeat("a", 41), "", "dynamolake-" + strings.Repeat("a", 41)},
		{long, "", ""},
	} {
		got := prefix(c.app, c.given)
		if n := len(got) + len("-") + most; c.want != "" && got != c.want || n > 64 {
			t.Errorf("%s: %s, up to %d characters; want %s", c.app, got, n, c.want)
		}
	}
	if prefix(long, "") == prefix(long+"b", "") {
		t.Error("two tables of one beginning share roles")
	}
}
