package kinetics

import (
	"errors"
	"slices"
)

// ErrNoSensitivities refuses forward sensitivities of models that remember, that
// have algebraic equations, or that jump in ways which are not followed.
var ErrNoSensitivities = errors.New("forward sensitivities are not supported for models with delays, algebraic rules, fast reactions, rates that jump at times which depend on the state or on a chosen parameter, or events at such times that are more than one comparison, are delayed or can set one another off")

// Sensitivities returns the model with the forward sensitivity equations of its
// states in some parameters and in the start values of some states:
//
//	s' = ∂f/∂y·s + ∂f/∂p,  s(t0) = ∂y0/∂p
//
// (Dickinson & Gelinas 1976). Its outputs are those of the model and, behind
// them, the derivative of every output in every parameter and start value, by
// output first, named dOUT/dPARAM. Solvers factorise the Jacobian of the model
// once for all of them. Events and jumps of rates at fixed times are followed:
// an assignment y := h(y, p) sets s := ∂h/∂y·s + ∂h/∂p. So are events whose one
// comparison g(t, y, p) = 0 moves: with dt/dp = -(∂g/∂y·s + ∂g/∂p)/(∂g/∂y·f + ∂g/∂t),
// s := ∂h/∂y·(s + f⁻·dt/dp) + ∂h/∂p + ∂h/∂t·dt/dp - f⁺·dt/dp (Rozenvasser 1967).
func (m *Model) Sensitivities(params, states []int) (*Model, error) {
	if len(m.delays) > 0 || m.Mass != nil || m.relax != nil {
		return nil, ErrNoSensitivities
	}
	g := m.g
	a := &Model{Params: m.Params, Inputs: m.Inputs, States: append([]State(nil), m.States...), g: g, names: m.names, deriv: append([]Ref(nil), m.deriv...), rates: append([]bool(nil), m.rates...)}
	if err := a.startParams(m); err != nil {
		return nil, err
	}
	n := len(m.States)
	a.blocks = len(params) + len(states)
	names := make([]string, 0, a.blocks)
	for _, p := range params {
		names = append(names, m.Params[p].Name)
	}
	for _, s := range states {
		names = append(names, m.States[s].Name)
	}
	seed := func(k int, r Ref) Ref { // the direct part of a derivative
		if k < len(params) {
			return g.diff(r, opParam, params[k])
		}
		return g.constant(0)
	}
	begin := map[int]Ref{} // start values that are computed
	for _, i := range a.initials {
		if i.state >= 0 {
			begin[i.state] = i.expr
		}
	}
	for k, name := range names {
		for i, s := range m.States {
			a.AddState(State{Name: "d" + s.Name + "/d" + name})
			start := g.constant(0)
			if k >= len(params) {
				start = g.constant(truth(states[k-len(params)] == i))
			} else if b, ok := begin[i]; ok {
				start = seed(k, b)
			}
			a.SetStateInitial(n+k*n+i, start)
		}
	}
	for k := range names {
		for i, d := range a.deriv[:n] {
			a.SetRate(n+k*n+i, a.chain(d, seed(k, d), n, k))
		}
	}
	if err := a.jumps(m, params, seed); err != nil {
		return nil, err
	}
	for _, o := range m.Outputs {
		a.Outputs = append(a.Outputs, Output{o.Name, o.Unit, o.Meaning, a.swapped(o.expr)})
	}
	for _, o := range a.Outputs[:len(m.Outputs):len(m.Outputs)] {
		for k, name := range names {
			a.AddOutput(Output{Name: "d" + o.Name + "/d" + name}, a.chain(o.expr, seed(k, o.expr), n, k))
		}
	}
	return a, nil
}

// jumps takes over the events of a model, with assignments of the sensitivities
// beside those of the states.
func (m *Model) jumps(from *Model, params []int, seed func(k int, r Ref) Ref) error {
	n := len(from.States)
	var moving []int
	for _, e := range from.Events {
		e.Trigger, e.Assign = m.swapped(e.Trigger), append([]Assignment(nil), e.Assign...)
		for _, r := range []*Ref{&e.Delay, &e.Priority} {
			if *r == None {
				continue
			}
			if *r = m.swapped(*r); !m.fixed(*r, params) {
				return ErrNoSensitivities
			}
		}
		for i := range e.Assign {
			x := &e.Assign[i]
			x.Value = m.swapped(x.Value)
			if x.State < 0 { // a counter or a switch
				if slices.Contains(params, x.Param) || !m.fixed(x.Value, params) {
					return ErrNoSensitivities
				}
				continue
			}
			if x.Scale != None { // one product, so that it can be differentiated
				x.Value, x.Scale = m.g.binary(Mul, x.Value, m.swapped(x.Scale)), None
			}
		}
		switch {
		case m.fixed(e.Trigger, params):
			for _, x := range e.Assign[:len(e.Assign):len(e.Assign)] {
				if x.State < 0 {
					continue
				}
				for k := range m.blocks {
					e.Assign = append(e.Assign, Assignment{State: n + k*n + x.State, Param: -1, Value: m.chain(x.Value, seed(k, x.Value), n, k), Scale: None})
				}
			}
		case !m.moves(&e, n, seed):
			return ErrNoSensitivities
		default:
			moving = append(moving, len(m.Events))
		}
		m.Events = append(m.Events, e)
	}
	return m.followable(moving, params, n)
}

// moves adds to an event whose time depends on the state the jumps of all
// sensitivities; false where it is not one undelayed comparison.
func (m *Model) moves(e *Event, n int, seed func(k int, r Ref) Ref) bool {
	g := m.g
	t := g.nodes[e.Trigger]
	if t.op < Lt || t.op > Ge || e.Delay != None || !e.Initial {
		return false
	}
	side := g.binary(Sub, t.a, t.b)
	after := map[Ref]Ref{} // states as the event leaves them
	value := make([]Ref, n)
	for i := range value {
		value[i] = g.leaf(opState, i)
	}
	for _, x := range e.Assign {
		if x.State < 0 {
			return false
		}
		value[x.State] = x.Value
		after[g.leaf(opState, x.State)] = x.Value
	}
	memo := map[Ref]Ref{}
	along := func(r Ref) Ref { // the derivative along the solution before the event
		d, _ := m.TotalRate(r, func(s int) (Ref, bool) { return m.deriv[s], true }) // there are no delays
		return d
	}
	speed := along(side)
	for k := range m.blocks {
		dt := g.unary(Neg, g.binary(Div, m.chain(side, seed(k, side), n, k), speed))
		for i, h := range value {
			jump := g.binary(Mul, dt, g.binary(Sub, along(h), m.Substitute(m.deriv[i], memo, after)))
			e.Assign = append(e.Assign, Assignment{State: n + k*n + i, Param: -1, Value: g.binary(Add, m.chain(h, seed(k, h), n, k), jump), Scale: None})
		}
	}
	return true
}

// followable checks that what jumps does so at fixed times or by one of the
// moving events, and that no event can set a moving one off.
func (m *Model) followable(moving, params []int, n int) error {
	trigger := map[Ref]bool{}
	for _, k := range moving {
		e := &m.Events[k]
		trigger[e.Trigger] = true
		reads := map[int]bool{}
		m.Leaves(e.Trigger, func(s int) { reads[s] = true }, func(p int) { reads[-1-p] = true }, func(int) {})
		for other := range m.Events {
			for _, x := range m.Events[other].Assign {
				if other != k && (x.State >= 0 && reads[x.State] || x.State < 0 && reads[-1-x.Param]) {
					return ErrNoSensitivities
				}
			}
		}
	}
	inRates := map[Ref]bool{}
	m.g.reach(m.deriv[:n], func(id Ref) { inRates[id] = true })
	for _, id := range m.discreteNodes() {
		if !m.fixed(id, params) && (inRates[id] || !trigger[id]) {
			return ErrNoSensitivities
		}
	}
	return nil
}

// fixed tells whether an expression depends on neither a state nor one of the
// parameters.
func (m *Model) fixed(r Ref, params []int) bool {
	ok := true
	m.Leaves(r, func(int) { ok = false }, func(p int) { ok = ok && !slices.Contains(params, p) }, func(int) { ok = false })
	return ok
}

// chain is direct + Σ ∂r/∂y_j·s_j for block k.
func (m *Model) chain(r, direct Ref, n, k int) Ref {
	sum := direct
	for _, j := range append([]int32(nil), m.g.states(r)...) {
		if d := m.g.diff(r, opState, int(j)); !m.g.isConst(d, 0) {
			sum = m.g.binary(Add, sum, m.g.binary(Mul, d, m.g.leaf(opState, n+k*n+int(j))))
		}
	}
	return sum
}

// startParams puts parameters that are computed at the start from others into
// the rates, so that derivatives go through them.
func (m *Model) startParams(from *Model) error {
	m.swap = map[Ref]Ref{}
	for _, i := range from.initials {
		if i.param < 0 {
			continue
		}
		pure := true
		m.Leaves(i.expr, func(int) { pure = false }, func(int) {}, func(int) { pure = false })
		m.g.reach([]Ref{i.expr}, func(id Ref) { pure = pure && m.g.nodes[id].op != opTime })
		if !pure {
			return ErrNoSensitivities
		}
		m.swap[m.g.leaf(opParam, i.param)] = i.expr
	}
	for i, d := range m.deriv {
		m.deriv[i] = m.swapped(d)
	}
	for _, i := range from.initials {
		if i.state >= 0 {
			m.initials = append(m.initials, initial{i.state, -1, m.swapped(i.expr)})
		}
	}
	return nil
}

func (m *Model) swapped(r Ref) Ref { return m.Substitute(r, map[Ref]Ref{}, m.swap) }
