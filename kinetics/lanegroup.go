package kinetics

import (
	"math"

	"github.com/myoaxis/myoaxis/ode"
)

// laneGroup carries w members, each at its own time with its own step. A
// runner of each member does what is not arithmetic: stops, events, modes.
type laneGroup struct {
	f       *feed
	w       int
	in      *laneInstance
	sol     *ode.Lanes
	members []*laneMember
	active  int
	y       []float64 // states of all
	t, h    []float64 // one row: time and step of the next try
	accept  []bool
	inner   []float64 // states within a step
	guards  []float64
	dense   []float64 // interpolant of one member
	stats   ode.Stats
	// maxSteps bounds the tries within a stretch.
	maxSteps int
}

// laneMember is the member in one lane.
type laneMember struct {
	*runner
	index     int
	end       float64 // of the present stretch
	scheduled bool    // something is due there
	root      float64 // where the equations change, while landing
	landing   bool    // the step under way ends at root
	last      bool    // the step under way ends at end
	want      float64 // proposed step
	limit     float64 // largest step, 0 for none
	held      []float64
	tries     int
	still     int
	mark      float64
}

func newLaneGroup(f *feed, w int) *laneGroup {
	s := f.e.Sys
	n := len(s.Model.States)
	g := &laneGroup{f: f, w: w, in: newLaneInstance(s, w), members: make([]*laneMember, w), y: make([]float64, n*w), t: make([]float64, w), h: make([]float64, w), accept: make([]bool, w), maxSteps: f.e.Settings.MaxSteps, dense: make([]float64, 3*n)}
	if g.maxSteps == 0 {
		g.maxSteps = 1_000_000
	}
	p := ode.LaneProblem{N: n, W: w, F: g.in.f, Jac: g.in.jacF, Pattern: s.Pattern}
	if s.TimeDep {
		p.Ft = g.in.ftF
	}
	if len(s.guards.out) > 0 {
		g.inner, g.guards = make([]float64, n*w), make([]float64, len(s.guards.out)*w)
	}
	g.sol = ode.NewLanes(p, f.e.Settings.Settings)
	return g
}

func (g *laneGroup) run() ode.Stats {
	for l := range g.w {
		g.h[l] = 1
		g.members[l] = &laneMember{}
		g.load(l)
	}
	for g.active > 0 && g.f.ctx.Err() == nil {
		g.choose()
		g.sol.Try(g.t, g.h, g.y)
		g.judge()
		for i := 0; i < len(g.y); i += g.w {
			for l, a := range g.accept {
				if a {
					g.y[i+l] = g.sol.Y1[i+l]
				}
			}
		}
		for l, m := range g.members {
			if m != nil && g.accept[l] && (m.last || m.landing) {
				g.arrive(l, m)
			}
		}
	}
	return g.stats
}

// choose sets the time and the step of the next try.
func (g *laneGroup) choose() {
	for l, m := range g.members {
		switch {
		case m == nil:
		case m.landing:
			g.t[l], g.h[l], m.last = m.t, m.root-m.t, false
		default:
			g.t[l] = m.t
			g.h[l], m.last = ode.Fit(m.want, m.end-m.t, m.limit)
		}
	}
}

// after is the time at which the step under way ends.
func (m *laneMember) after(step float64) float64 {
	switch {
	case m.landing:
		return m.root
	case m.last:
		return m.end
	}
	return m.t + step
}

// judge decides on the step of every member and passes on its outputs.
func (g *laneGroup) judge() {
	changed := g.changes()
	if g.due()*8 >= g.w {
		g.sol.DenseAll()
	}
	for l, m := range g.members {
		g.accept[l] = false
		if m == nil {
			continue
		}
		err, step := g.sol.Err[l], g.h[l]
		t1 := m.after(step)
		if m.tries++; m.tries > g.maxSteps {
			g.drop(l, &ode.SolveError{T: m.t, State: -1, Err: ode.ErrTooManySteps})
			continue
		}
		if !(err <= 1) {
			g.stats.Rejected++
			m.landing = false
			if m.want = ode.Shrink(step, err, g.sol.Factor[l]); m.t+m.want <= m.t {
				g.drop(l, g.tooSmall(l, m))
			}
			continue
		}
		if changed != nil && changed[l] && !m.landing && g.aim(l, m, t1) {
			continue // the step is taken again, up to the change
		}
		g.stats.Steps++
		g.accept[l] = true
		g.outputs(l, m, t1, step)
		m.want = ode.NextStep(m.want, step, g.sol.Factor[l])
		m.t = t1
	}
}

// due counts the members with an output within the step just tried.
func (g *laneGroup) due() (n int) {
	for l, m := range g.members {
		if m != nil && m.next < len(m.task.Times) && m.task.Times[m.next] < m.t+g.h[l] {
			n++
		}
	}
	return n
}

// tooSmall names the state whose rate is not finite, where there is one.
func (g *laneGroup) tooSmall(l int, m *laneMember) error {
	f := m.scratch[:len(m.y)]
	for i := range m.y {
		m.y[i] = g.y[i*g.w+l]
	}
	m.in.F(m.t, m.y, f)
	for i, v := range f {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &ode.SolveError{T: m.t, State: i, Err: ode.ErrNotFinite}
		}
	}
	return &ode.SolveError{T: m.t, State: -1, Err: ode.ErrStepTooSmall}
}

// changes tells for each member whether a discontinuous expression leaves its
// value within the step; nil where the model has none.
func (g *laneGroup) changes() []bool {
	if g.inner == nil {
		return nil
	}
	out, at := make([]bool, g.w), make([]float64, g.w)
	modes := int(g.in.s.mAt)
	for _, th := range ode.InsideStep() {
		y := g.inner
		if th == 1 {
			y = g.sol.Y1
		} else {
			g.sol.Interpolate(th, g.y, y)
		}
		for l, m := range g.members {
			if at[l] = g.t[l] + th*g.h[l]; th == 1 && m != nil {
				at[l] = m.after(g.h[l])
			}
		}
		g.in.eval(&g.in.guards, at, y, g.guards)
		for i := range g.in.guards.out {
			for l := range g.w {
				out[l] = out[l] || g.guards[i*g.w+l] != g.in.reg[(modes+i)*g.w+l]
			}
		}
	}
	return out
}

// aim finds the first change in the step just tried and makes the next try end
// there; false where it finds none.
func (g *laneGroup) aim(l int, m *laneMember, t1 float64) bool {
	g.sol.Dense(l, g.dense)
	state := func(t float64, out []float64) {
		th := (t - m.t) / g.h[l]
		if t == t1 {
			th = 1
		}
		g.sol.At(l, th, g.y, g.dense, out)
	}
	at := m.guard().First(m.t, t1, state, m.scratch[:len(m.y)])
	if math.IsInf(at, 1) {
		return false
	}
	// where rounding keeps the change from showing at the end of the shorter
	// step, the state found here is taken
	m.held = append(m.held[:0], m.y...)
	state(at, m.held)
	m.root, m.landing = at, true
	return true
}

// outputs passes on what is due before the end of an accepted step.
func (g *laneGroup) outputs(l int, m *laneMember, t1, step float64) {
	if m.next == len(m.task.Times) || m.task.Times[m.next] >= t1 {
		return
	}
	g.sol.Dense(l, g.dense)
	y := m.scratch[:len(m.y)]
	for ; m.next < len(m.task.Times) && m.task.Times[m.next] < t1 && m.outErr == nil; m.next++ {
		t := m.task.Times[m.next]
		g.sol.At(l, (t-m.t)/step, g.y, g.dense, y)
		m.outErr = m.write(t, y)
	}
}

// arrive does what is due at the end of a stretch.
func (g *laneGroup) arrive(l int, m *laneMember) {
	for i := range m.y {
		m.y[i] = g.y[i*g.w+l]
	}
	if m.landing {
		if !m.changed(m.t, m.y) {
			copy(m.y, m.held)
		}
		g.stats.Guards++
		if m.t-m.mark > 1e-9*(m.task.T1-m.task.T0) {
			m.still, m.mark = 0, m.t
		}
		if m.still++; m.still > m.set.MaxEvents {
			g.drop(l, &RunError{m.t, m.switching(), ErrSwitching})
			return
		}
	}
	if m.landing || m.scheduled {
		if err := m.atStop(!m.landing); err != nil {
			g.drop(l, err)
			return
		}
	}
	if !g.stretch(l, m) {
		g.load(l)
	}
}

// load puts the next member into a lane; without one the lane stays empty.
func (g *laneGroup) load(l int) {
	m := g.members[l]
	for {
		i, task, ok := g.f.take()
		if !ok {
			g.members[l] = nil
			return
		}
		if m.runner == nil {
			m.runner = newRunner(g.f.ctx, g.f.e.Sys, task, g.f.e.Settings, g.f.out(i))
		} else {
			m.reset(task, g.f.out(i))
		}
		m.index, m.mark, m.still, m.want = i, task.T0, 0, 0
		if err := m.start(); err != nil {
			g.f.fail(i, err)
			continue
		}
		g.active++
		if g.stretch(l, m) {
			return
		}
	}
}

// stretch begins the way to the next stop; false where the member is done.
func (g *laneGroup) stretch(l int, m *laneMember) bool {
	err := m.emit(m.t)
	if err == nil {
		err = m.outErr
	}
	if err != nil || m.t >= m.task.T1 {
		if err != nil {
			g.f.fail(m.index, err)
		}
		g.stats.Add(m.stats)
		g.active--
		return false
	}
	m.landing, m.tries, m.limit = false, 0, m.stepLimit()
	m.end, m.scheduled = m.nextStop()
	for i, v := range m.y {
		g.y[i*g.w+l] = v
	}
	g.in.take(l, m.in)
	f := m.scratch[:len(m.y)]
	m.in.F(m.t, m.y, f)
	for i, v := range f {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			g.f.fail(m.index, m.named(&ode.SolveError{T: m.t, State: i, Err: ode.ErrNotFinite}, nil))
			g.active--
			return false
		}
	}
	m.want = ode.Restart(m.set.Settings.First(m.t, m.end, m.y, f), m.want)
	return true
}

// drop ends a member with an error.
func (g *laneGroup) drop(l int, err error) {
	m := g.members[l]
	g.f.fail(m.index, m.named(err, nil))
	g.members[l] = nil
	g.active--
}
