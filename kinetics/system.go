package kinetics

// System is a compiled model, safe for concurrent use; each run needs its own
// Instance.
type System struct {
	Model   *Model
	Pattern [][2]int // non-zero Jacobian entries (row, column)
	TimeDep bool     // whether the right-hand side depends on t between stops

	consts                       []float64
	nReg                         int32
	pAt, iAt, mAt, dAt, tAt, yAt int32
	pre                          []block
	rhs, jac, ft, outs           tape
	// guards are the discrete nodes as they are now; the right-hand side reads
	// their frozen values (modes). triggers are the triggers of the events.
	guards, triggers tape
	// sides are, for each guard that compares, the continuous difference of
	// its two sides and (timed) that difference's rate where it depends on time
	// alone.
	sides   tape
	crosses []crossing
	init    tape
	delays  []delayTape
	// relaxation is the system of the fast processes alone, nil where there are
	// none.
	relaxation *System
	nested     []bool // the delayed value is read by a delayed expression
	events     []eventTape
}

// crossing says where in sides the difference behind a guard is; rate is -1
// where the difference is not linear in time alone.
type crossing struct{ diff, rate int }

type delayTape struct {
	tau, x, before tape
}

type eventTape struct {
	delay, priority tape // out is empty where there is none
	values, scales  tape
}

// Compile turns a model into tapes. What depends on parameters, inputs and
// modes alone is computed when those change.
func Compile(m *Model) *System {
	g := m.g
	s := &System{Model: m}
	guarded := m.discreteNodes()
	modes := map[Ref]Ref{}
	for k, id := range guarded {
		modes[id] = g.leaf(opMode, k)
	}
	memo := map[Ref]Ref{}
	frozen := make([]Ref, len(m.deriv))
	for i, d := range m.deriv {
		frozen[i] = m.Substitute(d, memo, modes)
	}
	g.reciprocals(frozen)
	var jac, ft []Ref
	for i, d := range frozen {
		for _, j := range append([]int32(nil), g.states(d)...) {
			if n := len(m.States) / (1 + m.blocks); i >= n && int(j) >= n {
				continue // the same as in the first block
			}
			if e := g.diff(d, opState, int(j)); !g.isConst(e, 0) {
				s.Pattern = append(s.Pattern, [2]int{i, int(j)})
				jac = append(jac, e)
			}
		}
		e := g.diff(d, opTime, 0)
		s.TimeDep = s.TimeDep || !g.isConst(e, 0)
		ft = append(ft, e)
	}
	var outs, triggers, sides []Ref
	for _, o := range m.Outputs {
		outs = append(outs, o.expr)
	}
	for _, f := range m.Fluxes {
		outs = append(outs, f.expr)
	}
	for _, e := range m.Events {
		triggers = append(triggers, e.Trigger)
	}
	for _, id := range guarded {
		sides = s.addCrossing(g, id, sides)
	}
	c := newCompiler(m, s, len(guarded))
	s.rhs, s.jac, s.ft = c.tape(frozen), c.tape(jac), c.tape(ft)
	s.outs, s.guards, s.triggers, s.sides = c.tape(outs), c.tape(guarded), c.tape(triggers), c.tape(sides)
	s.compileRest(c)
	s.pre = c.blocks(c.pre)
	s.nReg = c.next
	if m.relax != nil {
		s.relaxation = Compile(m.relaxation())
	}
	return s
}

// reciprocals writes division by what changes between steps only as a product
// with its reciprocal, which is then computed once.
func (g *graph) reciprocals(roots []Ref) {
	fixed := map[Ref]bool{}
	swap := map[Ref]Ref{}
	g.reach(roots, func(id Ref) {
		n := g.nodes[id]
		f := n.op == opConst || n.op == opParam || n.op == opInput || n.op == opMode
		if !n.op.leaf() {
			f = true
			g.operands(id, func(a Ref) { f = f && fixed[a] })
		}
		fixed[id] = f
		if n.op == Div && !f && fixed[n.b] {
			swap[id] = None
		}
	})
	memo := map[Ref]Ref{}
	var put func(id Ref) (Ref, bool)
	put = func(id Ref) (Ref, bool) {
		if _, ok := swap[id]; !ok {
			return None, false
		}
		n := g.nodes[id]
		return g.binary(Mul, g.substitute(n.a, memo, put), g.binary(Div, g.constant(1), n.b)), true
	}
	for i := range roots {
		roots[i] = g.substitute(roots[i], memo, put)
	}
}

// relaxation is the model of the fast processes, with the time as its last
// parameter and its states as outputs.
func (m *Model) relaxation() *Model {
	fast := &Model{Params: append(append([]Param(nil), m.Params...), Param{Name: "time"}), States: m.States, Inputs: m.Inputs, g: m.g}
	now := map[Ref]Ref{m.Time(): m.ParamRef(len(m.Params))}
	memo := map[Ref]Ref{}
	for i, r := range m.relax {
		fast.deriv = append(fast.deriv, m.Substitute(r, memo, now))
		fast.AddOutput(Output{Name: m.States[i].Name}, m.State(i))
	}
	return fast
}

func (s *System) compileRest(c *compiler) {
	var inits []Ref
	for _, i := range s.Model.initials {
		inits = append(inits, i.expr)
	}
	s.init = c.live(inits)
	for _, d := range s.Model.delays {
		s.delays = append(s.delays, delayTape{c.live([]Ref{d.tau}), c.live([]Ref{d.x}), c.live([]Ref{d.before})})
	}
	s.nested = make([]bool, len(s.Model.delays))
	for _, d := range s.Model.delays {
		for _, r := range []Ref{d.x, d.before, d.tau} {
			s.Model.Leaves(r, func(int) {}, func(int) {}, func(k int) { s.nested[k] = true })
		}
	}
	some := func(r Ref) (t tape) {
		if r != None {
			t = c.tape([]Ref{r})
		}
		return t
	}
	for _, e := range s.Model.Events {
		var et eventTape
		et.delay, et.priority = some(e.Delay), some(e.Priority)
		var values, scales []Ref
		for _, a := range e.Assign {
			values = append(values, a.Value)
			if a.Scale != None {
				scales = append(scales, a.Scale)
			}
		}
		et.values, et.scales = c.tape(values), c.tape(scales)
		s.events = append(s.events, et)
	}
}

// discreteNodes lists the nodes that jump, in the rates and in the triggers;
// operands come first.
func (m *Model) discreteNodes() (out []Ref) {
	roots := append([]Ref(nil), m.deriv...)
	for _, e := range m.Events {
		roots = append(roots, e.Trigger)
	}
	m.g.reach(roots, func(id Ref) {
		if o := m.g.nodes[id].op; o.discrete() && o != Rem {
			out = append(out, id)
		}
		if n := m.g.nodes[id]; n.op == Rem { // a - b·trunc(a/b) jumps where its quotient does
			out = append(out, m.g.binary(Quot, n.a, n.b))
		}
	})
	return out
}

// addCrossing appends the difference behind a comparison, and its rate where it
// is linear in time alone, so that the time it changes is known beforehand.
func (s *System) addCrossing(g *graph, id Ref, sides []Ref) []Ref {
	n := g.nodes[id]
	c := crossing{-1, -1}
	if n.op >= Lt && n.op <= Ne {
		d := g.binary(Sub, n.a, n.b)
		c.diff = len(sides)
		sides = append(sides, d)
		if rate, ok := g.timeSlope(d); ok {
			c.rate = len(sides)
			sides = append(sides, rate)
		}
	}
	s.crosses = append(s.crosses, c)
	return sides
}

// timeSlope is the rate of an expression that is linear in time and otherwise
// depends on parameters and inputs only.
func (g *graph) timeSlope(id Ref) (Ref, bool) {
	if len(g.states(id)) > 0 {
		return None, false
	}
	rate := g.diff(id, opTime, 0)
	timed := !g.isConst(rate, 0)
	g.reach([]Ref{rate}, func(x Ref) {
		if o := g.nodes[x].op; o == opTime || o == opDelay || o == opMode {
			timed = false
		}
	})
	g.reach([]Ref{id}, func(x Ref) {
		if o := g.nodes[x].op; o == opDelay || o.discrete() {
			timed = false
		}
	})
	return rate, timed
}
