package cli

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

const emitData = `study,effect,outcome,yi,vi,weeks,kind,n
A,1,mem,0.31,0.04,12,machine,40
A,2,exe,0.12,0.05,12,machine,38
B,1,mem,0.55,0.06,24,bands,30
B,2,exe,0.40,0.07,24,bands,30
C,1,mem,-0.10,0.03,24,bands,70
C,2,exe,0.05,0.04,24,bands,66
D,1,mem,0.42,0.09,52,machine,20
D,2,exe,0.62,0.08,52,machine,21
E,1,mem,0.60,0.02,26,bands,90
F,1,exe,0.20,0.05,16,machine,44
`

const emitArms = `study,dose,mean,sd,n
A,0,10,2,30
A,1,10.5,2,30
A,3,11.5,2.2,31
B,0,9,2,40
B,2,10.3,2,38
B,4,10.8,2,39
C,0,9.5,1.8,25
C,1,9.8,2,25
C,2,11,2,27
`

// tables writes both tables to files.
func tables(t *testing.T) (effects, arms string) {
	t.Helper()
	dir := t.TempDir()
	effects, arms = filepath.Join(dir, "effects.csv"), filepath.Join(dir, "arms.csv")
	for path, text := range map[string]string{effects: emitData, arms: emitArms} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return effects, arms
}

// The scripts of --emit R give in metafor what the run gives here: coefficients
// and standard errors to 1e-4 (metafor's Paule–Mandel root finder; the others agree better).
func TestEmittedScripts(t *testing.T) {
	if err := exec.Command("Rscript", "-e", "library(metafor)").Run(); err != nil {
		t.Skip("R with metafor is not installed")
	}
	effects, arms := tables(t)
	for _, args := range [][]string{
		{"meta", effects},
		{"meta", effects, "--method", "PM", "--test", "knha", "--mods", "weeks"},
		{"meta", effects, "--weights", "n", "--method", "DL"},
		{"meta", effects, "--random", "study/effect", "--rho", "0.5", "--cluster", "study", "--robust", "none"},
		{"meta", effects, "--random", "outcome|study", "--struct", "CS", "--method", "ML"},
		{"dose", arms, "--shape", "quadratic", "--method", "FIXED"},
		{"dose", arms, "--shape", "linear"},
	} {
		name := strings.Join(args[2:], " ")
		script := output(t, append(args, "--emit", "R")...) + "\ncat(sprintf(\"\\nRESULT %.12g %.12g\", c(fit$beta), fit$se))\n"
		cmd := exec.Command("Rscript", "-")
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, script)
			continue
		}
		var want struct {
			Coefficients []struct {
				Estimate, SE float64
			} `json:"coefficients"`
		}
		if err := json.Unmarshal([]byte(output(t, append(args, "--json")...)), &want); err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, line := range strings.Split(string(out), "\n") {
			f := strings.Fields(line)
			if len(f) != 3 || f[0] != "RESULT" {
				continue
			}
			for k, w := range []float64{want.Coefficients[i].Estimate, want.Coefficients[i].SE} {
				if got, _ := strconv.ParseFloat(f[1+k], 64); math.Abs(got-w) > 1e-4*math.Max(0.01, math.Abs(w)) {
					t.Errorf("%s, coefficient %d: metafor %g, here %g", name, i, got, w)
				}
			}
			i++
		}
		if i != len(want.Coefficients) || i == 0 {
			t.Errorf("%s: %d coefficients from R, %d here", name, i, len(want.Coefficients))
		}
	}
}

// output is what a command prints; it must succeed.
func output(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := run(t, args...)
	if code != 0 {
		t.Fatalf("%v: exit %d\n%s", args, code, errs)
	}
	return out
}

// Every command on a table prints one JSON document with keys in snake_case, and
// the same bytes on one core and on several.
func TestTableCommands(t *testing.T) {
	effects, arms := tables(t)
	for _, args := range [][]string{
		{"meta", effects, "--mods", "weeks,kind", "--cluster", "study"},
		{"meta", effects, "--random", "outcome|study", "--struct", "UN"},
		{"meta", effects, "--permute", "200"},
		{"meta", effects, "--rve", "hier", "--cluster", "study"},
		{"meta", effects, "--multiverse"},
		{"meta", "bias", effects, "--cluster", "study", "--bootstrap", "40"},
		{"meta", "influence", effects},
		{"meta", "cumulative", effects},
		{"meta", "bayes", effects, "--mu-prior", "normal:0:1"},
		{"meta", "gosh", effects, "--subsets", "300"},
		{"dose", arms},
		{"dose", arms, "--shape", "spline", "--knots", "0,2,4"},
		{"dose", effects, "--by", "weeks", "--shape", "linear"},
	} {
		args = append(args, "--json")
		before := runtime.GOMAXPROCS(1)
		one := output(t, args...)
		runtime.GOMAXPROCS(before)
		if several := output(t, args...); several != one {
			t.Errorf("%v differs between one core and several", args)
		}
		d := json.NewDecoder(strings.NewReader(one))
		var v any
		if err := d.Decode(&v); err != nil || d.More() {
			t.Errorf("%v: not one document, %v", args, err)
		}
		checkKeys(t, strings.Join(args, " "), v)
	}
}
