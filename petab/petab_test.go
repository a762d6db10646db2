package petab

import (
	"math"
	"strings"
	"testing"
)

// Every row of every table has the cells of its header, whatever the texts
// hold.
func TestTablesAreRectangular(t *testing.T) {
	p := Problem{ID: "m", Model: []byte("<sbml/>"),
		Parameters:   []Parameter{{ID: "k", Lower: math.Inf(-1), Upper: math.Inf(1), Nominal: 1, Estimate: true, Prior: "log-normal", PriorParams: []float64{0, 0.5}}, {ID: "g", Nominal: 1}},
		Observables:  []Observable{{ID: "o", Name: "tab\there\nline", Formula: "log(x)", Noise: "s_o", Placeholders: []string{"s_o"}}},
		Conditions:   []Condition{{"c", []Change{{"vol", 2}, {"load", 0.7}}}},
		Experiments:  []Experiment{{"e", []Period{{0, "c"}}}},
		Measurements: []Measurement{{Observable: "o", Experiment: "e", Time: 1, Value: 0.5, Noise: []float64{0.1}, Simulated: 0.4}},
		Left:         []Left{{"x", "a\treason"}}}
	for _, f := range p.Files() {
		if !strings.HasSuffix(f.Name, ".tsv") {
			continue
		}
		lines := strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n")
		if len(lines) < 2 {
			t.Errorf("%s is empty", f.Name)
		}
		for _, l := range lines {
			if strings.Count(l, "\t") != strings.Count(lines[0], "\t") {
				t.Errorf("%s: %q has other cells than its header", f.Name, l)
			}
		}
	}
	if !strings.Contains(string(p.Files()[2].Data), "k\t-inf\tinf\t1\ttrue\tlog-normal\t0;0.5\n") {
		t.Errorf("%s", p.Files()[2].Data)
	}
}
