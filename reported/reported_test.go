package reported

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func genResult(t *rapid.T) Result {
	s := rapid.Float64Range(0.05, 2).Draw(t, "s")
	dir := rapid.SampledFrom([]int{-1, 1}).Draw(t, "dir")
	var r Result
	switch rapid.IntRange(0, 5).Draw(t, "form") {
	case 0:
		r = FromEstimate(rapid.Float64Range(-2, 2).Draw(t, "y"), s)
	case 1:
		r, _ = FromP(rapid.Float64Range(1e-6, 1).Draw(t, "p"), dir, 20, 25)
	case 2:
		r = FromThreshold(rapid.Float64Range(0.001, 0.1).Draw(t, "alpha"), dir, s)
	case 3:
		r = FromNotSignificant(0.05, 0, s)
	case 4:
		r = FromNotSignificant(0.05, dir, s)
	case 5:
		r = FromDirection(dir, s)
	}
	r.Mentionable = rapid.Bool().Draw(t, "mentionable")
	return r
}

// The derivatives agree with central differences, in the mean and in the
// variance.
func TestDerivatives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := genResult(t)
		m := rapid.Float64Range(-2, 2).Draw(t, "m")
		v := rapid.Float64Range(0.01, 1).Draw(t, "v")
		om := rapid.Float64Range(0.05, 1).Draw(t, "omega")
		f := r.LogLik
		if rapid.Bool().Draw(t, "mention") {
			f = r.LogMention
		}
		d := f(m, v, om)
		h := 1e-5
		up, dn := f(m+h, v, om), f(m-h, v, om)
		vu, vd := f(m, v+h, om), f(m, v-h, om)
		check := func(name string, got, want, scale float64) {
			if math.Abs(got-want) > 1e-5*(1+math.Abs(want))*scale {
				t.Fatalf("%s: %g, by differences %g", name, got, want)
			}
		}
		check("d/dm", d.D1, (up.L-dn.L)/(2*h), 1)
		check("d2/dm2", d.D2, (up.D1-dn.D1)/(2*h), 10)
		check("d/dv", d.DV, (vu.L-vd.L)/(2*h), 10)
	})
}

// The forms that cut the line into parts have total probability one.
func TestFormsPartitionTheLine(t *testing.T) {
	for _, m := range []float64{-3, -0.4, 0, 0.2, 1.7} {
		s := 0.3
		p := math.Exp(FromThreshold(0.05, 1, s).LogLik(m, 0.1, 1).L) +
			math.Exp(FromThreshold(0.05, -1, s).LogLik(m, 0.1, 1).L) +
			math.Exp(FromNotSignificant(0.05, 0, s).LogLik(m, 0.1, 1).L)
		if math.Abs(p-1) > 1e-13 {
			t.Errorf("m = %g: the parts sum to %.15g", m, p)
		}
		half := math.Exp(FromNotSignificant(0.05, 1, s).LogLik(m, 0.1, 1).L) + math.Exp(FromThreshold(0.05, 1, s).LogLik(m, 0.1, 1).L)
		if dir := math.Exp(FromDirection(1, s).LogLik(m, 0.1, 1).L); math.Abs(half-dir) > 1e-13 {
			t.Errorf("m = %g: positive parts %g, direction %g", m, half, dir)
		}
	}
}

func TestFarTailsStayFinite(t *testing.T) {
	for _, m := range []float64{-60, -20, 20, 60} {
		for _, r := range []Result{FromThreshold(0.001, 1, 0.2), FromNotSignificant(0.05, 0, 0.2), FromDirection(-1, 0.2)} {
			d := r.LogLik(m, 0, 1)
			if math.IsNaN(d.L) || math.IsInf(d.L, 0) || math.IsNaN(d.D1) || math.IsNaN(d.D2) {
				t.Errorf("m = %g, %s: %+v", m, r.Form, d)
			}
		}
	}
}

func TestExactPRoundTrip(t *testing.T) {
	r, err := FromP(0.02, -1, 22, 23)
	if err != nil {
		t.Fatal(err)
	}
	if z := r.Y / r.S; math.Abs(z+Significance(0.02)) > 1e-9 {
		t.Errorf("z = %g", z)
	}
	if _, err := FromP(0, 1, 20, 20); err == nil {
		t.Error("p = 0 was accepted")
	}
}
