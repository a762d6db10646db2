package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"myoaxis": func() { os.Exit(Main(OS())) }})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		// tools that the scripts compare with
		return os.MkdirAll(filepath.Join(e.WorkDir, "empty"), 0o755)
	}})
}

// run runs a command in process.
func run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(System{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }})
	return out.String(), errs.String(), code
}

var snake = regexp.MustCompile(`^[a-z0-9_:.%-]+$`)

// checkKeys walks a JSON document: keys in snake_case.
func checkKeys(t *testing.T, where string, v any) {
	switch x := v.(type) {
	case map[string]any:
		for k, w := range x {
			if !snake.MatchString(k) {
				t.Errorf("%s: the key %q is not snake_case", where, k)
			}
			checkKeys(t, where+"."+k, w)
		}
	case []any:
		for _, w := range x {
			checkKeys(t, where, w)
		}
	}
}

// Every command with --json prints one JSON document and nothing else.
func TestJSONIsOneDocument(t *testing.T) {
	for _, args := range [][]string{
		{"pool", "--domain", "memory", "--json"},
		{"dose", "--by", "frequency", "--shape", "linear", "--at", "1,2,3,9", "--json"},
		{"simulate", "--population", "20", "--program", "2x/week, 2 weeks", "--json"},
		{"why", "il6.k", "--json"},
		{"evidence", "check", "--json"},
		{"evidence", "list", "--json"},
		{"evidence", "sources", "--json"},
		{"evidence", "show", "LiuAmbrose2010", "--json"},
		{"model", "check", "--json"},
		{"evidence", "diff", "embedded", "embedded", "--json"},
	} {
		out, errs, code := run(t, args...)
		if code != 0 || errs != "" {
			t.Errorf("%v: exit %d, %s", args, code, errs)
			continue
		}
		d := json.NewDecoder(strings.NewReader(out))
		var v any
		if err := d.Decode(&v); err != nil {
			t.Errorf("%v: %v", args, err)
			continue
		}
		if d.More() {
			t.Errorf("%v prints more than one document", args)
		}
		checkKeys(t, strings.Join(args, " "), v)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	args := []string{"simulate", "--population", "30", "--program", "2x/week, 3 weeks, adherence 70%", "--seed", "7", "--json"}
	a, _, _ := run(t, args...)
	b, _, _ := run(t, args...)
	c, _, _ := run(t, append(args[:len(args)-3:len(args)-3], "--seed", "8", "--json")...)
	if a != b {
		t.Error("the same seed gives different bytes")
	}
	if a == c {
		t.Error("the seed changes nothing")
	}
}

// A report that cannot be written leaves nothing behind.
func TestNoPartialFile(t *testing.T) {
	dir := t.TempDir()
	err := writeFile(filepath.Join(dir, "x.html"), func(w io.Writer) error {
		_, _ = w.Write([]byte("half"))
		return context.Canceled
	})
	if err == nil {
		t.Fatal("the failure was lost")
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The commands of examples/README.md and docs/adding-a-study.md.
func TestExamplePack(t *testing.T) {
	pack := filepath.Join("..", "examples", "my-pack")
	out, _, code := run(t, "evidence", "check", pack, "--errors-only")
	if code != 0 || !strings.Contains(out, "0 errors") {
		t.Errorf("exit %d: %s", code, out)
	}
	out, errs, code := run(t, "pool", "--evidence", "embedded", "--evidence", pack, "--domain", "memory")
	if code != 0 || !strings.Contains(out, "31 comparisons found, 20 used") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, args := range [][]string{{"report", "--out", filepath.Join(t.TempDir(), "x.html")}, {"simulate"}, {"model", "check"}, {"why", "pool:memory"}} {
		_, errs, code := run(t, append(args, "--evidence", pack)...) // alone, it lacks what the model rests on
		if code != ExitData || !strings.Contains(errs, "--evidence embedded --evidence DIR") {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
	out, _, code = run(t, "evidence", "diff", pack, "embedded")
	if code != 0 || !strings.Contains(out, "studies removed: Example2026") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// The excerpt in the README is what the main job prints.
func TestReadmeExcerptIsReal(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, errs, code := run(t, "report", "--out", filepath.Join(t.TempDir(), "myoaxis-report.html"))
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "Written to") {
			continue
		}
		if !strings.Contains(string(readme), line) {
			t.Errorf("the README lacks the line %q: put the output of myoaxis report into it", line)
		}
	}
}

// What .ci/run calls is what the README says.
func TestReadmeCommandsAreThoseOfCI(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ci, err := os.ReadFile(filepath.Join("..", ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"go run ./cmd/myoaxis report", "go test ./..."} {
		if !strings.Contains(string(readme), c) || !strings.Contains(string(ci), c) {
			t.Errorf("%q is not in both", c)
		}
	}
}
