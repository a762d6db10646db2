package synthesis

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// BLUP is the best linear unbiased prediction of a true effect with its standard
// error (Raudenbush & Bryk 1985, 10.3102/10769986010002075): the effect shrunken
// towards its fitted value.
type BLUP struct{ Estimate, SE float64 }

// BLUPs predicts the true effects of a fit with the variances v and design x it
// was made with.
func (m *Meta) BLUPs(y, v []float64, x *mat.Dense) []BLUP {
	out := make([]BLUP, len(y))
	for i := range y {
		row := x.RawRowView(i)
		var fit float64
		for j, t := range m.Terms {
			fit += row[j] * t.Estimate
		}
		pull := m.Tau2 / (m.Tau2 + v[i])
		out[i] = BLUP{pull*y[i] + (1-pull)*fit, math.Sqrt(pull*v[i] + (1-pull)*(1-pull)*quadratic(m.Cov, row))}
	}
	return out
}

// seTau2 is the standard error of tau² by the estimator's own formula (as metafor
// gives it), NaN for equal and fixed effects.
func (w *wls) seTau2(m Method, tau2 float64) float64 {
	k, left := float64(len(w.y)), float64(len(w.y)-w.p)
	spread := func() float64 { // variance of the quadratic form at the current weights
		return 2*w.traces(true, true) + 4*tau2*w.traces(true, false) + 2*tau2*tau2*w.traces(false, false)
	}
	var sw, sw2 float64
	sums := func() {
		for _, x := range w.w {
			sw, sw2 = sw+x, sw2+x*x
		}
	}
	switch m {
	case ML:
		w.solve(tau2)
		sums()
		return math.Sqrt(2 / sw2)
	case REML:
		w.solve(tau2)
		return math.Sqrt(2 / w.traces(false, false))
	case EB, PM:
		w.solve(tau2)
		sums()
		return math.Sqrt(2 * k * k / left / (sw * sw))
	case HE, GENQ:
		w.moments(m)
		return math.Sqrt(spread()) / w.traceP()
	case SJ:
		t0 := w.variance() * (k - 1) / k
		w.solve(t0)
		return t0 / left * math.Sqrt(spread())
	case DL:
		w.solve(0)
		return math.Sqrt(2*left+4*tau2*w.traceP()+2*tau2*tau2*w.traces(false, false)) / w.traceP()
	case HS, HSk:
		w.solve(0)
		sums()
		factor := 1.0
		if m == HSk {
			factor = k / left
		}
		return factor * math.Sqrt(2*left+4*tau2*w.traceP()+2*tau2*tau2*w.traces(false, false)) / sw
	}
	return math.NaN()
}

// traces is tr(P D P E), with D and E the variances where asked for, else the
// identity, without building P.
func (w *wls) traces(first, second bool) float64 {
	p := w.p
	d := func(use bool, i int) float64 {
		if use {
			return w.v[i]
		}
		return 1
	}
	a := make([]float64, 2*p*p)
	var s float64
	for i, wi := range w.w {
		di, ei := d(first, i), d(second, i)
		h := wi * wi * w.leverage(i)
		s += wi*wi*di*ei - 2*h*di*wi*ei
		row := w.x[i*p : i*p+p]
		for r := range row {
			for c := range row {
				t := wi * wi * row[r] * row[c]
				a[r*p+c] += t * di
				a[p*p+r*p+c] += t * ei
			}
		}
	}
	cov := mat.NewDense(p, p, w.cov)
	var left, right, both mat.Dense
	left.Mul(cov, mat.NewDense(p, p, a[:p*p]))
	right.Mul(cov, mat.NewDense(p, p, a[p*p:]))
	both.Mul(&left, &right)
	return s + mat.Trace(&both)
}
