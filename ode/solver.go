package ode

import (
	"math"
)

// stepper is a method: it tries steps, and the Solver decides on them.
type stepper interface {
	// begin forgets the past: state or equations have jumped.
	begin(t float64, y []float64)
	// prepare comes once before the tries of a step; false where the
	// equations are not finite.
	prepare(t float64, y []float64) bool
	// try takes a step from y and returns its error in units of the tolerance,
	// NaN where it could not be computed.
	try(t, h float64, y []float64) float64
	// end is the state after the step tried last.
	end() []float64
	// at writes the state at the share th of the step tried last.
	at(th float64, y, out []float64)
	// accept takes the step tried last and proposes the size of the next.
	accept(t, h float64, y []float64, err float64) float64
	// shrink proposes a smaller size after a rejected step.
	shrink(h, err float64) float64
}

// Step is an accepted step, or the part of it before the equations change.
type Step struct {
	T0, T1 float64
	at     func(t float64, out []float64)
}

// At writes the state at a time within the step.
func (s Step) At(t float64, out []float64) { s.at(t, out) }

// Solver solves one problem, any number of times, one at a time.
type Solver struct {
	// Stats counts the work since New.
	Stats Stats

	prob  Problem
	set   Settings
	m     stepper
	fresh bool
	h     float64 // proposal for the next step, 0 where there is none
	prev  float64 // proposal before the last restart
	buf   []float64
	f0    []float64
}

// New prepares a solver; settings that Validate refuses panic.
func New(p Problem, set Settings) *Solver {
	if err := set.Validate(); err != nil {
		panic("ode: " + err.Error())
	}
	s := &Solver{prob: p, set: set.orDefault(), fresh: true, buf: make([]float64, p.N), f0: make([]float64, p.N)}
	switch m := s.set.Method; {
	case m == Tsit5 && p.Mass == nil, m == Auto && p.Mass == nil:
		s.m = newTsit5(s)
	default:
		s.m = s.stiffMethod()
	}
	return s
}

// stiffMethod is the implicit method for the problem.
func (s *Solver) stiffMethod() stepper {
	switch m := s.set.Method; {
	case m == BDF, m == Auto && s.prob.N > LargeSystem:
		return newBDF(s)
	case m == TRBDF2, m != Rodas5P && s.prob.InexactJac:
		return newTRBDF2(s)
	}
	return newRodas5P(s)
}

// Restart says that state or equations have jumped since the last step.
func (s *Solver) Restart() { s.fresh = true }

// tolerance is the weight of state i at the size v.
func (s *Solver) tolerance(i int, v float64) float64 { return s.set.tolerance(i, v) }

func (s Settings) tolerance(i int, v float64) float64 {
	if s.ATolEach != nil {
		return s.ATolEach[i] + s.RTol*math.Abs(v)
	}
	return s.ATol + s.RTol*math.Abs(v)
}

// errorNorm is the root mean square of e in units of the tolerance.
func (s *Solver) errorNorm(e, y, y1 []float64) float64 {
	var sum float64
	if s.set.ATolEach == nil {
		at, rt := s.set.ATol, s.set.RTol
		for i, v := range e {
			q := v / (at + rt*max(math.Abs(y[i]), math.Abs(y1[i])))
			sum += q * q
		}
	} else {
		for i, v := range e {
			q := v / s.tolerance(i, max(math.Abs(y[i]), math.Abs(y1[i])))
			sum += q * q
		}
	}
	return math.Sqrt(sum / float64(max(1, len(e))))
}

// Integrate carries y from t to end > t. guard, where not nil, tells whether
// the equations must change at a time and state; the solution then stops at
// the first such time, and changed is true. seen, where not nil, is called
// with each step taken. The times are found on dense output, whatever times
// the caller wants output at.
func (s *Solver) Integrate(y []float64, t, end float64, guard *Guard, seen func(Step)) (reached float64, changed bool, err error) {
	if s.fresh {
		s.m.begin(t, y)
		s.prev, s.h, s.fresh = s.h, 0, false
	}
	for tries := 0; t < end; {
		if s.h == 0 {
			s.h = Restart(s.firstStep(t, end, y), s.prev)
		}
		if !s.m.prepare(t, y) {
			return t, false, s.broken(t, y)
		}
		t1, accepted := t, false
		var errNorm, step float64
		for !accepted {
			if tries++; tries > s.set.MaxSteps {
				return t, false, &SolveError{t, -1, ErrTooManySteps}
			}
			if s.set.Check != nil && tries%64 == 0 {
				if err := s.set.Check(); err != nil {
					return t, false, err
				}
			}
			var last bool
			step, last = fit(s.h, end-t, s.set.HMax)
			errNorm = s.m.try(t, step, y)
			if t1 = t + step; last {
				t1 = end
			}
			if accepted = errNorm <= 1; !accepted {
				s.Stats.Rejected++
				if s.h = s.m.shrink(step, errNorm); t+s.h <= t {
					return t, false, s.tooSmall(t, y, errNorm)
				}
			}
		}
		s.Stats.Steps++
		if guard != nil {
			if at := s.firstChange(t, t1, y, guard); at <= t1 {
				t = s.stopAt(t, at, t1, y, guard, seen)
				s.Stats.Guards++
				s.fresh = true
				return t, true, nil
			}
		}
		if seen != nil {
			s.report(t, t1, t1, y, seen)
		}
		wanted := s.h
		s.h = s.m.accept(t, step, y, errNorm)
		s.h = nextStep(wanted, step, s.h)
		copy(y, s.m.end())
		t = t1
		s.project(t, y)
		s.leaveExplicit(t, y)
	}
	return t, false, nil
}

// Restart is the starting step after a jump, between the cautious first one and
// the proposal from before the jump: the error control takes back what was too
// bold.
func Restart(first, before float64) float64 {
	if before > first {
		return math.Sqrt(first * before)
	}
	return first
}

// fit shortens a step that would pass or nearly reach the end.
func fit(h, left, hMax float64) (step float64, last bool) {
	if hMax > 0 {
		h = min(h, hMax)
	}
	switch {
	case h >= left*(1-1e-12):
		return left, true
	case h > 0.5*left:
		return left / 2, false
	}
	return h, false
}

// nextStep corrects the proposal for the step after one that was cut short
// below the size wanted: it does not begin small again.
func nextStep(wanted, step, proposal float64) float64 {
	if step >= wanted {
		return proposal
	}
	return max(proposal, min(wanted, 4*proposal), wanted*min(1, proposal/step))
}

// SetHMax changes the largest step between two calls of Integrate.
func (s *Solver) SetHMax(h float64) { s.set.HMax = h }

// project lifts what should not be negative, and says so in Stats.
func (s *Solver) project(t float64, y []float64) {
	lifted := false
	for _, i := range s.set.NonNegative {
		if y[i] < 0 {
			s.Stats.Projections++
			s.Stats.MostNegative = min(s.Stats.MostNegative, y[i])
			y[i], lifted = 0, true
		}
	}
	if lifted {
		s.m.begin(t, y)
	}
}

// leaveExplicit goes over to an implicit method where the problem is stiff.
func (s *Solver) leaveExplicit(t float64, y []float64) {
	if e, ok := s.m.(*tsit5); ok && s.set.Method == Auto && e.stiff() {
		s.m = s.stiffMethod()
		s.m.begin(t, y)
		s.Stats.Switches++
	}
}

// report hands on a step up to upTo.
func (s *Solver) report(t, upTo, t1 float64, y []float64, seen func(Step)) {
	seen(Step{t, upTo, s.within(t, t1, y)})
}

// within gives the state at times of the step tried last, from t to t1; at its
// end that is the method's own, not the interpolant.
func (s *Solver) within(t, t1 float64, y []float64) func(at float64, out []float64) {
	return func(at float64, out []float64) {
		if at == t1 {
			copy(out, s.m.end())
			return
		}
		s.m.at((at-t)/(t1-t), y, out)
	}
}

// Guard tells when the equations must change.
type Guard struct {
	// Holds tells whether they must at a time and state.
	Holds func(t float64, y []float64) bool
	// Pick names what held in the last call of Holds, -1 where nothing
	// continuous is behind it; nil is always -1.
	Pick func() int
	// Side is a continuous function that changes its sign where what Pick named
	// begins to hold.
	Side func(k int, t float64, y []float64) float64
}

// firstChange looks for the first change in the step tried last, which ends at
// t1.
func (s *Solver) firstChange(t, t1 float64, y []float64, guard *Guard) float64 {
	return guard.First(t, t1, s.within(t, t1, y), s.buf)
}

// First looks for the first time in (t, t1] at which the guard holds for the
// state that at gives, down to neighbouring numbers; +Inf where it finds none.
// buf is work space of the size of the state.
func (g *Guard) First(t, t1 float64, at func(t float64, out []float64), buf []float64) float64 {
	lo := t
	for k := 1; k <= len(insideStep); k++ {
		hi := t1
		if k < len(insideStep) {
			hi = t + insideStep[k-1]*(t1-t)
		}
		if hi <= lo {
			continue
		}
		at(hi, buf)
		if g.Holds(hi, buf) {
			return g.narrow(lo, hi, at, buf)
		}
		lo = hi
	}
	return math.Inf(1)
}

// narrow brings the guard's change between lo and hi down to neighbouring
// numbers: by the Illinois variant of the false position on the side function,
// where there is one, and by bisection.
func (g *Guard) narrow(lo, hi float64, at func(t float64, out []float64), buf []float64) float64 {
	side := func(k int, t float64) float64 {
		if k < 0 {
			return 0
		}
		at(t, buf)
		return g.Side(k, t, buf)
	}
	pick := func() int {
		if g.Pick == nil {
			return -1
		}
		return g.Pick()
	}
	k := pick()
	fLo, fHi := side(k, lo), side(k, hi)
	nudge := 2 * (math.Nextafter(max(math.Abs(lo), math.Abs(hi)), math.Inf(1)) - max(math.Abs(lo), math.Abs(hi)))
	last, same := hi, 0
	for i := 0; ; i++ {
		x := lo + (hi-lo)/2
		if x <= lo || x >= hi {
			return hi
		}
		if i < 40 && fLo*fHi < 0 {
			if f := hi - fHi*(hi-lo)/(fHi-fLo); f > lo && f < hi {
				x = f
			}
			if math.Abs(x-last) < nudge { // the root is here: close it in from the other side
				if x = hi - nudge; last == lo {
					x = lo + nudge
				}
				nudge *= 4
				if x <= lo || x >= hi {
					x = lo + (hi-lo)/2
				}
			}
		}
		at(x, buf)
		if g.Holds(x, buf) {
			if n := pick(); n != k {
				k = n
				fLo = side(k, lo)
			} else if last == hi {
				if same++; same > 1 {
					fLo /= 2
				}
			} else {
				same = 0
			}
			hi, last = x, x
			fHi = side(k, x)
			continue
		}
		if last == lo {
			if same++; same > 1 {
				fHi /= 2
			}
		} else {
			same = 0
		}
		lo, last = x, x
		fLo = side(k, x)
	}
}

// insideStep are the shares of a step at which guards are asked.
var insideStep = [...]float64{0.25, 0.5, 0.75, 1}

// InsideStep returns the shares of a step at which Guard.First asks the guard.
func InsideStep() []float64 { return insideStep[:] }

// stopAt takes the step again so that it ends at the change, where the state
// is then as accurate as the method, not its interpolant, and leaves it in y.
// Where rounding keeps the guard from holding at the end of the shorter step,
// the interpolant, on which it does hold, is kept.
func (s *Solver) stopAt(t, at, t1 float64, y []float64, guard *Guard, seen func(Step)) float64 {
	if at < t1 {
		if s.m.try(t, at-t, y) <= 1 && guard.Holds(at, s.m.end()) {
			t1 = at
		} else {
			s.m.try(t, t1-t, y)
		}
	}
	if seen != nil {
		s.report(t, at, t1, y, seen)
	}
	s.within(t, t1, y)(at, s.buf)
	copy(y, s.buf)
	return at
}

// firstStep evaluates the derivative for the starting step.
func (s *Solver) firstStep(t, end float64, y []float64) float64 {
	s.prob.F(t, y, s.f0)
	s.Stats.Evaluations++
	return firstStep(t, end, y, s.f0, s.prob.algebraic(), s.tolerance)
}

// firstStep is the starting step of Hairer, Nørsett & Wanner (Solving ODEs I,
// II.4) from one evaluation; algebraic rows do not count.
func firstStep(t, end float64, y, f []float64, algebraic []bool, tolerance func(i int, v float64) float64) float64 {
	if len(y) == 0 {
		return end - t
	}
	var d0, d1 float64
	for i, v := range y {
		if algebraic != nil && algebraic[i] {
			continue
		}
		sc := tolerance(i, v)
		d0 = max(d0, math.Abs(v)/sc)
		d1 = max(d1, math.Abs(f[i])/sc)
	}
	if !(d1 > 1e-12) {
		return 1e-3 * (end - t)
	}
	h := math.Sqrt(1 / d1)
	if d0 > 1e-5 {
		h = min(h, 0.01*d0/d1)
	}
	return max(min(h, end-t), 1e-14*max(math.Abs(t), math.Abs(end-t)))
}

// broken names the state whose derivative is not finite.
func (s *Solver) broken(t float64, y []float64) error {
	s.prob.F(t, y, s.f0)
	for i, v := range s.f0 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &SolveError{t, i, ErrNotFinite}
		}
	}
	return &SolveError{t, -1, ErrNotFinite}
}

func (s *Solver) tooSmall(t float64, y []float64, errNorm float64) error {
	if err := s.broken(t, y).(*SolveError); err.State >= 0 || math.IsNaN(errNorm) {
		return err
	}
	return &SolveError{t, -1, ErrStepTooSmall}
}

// Solve carries y from t0 to t1 > t0, stepping onto every stop in between, and
// calls out at each output time (ascending, within [t0, t1]) with the state,
// valid during the call only. At a stop, output comes before the change. y is
// overwritten with the final state.
func (s *Solver) Solve(y []float64, t0, t1 float64, stops []Stop, times []float64, out func(i int, t float64, y []float64)) error {
	next, o := 0, 0
	for next < len(stops) && stops[next].T < t0 {
		next++
	}
	for ; o < len(times) && times[o] <= t0; o++ {
		out(o, t0, y)
	}
	state := make([]float64, s.prob.N)
	var seen func(Step)
	if len(times) > 0 {
		seen = func(st Step) {
			for ; o < len(times) && times[o] <= st.T1; o++ {
				st.At(times[o], state)
				out(o, times[o], state)
			}
		}
	}
	s.Restart()
	for t := t0; ; {
		for ; next < len(stops) && stops[next].T <= t; next++ {
			stops[next].Do(y)
			s.Stats.Stops++
			s.Restart()
		}
		if t >= t1 {
			return nil
		}
		end := t1
		if next < len(stops) {
			end = min(end, stops[next].T)
		}
		if _, _, err := s.Integrate(y, t, end, nil, seen); err != nil {
			return err
		}
		t = end
	}
}
