package synthesis

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// wls is weighted least squares of y on x with weights 1/(v + tau²). It holds
// its working space, so that a fit of many data sets makes no garbage; one wls
// serves one goroutine.
type wls struct {
	y, v []float64
	x    []float64 // k by p, row after row
	p    int

	user           []float64 // weights of the user's own; nil without
	w, resid       []float64
	chol, cov, a2  []float64 // p by p
	beta           []float64
	rss, logDetXWX float64
	logVar         float64 // sum of log(v + tau²), where asked for
}

func newWLS(y, v []float64, x *mat.Dense) *wls {
	k, p := x.Dims()
	w := &wls{y: y, v: v, x: make([]float64, k*p), p: p}
	for i := range k {
		copy(w.x[i*p:], x.RawRowView(i))
	}
	w.space()
	return w
}

// interceptOnly is the design of a mean.
func interceptOnly(y, v []float64) *wls {
	w := &wls{y: y, v: v, x: make([]float64, len(y)), p: 1}
	for i := range w.x {
		w.x[i] = 1
	}
	w.space()
	return w
}

func (w *wls) space() {
	k, p := len(w.y), w.p
	w.w, w.resid = make([]float64, k), make([]float64, k)
	w.chol, w.cov, w.a2, w.beta = make([]float64, p*p), make([]float64, p*p), make([]float64, p*p), make([]float64, p)
}

// wlsFit is one weighted fit, apart from the working space.
type wlsFit struct {
	w, resid       []float64
	beta           *mat.VecDense
	cov            *mat.SymDense // (X'WX)^-1
	rss            float64       // y'Py
	logVar         float64
	logDetXWX      float64
	traceP, weight float64
}

// at is the fit at tau².
func (w *wls) at(tau2 float64) *wlsFit {
	w.solve(tau2)
	w.logVar = w.sumLog(tau2)
	f := &wlsFit{w: append([]float64(nil), w.w...), resid: append([]float64(nil), w.resid...), beta: mat.NewVecDense(w.p, append([]float64(nil), w.beta...)), rss: w.rss, logVar: w.logVar, logDetXWX: w.logDetXWX}
	f.cov = mat.NewSymDense(w.p, append([]float64(nil), w.cov...))
	f.traceP = w.traceP()
	for _, x := range w.w {
		f.weight += x
	}
	return f
}

// sumLog is the sum of log(v + tau²), of products of a few values at a time.
func (w *wls) sumLog(tau2 float64) (s float64) {
	prod := 1.0
	for i, v := range w.v {
		prod *= v + tau2
		if i%8 == 7 || prod < 1e-200 || prod > 1e200 {
			s += math.Log(prod)
			prod = 1
		}
	}
	return s + math.Log(prod)
}

// solve fits at weights 1/(v + tau²).
func (w *wls) solve(tau2 float64) {
	for i, v := range w.v {
		w.w[i] = 1 / (v + tau2)
	}
	w.weighted()
}

// weighted fits with the weights in w.w.
func (w *wls) weighted() {
	if w.p == 1 {
		w.weightedMean()
		return
	}
	p := w.p
	clear(w.chol)
	clear(w.beta)
	for i, wi := range w.w {
		row := w.x[i*p : i*p+p]
		for r, xr := range row {
			t := wi * xr
			w.beta[r] += t * w.y[i]
			for c := 0; c <= r; c++ {
				w.chol[r*p+c] += t * row[c]
			}
		}
	}
	if !cholesky(w.chol, p) {
		w.rss = math.NaN()
		return
	}
	w.logDetXWX = cholLogDet(w.chol, p)
	cholSolve(w.chol, p, w.beta)
	cholInverse(w.chol, p, w.cov)
	w.rss = 0
	for i, wi := range w.w {
		e := w.y[i]
		for r, xr := range w.x[i*p : i*p+p] {
			e -= xr * w.beta[r]
		}
		w.resid[i] = e
		w.rss += wi * e * e
	}
}

// weightedMean is weighted for one column.
func (w *wls) weightedMean() {
	var sxx, sxy float64
	for i, wi := range w.w {
		t := wi * w.x[i]
		sxx += t * w.x[i]
		sxy += t * w.y[i]
	}
	if !(sxx > 0) {
		w.rss = math.NaN()
		return
	}
	b := sxy / sxx
	w.beta[0], w.cov[0], w.chol[0], w.logDetXWX = b, 1/sxx, math.Sqrt(sxx), math.Log(sxx)
	var rss float64
	for i, wi := range w.w {
		e := w.y[i] - w.x[i]*b
		w.resid[i] = e
		rss += wi * e * e
	}
	w.rss = rss
}

// traceP is the trace of P without building it: sum(w) - tr((X'WX)^-1 X'W²X).
func (w *wls) traceP() float64 {
	p := w.p
	var sum float64
	clear(w.a2)
	for i, wi := range w.w {
		sum += wi
		w2 := wi * wi
		row := w.x[i*p : i*p+p]
		for r, xr := range row {
			for c := 0; c <= r; c++ {
				w.a2[r*p+c] += w2 * xr * row[c]
			}
		}
	}
	for r := range p {
		sum -= w.cov[r*p+r] * w.a2[r*p+r]
		for c := range r {
			sum -= 2 * w.cov[r*p+c] * w.a2[r*p+c]
		}
	}
	return sum
}

// logDetXX is the log determinant of X'X.
func (w *wls) logDetXX() float64 {
	p := w.p
	a := make([]float64, p*p)
	for i := range w.y {
		row := w.x[i*p : i*p+p]
		for r := range p {
			for c := 0; c <= r; c++ {
				a[r*p+c] += row[r] * row[c]
			}
		}
	}
	if !cholesky(a, p) {
		return math.NaN()
	}
	return cholLogDet(a, p)
}

// tau2 estimates the heterogeneity by a method that has it.
func (w *wls) tau2(m Method) (float64, error) {
	k := float64(len(w.y))
	left := k - float64(w.p)
	switch m {
	case HE, GENQ:
		return w.moments(m), nil
	case SJ:
		t0 := w.variance() * (k - 1) / k
		if t0 == 0 {
			return 0, nil
		}
		w.solve(t0)
		return t0 * w.rss / left, nil
	case PM, EB:
		return w.generalisedQ(left), nil
	case ML, REML:
		return w.likelihood(m == REML)
	}
	w.solve(0)
	switch m {
	case DL:
		return math.Max(0, (w.rss-left)/w.traceP()), nil
	case HS, HSk:
		var sum float64
		for _, x := range w.w {
			sum += x
		}
		q := w.rss
		if m == HSk {
			q *= k / left
		}
		return math.Max(0, (q-k)/sum), nil
	}
	return 0, nil // equal and fixed effects
}

// variance is the sample variance of y.
func (w *wls) variance() float64 {
	k := float64(len(w.y))
	var m, s float64
	for _, y := range w.y {
		m += y / k
	}
	for _, y := range w.y {
		s += (y - m) * (y - m)
	}
	return s / (k - 1)
}

// moments is the method-of-moments estimator with weights a: equal ones (HE) or
// the user's own (GENQ): (y'Py - tr(PV))/tr(P), P = A - AX(X'AX)^-1X'A.
func (w *wls) moments(m Method) float64 {
	for i := range w.w {
		w.w[i] = 1
		if m == GENQ {
			w.w[i] = w.user[i]
		}
	}
	w.weighted()
	var trPV float64
	for i, v := range w.v {
		trPV += v * w.w[i] * (1 - w.w[i]*w.leverage(i))
	}
	return math.Max(0, (w.rss-trPV)/w.traceP())
}

// userWeighted is the fit with the user's weights, whose covariance is that of a
// linear estimator with variances v + tau².
func (w *wls) userWeighted(tau2 float64) *wlsFit {
	copy(w.w, w.user)
	w.weighted()
	p := w.p
	beta, inv := mat.NewVecDense(p, append([]float64(nil), w.beta...)), mat.NewSymDense(p, append([]float64(nil), w.cov...))
	meat := mat.NewSymDense(p, nil)
	for i, u := range w.user {
		row := mat.NewVecDense(p, w.x[i*p:i*p+p])
		meat.SymRankOne(meat, u*u*(w.v[i]+tau2), row)
	}
	var half, full mat.Dense
	half.Mul(inv, meat)
	full.Mul(&half, inv)
	cov := mat.NewSymDense(p, nil)
	for a := range p {
		for b := range a + 1 {
			cov.SetSym(a, b, (full.At(a, b)+full.At(b, a))/2)
		}
	}
	return &wlsFit{w: w.user, resid: append([]float64(nil), w.resid...), beta: beta, cov: cov, rss: w.rss}
}

// profile is the profile-likelihood interval of tau² (Hardy & Thompson 1996,
// 10.1002/(SICI)1097-0258(19960330)15:6<619::AID-SIM188>3.0.CO;2-A) around its
// estimate by the same likelihood.
func (w *wls) profile(tau2, level float64, restricted bool) (low, high float64) {
	top := w.objective(tau2, restricted)
	cut := distuv.ChiSquared{K: 1}.Quantile(level) / 2
	drop := func(t float64) float64 { return top - w.objective(t, restricted) - cut }
	if at0 := drop(0); at0 > 0 {
		low = root(drop, 0, tau2, at0, -cut)
	}
	hi := math.Max(2*tau2, w.scale())
	for range 200 {
		if drop(hi) > 0 {
			return low, root(drop, tau2, hi, -cut, drop(hi))
		}
		hi *= 2
	}
	return low, math.Inf(1)
}

// leverage is x'(X'WX)^-1 x of row i.
func (w *wls) leverage(i int) (h float64) {
	row := w.x[i*w.p : (i+1)*w.p]
	for a := range row {
		for b := range row {
			h += row[a] * w.cov[a*w.p+b] * row[b]
		}
	}
	return h
}

// generalisedQ solves Q(tau²) = target; Q falls as tau² grows. 0 where Q(0) is
// below the target already.
func (w *wls) generalisedQ(target float64) float64 {
	q := func(t float64) float64 { w.solve(t); return w.rss - target }
	lo, hi := 0.0, w.scale()
	qlo := q(0)
	if !(qlo > 0) {
		return 0
	}
	qhi := q(hi)
	for qhi > 0 && hi < 1e300 {
		lo, qlo, hi = hi, qhi, hi*4
		qhi = q(hi)
	}
	return root(q, lo, hi, qlo, qhi)
}

// scale is a tau² of the size of the data.
func (w *wls) scale() float64 {
	return math.Max(w.variance(), meanOf(w.v)*1e-6)
}

// qProfile is the interval of tau² whose ends give Q its chi² quantiles.
func (w *wls) qProfile(level float64) (low, high float64) {
	c := distuv.ChiSquared{K: float64(len(w.y) - w.p)}
	return w.generalisedQ(c.Quantile(0.5 + level/2)), w.generalisedQ(c.Quantile(0.5 - level/2))
}

// objective is the (restricted) log-likelihood at tau² without its constants.
func (w *wls) objective(t float64, restricted bool) float64 {
	w.solve(t)
	l := -0.5*w.sumLog(t) - 0.5*w.rss
	if restricted {
		l -= 0.5 * w.logDetXWX
	}
	return l
}

// likelihood maximises the (restricted) likelihood: the score in tau² is
// scanned on a grid for sign changes and each root refined, so that a second
// maximum is not missed; tau² = 0 competes too. The grid is coarser for very
// many effects, whose likelihood has one maximum.
func (w *wls) likelihood(restricted bool) (float64, error) {
	s0 := w.score(0, restricted)
	if math.IsNaN(s0) {
		return 0, ErrNotConverged
	}
	type bracket struct{ lo, hi, slo, shi float64 }
	var found []bracket
	n := min(120, max(16, 240_000/len(w.y)))
	high := 50 * w.scale()
	prev, sPrev := 0.0, s0
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		t = high * t * t * t * t
		s := w.score(t, restricted)
		if sPrev > 0 && s <= 0 {
			found = append(found, bracket{prev, t, sPrev, s})
		}
		prev, sPrev = t, s
	}
	score := func(t float64) float64 { return w.score(t, restricted) }
	if len(found) == 1 && s0 > 0 { // the only maximum
		b := found[0]
		return root(score, b.lo, b.hi, b.slo, b.shi), nil
	}
	best, top := 0.0, w.objective(0, restricted)
	for _, b := range found {
		t := root(score, b.lo, b.hi, b.slo, b.shi)
		if l := w.objective(t, restricted); l > top {
			best, top = t, l
		}
	}
	return best, nil
}

// score is the derivative of twice the log-likelihood in tau²: y'PPy - sum(w),
// or y'PPy - tr(P) when restricted.
func (w *wls) score(t float64, restricted bool) float64 {
	if w.p == 1 {
		return w.scoreMean(t, restricted)
	}
	w.solve(t)
	var s float64
	for i, e := range w.resid {
		we := w.w[i] * e
		s += we * we
	}
	if math.IsNaN(w.rss) {
		return math.NaN()
	}
	if restricted {
		return s - w.traceP()
	}
	for _, x := range w.w {
		s -= x
	}
	return s
}

// scoreMean is score for one column in two passes.
func (w *wls) scoreMean(t float64, restricted bool) float64 {
	var sw, sxx, sxy, s2 float64
	for i, v := range w.v {
		wi, x := 1/(v+t), w.x[i]
		w.w[i] = wi
		a := wi * x
		sw += wi
		sxx += a * x
		sxy += a * w.y[i]
		s2 += a * a
	}
	b := sxy / sxx
	var s float64
	for i, wi := range w.w {
		e := wi * (w.y[i] - w.x[i]*b)
		s += e * e
	}
	if restricted {
		return s - sw + s2/sxx
	}
	return s - sw
}

// root finds a zero of f between lo and hi, where its signs differ, by Brent's
// method (Brent 1973, Algorithms for Minimization without Derivatives, ch. 4)
// to the last digits.
func root(f func(float64) float64, lo, hi, flo, fhi float64) float64 {
	a, b, fa, fb := lo, hi, flo, fhi
	c, fc := a, fa
	d := b - a
	e := d
	for range 200 {
		if math.Abs(fc) < math.Abs(fb) {
			a, b, c = b, c, b
			fa, fb, fc = fb, fc, fb
		}
		tol := 2 * 1.1e-16 * math.Abs(b)
		m := (c - b) / 2
		if math.Abs(m) <= tol || fb == 0 {
			return b
		}
		if math.Abs(e) < tol || math.Abs(fa) <= math.Abs(fb) {
			d, e = m, m
		} else {
			d, e = brentStep(a, b, c, fa, fb, fc, d, e, m, tol)
		}
		a, fa = b, fb
		if math.Abs(d) > tol {
			b += d
		} else {
			b += math.Copysign(tol, m)
		}
		fb = f(b)
		if fb > 0 == (fc > 0) {
			c, fc = a, fa
			d = b - a
			e = d
		}
	}
	return b
}

// brentStep interpolates where that is safe and bisects where it is not.
func brentStep(a, b, c, fa, fb, fc, d, e, m, tol float64) (step, last float64) {
	s := fb / fa
	var p, q float64
	if a == c {
		p, q = 2*m*s, 1-s
	} else {
		q, r := fa/fc, fb/fc
		p = s * (2*m*q*(q-r) - (b-a)*(r-1))
		return accept(p, (q-1)*(r-1)*(s-1), d, e, m, tol)
	}
	return accept(p, q, d, e, m, tol)
}

func accept(p, q, d, e, m, tol float64) (step, last float64) {
	if p > 0 {
		q = -q
	} else {
		p = -p
	}
	if 2*p < 3*m*q-math.Abs(tol*q) && p < math.Abs(e*q/2) {
		return p / q, d
	}
	return m, m
}
