package ode_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/ode/odeproblems"
)

// Every method keeps the error of every problem it suits within some units of
// the tolerance.
func TestEveryMethodKeepsItsTolerance(t *testing.T) {
	stiff := map[string]bool{"linear": true, "prothero-robinson": true, "robertson": true, "van der pol": true, "hires": true, "oregonator": true, "e5": true, "pollution": true}
	for _, c := range odeproblems.All() {
		var ref []float64
		if c.Exact != nil {
			ref = c.Exact(c.T1)
		} else {
			ref, _ = solve(t, c, ode.Settings{Method: ode.Rodas5P, RTol: 1e-11, ATol: max(c.ATol, 1e-9) * 1e-5})
		}
		for _, m := range []ode.Method{ode.Auto, ode.Tsit5, ode.TRBDF2, ode.BDF} {
			if m == ode.Tsit5 && stiff[c.Name] || c.Prob.Mass != nil && m == ode.Tsit5 {
				continue
			}
			for _, tol := range []float64{1e-4, 1e-6} {
				at := c.ATol * tol / 1e-6
				if c.ATol == 0 {
					at = tol
				}
				y, st := solve(t, c, ode.Settings{Method: m, RTol: tol, ATol: at})
				worst := 0.0
				for i := range y {
					worst = math.Max(worst, math.Abs(y[i]-ref[i])/(at+tol*math.Abs(ref[i])))
				}
				bound := 60.0
				if m == ode.TRBDF2 { // order 2: its global error falls like tol^(2/3)
					bound = 8 * math.Pow(tol, -1.0/3)
				}
				if worst > bound {
					t.Errorf("%s by %q at %g: error %.3g tolerance units (%+v)", c.Name, m, tol, worst, st)
				}
				if testing.Verbose() {
					fmt.Printf("%-18s %-8s %g: %7.2f units, %d steps, %d rejected, %d f, %d jac, %d lu, %d switches\n", c.Name, m, tol, worst, st.Steps, st.Rejected, st.Evaluations, st.Jacobians, st.Factorisations, st.Switches)
				}
			}
		}
	}
}

// With fixed steps the error of each method falls with its order.
func TestOrders(t *testing.T) {
	c := odeproblems.Logistic()
	for m, want := range map[ode.Method]float64{ode.Tsit5: 5, ode.TRBDF2: 2} {
		var errs []float64
		for _, n := range []float64{80, 160, 320} {
			s := ode.New(c.Prob, ode.Settings{Method: m, RTol: 1e9, ATol: 1e9, HMax: c.T1 / n})
			y := append([]float64(nil), c.Y0...)
			if err := s.Solve(y, 0, c.T1, nil, nil, nil); err != nil {
				t.Fatal(err)
			}
			errs = append(errs, maxDiff(y, c.Exact(c.T1)))
		}
		for i := 1; i < len(errs); i++ {
			if o := math.Log2(errs[i-1] / errs[i]); o < want-0.4 {
				t.Errorf("%s: order %.2f (errors %.3g)", m, o, errs)
			}
		}
	}
}

// Dense output of every method agrees with the closed form between the steps.
func TestDenseOutput(t *testing.T) {
	c := odeproblems.Logistic()
	for _, m := range []ode.Method{ode.Rodas5P, ode.Tsit5, ode.TRBDF2, ode.BDF} {
		s := ode.New(c.Prob, ode.Settings{Method: m, RTol: 1e-6, ATol: 1e-8})
		var times []float64
		for k := range 500 {
			times = append(times, c.T1*float64(k)/500)
		}
		worst := 0.0
		y := append([]float64(nil), c.Y0...)
		err := s.Solve(y, 0, c.T1, nil, times, func(_ int, tt float64, y []float64) { worst = math.Max(worst, maxDiff(y, c.Exact(tt))) })
		if err != nil || worst > 1e-4 {
			t.Errorf("%s: %v, worst %g", m, err, worst)
		}
	}
}

// A guard is found at the first time it holds, to the last bit where it is a
// matter of time alone, and whatever the method.
func TestGuards(t *testing.T) {
	p := ode.Problem{N: 1, Pattern: [][2]int{{0, 0}}, F: func(_ float64, y, d []float64) { d[0] = -y[0] }, Jac: func(_ float64, _, v []float64) { v[0] = -1 }}
	for _, m := range []ode.Method{ode.Auto, ode.Rodas5P, ode.TRBDF2, ode.BDF} {
		s := ode.New(p, ode.Settings{Method: m, RTol: 1e-9, ATol: 1e-12})
		y := []float64{1}
		at, changed, err := s.Integrate(y, 0, 10, &ode.Guard{Holds: func(_ float64, y []float64) bool { return y[0] < 0.5 }}, nil)
		if err != nil || !changed || math.Abs(at-math.Ln2) > 1e-6 || math.Abs(y[0]-0.5) > 1e-6 {
			t.Errorf("%s: %v at %v, y = %v, %v", m, changed, at, y, err)
		}
		at, changed, err = s.Integrate(y, at, 10, &ode.Guard{Holds: func(t float64, _ []float64) bool { return t >= 5 }, Pick: func() int { return 0 }, Side: func(_ int, t float64, _ []float64) float64 { return t - 5 }}, nil)
		if err != nil || !changed || at != 5 || math.Abs(y[0]-math.Exp(-5)) > 1e-7 {
			t.Errorf("%s: %v at %v, y = %v, %v", m, changed, at, y, err)
		}
	}
}

// Mass matrix: Robertson as a differential-algebraic system gives the same as
// the differential one.
func TestMassMatrix(t *testing.T) {
	p := ode.Problem{N: 3, Mass: []ode.MassEntry{{Row: 0, Col: 0, V: 1}, {Row: 1, Col: 1, V: 1}},
		Pattern: [][2]int{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {2, 0}, {2, 1}, {2, 2}},
		F: func(_ float64, y, d []float64) {
			d[0] = -0.04*y[0] + 1e4*y[1]*y[2]
			d[1] = -d[0] - 3e7*y[1]*y[1]
			d[2] = y[0] + y[1] + y[2] - 1
		},
		Jac: func(_ float64, y, v []float64) {
			copy(v, []float64{-0.04, 1e4 * y[2], 1e4 * y[1], 0.04, -1e4*y[2] - 6e7*y[1], -1e4 * y[1], 1, 1, 1})
		}}
	ref, _ := solve(t, odeproblems.Robertson(), ode.Settings{Method: ode.Rodas5P, RTol: 1e-11, ATol: 1e-16})
	for _, m := range []ode.Method{ode.Auto, ode.Rodas5P, ode.TRBDF2, ode.BDF} {
		s := ode.New(p, ode.Settings{Method: m, RTol: 1e-7, ATol: 1e-12})
		y := []float64{1, 0, 0}
		if err := s.Solve(y, 0, 40, nil, nil, nil); err != nil {
			t.Errorf("%s: %v", m, err)
		} else if d := math.Abs(y[0]-ref[0])/ref[0] + math.Abs(y[1]-ref[1])/ref[1]; d > 1e-5 {
			t.Errorf("%s: %v, want %v", m, y, ref)
		}
	}
}

// States that may not fall below zero are lifted, and the result says so.
func TestProjectionIsReported(t *testing.T) {
	p := ode.Problem{N: 1, Pattern: [][2]int{{0, 0}}, F: func(_ float64, y, d []float64) { d[0] = -1 }, Jac: func(_ float64, _, v []float64) { v[0] = 0 }}
	s := ode.New(p, ode.Settings{NonNegative: []int{0}, HMax: 0.3})
	y := []float64{1}
	if err := s.Solve(y, 0, 2, nil, nil, nil); err != nil || y[0] != 0 || s.Stats.Projections == 0 || s.Stats.MostNegative >= 0 {
		t.Errorf("%v %v %+v", y, err, s.Stats)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, s := range []ode.Settings{{RTol: -1}, {ATol: math.NaN()}, {ATolEach: []float64{1, 0}}, {RTol: math.Inf(1)}} {
		if err := s.Validate(); !errors.Is(err, ode.ErrTolerance) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := (ode.Settings{Method: "euler"}).Validate(); !errors.Is(err, ode.ErrMethod) {
		t.Error(err)
	}
}

// heat is the heat equation on n points between cold ends: y' = n'^2·(second
// difference), whose k-th mode decays at 4n'^2·sin²(kπ/2n'), n' = n + 1.
func heat(n int) (ode.Problem, []float64, func(t float64) []float64) {
	m := float64(n + 1)
	var pattern [][2]int
	for i := range n {
		for _, j := range []int{i - 1, i, i + 1} {
			if j >= 0 && j < n {
				pattern = append(pattern, [2]int{i, j})
			}
		}
	}
	p := ode.Problem{N: n, Pattern: pattern,
		F: func(_ float64, y, d []float64) {
			for i := range y {
				d[i] = -2 * y[i]
				if i > 0 {
					d[i] += y[i-1]
				}
				if i < n-1 {
					d[i] += y[i+1]
				}
				d[i] *= m * m
			}
		},
		Jac: func(_ float64, _, v []float64) {
			for k, e := range pattern {
				v[k] = m * m
				if e[0] == e[1] {
					v[k] = -2 * m * m
				}
			}
		}}
	mode := func(i int, k float64) float64 { return math.Sin(k * math.Pi * float64(i+1) / m) }
	rate := func(k float64) float64 { s := math.Sin(k * math.Pi / (2 * m)); return 4 * m * m * s * s }
	exact := func(t float64) []float64 {
		y := make([]float64, n)
		for i := range y {
			y[i] = mode(i, 1)*math.Exp(-rate(1)*t) + 0.5*mode(i, 3)*math.Exp(-rate(3)*t)
		}
		return y
	}
	return p, exact(0), exact
}

// A large stiff system goes over to BDF, and every stiff method solves it.
func TestLargeSystems(t *testing.T) {
	p, y0, exact := heat(600)
	for _, m := range []ode.Method{ode.Auto, ode.BDF, ode.Rodas5P} {
		s := ode.New(p, ode.Settings{Method: m, RTol: 1e-6, ATol: 1e-8})
		y := append([]float64(nil), y0...)
		if err := s.Solve(y, 0, 0.1, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		if d := maxDiff(y, exact(0.1)); d > 2e-5 {
			t.Errorf("%q: error %g (%+v)", m, d, s.Stats)
		}
		if m == ode.Auto && (s.Stats.Switches != 1 || s.Stats.Factorisations == 0 || s.Stats.Factorisations > s.Stats.Steps) {
			t.Errorf("BDF was not chosen: %+v", s.Stats)
		}
	}
}
