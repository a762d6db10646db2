package synthesis

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// wls is weighted least squares of y on x with weights 1/(v + tau²).
type wls struct {
	y *mat.VecDense
	v []float64
	x *mat.Dense
}

// wlsFit is one weighted fit.
type wlsFit struct {
	w         []float64
	beta      *mat.VecDense
	cov       *mat.SymDense // (X'WX)^-1
	resid     []float64
	rss       float64 // y'Py
	logVar    float64 // sum of log(v + tau²)
	logDetXWX float64
	x         *mat.Dense
}

func (w *wls) fullRank() bool {
	var qr mat.QR
	qr.Factorize(w.x)
	return qr.Cond() < 1e12
}

func (w *wls) at(tau2 float64) *wlsFit {
	wi := make([]float64, len(w.v))
	for i, v := range w.v {
		wi[i] = 1 / (v + tau2)
	}
	f := w.weighted(wi)
	for _, x := range wi {
		f.logVar -= math.Log(x)
	}
	return f
}

func (w *wls) weighted(wi []float64) *wlsFit {
	k, p := w.x.Dims()
	f := &wlsFit{w: wi, x: w.x, beta: mat.NewVecDense(p, nil), cov: mat.NewSymDense(p, nil), resid: make([]float64, k)}
	a := mat.NewSymDense(p, nil)
	b := mat.NewVecDense(p, nil)
	for i := range k {
		for r := range p {
			b.SetVec(r, b.AtVec(r)+wi[i]*w.x.At(i, r)*w.y.AtVec(i))
			for c := r; c < p; c++ {
				a.SetSym(r, c, a.At(r, c)+wi[i]*w.x.At(i, r)*w.x.At(i, c))
			}
		}
	}
	var ch mat.Cholesky
	if !ch.Factorize(a) {
		f.rss = math.NaN()
		return f
	}
	f.logDetXWX = ch.LogDet()
	if ch.InverseTo(f.cov) != nil || ch.SolveVecTo(f.beta, b) != nil {
		f.rss = math.NaN()
		return f
	}
	for i := range k {
		e := w.y.AtVec(i)
		for r := range p {
			e -= w.x.At(i, r) * f.beta.AtVec(r)
		}
		f.resid[i] = e
		f.rss += wi[i] * e * e
	}
	return f
}

// traceP is the trace of P without building it.
func (f *wlsFit) traceP() float64 {
	k, q := f.x.Dims()
	var s float64
	for i := range k {
		var h float64
		for a := range q {
			for b := range q {
				h += f.x.At(i, a) * f.cov.At(a, b) * f.x.At(i, b)
			}
		}
		s += f.w[i] - f.w[i]*f.w[i]*h
	}
	return s
}

func (w *wls) logDetXX() float64 {
	var xx mat.SymDense
	xx.SymOuterK(1, w.x.T())
	var ch mat.Cholesky
	if !ch.Factorize(&xx) {
		return math.NaN()
	}
	return ch.LogDet()
}

// tau2 estimates the heterogeneity by a method that has it.
func (w *wls) tau2(m Method) (float64, error) {
	k, p := w.x.Dims()
	left := float64(k - p)
	f := w.at(0)
	switch m {
	case DL:
		return math.Max(0, (f.rss-left)/f.traceP()), nil
	case HE:
		return w.hedges(left), nil
	case HS, HSk:
		var sum float64
		for _, x := range f.w {
			sum += x
		}
		q := f.rss
		if m == HSk {
			q *= float64(k) / left
		}
		return math.Max(0, (q-float64(k))/sum), nil
	case SJ:
		t0 := stat.Variance(w.y.RawVector().Data, nil) * float64(k-1) / float64(k)
		if t0 == 0 {
			return 0, nil
		}
		return t0 * w.at(t0).rss / left, nil
	case PM, EB:
		return w.generalisedQ(left), nil
	}
	return w.likelihood(m == REML)
}

// hedges is the unweighted method-of-moments estimator.
func (w *wls) hedges(left float64) float64 {
	ones := make([]float64, len(w.v))
	for i := range ones {
		ones[i] = 1
	}
	f := w.weighted(ones)
	_, q := w.x.Dims()
	var trPV float64
	for i, v := range w.v {
		var h float64
		for a := range q {
			for b := range q {
				h += w.x.At(i, a) * f.cov.At(a, b) * w.x.At(i, b)
			}
		}
		trPV += v * (1 - h)
	}
	return math.Max(0, (f.rss-trPV)/left)
}

// generalisedQ solves Q(tau²) = target; Q falls as tau² grows. 0 where Q(0) is
// below the target already.
func (w *wls) generalisedQ(target float64) float64 {
	if w.at(0).rss <= target {
		return 0
	}
	lo, hi := 0.0, w.scale()
	for w.at(hi).rss > target && hi < 1e300 {
		lo, hi = hi, hi*4
	}
	for range 200 {
		mid := (lo + hi) / 2
		if w.at(mid).rss > target {
			lo = mid
		} else {
			hi = mid
		}
		if hi-lo <= 4e-16*hi {
			break
		}
	}
	return (lo + hi) / 2
}

// scale is a tau² of the size of the data.
func (w *wls) scale() float64 {
	return math.Max(stat.Variance(w.y.RawVector().Data, nil), stat.Mean(w.v, nil)*1e-6)
}

// qProfile is the interval of tau² whose ends give Q its chi² quantiles.
func (w *wls) qProfile(level float64) (low, high float64) {
	k, p := w.x.Dims()
	c := distuv.ChiSquared{K: float64(k - p)}
	return w.generalisedQ(c.Quantile(0.5 + level/2)), w.generalisedQ(c.Quantile(0.5 - level/2))
}

// likelihood maximises the (restricted) likelihood: the score in tau² is
// scanned on a grid for sign changes and each root refined by bisection, so
// that a second maximum is not missed; tau² = 0 competes too.
func (w *wls) likelihood(restricted bool) (float64, error) {
	objective := func(t float64) float64 {
		f := w.at(t)
		l := -0.5*f.logVar - 0.5*f.rss
		if restricted {
			l -= 0.5 * f.logDetXWX
		}
		return l
	}
	best, top := 0.0, objective(0)
	if math.IsNaN(top) {
		return 0, ErrNotConverged
	}
	const n = 120
	high := 50 * w.scale()
	prev, sPrev := 0.0, w.score(0, restricted)
	for i := 1; i <= n; i++ {
		t := high * math.Pow(float64(i)/n, 4)
		s := w.score(t, restricted)
		if sPrev > 0 && s <= 0 {
			lo, hi := prev, t
			for range 200 {
				mid := (lo + hi) / 2
				if w.score(mid, restricted) > 0 {
					lo = mid
				} else {
					hi = mid
				}
				if hi-lo <= 4e-16*hi {
					break
				}
			}
			if l := objective((lo + hi) / 2); l > top {
				best, top = (lo+hi)/2, l
			}
		}
		prev, sPrev = t, s
	}
	return best, nil
}

// score is the derivative of twice the log-likelihood in tau²: y'PPy - sum(w),
// or y'PPy - tr(P) when restricted.
func (w *wls) score(t float64, restricted bool) float64 {
	f := w.at(t)
	var s float64
	for i, e := range f.resid {
		we := f.w[i] * e
		s += we * we
	}
	if restricted {
		return s - f.traceP()
	}
	for _, x := range f.w {
		s -= x
	}
	return s
}
