package ode

import "math"

// trbdf2 is the L-stable ESDIRK method of order 2 of Bank et al. (1985) in the
// form and with the error estimate of Hosea & Shampine (1996, Applied Numerical
// Mathematics 20:21). Its Newton iteration forgives an inexact Jacobian.
type trbdf2 struct {
	s          *Solver
	lu         *lu
	jac        []float64
	u2, u3     []float64
	f1, f2, f3 []float64
	r, m       []float64
	iter       int // iterations of the slower stage
}

const (
	trGamma = 2 - math.Sqrt2
	trD     = trGamma / 2
	trW     = math.Sqrt2 / 4
)

func newTRBDF2(s *Solver) *trbdf2 {
	vec := func() []float64 { return make([]float64, s.prob.N) }
	return &trbdf2{s: s, lu: newLU(s.prob), jac: make([]float64, len(s.prob.Pattern)), u2: vec(), u3: vec(), f1: vec(), f2: vec(), f3: vec(), r: vec(), m: vec()}
}

func (b *trbdf2) begin(float64, []float64) {}
func (b *trbdf2) end() []float64           { return b.u3 }

func (b *trbdf2) prepare(t float64, y []float64) bool {
	b.s.prob.Jac(t, y, b.jac)
	b.s.prob.F(t, y, b.f1)
	b.s.Stats.Jacobians++
	b.s.Stats.Evaluations++
	return finite(b.jac) && finite(b.f1)
}

func (b *trbdf2) try(t, h float64, y []float64) float64 {
	st := &b.s.Stats
	st.Factorisations++
	if !b.lu.factorise(1/(h*trD), b.jac) {
		return math.NaN()
	}
	st.DensePivots += b.lu.exchanged()
	b.iter = 0
	copy(b.u2, y)
	if !b.newton(t+trGamma*h, h, y, b.u2, b.f2, func(i int) float64 { return b.f1[i] }) {
		return math.NaN()
	}
	for i := range b.u3 { // along the line through the first two
		b.u3[i] = y[i] + (b.u2[i]-y[i])/trGamma
	}
	if !b.newton(t+h, h, y, b.u3, b.f3, func(i int) float64 { return trW / trD * (b.f1[i] + b.f2[i]) }) {
		return math.NaN()
	}
	const w = trW
	for i := range b.r {
		b.r[i] = ((1-w)/3-w)*b.f1[i] + ((3*w+1)/3-w)*b.f2[i] + (trD/3-trD)*b.f3[i]
		b.r[i] /= trD
	}
	b.lu.solve(b.r)
	st.Solves++
	return b.s.errorNorm(b.r, y, b.u3)
}

// newton solves M(u - y)/(h·d) = known + f(t, u) and leaves f(t, u) in f.
func (b *trbdf2) newton(t, h float64, y, u, f []float64, known func(i int) float64) bool {
	last := math.Inf(1)
	for it := 1; it <= 10; it++ {
		b.s.prob.F(t, u, f)
		b.s.Stats.Evaluations++
		b.iter = max(b.iter, it)
		for i := range u {
			b.r[i] = u[i] - y[i]
		}
		b.s.prob.massTimes(b.r, b.m)
		for i := range u {
			b.r[i] = known(i) + f[i] - b.m[i]/(h*trD)
		}
		b.lu.solve(b.r)
		b.s.Stats.Solves++
		size := b.s.errorNorm(b.r, y, u)
		if math.IsNaN(size) || it > 2 && size > 0.9*last {
			return false
		}
		axpy(1, b.r, u)
		rate := size / last
		last = size
		if size == 0 || it > 1 && size*rate/(1-rate) < 0.01 || size < 1e-8 {
			b.s.prob.F(t, u, f)
			b.s.Stats.Evaluations++
			return true
		}
	}
	return false
}

func (b *trbdf2) accept(_, h float64, _ []float64, err float64) float64 {
	if b.iter > 6 {
		return h * min(1, factor(err, 1.0/3))
	}
	return h * factor(err, 1.0/3)
}

func (b *trbdf2) shrink(h, err float64) float64 {
	if math.IsNaN(err) {
		return h * 0.25
	}
	return shrunk(h, err, 1.0/3)
}

// at is the parabola through the start, the middle stage and the end.
func (b *trbdf2) at(th float64, y, out []float64) {
	const g = trGamma
	l0 := (th - g) * (th - 1) / g
	l2 := th * (th - 1) / (g * (g - 1))
	l3 := th * (th - g) / (1 - g)
	for i := range out {
		out[i] = l0*y[i] + l2*b.u2[i] + l3*b.u3[i]
	}
}
