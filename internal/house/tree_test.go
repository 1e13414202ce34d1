package house

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "dynamolake"

// sourcePackage is what go list says of a package of ours.
type sourcePackage struct {
	ImportPath, Name, Doc, Dir                   string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
	IgnoredGoFiles                               []string // left out by a build constraint, here
}

// path is the package's folder in the repository.
func (p sourcePackage) path() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// sourceFile is one Go file and what it imports.
type sourceFile struct {
	Path    string // in the repository, slash-separated
	Package string // the folder
	Test    bool
	Imports []string
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// goList goes on past packages that do not build: that is the compiler's to say.
func goList(t *testing.T, args ...string) []sourcePackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{
		"list", "-e",
		"-json=ImportPath,Name,Doc,Dir,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,IgnoredGoFiles",
	}, args...)...)
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	var packages []sourcePackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p sourcePackage
		err := d.Decode(&p)
		if err == io.EOF {
			return packages
		}
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		packages = append(packages, p)
	}
}

// sourceFiles are all Go files of the module, those left out of this platform's
// build included.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	for _, p := range goList(t, "./...") {
		for _, names := range [][]string{p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles} {
			for _, name := range names {
				file := filepath.Join(p.Dir, name)
				syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
				if err != nil {
					t.Fatal(err)
				}
				f := sourceFile{Path: p.path() + "/" + name, Package: p.path(), Test: strings.HasSuffix(name, "_test.go")}
				for _, spec := range syntax.Imports {
					imported, err := strconv.Unquote(spec.Path.Value)
					if err != nil {
						t.Fatal(err)
					}
					f.Imports = append(f.Imports, imported)
				}
				files = append(files, f)
			}
		}
	}
	if len(files) == 0 {
		t.Fatal("go list found no files")
	}
	return files
}

// textFiles are the repository's files under the folders with the extension.
func textFiles(t *testing.T, extension string, under ...string) []string {
	t.Helper()
	var files []string
	for _, dir := range under {
		err := filepath.WalkDir(filepath.Join(root(t), dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !d.IsDir() && filepath.Ext(path) == extension {
				relative, err := filepath.Rel(root(t), path)
				if err != nil {
					return err
				}
				files = append(files, filepath.ToSlash(relative))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
