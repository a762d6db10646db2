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
	p    LaneProblem
	set  Settings
	k    []float64 // the eight stages, one after the other
	d    [3][]float64
	u    []float64
	sum  []float64
	ft   []float64
	jac  []float64
	at   []float64 // times of a stage
	coef []float64 // one row
	invH []float64
	zero []float64
	one  []float64 // one row
	lu   *laneLU
	// denseAll says that d belongs to the step tried last.
	denseAll bool
	// Y1 is the state after the step tried last.
	Y1 []float64
	// Err is its error in units of the tolerance, NaN where it could not be
	// computed.
	Err []float64
	// Factor is by how much the error suggests to change the step.
	Factor  []float64
	control []float64 // rows for the step size control: error, result, work, exponent
	power   [3]lane.Instr
}

// NewLanes prepares a solver.
func NewLanes(p LaneProblem, set Settings) *Lanes {
	s := &Lanes{p: p, set: set.orDefault()}
	rows := func(n int) []float64 { return make([]float64, n*p.W) }
	s.k, s.zero = rows(8*p.N), rows(p.N)
	for i := range s.d {
		s.d[i] = rows(p.N)
	}
	s.u, s.sum, s.ft, s.Y1, s.jac = rows(p.N), rows(p.N), rows(p.N), rows(p.N), rows(len(p.Pattern))
	s.at, s.coef, s.invH, s.Err = rows(1), rows(1), rows(1), rows(1)
	s.lu = newLaneLU(p)
	s.Factor = rows(1)
	s.control, s.one = rows(4), rows(1)
	r := int32(p.W)
	s.power = [3]lane.Instr{{Dst: r, A: 0}, {Dst: 2 * r, A: r, B: 3 * r}, {Dst: r, A: 2 * r}}
	for l := range p.W {
		s.one[l] = 1
		s.control[3*p.W+l] = -0.2
	}
	return s
}

// stage is stage j of the step tried last.
func (s *Lanes) stage(j int) []float64 { return s.k[j*s.p.N*s.p.W:][:s.p.N*s.p.W] }

// combine sets dst to base + Σ c[j]·stage j.
func (s *Lanes) combine(dst, base, c []float64) { lane.Combine(dst, base, s.k, c, s.p.N*s.p.W) }

// Try takes a step of size h[l] from y for every person l.
func (s *Lanes) Try(t, h, y []float64) {
	p := &s.p
	s.denseAll = false
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
			s.combine(s.u, y, rA[st][:st])
			if st == 5 {
				copy(s.Y1, s.u)
			}
		default:
			lane.Axpy(s.Y1, s.stage(st-1), s.one, p.W)
			copy(s.u, s.Y1)
		}
		lane.Combine(s.at, t, h, rT[st:st+1], 0)
		k := s.stage(st)
		p.F(s.at, s.u, k)
		if st > 0 {
			s.combine(s.sum, s.zero, rC[st][:st])
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
	lane.Axpy(s.Y1, s.stage(7), s.one, p.W)
	clear(s.Err)
	s.norm(y)
	share := 1 / float64(max(1, p.N))
	for l, v := range s.Err {
		s.Err[l] = math.Sqrt(v * share)
	}
	s.factors()
}

// factors computes 0.9·err^(-1/5) between 0.2 and 6 for all lanes, as factor
// does for one.
func (s *Lanes) factors() {
	w := s.p.W
	copy(s.control, s.Err)
	lane.Run(lane.OpLog, s.control, s.power[:1], w)
	lane.Run(lane.OpMul, s.control, s.power[1:2], w)
	lane.Run(lane.OpExp, s.control, s.power[2:], w)
	for l := range s.Factor {
		s.Factor[l] = bounded(0.9 * s.control[w+l])
	}
}

func (s *Lanes) norm(y []float64) {
	if s.set.ATolEach == nil {
		lane.Norm(s.Err, s.stage(7), y, s.Y1, s.set.ATol, s.set.RTol, s.p.W)
		return
	}
	w := s.p.W
	for i, at := range s.set.ATolEach {
		lane.Norm(s.Err, s.stage(7)[i*w:][:w], y[i*w:][:w], s.Y1[i*w:][:w], at, s.set.RTol, w)
	}
}

// DenseAll prepares the interpolants of all persons at once, where more than a
// few of them will be asked for.
func (s *Lanes) DenseAll() {
	if s.denseAll {
		return
	}
	for q := range s.d {
		s.combine(s.d[q], s.zero, rH[q][:])
	}
	s.denseAll = true
}

// Dense prepares At for person l: out holds 3·N values. The arithmetic is that
// of DenseAll, so that it does not matter which was called.
func (s *Lanes) Dense(l int, out []float64) {
	w := s.p.W
	for i := range s.p.N {
		at := i*w + l
		if s.denseAll {
			out[3*i], out[3*i+1], out[3*i+2] = s.d[0][at], s.d[1][at], s.d[2][at]
			continue
		}
		var a, b, c float64
		for j := range 8 {
			k := s.k[j*s.p.N*w+at]
			a = math.FMA(rH[0][j], k, a)
			b = math.FMA(rH[1][j], k, b)
			c = math.FMA(rH[2][j], k, c)
		}
		out[3*i], out[3*i+1], out[3*i+2] = a, b, c
	}
}

// At writes the state of person l at the share th of the step tried last, with
// what Dense prepared.
func (s *Lanes) At(l int, th float64, y, dense, out []float64) {
	for i := range out {
		at := i*s.p.W + l
		d := dense[3*i : 3*i+3]
		out[i] = (1-th)*y[at] + th*(s.Y1[at]+(1-th)*(d[0]+th*(d[1]+th*d[2])))
	}
}

// Interpolate writes the states of all persons at the share th of the step
// tried last.
func (s *Lanes) Interpolate(th float64, y, out []float64) {
	s.DenseAll()
	a, b := th*(1-th), th*th*(1-th)
	for i := range out {
		out[i] = (1-th)*y[i] + th*s.Y1[i] + a*s.d[0][i] + b*(s.d[1][i]+th*s.d[2][i])
	}
}

// Fit shortens a step that would pass or nearly reach the end, for callers of
// Lanes.
func Fit(want, left, hMax float64) (step float64, last bool) { return fit(want, left, hMax) }

// NextStep proposes the size of the step after an accepted one of size step,
// where want was wanted; factor is that of Lanes.
func NextStep(want, step, factor float64) float64 { return nextStep(want, step, step*factor) }

// Shrink proposes a smaller size after a rejected step.
func Shrink(step, err, factor float64) float64 {
	if math.IsNaN(err) || math.IsInf(err, 0) {
		return step * 0.1
	}
	return step * min(0.9, factor)
}

// First is the starting step, from the state and its derivative.
func (s Settings) First(t, end float64, y, f []float64) float64 {
	return firstStep(t, end, y, f, nil, s.orDefault().tolerance)
}
