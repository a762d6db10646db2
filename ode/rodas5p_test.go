package ode_test

import (
	"errors"
	"math"
	"testing"

	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/ode/odeproblems"
)

func solve(t *testing.T, c odeproblems.Case, s ode.Settings) ([]float64, ode.Stats) {
	t.Helper()
	r := ode.New(c.Prob, s)
	y := append([]float64(nil), c.Y0...)
	if err := r.Solve(y, c.T0, c.T1, nil, nil, nil); err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	return y, r.Stats
}

func maxDiff(a, b []float64) (d float64) {
	for i := range a {
		d = math.Max(d, math.Abs(a[i]-b[i]))
	}
	return d
}

// With fixed steps the error falls like h^5, the interpolant's like h^4 or
// better.
func TestConvergenceOrder(t *testing.T) {
	c := odeproblems.Logistic()
	var errs, dense []float64
	for _, n := range []float64{60, 120, 240, 480} {
		r := ode.New(c.Prob, ode.Settings{Method: ode.Rodas5P, RTol: 1e9, ATol: 1e9, HMax: c.T1 / n})
		y := append([]float64(nil), c.Y0...)
		worst := 0.0
		var times []float64
		for k := range 1000 {
			times = append(times, c.T1*float64(k)/1000)
		}
		if err := r.Solve(y, 0, c.T1, nil, times, func(_ int, tt float64, y []float64) { worst = math.Max(worst, maxDiff(y, c.Exact(tt))) }); err != nil {
			t.Fatal(err)
		}
		errs, dense = append(errs, maxDiff(y, c.Exact(c.T1))), append(dense, worst)
	}
	for i := 1; i < len(errs); i++ {
		if o := math.Log2(errs[i-1] / errs[i]); o < 4.6 {
			t.Errorf("order %.2f at level %d (errors %.3g)", o, i, errs)
		}
		if o := math.Log2(dense[i-1] / dense[i]); o < 3.7 {
			t.Errorf("dense order %.2f at level %d (errors %.3g)", o, i, dense)
		}
	}
}

// The error stays within some tolerance units on every problem; the reference
// is the closed form or the same problem at a tolerance 1e4 times smaller.
func TestErrorInToleranceUnits(t *testing.T) {
	for _, c := range odeproblems.All() {
		for _, tol := range []float64{1e-4, 1e-6, 1e-8} {
			at := c.ATol * tol / 1e-6
			if c.ATol == 0 {
				at = tol
			}
			y, st := solve(t, c, ode.Settings{Method: ode.Rodas5P, RTol: tol, ATol: at})
			ref := c.End
			if c.Exact != nil {
				ref = c.Exact(c.T1)
			} else if ref == nil {
				ref, _ = solve(t, c, ode.Settings{Method: ode.Rodas5P, RTol: tol * 1e-4, ATol: at * 1e-4})
			}
			worst := 0.0
			for i := range y {
				worst = math.Max(worst, math.Abs(y[i]-ref[i])/(at+tol*math.Abs(ref[i])))
			}
			if worst > 60 {
				t.Errorf("%s at %g: error %.3g tolerance units (%+v)", c.Name, tol, worst, st)
			}
			if st.Steps > 3000 {
				t.Errorf("%s at %g: %d steps", c.Name, tol, st.Steps)
			}
		}
	}
}

// Repeated doses into one compartment have a closed form; output falls before
// the change at a stop.
func TestStopsAgainstClosedForm(t *testing.T) {
	const k, n = 0.3, 28
	p := ode.Problem{N: 1, Pattern: [][2]int{{0, 0}}, F: func(_ float64, y, d []float64) { d[0] = -k * y[0] }, Jac: func(_ float64, _, v []float64) { v[0] = -k }}
	var stops []ode.Stop
	for i := range n {
		stops = append(stops, ode.Stop{T: 24 * float64(i), Do: func(y []float64) { y[0] += 100 }})
	}
	var times []float64
	for i := range 24*n + 1 {
		times = append(times, float64(i))
	}
	exact := func(t float64) (s float64) {
		for i := 0; 24*float64(i) < t; i++ {
			s += 100 * math.Exp(-k*(t-24*float64(i)))
		}
		return s
	}
	r := ode.New(p, ode.Settings{Method: ode.Rodas5P, RTol: 1e-8, ATol: 1e-10})
	seen := 0
	err := r.Solve([]float64{0}, 0, 24*n, stops, times, func(_ int, t64 float64, y []float64) {
		seen++
		if e := exact(t64); math.Abs(y[0]-e) > 1e-6*(1+e) {
			t.Errorf("t = %g: %g, exact %g", t64, y[0], e)
		}
	})
	if err != nil || seen != len(times) || r.Stats.Stops != n {
		t.Errorf("%v, %d of %d outputs, %d stops", err, seen, len(times), r.Stats.Stops)
	}
}

func TestBrokenProblems(t *testing.T) {
	blow := ode.Problem{N: 1, Pattern: [][2]int{{0, 0}}, F: func(_ float64, y, d []float64) { d[0] = y[0] * y[0] }, Jac: func(_ float64, y, v []float64) { v[0] = 2 * y[0] }}
	err := ode.New(blow, ode.Settings{Method: ode.Rodas5P}).Solve([]float64{1}, 0, 2, nil, nil, nil)
	var se *ode.SolveError
	if !errors.As(err, &se) || math.Abs(se.T-1) > 1e-3 {
		t.Errorf("a pole at 1: %v", err)
	}
	nan := ode.Problem{N: 1, Pattern: [][2]int{{0, 0}}, F: func(_ float64, y, d []float64) { d[0] = math.NaN() }, Jac: func(_ float64, y, v []float64) { v[0] = 1 }}
	if err := ode.New(nan, ode.Settings{Method: ode.Rodas5P, MaxSteps: 5000}).Solve([]float64{1}, 0, 2, nil, nil, nil); err == nil {
		t.Error("NaN was accepted")
	}
}

func BenchmarkHIRES(b *testing.B) {
	c := odeproblems.HIRES()
	r := ode.New(c.Prob, ode.Settings{Method: ode.Rodas5P, RTol: 1e-6, ATol: 1e-10})
	y := make([]float64, 8)
	for b.Loop() {
		copy(y, c.Y0)
		if err := r.Solve(y, c.T0, c.T1, nil, nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}
