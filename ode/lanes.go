package ode

import (
	"math"

	"github.com/myoaxis/myoaxis/internal/lane"
)

// LaneProblem is the same problem for W people at once. Vectors hold rows of W
// values: state i of person l is at i·W + l; times and steps are one row.
type LaneProblem struct {
	N, W int
	F    func(t, y, dy []float64)
	// Pattern and Jac as in Problem; Jac writes one row for each entry.
	Pattern [][2]int
	Jac     func(t, y, values []float64)
	Ft      func(t, y, dfdt []float64) // nil where F does not depend on time
}

// Lanes takes Rodas5P steps for W people in lockstep, each with its own time,
// step size and error: what happens to one person does not depend on the
// others. There is no mass matrix, and there are no row exchanges: where a
// pivot is too small the error of that person is not a number, and its step
// shrinks.
type Lanes struct {
	p         LaneProblem
	set       Settings
	k         [8][]float64
	d         [3][]float64
	u         []float64
	sum       []float64
	ft        []float64
	jac       []float64
	at        []float64 // times of a stage
	coef      []float64 // one row
	invH      []float64
	constants map[float64][]float64
	lu        *laneLU
	// Y1 is the state after the step tried last.
	Y1 []float64
	// Err is its error in units of the tolerance, NaN where it could not be
	// computed.
	Err []float64
}

// NewLanes prepares a solver.
func NewLanes(p LaneProblem, set Settings) *Lanes {
	s := &Lanes{p: p, set: set.orDefault(), constants: map[float64][]float64{}}
	rows := func(n int) []float64 { return make([]float64, n*p.W) }
	for i := range s.k {
		s.k[i] = rows(p.N)
	}
	for i := range s.d {
		s.d[i] = rows(p.N)
	}
	s.u, s.sum, s.ft, s.Y1, s.jac = rows(p.N), rows(p.N), rows(p.N), rows(p.N), rows(len(p.Pattern))
	s.at, s.coef, s.invH, s.Err = rows(1), rows(1), rows(1), rows(1)
	s.lu = newLaneLU(p)
	return s
}

// row is a constant as a row of lanes.
func (s *Lanes) row(v float64) []float64 {
	r, ok := s.constants[v]
	if !ok {
		r = make([]float64, s.p.W)
		for i := range r {
			r[i] = v
		}
		s.constants[v] = r
	}
	return r
}

func (s *Lanes) axpy(v float64, x, y []float64) {
	if v != 0 {
		lane.Axpy(y, x, s.row(v), s.p.W)
	}
}

// Try takes a step of size h[l] from y for every person l.
func (s *Lanes) Try(t, h, y []float64) {
	p := &s.p
	p.Jac(t, y, s.jac)
	if p.Ft != nil {
		p.Ft(t, y, s.ft)
	}
	for l, v := range h {
		s.invH[l] = 1 / v
		s.coef[l] = 1 / (gamma * v)
	}
	s.lu.factorise(s.coef, s.jac)
	for st := range 8 {
		switch {
		case st < 6:
			copy(s.u, y)
			for j := range st {
				s.axpy(rA[st][j], s.k[j], s.u)
			}
			if st == 5 {
				copy(s.Y1, s.u)
			}
		default:
			s.axpy(1, s.k[st-1], s.Y1)
			copy(s.u, s.Y1)
		}
		for l, v := range h {
			s.at[l] = t[l] + rT[st]*v
		}
		k := s.k[st]
		p.F(s.at, s.u, k)
		if st > 0 {
			clear(s.sum)
			for j := range st {
				s.axpy(rC[st][j], s.k[j], s.sum)
			}
			lane.Axpy(k, s.sum, s.invH, p.W)
		}
		if p.Ft != nil && rD[st] != 0 {
			for l, v := range h {
				s.coef[l] = v * rD[st]
			}
			lane.Axpy(k, s.ft, s.coef, p.W)
		}
		s.lu.solve(k)
	}
	s.axpy(1, s.k[7], s.Y1)
	clear(s.Err)
	s.norm(y)
	for l, v := range s.Err {
		s.Err[l] = math.Sqrt(v / float64(max(1, p.N)))
	}
}

func (s *Lanes) norm(y []float64) {
	if s.set.ATolEach == nil {
		lane.Norm(s.Err, s.k[7], y, s.Y1, s.set.ATol, s.set.RTol, s.p.W)
		return
	}
	w := s.p.W
	for i, at := range s.set.ATolEach {
		lane.Norm(s.Err, s.k[7][i*w:][:w], y[i*w:][:w], s.Y1[i*w:][:w], at, s.set.RTol, w)
	}
}

// At writes the state of person l at the share th of the step tried last.
func (s *Lanes) At(l int, th float64, y, out []float64) {
	w := s.p.W
	for i := range out {
		at := i*w + l
		if th == 1 {
			out[i] = s.Y1[at]
			continue
		}
		var d [3]float64
		for j := range 8 {
			k := s.k[j][at]
			for q := range 3 {
				d[q] += rH[q][j] * k
			}
		}
		out[i] = (1-th)*y[at] + th*(s.Y1[at]+(1-th)*(d[0]+th*(d[1]+th*d[2])))
	}
}

// Interpolate writes the states of all persons at the share th of the step
// tried last; prepared says that it was called for this step before.
func (s *Lanes) Interpolate(th float64, y, out []float64, prepared bool) {
	if !prepared {
		for q := range s.d {
			clear(s.d[q])
			for j := range 8 {
				s.axpy(rH[q][j], s.k[j], s.d[q])
			}
		}
	}
	a, b := th*(1-th), th*th*(1-th)
	for i := range out {
		out[i] = (1-th)*y[i] + th*s.Y1[i] + a*s.d[0][i] + b*(s.d[1][i]+th*s.d[2][i])
	}
}

// Fit shortens a step that would pass or nearly reach the end, for callers of
// Lanes.
func Fit(want, left, hMax float64) (step float64, last bool) { return fit(want, left, hMax) }

// NextStep proposes the size of the step after an accepted one of size step
// and error err, where want was wanted.
func NextStep(want, step, err float64) float64 { return nextStep(want, step, step*factor(err, 0.2)) }

// Shrink proposes a smaller size after a rejected step.
func Shrink(step, err float64) float64 { return shrunk(step, err, 0.2) }

// First is the starting step, from the state and its derivative.
func (s Settings) First(t, end float64, y, f []float64) float64 {
	return firstStep(t, end, y, f, nil, s.orDefault().tolerance)
}
