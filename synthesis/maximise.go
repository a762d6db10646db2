package synthesis

import (
	"fmt"
	"math"
	"slices"
)

// FitError says that a likelihood could not be maximised, and from where it
// was tried.
type FitError struct {
	Starts [][]float64
	Reason string
}

func (e *FitError) Error() string {
	return fmt.Sprintf("%v: %s; starting values tried: %.4g", ErrNotConverged, e.Reason, e.Starts)
}

// Unwrap lets errors.Is find ErrNotConverged.
func (e *FitError) Unwrap() error { return ErrNotConverged }

// run maximises the likelihood from several starting points and leaves the
// model at the best. fixed parameters (index to value) do not move.
func (m *mixed) run(fixed map[int]float64) ([]float64, float64, error) {
	if m.size == 0 {
		l := m.at(nil, nil)
		if math.IsNaN(l) {
			return nil, l, &DataError{"the sampling covariance is not positive definite"}
		}
		return nil, l, nil
	}
	c := climber{f: m.at, low: m.bound(), fixed: fixed}
	fail := &FitError{Reason: "no starting value leads to a maximum"}
	var best []float64
	top := math.Inf(-1)
	for _, start := range m.startingPoints() {
		for q, v := range fixed {
			start[q] = v
		}
		fail.Starts = append(fail.Starts, slices.Clone(start))
		th, l, ok := c.climb(start)
		if ok && l > top+1e-9*(1+math.Abs(top)) || ok && best == nil {
			best, top = th, l
		}
	}
	if best == nil {
		return nil, top, fail
	}
	return best, m.at(best, nil), nil
}

// startingPoints: shares of the variance of y, and for structured terms more
// of them, with correlations of both signs: their likelihoods have local maxima.
func (m *mixed) startingPoints() [][]float64 {
	w := wls{y: m.y, v: m.known.V, p: 1}
	v := w.scale() / float64(len(m.terms)+1)
	curved := false
	for _, t := range m.terms {
		curved = curved || t.kind != ID
	}
	var out [][]float64
	for _, s := range [][2]float64{{1, 0.1}, {1, 1}, {1, -1}, {0.1, -0.5}, {0.01, 0.5}, {10, -0.9}} {
		var th []float64
		for _, t := range m.terms {
			th = append(th, t.starts(s[0]*v, s[1])...)
		}
		out = append(out, th)
		if !curved {
			break
		}
	}
	return out
}

// bound is the lower bound of each parameter.
func (m *mixed) bound() []float64 {
	low := make([]float64, m.size)
	for _, t := range m.terms {
		for q := range t.params() {
			low[t.first+q] = math.Inf(-1)
			if t.bounded(q) {
				low[t.first+q] = 0
			}
		}
	}
	return low
}

// climber maximises f, which writes its gradient where g is not nil and is NaN
// where it does not exist, within bounds (nil: none).
type climber struct {
	f         func(theta, g []float64) float64
	low, high []float64
	fixed     map[int]float64
}

// climb is a projected Newton method on the exact gradient, with the Hessian
// by differences of gradients and Levenberg damping where it is not negative
// definite or a step fails.
func (c climber) climb(theta []float64) ([]float64, float64, bool) {
	n := len(theta)
	g := make([]float64, n)
	l := c.f(theta, g)
	if math.IsNaN(l) {
		return nil, l, false
	}
	lambda := 1e-3
	for range 200 {
		free := c.moving(theta, g)
		if len(free) == 0 || steepest(theta, g, free) < 1e-13*(1+math.Abs(l)) {
			return theta, l, true
		}
		h := c.hessian(theta, g, free)
		moved := false
		for range 40 {
			next, size := c.step(theta, g, h, free, lambda)
			if next != nil && size < 1e-13 {
				return theta, l, true
			}
			if next != nil {
				gn := make([]float64, n)
				if ln := c.f(next, gn); ln >= l-1e-13*(1+math.Abs(l)) {
					if ln-l < 1e-12*(1+math.Abs(l)) && size < 1e-9 {
						return next, ln, true
					}
					theta, l, g, moved = next, ln, gn, true
					lambda = math.Max(lambda/10, 1e-14)
					break
				}
			}
			lambda = math.Max(lambda*8, 1e-8)
		}
		if !moved { // no step rises any more
			return theta, l, steepest(theta, g, free) < 1e-5*(1+math.Abs(l))
		}
	}
	return theta, l, false
}

// moving lists the parameters that may move: not fixed, and not at a bound
// with the gradient pointing out.
func (c climber) moving(theta, g []float64) (idx []int) {
	for q := range theta {
		if _, ok := c.fixed[q]; ok || c.low != nil && theta[q] <= c.low[q] && g[q] <= 0 || c.high != nil && theta[q] >= c.high[q] && g[q] >= 0 {
			continue
		}
		idx = append(idx, q)
	}
	return idx
}

// steepest is the largest gain a proportional change promises.
func steepest(theta, g []float64, free []int) (s float64) {
	for _, q := range free {
		s = math.Max(s, math.Abs(g[q])*math.Max(math.Abs(theta[q]), 1e-9))
	}
	return s
}

// within moves a value between the bounds of its parameter.
func (c climber) within(q int, v float64) float64 {
	if c.low != nil {
		v = math.Max(c.low[q], v)
	}
	if c.high != nil {
		v = math.Min(c.high[q], v)
	}
	return v
}

// hessian is minus the second derivative on the free parameters.
func (c climber) hessian(theta, g []float64, free []int) []float64 {
	n := len(free)
	h := make([]float64, n*n)
	up, gu := slices.Clone(theta), make([]float64, len(theta))
	for a, q := range free {
		d := 1e-5 * math.Max(math.Abs(theta[q]), 1e-4)
		if c.within(q, theta[q]+d) != theta[q]+d {
			d = -d
		}
		up[q] = theta[q] + d
		if math.IsNaN(c.f(up, gu)) {
			d = -d
			up[q] = c.within(q, theta[q]+d)
			c.f(up, gu)
		}
		for b, r := range free {
			h[a*n+b] = -(gu[r] - g[r]) / (up[q] - theta[q])
		}
		up[q] = theta[q]
	}
	for a := range n {
		for b := range a {
			s := (h[a*n+b] + h[b*n+a]) / 2
			h[a*n+b], h[b*n+a] = s, s
		}
	}
	return h
}

// step solves (H + λD)s = g and projects; nil where the matrix stays
// indefinite. size is the largest relative change.
func (c climber) step(theta, g, h []float64, free []int, lambda float64) (next []float64, size float64) {
	n := len(free)
	a, s := slices.Clone(h), make([]float64, n)
	for i, q := range free {
		a[i*n+i] += lambda * math.Max(math.Abs(h[i*n+i]), 1e-10)
		s[i] = g[q]
	}
	if !cholesky(a, n) {
		return nil, 0
	}
	cholSolve(a, n, s)
	next = slices.Clone(theta)
	for i, q := range free {
		next[q] = c.within(q, theta[q]+s[i])
		size = math.Max(size, math.Abs(next[q]-theta[q])/math.Max(math.Abs(theta[q]), 1e-8))
	}
	return next, size
}
