package synthesis

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// quick is what resampling needs of a fit, without garbage.
type quick struct {
	beta, se []float64
	tau2     float64
	q, i2    float64
	qm       float64 // omnibus test of all coefficients but the intercept
	ok       bool
}

// quick fits into dst, whose slices are reused.
func (w *wls) quick(dst *quick, o MetaOptions) {
	k := float64(len(w.y))
	left := k - float64(w.p)
	dst.ok = false
	if len(dst.beta) != w.p {
		dst.beta, dst.se = make([]float64, w.p), make([]float64, w.p)
	}
	fixed := o.Method == EE || o.Method == FE
	w.solve(0)
	if math.IsNaN(w.rss) {
		return
	}
	dst.q, dst.tau2 = w.rss, 0
	var typical float64
	if left > 0 {
		typical = left / w.traceP()
		if !fixed {
			var err error
			if dst.tau2, err = w.tau2(o.Method); err != nil {
				return
			}
		}
	}
	dst.i2 = 0
	switch {
	case left <= 0:
	case fixed:
		if dst.q > 0 {
			dst.i2 = math.Max(0, 100*(dst.q-left)/dst.q)
		}
	default:
		dst.i2 = 100 * dst.tau2 / (typical + dst.tau2)
	}
	w.solve(dst.tau2)
	scale := 1.0
	if left > 0 {
		scale = o.Test.scale(w.rss, left)
	}
	for i := range w.p {
		dst.beta[i], dst.se[i] = w.beta[i], math.Sqrt(scale*w.cov[i*w.p+i])
	}
	dst.qm = w.omnibus(scale, o.Test != TestZ)
	dst.ok = true
}

// omnibus is the Wald statistic of all columns but the first.
func (w *wls) omnibus(scale float64, f bool) float64 {
	n := w.p - 1
	if n == 0 {
		return 0
	}
	a, b := make([]float64, n*n), make([]float64, n)
	for i := range n {
		b[i] = w.beta[i+1]
		for j := range n {
			a[i*n+j] = scale * w.cov[(i+1)*w.p+j+1]
		}
	}
	if !cholesky(a, n) {
		return math.NaN()
	}
	forward(a, n, b)
	q := inner(b, b)
	if f {
		q /= float64(n)
	}
	return q
}

// room is a wls for up to k rows and p columns without data.
func room(k, p int) *wls {
	w := &wls{y: make([]float64, k), v: make([]float64, k), x: make([]float64, k*p), p: p}
	w.space()
	return w
}

// take fills w, which has room for them, with the rows of y, v and x.
func (w *wls) take(y, v []float64, x *mat.Dense, rows []int) {
	w.y, w.v, w.x = w.y[:0], w.v[:0], w.x[:0]
	for _, i := range rows {
		w.y, w.v, w.x = append(w.y, y[i]), append(w.v, v[i]), append(w.x, x.RawRowView(i)...)
	}
	w.w, w.resid = w.w[:len(rows)], w.resid[:len(rows)]
}
