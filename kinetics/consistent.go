package kinetics

import (
	"math"

	"github.com/myoaxis/myoaxis/ode"
	"gonum.org/v1/gonum/mat"
)

// consistent solves the algebraic equations for the present values of what the
// mass matrix keeps: M·(y - y0) = 0 and f(y) = 0 in the rows without mass, by
// Newton's method with step halving.
func (r *runner) consistent() error {
	m := r.s.Model
	n := len(m.States)
	if err := r.relax(); err != nil {
		return err
	}
	if m.Mass == nil || n == 0 {
		return nil
	}
	alg := make([]bool, n)
	for i := range alg {
		alg[i] = true
	}
	for _, e := range m.Mass {
		alg[e.Row] = false
	}
	y0 := append([]float64(nil), r.y...)
	f, jac := make([]float64, n), make([]float64, len(r.s.Pattern))
	residual := func(y []float64) (norm float64) {
		r.in.F(r.t, y, f)
		for i := range f {
			if !alg[i] {
				f[i] = 0
			}
		}
		for _, e := range m.Mass {
			f[e.Row] += e.V * (y[e.Col] - y0[e.Col])
		}
		for _, v := range f {
			norm = max(norm, math.Abs(v))
			if math.IsNaN(v) {
				return math.NaN()
			}
		}
		return norm
	}
	norm := residual(r.y)
	trial := make([]float64, n)
	for it := 0; it < 100; it++ {
		if norm == 0 {
			return nil
		}
		r.in.Jac(r.t, r.y, jac)
		a := mat.NewDense(n, n, nil)
		for k, p := range r.s.Pattern {
			if alg[p[0]] {
				a.Set(p[0], p[1], jac[k])
			}
		}
		for _, e := range m.Mass {
			a.Set(e.Row, e.Col, e.V)
		}
		var lu mat.LU
		lu.Factorize(a)
		var dx mat.VecDense
		residual(r.y)
		if err := lu.SolveVecTo(&dx, false, mat.NewVecDense(n, append([]float64(nil), f...))); err != nil {
			if _, near := err.(mat.Condition); !near || math.IsInf(lu.Cond(), 1) {
				return &RunError{r.t, r.algebraicName(alg), ErrNoConsistent}
			}
		}
		size := 0.0
		for i := range trial {
			size = max(size, math.Abs(dx.AtVec(i))/(1e-12+math.Abs(r.y[i])))
		}
		better := false
		for step := 1.0; step > 1e-6; step /= 2 {
			for i := range trial {
				trial[i] = r.y[i] - step*dx.AtVec(i)
			}
			if v := residual(trial); v < norm {
				copy(r.y, trial)
				norm, better = v, true
				break
			}
		}
		if size < 1e-13 || !better && size < 1e-6 {
			return nil
		}
		if !better {
			break
		}
	}
	return &RunError{r.t, r.algebraicName(alg), ErrNoConsistent}
}

func (r *runner) algebraicName(alg []bool) string {
	for i, a := range alg {
		if a {
			return "the equation of " + r.s.Model.States[i].Name
		}
	}
	return ""
}

// relaxationSpan is long against fast processes, in the units of their rates.
const relaxationSpan = 1e9

// relax carries fast processes to their equilibrium, with the time standing
// still. Which of several equilibria holds depends on where they start.
func (r *runner) relax() error {
	fast := r.s.relaxation
	if fast == nil {
		return nil
	}
	task := Task{Params: append(append([]float64(nil), r.in.params()...), r.t), Initial: r.y, T1: relaxationSpan, Times: []float64{relaxationSpan}}
	set := Settings{Settings: ode.Settings{Method: ode.Rodas5P, RTol: 1e-9, ATol: min(1e-12, r.set.ATol)}, Seed: r.set.Seed}
	_, err := fast.Simulate(r.ctx, task, set, func(_ int, _ float64, v []float64) error {
		copy(r.y, v)
		return nil
	})
	return err
}
