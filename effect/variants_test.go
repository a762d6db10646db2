package effect

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// The t, F and p of a comparison give the effect size of its means and SDs.
func TestSMDFromStatistics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Group{rapid.IntRange(3, 80).Draw(t, "n1"), rapid.Float64Range(-5, 5).Draw(t, "m1"), rapid.Float64Range(0.5, 4).Draw(t, "sd1")}
		b := Group{rapid.IntRange(3, 80).Draw(t, "n2"), rapid.Float64Range(-5, 5).Draw(t, "m2"), rapid.Float64Range(0.5, 4).Draw(t, "sd2")}
		g, v, err := SMD(a, b)
		if err != nil {
			t.Fatal(err)
		}
		n1, n2 := float64(a.N), float64(b.N)
		pooled := math.Sqrt(((n1-1)*a.SD*a.SD + (n2-1)*b.SD*b.SD) / (n1 + n2 - 2))
		tt := (a.Mean - b.Mean) / (pooled * math.Sqrt(1/n1+1/n2))
		if tt == 0 || math.Abs(tt) > 6 {
			return
		}
		p := 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n1 + n2 - 2}.Survival(math.Abs(tt))
		for name, f := range map[string]func() (float64, float64, error){
			"t": func() (float64, float64, error) { return SMDFromT(tt, a.N, b.N) },
			"F": func() (float64, float64, error) { return SMDFromF(tt*tt, tt, a.N, b.N) },
			"p": func() (float64, float64, error) { return SMDFromP(p, tt, a.N, b.N) },
		} {
			y, w, err := f()
			if err != nil || math.Abs(y-g) > 1e-6*(1+math.Abs(g)) || math.Abs(w-v) > 1e-6*v {
				t.Fatalf("from %s: %g (%g), from means %g (%g), %v", name, y, w, g, v, err)
			}
		}
	})
}

// The SD of a change: none where before and after are the same but for a
// shift, that of independent measurements at r = 0.
func TestChangeSD(t *testing.T) {
	if sd, err := ChangeSD(3, 4, 0); err != nil || math.Abs(sd-5) > 1e-12 {
		t.Errorf("%g %v", sd, err)
	}
	if sd, err := ChangeSD(2, 2, 0.5); err != nil || math.Abs(sd-2) > 1e-12 {
		t.Errorf("%g %v", sd, err)
	}
	if _, err := ChangeSD(2, 2, 1); err == nil {
		t.Error("a correlation of one was accepted")
	}
}
