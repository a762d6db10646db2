package kinetics

// MassEntry is one entry of the mass matrix.
type MassEntry struct {
	Row, Col int
	V        float64
}

// Event changes states and parameters when its trigger turns from false to
// true (SBML Level 3 Version 2, 4.11).
type Event struct {
	Name    string
	Trigger Ref
	// Initial is the value the trigger is taken to have had before the start.
	Initial bool
	// Persistent keeps a waiting event although its trigger turned false.
	Persistent bool
	// Delay and Priority may be None.
	Delay, Priority Ref
	// FromTrigger computes the assigned values when the event is triggered, not
	// when it is executed.
	FromTrigger bool
	Assign      []Assignment
}

// Assignment sets a state or a parameter (the other is -1). The value is
// multiplied by Scale as it stands when the event is executed, before any of its
// assignments; Scale may be None.
type Assignment struct {
	State, Param int
	Value, Scale Ref
}

// delay is the value of x at t - tau. Before the start of a run, before is
// taken in place of x.
type delay struct{ x, before, tau Ref }

// initial sets a state or a parameter at the start of a run.
type initial struct {
	state, param int
	expr         Ref
}

// NewModel returns an empty model.
func NewModel() *Model { return &Model{g: newGraph(), names: map[string]Ref{}} }

// AddParam adds a parameter and returns its expression.
func (m *Model) AddParam(p Param) Ref {
	m.Params = append(m.Params, p)
	return m.g.leaf(opParam, len(m.Params)-1)
}

// AddState adds a state and returns its expression; its rate is 0 until
// SetRate.
func (m *Model) AddState(s State) Ref {
	m.States = append(m.States, s)
	m.deriv = append(m.deriv, m.g.constant(0))
	m.rates = append(m.rates, false)
	return m.g.leaf(opState, len(m.States)-1)
}

// SetRate sets the right-hand side of a state's row.
func (m *Model) SetRate(state int, r Ref) { m.deriv[state], m.rates[state] = r, true }

// Rate returns the right-hand side of a state's row.
func (m *Model) Rate(state int) Ref { return m.deriv[state] }

// AddOutput adds a quantity computed from states, parameters and time.
func (m *Model) AddOutput(o Output, r Ref) {
	o.expr = r
	m.Outputs = append(m.Outputs, o)
}

// SetStateInitial and SetParamInitial give a state or parameter a start value
// computed from the plain start values of the others.
func (m *Model) SetStateInitial(state int, r Ref) {
	m.initials = append(m.initials, initial{state, -1, r})
}

// SetParamInitial: see SetStateInitial.
func (m *Model) SetParamInitial(param int, r Ref) {
	m.initials = append(m.initials, initial{-1, param, r})
}

// Const, Time and Op build expressions. Select takes the condition last; sums
// and products take two operands.
func (m *Model) Const(v float64) Ref { return m.g.constant(v) }

// Time is the time of the run.
func (m *Model) Time() Ref { return m.g.leaf(opTime, 0) }

// Op applies an operation.
func (m *Model) Op(o Op, args ...Ref) Ref {
	switch {
	case o == Select:
		return m.g.choose(args[2], args[0], args[1])
	case o.unary():
		return m.g.unary(o, args[0])
	}
	return m.g.binary(o, args[0], args[1])
}

// Value returns the value of a constant expression.
func (m *Model) Value(r Ref) (float64, bool) { return m.g.value(r) }

// Substitute replaces expressions in another one.
func (m *Model) Substitute(r Ref, memo map[Ref]Ref, swap map[Ref]Ref) Ref {
	return m.g.substitute(r, memo, func(id Ref) (Ref, bool) { v, ok := swap[id]; return v, ok })
}

// Leaves calls f for every state, parameter and delayed value of an expression.
func (m *Model) Leaves(r Ref, state, param, delayed func(int)) {
	m.g.reach([]Ref{r}, func(id Ref) {
		switch n := m.g.nodes[id]; n.op {
		case opState:
			state(int(n.a))
		case opParam:
			param(int(n.a))
		case opDelay:
			delayed(int(n.a))
		}
	})
}

// ByState and ByParam are partial derivatives; discrete parts count as held.
func (m *Model) ByState(r Ref, state int) Ref { return m.g.diff(r, opState, state) }

// ByParam: see ByState.
func (m *Model) ByParam(r Ref, param int) Ref { return m.g.diff(r, opParam, param) }

// TotalRate is the derivative of an expression in time along the solution,
// given the derivative of each state; delayed values make it impossible (ok is
// false).
func (m *Model) TotalRate(r Ref, rate func(state int) (Ref, bool)) (total Ref, ok bool) {
	total, ok = m.g.diff(r, opTime, 0), true
	m.Leaves(r, func(int) {}, func(int) {}, func(int) { ok = false })
	for _, s := range append([]int32(nil), m.g.states(r)...) {
		d := m.g.diff(r, opState, int(s))
		if m.g.isConst(d, 0) {
			continue
		}
		v, fine := rate(int(s))
		if !fine {
			return None, false
		}
		total = m.g.binary(Add, total, m.g.binary(Mul, d, v))
	}
	return total, ok
}

// State and ParamRef are the expressions of a state and a parameter.
func (m *Model) State(i int) Ref { return m.g.leaf(opState, i) }

// ParamRef: see State.
func (m *Model) ParamRef(i int) Ref { return m.g.leaf(opParam, i) }

// NewDelay makes a delayed value that SetDelay defines later.
func (m *Model) NewDelay() (Ref, int) {
	m.delays = append(m.delays, delay{None, None, None})
	return m.g.leaf(opDelay, len(m.delays)-1), len(m.delays) - 1
}

// SetDelay makes delayed value i to be x at the time t - tau; before the start
// of a run it is before, in which the time is negative.
func (m *Model) SetDelay(i int, x, before, tau Ref) {
	m.delays[i].x, m.delays[i].before, m.delays[i].tau = x, before, tau
}

// Rewrite replaces every expression of the model that is used while it runs;
// start values are passed to start.
func (m *Model) Rewrite(f, start func(Ref) Ref) {
	each := func(r *Ref) {
		if *r != None {
			*r = f(*r)
		}
	}
	for i := range m.deriv {
		each(&m.deriv[i])
	}
	for i := range m.relax {
		each(&m.relax[i])
	}
	for i := range m.Outputs {
		each(&m.Outputs[i].expr)
	}
	for i := range m.delays {
		each(&m.delays[i].x)
		each(&m.delays[i].tau)
		m.delays[i].before = start(m.delays[i].before)
	}
	for i := range m.initials {
		m.initials[i].expr = start(m.initials[i].expr)
	}
	for i := range m.Events {
		e := &m.Events[i]
		each(&e.Trigger)
		each(&e.Delay)
		each(&e.Priority)
		for k := range e.Assign {
			each(&e.Assign[k].Value)
			each(&e.Assign[k].Scale)
		}
	}
}

// Used marks the parameters that rates, start values and events read.
func (m *Model) Used(used []bool) {
	var roots []Ref
	add := func(r Ref) {
		if r != None {
			roots = append(roots, r)
		}
	}
	for _, r := range m.deriv {
		add(r)
	}
	for _, i := range m.initials {
		add(i.expr)
	}
	for _, d := range m.delays {
		add(d.x)
		add(d.tau)
	}
	for _, e := range m.Events {
		add(e.Trigger)
		add(e.Delay)
		add(e.Priority)
		for _, a := range e.Assign {
			add(a.Value)
			add(a.Scale)
		}
	}
	for _, r := range roots {
		m.Leaves(r, func(int) {}, func(p int) { used[p] = true }, func(int) {})
	}
}

// SetRelaxation gives each state the rate of the fast processes alone: a run
// carries them to their equilibrium at the start and after each event, before
// the algebraic equations hold them there.
func (m *Model) SetRelaxation(rates []Ref) { m.relax = rates }
