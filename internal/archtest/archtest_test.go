// Package archtest holds the rules of the house as tests: which package may
// import which, and calls that only the command line may make.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/myoaxis/myoaxis/"

// may lists, for every package, the packages of this module it may import. A
// package that is not listed fails the test: new rooms are entered here.
var may = map[string][]string{
	"cmd/myoaxis":          {"cli"},
	"cli":                  {"antimony", "axis", "calibrate", "dataset", "doseresponse", "effect", "evidence", "figure", "formula", "kinetics", "ode", "petab", "population", "prescribe", "report", "reported", "sbml", "sensitivity", "synthesis", "trace", "training"},
	"report":               {"axis", "calibrate", "doseresponse", "evidence", "figure", "population", "prescribe", "reported", "synthesis", "trace", "training"},
	"trace":                {"axis", "calibrate", "evidence", "synthesis"},
	"calibrate":            {"axis", "evidence", "kinetics", "reported", "synthesis", "training"},
	"petab":                {},
	"prescribe":            {"axis", "calibrate", "evidence", "population", "sensitivity", "synthesis", "training"},
	"population":           {"axis", "kinetics", "ode", "training"},
	"axis":                 {"evidence", "kinetics"},
	"doseresponse":         {"evidence", "synthesis"},
	"dataset":              {"evidence"},
	"synthesis":            {"effect", "evidence", "reported"},
	"figure":               {},
	"training":             {},
	"evidence":             {},
	"reported":             {},
	"effect":               {},
	"kinetics":             {"formula", "internal/lane", "ode"},
	"antimony":             {"formula", "sbml"},
	"formula":              {},
	"sbml":                 {"formula", "kinetics", "ode"},
	"sensitivity":          {"kinetics"},
	"bench/engine":         {"figure", "internal/lane", "kinetics", "ode", "ode/odeproblems", "sbml"},
	"ode":                  {"internal/lane"},
	"internal/lane":        {},
	"internal/lane/gen":    {},
	"ode/odeproblems":      {"ode"},
	"internal/archtest":    {},
	"internal/conformance": {},
}

// outside lists imports that only the command line may use (and the book of the
// tests, which no program imports).
var outside = []string{"os", "os/exec", "net", "net/http", "path/filepath", "time", "log"}

type file struct {
	pkg, path string
	ast       *ast.File
	test      bool
}

func sources(t *testing.T) (out []file) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		out = append(out, file{filepath.ToSlash(rel), path, f, strings.HasSuffix(path, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func imports(f *ast.File) (paths []string) {
	for _, i := range f.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

func TestImportsRunOneWay(t *testing.T) {
	for _, f := range sources(t) {
		allowed, known := may[f.pkg]
		if !known {
			t.Errorf("%s: the package %s is not in the table of rooms", f.path, f.pkg)
		}
		if f.test {
			continue
		}
		for _, p := range imports(f.ast) {
			if own, ok := strings.CutPrefix(p, module); ok && !slices.Contains(allowed, own) {
				t.Errorf("%s: %s may not import %s", f.path, f.pkg, own)
			}
			if f.pkg != "cli" && f.pkg != "cmd/myoaxis" && f.pkg != "internal/conformance" && f.pkg != "internal/lane/gen" && !strings.HasPrefix(f.pkg, "bench/") && slices.Contains(outside, p) {
				t.Errorf("%s: only the command line may import %s", f.path, p)
			}
		}
	}
}

func TestMainIsOneCall(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "cmd", "myoaxis", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "func main() { os.Exit(cli.Main(cli.OS())) }") {
		t.Error("main does more than call the command line")
	}
}

// Every package says what it is for.
func TestEveryPackageHasADoc(t *testing.T) {
	doc := map[string]bool{}
	for _, f := range sources(t) {
		doc[f.pkg] = doc[f.pkg] || f.ast.Doc != nil
	}
	for p, ok := range doc {
		if !ok {
			t.Errorf("the package %s has no comment", p)
		}
	}
}

func TestNoCgo(t *testing.T) {
	for _, f := range sources(t) {
		if slices.Contains(imports(f.ast), "C") {
			t.Errorf("%s uses cgo", f.path)
		}
	}
}
