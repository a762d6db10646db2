package synthesis

import (
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/myoaxis/myoaxis/reported"
)

// Where the reference results lie beside the checkout, every univariate ML
// model without moderators agrees with metafor (3.8-1, unchanged in 5.1) to
// 1e-7 relative. The cases are not part of the project.
func TestSharedOraclesML(t *testing.T) {
	dir := oracles(t)
	want := map[string]map[string]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, "uni.csv")) {
		if r["case"] != "ML|z|~ 1" || r["stable"] != "1" {
			continue
		}
		if want[r["dataset"]] == nil {
			want[r["dataset"]] = map[string]float64{}
		}
		want[r["dataset"]][r["quantity"]], _ = strconv.ParseFloat(r["value"], 64)
	}
	if len(want) < 5 {
		t.Fatalf("only %d data sets", len(want))
	}
	for set, w := range want {
		var rows []Row
		for i, r := range readCSV(t, filepath.Join(dir, "inputs", set+".csv")) {
			y, err1 := strconv.ParseFloat(r["yi"], 64)
			v, err2 := strconv.ParseFloat(r["vi"], 64)
			if err1 == nil && err2 == nil {
				rows = append(rows, Row{Cluster: strconv.Itoa(i), X: []float64{1}, Result: reported.FromEstimate(y, math.Sqrt(v))})
			}
		}
		f, err := Maximise(rows, 1)
		if err != nil {
			t.Errorf("%s: %v", set, err)
			continue
		}
		if err := f.Information(); err != nil {
			t.Errorf("%s: %v", set, err)
			continue
		}
		for q, got := range map[string]float64{"beta": f.Beta[0], "se": f.SE[0], "tau2": f.TauB*f.TauB + f.TauW*f.TauW, "ll.ML": f.LogLik} {
			if math.Abs(got-w[q]) > 1e-7*math.Max(1e-3, math.Abs(w[q])) {
				t.Errorf("%s, %s: %.12g, metafor %.12g", set, q, got, w[q])
			}
		}
	}
}
