package kinetics

import (
	"cmp"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/ode"
)

// history keeps the past of a run for its delayed values: for each step the
// state at five points, which carry the interpolant of every method exactly.
type history struct {
	r      *runner
	work   []*Instance // one for each level of nesting
	segs   []segment
	echoes []echo // times at which a jump comes through a delay, ascending
	depth  int
}

type segment struct {
	t0, t1 float64
	y      [5][]float64
	params []float64
}

// maxNesting bounds delays within delays.
const maxNesting = 1000

func newHistory(r *runner) *history { return &history{r: r} }

// load puts the delayed values at (t, y) into the registers of the run.
func (h *history) load(t float64, y []float64) {
	for k := range h.r.s.delays {
		h.r.in.reg[int(h.r.s.dAt)+k] = h.value(h.r.in, k, t, y)
	}
}

// value of delay k for a state y at t.
func (h *history) value(in *Instance, k int, t float64, y []float64) float64 {
	if h.depth++; h.depth > maxNesting {
		h.depth--
		return math.NaN()
	}
	defer func() { h.depth-- }()
	s := h.r.s
	d := &s.delays[k]
	run(d.tau.blocks, in.reg)
	at := t - in.reg[d.tau.out[0]]
	start := h.r.task.T0
	work := h.instance()
	switch {
	case math.IsNaN(at):
		return math.NaN()
	case at < start || at == start && t == start:
		return h.compute(work, &d.before, at, s.Model.Initial(), h.r.base)
	case at >= t || len(h.segs) == 0: // no delay
		return h.compute(work, &d.x, at, y, h.r.in.params())
	case at >= h.segs[len(h.segs)-1].t1: // less than the step under way
		g := &h.segs[len(h.segs)-1]
		return h.compute(work, &d.x, at, h.state(g, at), h.r.in.params())
	}
	i, _ := slices.BinarySearchFunc(h.segs, at, func(g segment, t float64) int {
		if g.t1 <= t {
			return -1
		}
		return 1
	})
	i = min(i, len(h.segs)-1)
	g := &h.segs[i]
	return h.compute(work, &d.x, at, h.state(g, at), g.params)
}

// compute evaluates a delayed expression at a time and state of the past.
func (h *history) compute(work *Instance, tp *tape, at float64, y, params []float64) float64 {
	copy(work.params(), params)
	work.reg[h.r.s.tAt] = at
	copy(work.reg[h.r.s.yAt:], y)
	for k, n := range h.r.s.nested {
		if n {
			work.reg[int(h.r.s.dAt)+k] = h.value(work, k, at, y)
		}
	}
	run(tp.blocks, work.reg)
	return work.reg[tp.out[0]]
}

// instance is the one for the present level of nesting.
func (h *history) instance() *Instance {
	for len(h.work) <= h.depth {
		h.work = append(h.work, h.r.s.NewInstance())
	}
	return h.work[h.depth]
}

// state interpolates a step (Lagrange, five points).
func (h *history) state(g *segment, t float64) []float64 {
	x := (t - g.t0) / (g.t1 - g.t0) * 4
	out := make([]float64, len(g.y[0]))
	for i := range 5 {
		w := 1.0
		for j := range 5 {
			if j != i {
				w *= (x - float64(j)) / float64(i-j)
			}
		}
		for k, v := range g.y[i] {
			out[k] += w * v
		}
	}
	return out
}

// remember keeps a step.
func (h *history) remember(st ode.Step) {
	if st.T1 <= st.T0 {
		return
	}
	g := segment{t0: st.T0, t1: st.T1, params: append([]float64(nil), h.r.in.params()...)}
	if n := len(h.segs); n > 0 && slices.Equal(h.segs[n-1].params, g.params) {
		g.params = h.segs[n-1].params
	}
	for i := range g.y {
		g.y[i] = make([]float64, len(h.r.y))
		t := st.T0 + (st.T1-st.T0)*float64(i)/4
		if i == 4 {
			t = st.T1
		}
		st.At(t, g.y[i])
	}
	h.segs = append(h.segs, g)
	if len(h.segs) > 2*maxUnused {
		h.forget(st.T1)
	}
}

// maxUnused is the number of steps kept although no delay reaches them.
const maxUnused = 500

// forget drops the steps that no delay can reach any more, where the delays are
// constant.
func (h *history) forget(now float64) {
	m := h.r.s.Model
	var reach float64 // delays within delays add up
	for k, d := range m.delays {
		constant := len(m.g.states(d.tau)) == 0
		m.g.reach([]Ref{d.tau}, func(id Ref) {
			o := m.g.nodes[id].op
			constant = constant && o != opTime && o != opDelay && o != opParam
		})
		if !constant {
			return
		}
		reach += h.tau(k)
	}
	k := 0
	for k < len(h.segs) && h.segs[k].t1 < now-reach {
		k++
	}
	if k > maxUnused {
		h.segs = append([]segment(nil), h.segs[k:]...)
	}
}

// echo is a time at which a jump comes through a delay, and how many delays it
// has passed.
type echo struct {
	t     float64
	level int
}

// nextEcho forgets the echoes that have passed and returns the next one.
func (h *history) nextEcho(now float64) (float64, bool) {
	k := 0
	for k < len(h.echoes) && h.echoes[k].t < now {
		k++
	}
	h.echoes = h.echoes[k:]
	for _, e := range h.echoes {
		if e.t > now {
			return e.t, true
		}
	}
	return 0, false
}

// jump schedules the echoes of a jump at t; each delay smooths it once more,
// so after five the methods no longer notice.
func (h *history) jump(t float64) {
	level := 0
	for _, e := range h.echoes {
		if e.t > t {
			break
		}
		if e.t == t {
			level = e.level
		}
	}
	if level >= 5 {
		return
	}
	for k := range h.r.s.delays {
		at := t + h.tau(k)
		if !(at > t && at < h.r.task.T1) {
			continue
		}
		i, found := slices.BinarySearchFunc(h.echoes, at, func(e echo, t float64) int { return cmp.Compare(e.t, t) })
		if !found && len(h.echoes) < 100_000 {
			h.echoes = slices.Insert(h.echoes, i, echo{at, level + 1})
		}
	}
}

// tau of delay k as it is now.
func (h *history) tau(k int) float64 {
	in := h.r.in
	in.load(h.r.t, h.r.y)
	tp := &h.r.s.delays[k].tau
	run(tp.blocks, in.reg)
	return in.reg[tp.out[0]]
}

// shortest is the shortest delay as it is now.
func (h *history) shortest() float64 {
	d := math.Inf(1)
	for k := range h.r.s.delays {
		if v := h.tau(k); v > 0 {
			d = min(d, v)
		}
	}
	if math.IsInf(d, 1) {
		return 0
	}
	return d
}
