package ode

import "math"

// bdf is the family of backward differentiation formulas of orders 1 to 5 in
// the quasi-constant step form with the numerical differentiation terms of
// Shampine & Reichelt (1997, SIAM Journal on Scientific Computing 18:1). It
// works on backward differences; its step size changes only where that pays.
type bdf struct {
	s       *Solver
	lu      *lu
	jac     []float64
	diffs   [bdfMax + 3][]float64
	order   int
	equal   int     // steps taken with this size and order
	h       float64 // size the differences belong to
	shift   float64 // what the factorisation was made for
	stale   bool    // jac is older than this step
	y1      []float64
	d, r, m []float64
	psi, f  []float64
	haveJac bool
	scratch [bdfMax + 3][]float64
}

const bdfMax = 5

var (
	bdfKappa = [bdfMax + 1]float64{0, -0.1850, -1.0 / 9, -0.0823, -0.0415, 0}
	bdfGamma [bdfMax + 2]float64
	bdfAlpha [bdfMax + 1]float64
	bdfError [bdfMax + 2]float64
)

func init() {
	for k := 1; k < len(bdfGamma); k++ {
		bdfGamma[k] = bdfGamma[k-1] + 1/float64(k)
	}
	for k := range bdfAlpha {
		bdfAlpha[k] = (1 - bdfKappa[k]) * bdfGamma[k]
		bdfError[k] = bdfKappa[k]*bdfGamma[k] + 1/float64(k+1)
	}
	bdfError[bdfMax+1] = 1 / float64(bdfMax+2)
}

func newBDF(s *Solver) *bdf {
	vec := func() []float64 { return make([]float64, s.prob.N) }
	b := &bdf{s: s, lu: newLU(s.prob), jac: make([]float64, len(s.prob.Pattern)), y1: vec(), d: vec(), r: vec(), m: vec(), psi: vec(), f: vec()}
	for i := range b.diffs {
		b.diffs[i], b.scratch[i] = vec(), vec()
	}
	return b
}

func (b *bdf) begin(t float64, y []float64) {
	b.order, b.equal, b.h, b.haveJac, b.shift = 1, 0, 0, false, 0
	for _, d := range b.diffs {
		clear(d)
	}
	copy(b.diffs[0], y)
}

func (b *bdf) end() []float64 { return b.y1 }

func (b *bdf) prepare(t float64, y []float64) bool {
	if b.haveJac {
		b.stale = true
		return true
	}
	return b.newJac(t, y)
}

func (b *bdf) newJac(t float64, y []float64) bool {
	b.s.prob.Jac(t, y, b.jac)
	b.s.Stats.Jacobians++
	b.haveJac, b.stale, b.shift = true, false, 0
	return finite(b.jac)
}

func (b *bdf) try(t, h float64, y []float64) float64 {
	if b.h == 0 { // the first step: order 1 needs h·y'
		b.s.prob.F(t, y, b.f)
		b.s.Stats.Evaluations++
		if b.s.prob.Mass == nil {
			for i, v := range b.f {
				b.diffs[1][i] = h * v
			}
		}
		b.h = h
	}
	if h != b.h {
		b.rescale(h / b.h)
		b.h, b.equal = h, 0
	}
	k := b.order
	clear(b.psi)
	copy(b.m, b.diffs[0])
	for j := 1; j <= k; j++ {
		axpy(bdfGamma[j]/bdfAlpha[k], b.diffs[j], b.psi)
		axpy(1, b.diffs[j], b.m)
	}
	start := append(b.scratch[0][:0], b.m...)
	for {
		if ok, converged := b.newton(t+h, bdfAlpha[k]/h, y, start); converged {
			break
		} else if !ok || !b.stale {
			return math.NaN()
		}
		if !b.newJac(t, y) {
			return math.NaN()
		}
	}
	for i := range b.r {
		b.r[i] = bdfError[k] * b.d[i]
	}
	return b.s.errorNorm(b.r, y, b.y1)
}

// newton solves M(d + psi)·shift = f(t, start + d). ok is false where values
// are not finite or W is singular.
func (b *bdf) newton(t, shift float64, y, start []float64) (ok, converged bool) {
	if b.shift != shift {
		b.s.Stats.Factorisations++
		if !b.lu.factorise(shift, b.jac) {
			return false, false
		}
		b.s.Stats.DensePivots += b.lu.exchanged()
		b.shift = shift
	}
	clear(b.d)
	copy(b.y1, start)
	last := 0.0
	for it := 1; it <= 5; it++ {
		b.s.prob.F(t, b.y1, b.f)
		b.s.Stats.Evaluations++
		for i := range b.r {
			b.r[i] = b.d[i] + b.psi[i]
		}
		b.s.prob.massTimes(b.r, b.m)
		for i := range b.r {
			b.r[i] = b.f[i] - shift*b.m[i]
		}
		b.lu.solve(b.r)
		b.s.Stats.Solves++
		size := b.s.errorNorm(b.r, y, start)
		if math.IsNaN(size) {
			return false, false
		}
		rate := size / last
		if it > 1 && (rate >= 1 || math.Pow(rate, float64(5-it))/(1-rate)*size > 0.1) {
			return true, false
		}
		axpy(1, b.r, b.d)
		axpy(1, b.r, b.y1)
		if size == 0 || it > 1 && rate/(1-rate)*size < 0.02 || size < 1e-6 {
			return true, true
		}
		last = size
	}
	return true, false
}

// rescale changes the differences to another step size.
func (b *bdf) rescale(f float64) {
	k := b.order
	var r, u [bdfMax + 1][bdfMax + 1]float64
	product := func(m *[bdfMax + 1][bdfMax + 1]float64, f float64) {
		for j := 0; j <= k; j++ {
			m[0][j] = 1
			for i := 1; i <= k; i++ {
				m[i][j] = m[i-1][j] * (float64(i-1) - f*float64(j)) / float64(i)
			}
		}
	}
	product(&r, f)
	product(&u, 1)
	for j := 1; j <= k; j++ {
		clear(b.scratch[j])
		for i := 1; i <= k; i++ {
			var c float64
			for q := 1; q <= k; q++ {
				c += r[i][q] * u[q][j]
			}
			axpy(c, b.diffs[i], b.scratch[j])
		}
	}
	for j := 1; j <= k; j++ {
		copy(b.diffs[j], b.scratch[j])
	}
}

// accept updates the differences, and after order + 1 equal steps chooses the
// order that allows the largest step.
func (b *bdf) accept(t, h float64, y []float64, err float64) float64 {
	k := b.order
	for i, d := range b.d {
		b.diffs[k+2][i] = d - b.diffs[k+1][i]
		b.diffs[k+1][i] = d
	}
	for j := k; j >= 0; j-- {
		axpy(1, b.diffs[j+1], b.diffs[j])
	}
	b.haveJac = b.haveJac && b.s.Stats.Steps%20 != 0
	if b.equal++; b.equal <= k {
		return h
	}
	norm := func(order int) float64 {
		if order < 1 || order > bdfMax {
			return math.Inf(1)
		}
		for i, d := range b.diffs[order+1] {
			b.r[i] = bdfError[order] * d
		}
		return b.s.errorNorm(b.r, y, b.y1)
	}
	best, grow := k, math.Pow(max(err, 1e-10), -1/float64(k+1))
	for _, o := range []int{k - 1, k + 1} {
		if g := math.Pow(max(norm(o), 1e-10), -1/float64(o+1)); g > grow {
			best, grow = o, g
		}
	}
	b.order = best
	b.equal = 0
	if grow = min(10, 0.9*grow); grow < 1.2 && grow > 0.9 {
		return h
	}
	return h * grow
}

func (b *bdf) shrink(h, err float64) float64 {
	if math.IsNaN(err) {
		return h * 0.5
	}
	return h * max(0.1, min(0.9, 0.9*math.Pow(err, -1/float64(b.order+1))))
}

// at is the polynomial through the last points: the prediction from the old
// differences and the correction.
func (b *bdf) at(th float64, y, out []float64) {
	// P(x) over the new differences; the step just tried ends at x = 0.
	k := b.order
	x := th - 1
	copy(out, b.y1)
	// ∇^j at the end of the step: from the old ones and d.
	p := 1.0
	for j := 1; j <= k; j++ {
		p *= (x + float64(j-1)) / float64(j)
		for i := range out {
			v := b.d[i]
			for q := j; q <= k; q++ {
				v += b.diffs[q][i]
			}
			out[i] += p * v
		}
	}
}
