package kinetics

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/myoaxis/myoaxis/ode"
)

// Forward sensitivities agree with central differences, for every method and
// for parameters and start values, whatever the stiffness.
func TestSensitivitiesAgainstDifferences(t *testing.T) {
	const text = `
param k1 = 0.04 [1/s] ~ fixed ; assumed ; slow
param k2 = 30 [1/s] ~ fixed ; assumed ; fast
param k3 = 2 [1/s] ~ fixed ; assumed ; exponent
input u [1] ; drive
state A = 1 [1] ; pool
state B = 0.2 [1] ; pool
state C = 0 [1] ; pool
rate A = 0.3*u - k1*pow(A, k3) + k2*B*C ; a
rate B = k1*pow(A, k3) - k2*B*C - 5*B*B ; b
rate C = 5*B*B - 0.1*exp(-k1*t)*C ; c
output o = A*k1 + B [1] ; mixed
`
	s := compile(t, text)
	task := Task{T1: 7, Times: []float64{1, 7}, Stops: []Stop{{T: 2, Set: []Setting{{0, 1.5}}}, {T: 4, Set: []Setting{{0, 0}}}}}
	run := func(s *System, p, y0 []float64, m ode.Method, tol float64) [][]float64 {
		var out [][]float64
		task.Params, task.Initial = p, y0
		if _, err := s.Simulate(context.Background(), task, Settings{Settings: ode.Settings{Method: m, RTol: tol, ATol: tol * 1e-2}}, func(_ int, _ float64, v []float64) error {
			out = append(out, append([]float64(nil), v...))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	a, err := s.Model.Sensitivities([]int{0, 1, 2}, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	sens := Compile(a)
	for _, m := range []ode.Method{ode.Auto, ode.Rodas5P, ode.TRBDF2, ode.BDF} {
		tol := 1e-9
		bound := 1e-5
		if m == ode.TRBDF2 || m == ode.BDF {
			tol, bound = 1e-8, 2e-4
		}
		got := run(sens, nil, nil, m, tol)
		for k := range 4 {
			vary := func(h float64) [][]float64 {
				p, y0 := s.Model.Values(), []float64{math.NaN(), 0.2, math.NaN()}
				if k < 3 {
					p[k] *= 1 + h
				} else {
					y0[1] *= 1 + h
				}
				return run(s, p, y0, ode.Rodas5P, 1e-12)
			}
			const h = 1e-4
			up, dn := vary(h), vary(-h)
			base := append(s.Model.Values(), 0.2)[k]
			for i := range got {
				want := (up[i][0] - dn[i][0]) / (2 * h * base)
				if d := math.Abs(got[i][1+k] - want); d > bound*(1e-3+math.Abs(want)) {
					t.Errorf("%q %s at %g: %g, by differences %g", m, a.Outputs[1+k].Name, task.Times[i], got[i][1+k], want)
				}
			}
		}
	}
	// one factorisation a step serves the model and its four sensitivities
	var st ode.Stats
	task.Params, task.Initial = nil, nil
	st, err = sens.Simulate(context.Background(), task, Settings{Settings: ode.Settings{Method: ode.Rodas5P}}, nil)
	if err != nil || st.Factorisations > st.Steps+st.Rejected || len(sens.Pattern) >= 15*15 {
		t.Errorf("%v %+v, %d entries", err, st, len(sens.Pattern))
	}
}

func TestSensitivitiesAreRefused(t *testing.T) {
	s := compile(t, switching)
	if _, err := s.Model.Sensitivities([]int{0}, nil); !errors.Is(err, ErrNoSensitivities) {
		t.Error(err)
	}
}
