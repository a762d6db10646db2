package synthesis

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Fit is a maximum-likelihood fit. SE comes from the information on the
// coefficients at the fitted variances (as metafor reports it for ML); the
// intervals come from the profile likelihood and do account for them.
type Fit struct {
	K, Clusters  int
	Beta, SE     []float64
	TauB, TauW   float64 // SD between cohorts, within a cohort
	LogLik       float64
	Cov          *mat.SymDense // of the coefficients
	Omega        float64
	Iterations   int
	GradientNorm float64

	pr problem
}

// ErrNoRows says that no row is left to pool.
var ErrNoRows = errors.New("no result is left to pool")

// ErrNotConverged says that the likelihood could not be maximised.
var ErrNotConverged = errors.New("the likelihood could not be maximised")

// Maximise fits the model by maximum likelihood. omega in (0, 1] is the
// probability that a non-significant outcome is mentioned in an abstract.
func Maximise(rows []Row, omega float64) (*Fit, error) {
	if len(rows) == 0 {
		return nil, ErrNoRows
	}
	return newProblem(rows, omega).fit(nil, -1, 0)
}

// fit maximises from a starting point (nil: zero effect, tau 0.2). Where
// fixed >= 0, that coefficient is held at value.
func (pr problem) fit(start *params, fixed int, value float64) (*Fit, error) {
	n := pr.p + 2
	x := make([]float64, n)
	x[pr.p], x[pr.p+1] = 0.04, 0.04
	if start != nil {
		copy(x, start.beta)
		x[pr.p], x[pr.p+1] = start.vb, start.vw
	}
	if fixed >= 0 {
		x[fixed] = value
	}
	s := &search{pr: pr, x: x, fixed: fixed}
	if err := s.run(); err != nil {
		return nil, err
	}
	q := s.params(s.x)
	f := &Fit{Beta: q.beta, TauB: math.Sqrt(q.vb), TauW: math.Sqrt(q.vw), LogLik: s.f, Omega: pr.omega, Iterations: s.iter, GradientNorm: s.gnorm, Clusters: len(pr.clusters), pr: pr}
	f.K = pr.rows
	return f, nil
}

// search is a projected Newton method on (beta, vb, vw) with the variances
// kept at or above zero. The Hessian is the difference of exact gradients.
type search struct {
	pr    problem
	x     []float64
	fixed int
	f     float64
	g     []float64
	gnorm float64
	iter  int
}

func (s *search) params(x []float64) params {
	p := s.pr.p
	return params{append([]float64(nil), x[:p]...), x[p], x[p+1]}
}

func (s *search) eval(x, g []float64) float64 { return s.pr.logLik(s.params(x), g) }

// free lists the coordinates that may move: not the fixed one, and not a
// variance at zero whose gradient points below zero.
func (s *search) free() (idx []int) {
	for i := range s.x {
		if i == s.fixed || i >= s.pr.p && s.x[i] == 0 && s.g[i] <= 0 {
			continue
		}
		idx = append(idx, i)
	}
	return idx
}

func (s *search) run() error {
	s.g = make([]float64, len(s.x))
	s.f = s.eval(s.x, s.g)
	if math.IsNaN(s.f) || math.IsInf(s.f, 0) {
		return ErrNotConverged
	}
	lambda := 1e-3
	for s.iter = 0; s.iter < 60; s.iter++ {
		idx := s.free()
		s.gnorm = 0
		for _, i := range idx {
			s.gnorm = math.Max(s.gnorm, math.Abs(s.g[i]))
		}
		if s.gnorm < 1e-11*(1+math.Abs(s.f)) {
			return nil
		}
		h := s.hessian(idx)
		moved := false
		for range 25 {
			if step := newtonStep(h, s.g, idx, lambda); step != nil {
				if norm(step) < 1e-10 {
					return nil
				}
				if s.try(idx, step) {
					moved = true
					lambda = math.Max(lambda/20, 1e-14)
					break
				}
			}
			lambda = math.Max(lambda*10, 1e-12)
		}
		if !moved { // no rise left within rounding
			break
		}
	}
	if s.gnorm < 1e-5*(1+math.Abs(s.f)) {
		return nil
	}
	return ErrNotConverged
}

func norm(v []float64) (m float64) {
	for _, x := range v {
		m = math.Max(m, math.Abs(x))
	}
	return m
}

// try takes a step, projected on non-negative variances, if it does not lower
// the likelihood.
func (s *search) try(idx []int, step []float64) bool {
	y := append([]float64(nil), s.x...)
	change := 0.0
	for k, i := range idx {
		y[i] += step[k]
		if i >= s.pr.p && y[i] < 0 {
			y[i] = 0
		}
		change = math.Max(change, math.Abs(y[i]-s.x[i]))
	}
	if change < 1e-15 {
		return false
	}
	g := make([]float64, len(y))
	f := s.eval(y, g)
	if math.IsNaN(f) || f < s.f-1e-12*(1+math.Abs(s.f)) {
		return false
	}
	s.x, s.f, s.g = y, f, g
	return true
}

// hessian of the log-likelihood on the free coordinates.
func (s *search) hessian(idx []int) *mat.SymDense {
	n := len(idx)
	raw := mat.NewDense(n, n, nil)
	g := make([]float64, len(s.x))
	for a, i := range idx {
		h := 1e-5 * (0.1 + math.Abs(s.x[i]))
		y := append([]float64(nil), s.x...)
		y[i] += h
		s.eval(y, g)
		for b, j := range idx {
			raw.Set(a, b, (g[j]-s.g[j])/h)
		}
	}
	h := mat.NewSymDense(n, nil)
	for a := range n {
		for b := a; b < n; b++ {
			h.SetSym(a, b, 0.5*(raw.At(a, b)+raw.At(b, a)))
		}
	}
	return h
}

// newtonStep solves (-H + lambda·diag)·step = g; nil where that matrix is not
// positive definite.
func newtonStep(h *mat.SymDense, g []float64, idx []int, lambda float64) []float64 {
	n := len(idx)
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			a.SetSym(i, j, -h.At(i, j))
		}
		a.SetSym(i, i, a.At(i, i)+lambda*(math.Abs(h.At(i, i))+1e-8))
	}
	var ch mat.Cholesky
	if !ch.Factorize(a) {
		return nil
	}
	b := mat.NewVecDense(n, nil)
	for k, i := range idx {
		b.SetVec(k, g[i])
	}
	var x mat.VecDense
	if err := ch.SolveVecTo(&x, b); err != nil {
		return nil
	}
	return x.RawVector().Data
}

// Information fills SE and Cov of the coefficients; it is separate because
// profile and leave-one-out fits do not need it.
func (f *Fit) Information() error {
	s := &search{pr: f.pr, x: append(append([]float64(nil), f.Beta...), f.TauB*f.TauB, f.TauW*f.TauW), fixed: -1}
	s.g = make([]float64, len(s.x))
	s.eval(s.x, s.g)
	idx := make([]int, f.pr.p)
	for i := range idx {
		idx[i] = i
	}
	h := s.hessian(idx)
	var neg mat.SymDense
	neg.ScaleSym(-1, h)
	var ch mat.Cholesky
	if !ch.Factorize(&neg) {
		return ErrNotConverged
	}
	f.Cov = mat.NewSymDense(f.pr.p, nil)
	if err := ch.InverseTo(f.Cov); err != nil {
		return ErrNotConverged
	}
	f.SE = make([]float64, f.pr.p)
	for i := range f.SE {
		f.SE[i] = math.Sqrt(f.Cov.At(i, i))
	}
	return nil
}

// ProfileCI is the profile-likelihood interval of coefficient j. The cut is
// t² with Clusters - p degrees of freedom (at least 1) in place of chi², which
// widens it where there are few cohorts. An end beyond ±10 is infinite: the
// data do not bound it.
func (f *Fit) ProfileCI(j int, level float64) (low, high float64, err error) {
	df := math.Max(1, float64(f.Clusters-f.pr.p))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.5 + level/2)
	cut := t * t / 2
	ends := [2]float64{}
	for side, sign := range []float64{-1, 1} {
		ends[side], err = f.profileEnd(j, sign, cut)
		if err != nil {
			return 0, 0, err
		}
	}
	return ends[0], ends[1], nil
}

func (f *Fit) profileEnd(j int, sign, cut float64) (float64, error) {
	warm := &params{append([]float64(nil), f.Beta...), f.TauB * f.TauB, f.TauW * f.TauW}
	drop := func(d float64) (float64, error) { // fall of the profile below its top, minus the cut
		c, err := f.pr.fit(warm, j, f.Beta[j]+sign*d)
		if err != nil {
			return 0, err
		}
		warm = &params{c.Beta, math.Max(c.TauB*c.TauB, 1e-6), math.Max(c.TauW*c.TauW, 1e-6)}
		return f.LogLik - c.LogLik - cut, nil
	}
	a, fa := 0.0, -cut
	b := math.Max(0.05, 0.5*sqrtOr(f.SE, j))
	fb := -1.0
	for {
		var err error
		if fb, err = drop(b); err != nil {
			return 0, err
		}
		if fb >= 0 {
			break
		}
		a, fa = b, fb
		if b *= 2; b > 10 {
			return math.Inf(int(sign)), nil
		}
	}
	return f.root(j, sign, a, fa, b, fb, drop)
}

func sqrtOr(se []float64, j int) float64 {
	if j < len(se) {
		return 2 * se[j]
	}
	return 0.2
}

// root finds the zero of drop in [a, b] by the Illinois variant of regula falsi.
func (f *Fit) root(j int, sign, a, fa, b, fb float64, drop func(float64) (float64, error)) (float64, error) {
	side := 0
	for range 60 {
		m := (a*fb - b*fa) / (fb - fa)
		if b-a < 1e-7 {
			return f.Beta[j] + sign*m, nil
		}
		fm, err := drop(m)
		if err != nil {
			return 0, err
		}
		switch {
		case math.Abs(fm) < 1e-9:
			return f.Beta[j] + sign*m, nil
		case fm > 0:
			b, fb = m, fm
			if side == 1 {
				fa /= 2
			}
			side = 1
		default:
			a, fa = m, fm
			if side == -1 {
				fb /= 2
			}
			side = -1
		}
	}
	return f.Beta[j] + sign*(a+b)/2, nil
}

// PredictionInterval is the range of the true effect in a new cohort and
// outcome: the confidence interval [low, high] of the mean m widened by the
// spread between effects, t with Clusters - p - 1 degrees of freedom (at least
// 1) as in Higgins, Thompson & Spiegelhalter (2009,
// 10.1111/j.1467-985X.2008.00552.x), on each side of the mean. It is never
// narrower than the confidence interval.
func (f *Fit) PredictionInterval(m, low, high, level float64) (predLow, predHigh float64) {
	df := math.Max(1, float64(f.Clusters-f.pr.p-1))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.5 + level/2)
	spread := t * math.Hypot(f.TauB, f.TauW)
	return m - math.Hypot(m-low, spread), m + math.Hypot(high-m, spread)
}

// At is the fitted effect at covariates x and the variance of its estimate.
func (f *Fit) At(x []float64) (mean, variance float64) {
	for i := range x {
		mean += x[i] * f.Beta[i]
		for k := range x {
			variance += x[i] * x[k] * f.Cov.At(i, k)
		}
	}
	return mean, variance
}
