package deploy

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// TestComposeLoads checks the file by the Compose specification's schema and by its rules.
func TestComposeLoads(t *testing.T) {
	const file = "../../deploy/compose/compose.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: filepath.Dir(file), ConfigFiles: []types.ConfigFile{{Filename: file, Content: text}}, Environment: types.Mapping{},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("service %s mounts what is not there: %v", name, err)
				}
			}
		}
	}
	if w := p.Services["worker"]; w.GetScale() != 3 {
		t.Errorf("%d workers, want 3", w.GetScale())
	}
}

// TestTerraformIsWellFormed parses, looks that every variable and resource that is named is there, and that the
// files are formatted. What the provider knows of them, only Terraform with a network can tell.
func TestTerraformIsWellFormed(t *testing.T) {
	files, err := filepath.Glob("../../deploy/terraform/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	parser := hclparse.NewParser()
	known := map[string]bool{}
	var bodies []*hclsyntax.Body
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(hclwrite.Format(text), text) {
			t.Errorf("%s is not formatted: terraform fmt deploy/terraform", file)
		}
		f, problems := parser.ParseHCL(text, file)
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		body := f.Body.(*hclsyntax.Body)
		bodies = append(bodies, body)
		for _, b := range body.Blocks {
			switch b.Type {
			case "variable":
				known["var."+b.Labels[0]] = true
			case "locals":
				for name := range b.Body.Attributes {
					known["local."+name] = true
				}
			case "resource":
				known[b.Labels[0]+"."+b.Labels[1]] = true
			case "data":
				known["data."+b.Labels[0]+"."+b.Labels[1]] = true
			}
		}
	}
	for _, body := range bodies {
		_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
			e, is := n.(*hclsyntax.ScopeTraversalExpr)
			if !is {
				return nil
			}
			if name := named(e.Traversal); name != "" && !known[name] {
				t.Errorf("%s: there is no %s", e.SrcRange, name)
			}
			return nil
		})
	}
}

// named is what a traversal begins with: var.x, local.x, data.type.name or type.name; empty for what a block brings itself.
func named(tr hcl.Traversal) string {
	parts := []string{tr.RootName()}
	want := 2
	switch {
	case parts[0] == "each", parts[0] == "path", parts[0] == "count", len(tr) < 2:
		return ""
	case parts[0] == "data":
		want = 3
	case parts[0] != "var" && parts[0] != "local" && len(parts[0]) < 4 || parts[0] == "role":
		return "" // the variable of a for
	}
	for _, step := range tr[1:] {
		if attr, is := step.(hcl.TraverseAttr); is && len(parts) < want {
			parts = append(parts, attr.Name)
		}
	}
	if len(parts) < want {
		return ""
	}
	name := parts[0]
	for _, p := range parts[1:] {
		name += "." + p
	}
	return name
}
