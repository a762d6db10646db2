package synthesis

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// The exact p of Kendall's tau against counting every order of six.
func TestKendallExactByCounting(t *testing.T) {
	a := []float64{1, 2, 3, 4, 5, 6}
	b := []float64{2, 1, 4, 3, 6, 5}
	tau, p, err := kendall(a, b)
	if err != nil {
		t.Fatal(err)
	}
	score := func(x []float64) (s float64) {
		for i := range x {
			for j := range i {
				s += math.Copysign(1, x[i]-x[j])
			}
		}
		return s
	}
	have := score(b)
	extreme, total := 0, 0
	var permute func(x []float64, k int)
	permute = func(x []float64, k int) {
		if k == len(x) {
			total++
			if math.Abs(score(x)) >= math.Abs(have) {
				extreme++
			}
			return
		}
		for i := k; i < len(x); i++ {
			x[k], x[i] = x[i], x[k]
			permute(x, k+1)
			x[k], x[i] = x[i], x[k]
		}
	}
	permute(append([]float64(nil), a...), 0)
	if math.Abs(tau-have/15) > 1e-12 || math.Abs(p-float64(extreme)/float64(total)) > 1e-12 {
		t.Errorf("tau %g, p %g, counted %g", tau, p, float64(extreme)/float64(total))
	}
}

// Effects that fall symmetrically about the mean miss nothing; cutting off the
// lower ones is noticed, and filling moves the mean back.
func TestTrimAndFillLaws(t *testing.T) {
	var y, v []float64
	for i := range 8 {
		d := 0.05 + 0.1*float64(i)
		y, v = append(y, 0.5-d, 0.5+d), append(v, d*d, d*d)
	}
	for _, est := range []string{"L0", "R0"} {
		f, err := TrimAndFill(y, v, est, "left", MetaOptions{Method: EE})
		if err != nil {
			t.Fatal(err)
		}
		if f.K0 > 1 {
			t.Errorf("%s: %d missing in symmetric data", est, f.K0)
		}
	}
	var cy, cv []float64
	for i := range y {
		if y[i] > 0.1 {
			cy, cv = append(cy, y[i]), append(cv, v[i])
		}
	}
	f, err := TrimAndFill(cy, cv, "L0", "", MetaOptions{Method: EE})
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := Mean(cy, cv, MetaOptions{Method: EE})
	if f.Side != "left" || f.K0 == 0 || f.Meta.Terms[0].Estimate >= plain.Terms[0].Estimate {
		t.Errorf("%s %d: %g, before %g", f.Side, f.K0, f.Meta.Terms[0].Estimate, plain.Terms[0].Estimate)
	}
}

// An effect that grows with its standard error: the slope is found and PET
// goes back to the effect at none.
func TestEggerFindsTheSlope(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	var y, v []float64
	for range 400 {
		s := 0.05 + 0.4*r.Float64()
		y, v = append(y, 0.1+1.5*s+s*r.NormFloat64()), append(v, s*s)
	}
	e, err := Egger(y, v, "sei", 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(e.Slope.Estimate-1.5) > 0.25 || math.Abs(e.Limit.Estimate-0.1) > 0.04 {
		t.Errorf("slope %g, limit %g", e.Slope.Estimate, e.Limit.Estimate)
	}
	same := make([]float64, 10)
	for i := range same {
		same[i] = 0.2
	}
	var de *DataError
	if _, err := Egger(y[:10], same, "sei", 0.95); !errors.As(err, &de) {
		t.Errorf("equal precision: %v", err)
	}
}

// Literature from which non-significant effects are kept with probability 0.3:
// the selection model finds the weight and the effect.
func TestSelectionModelFindsTheWeight(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 3))
	var y, v []float64
	for len(y) < 1500 {
		s := 0.1 + 0.2*r.Float64()
		e := 0.2 + 0.1*r.NormFloat64() + s*r.NormFloat64()
		if e/s > 1.959964 || r.Float64() < 0.3 {
			y, v = append(y, e), append(v, s*s)
		}
	}
	m, err := SelectModel(y, v, StepFunction, []float64{0.025}, "greater", 0.95)
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := Mean(y, v, MetaOptions{Method: ML})
	if math.Abs(m.Estimate-0.2) > 0.03 || math.Abs(m.Delta[0]-0.3) > 0.08 || plain.Terms[0].Estimate < 0.26 || m.LRTP > 1e-6 {
		t.Errorf("%+v, without selection %g", m, plain.Terms[0].Estimate)
	}
}

// Hat values sum to the number of coefficients, and dropping an effect is what
// fitting without it gives.
func TestInfluenceLaws(t *testing.T) {
	y, v := bcg(t)
	x := ones(len(y))
	in, err := Influences(y, v, x, []string{Intercepted}, MetaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var hat, weight float64
	for i, q := range in {
		hat, weight = hat+q.Hat, weight+q.Weight
		m, err := Mean(append(append([]float64(nil), y[:i]...), y[i+1:]...), append(append([]float64(nil), v[:i]...), v[i+1:]...), MetaOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Tau2 != q.Tau2Del || m.Terms[0].Estimate != q.Estimate {
			t.Errorf("row %d: %g, fitted without it %g", i, q.Estimate, m.Terms[0].Estimate)
		}
	}
	if math.Abs(hat-1) > 1e-12 || math.Abs(weight-100) > 1e-9 {
		t.Errorf("hat values sum to %g, weights to %g", hat, weight)
	}
}

// Kendall's statistic by merge sort is the count over all pairs, with ties.
func TestKendallCount(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	sign := func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}
	for range 200 {
		n := 2 + r.IntN(40)
		a, b := make([]float64, n), make([]float64, n)
		for i := range a {
			a[i], b[i] = float64(r.IntN(12)), float64(r.IntN(1+r.IntN(30)))
		}
		var want float64
		for i := range a {
			for j := range i {
				want += sign(a[i]-a[j]) * sign(b[i]-b[j])
			}
		}
		if got := kendallS(a, b); got != want {
			t.Fatalf("%v %v: %g, over all pairs %g", a, b, got, want)
		}
	}
}
