package sbml

import (
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/kinetics"
)

// rateOf is the derivative in time of what the id of a symbol means.
func (b *builder) rateOf(s *symbol) (kinetics.Ref, error) {
	if s.state < 0 && s.assignment == nil && s.kind != reactionSymbol && !s.unknown && s.compartment == nil {
		return b.k.Const(0), nil
	}
	v, err := b.valueOf(s, running)
	if err != nil {
		return kinetics.None, err
	}
	return b.totalRate(s.base, v)
}

// totalRate differentiates an expression along the solution.
func (b *builder) totalRate(at *Base, v kinetics.Ref) (kinetics.Ref, error) {
	v = b.k.Substitute(v, map[kinetics.Ref]kinetics.Ref{}, b.solved)
	var failed error
	total, ok := b.k.TotalRate(v, func(state int) (kinetics.Ref, bool) {
		for _, s := range b.order {
			if s.state == state {
				d, err := b.stateRate(s)
				failed = err
				return d, err == nil
			}
		}
		return kinetics.None, false
	})
	if failed != nil {
		return kinetics.None, failed
	}
	free := true
	b.k.Leaves(v, func(int) {}, func(p int) {
		for _, s := range b.order {
			free = free && (s.param != p || !s.unknown)
		}
	}, func(int) {})
	if !ok || !free {
		return kinetics.None, unsupported(at, at.ID, "its rate of change is not known: it depends on a delay or an algebraic rule")
	}
	return total, nil
}

// stateRate is the derivative of a state: of a species, that of its amount.
func (b *builder) stateRate(s *symbol) (kinetics.Ref, error) {
	return demand(&s.derivative, s.base, "its rate", func() (kinetics.Ref, error) {
		if s.rate == nil {
			return b.reactionRate(s, 1)
		}
		f, err := env{b: b}.expr(s.rate.Math)
		if err != nil || s.compartment == nil {
			return f, err
		}
		// the rule gives the rate of the concentration: n' = c'·V + c·V'
		v, err := b.valueOf(s.compartment, running)
		if err != nil {
			return kinetics.None, err
		}
		dv, err := b.rateOf(s.compartment)
		if err != nil {
			return kinetics.None, err
		}
		c := b.k.Op(kinetics.Div, b.leaf(s), v)
		return b.k.Op(kinetics.Add, b.k.Op(kinetics.Mul, f, v), b.k.Op(kinetics.Mul, c, dv)), nil
	})
}

// fastFactor multiplies the rates of fast reactions, which SBML takes to be
// infinitely fast: they stay within about 1e-12 of their equilibrium, relative
// to the ratio of slow to fast rates, and runs begin at the equilibrium
// (relaxations).
const fastFactor = 1e12

// reactionRate sums over the reactions; slow multiplies those that are not
// fast.
func (b *builder) reactionRate(s *symbol, slow float64) (kinetics.Ref, error) {
	sum := b.k.Const(0)
	for _, r := range b.m.Reactions {
		factor := slow
		if r.Fast && slow > 0 {
			factor = fastFactor
		} else if r.Fast {
			factor = 1
		}
		for side, l := range [][]*SpeciesRef{r.Reactants, r.Products} {
			for _, ref := range l {
				if ref.Species != s.base.ID {
					continue
				}
				v, err := b.valueOf(b.reactionSymbol(r), running)
				if err != nil {
					return kinetics.None, err
				}
				n, err := b.stoichiometry(ref)
				if err != nil {
					return kinetics.None, err
				}
				v = b.k.Op(kinetics.Mul, b.k.Const(factor), v)
				sum = b.k.Op([]kinetics.Op{kinetics.Sub, kinetics.Add}[side], sum, b.k.Op(kinetics.Mul, n, v))
			}
		}
	}
	f, err := b.conversion(s)
	return b.k.Op(kinetics.Mul, f, sum), err
}

// relaxations gives the model the rates of its fast reactions alone.
func (b *builder) relaxations() error {
	if !slices.ContainsFunc(b.m.Reactions, func(r *Reaction) bool { return r.Fast }) {
		return nil
	}
	rates := make([]kinetics.Ref, len(b.k.States))
	for _, s := range b.order {
		if s.state < 0 {
			continue
		}
		rates[s.state] = b.k.Const(0)
		if s.rate == nil {
			var err error
			if rates[s.state], err = b.reactionRate(s, 0); err != nil {
				return err
			}
		}
	}
	b.k.SetRelaxation(rates)
	return nil
}

func (b *builder) reactionSymbol(r *Reaction) *symbol {
	for _, s := range b.order {
		if s.reaction == r {
			return s
		}
	}
	panic("sbml: a reaction without symbol")
}

// rates sets the derivative of every state.
func (b *builder) rates() error {
	for _, s := range b.order {
		if s.state < 0 {
			continue
		}
		d, err := b.stateRate(s)
		if err != nil {
			return err
		}
		b.k.SetRate(s.state, d)
	}
	return b.relaxations()
}

// starts sets start values that are computed.
func (b *builder) starts() error {
	for _, s := range b.order {
		if s.kind == reactionSymbol || s.assignment != nil || s.initial == nil && math.IsNaN(s.conc) {
			continue
		}
		v, err := b.amountOrValue(s)
		if err != nil {
			return err
		}
		if s.state >= 0 {
			b.k.SetStateInitial(s.state, v)
		} else {
			b.k.SetParamInitial(s.param, v)
		}
	}
	return nil
}

func (b *builder) events() error {
	for _, e := range b.m.Events {
		if e.Trigger == nil {
			continue
		}
		k := kinetics.Event{Name: e.ID, Initial: e.TriggerInitial, Persistent: e.Persistent, FromTrigger: e.UseValuesFromTriggerTime, Delay: kinetics.None, Priority: kinetics.None}
		if k.Name == "" {
			k.Name = e.Name
		}
		var err error
		if k.Trigger, err = (env{b: b}).expr(e.Trigger); err != nil {
			return err
		}
		if e.Delay != nil {
			if k.Delay, err = (env{b: b}).expr(e.Delay); err != nil {
				return err
			}
		}
		if e.Priority != nil {
			if k.Priority, err = (env{b: b}).expr(e.Priority); err != nil {
				return err
			}
		}
		for _, a := range e.Assignments {
			if a.Math == nil {
				continue
			}
			s := b.ids[a.Variable]
			x := kinetics.Assignment{State: s.state, Param: s.param, Scale: kinetics.None}
			if x.Value, err = (env{b: b}).expr(a.Math); err != nil {
				return err
			}
			if s.compartment != nil {
				if x.Scale, err = b.valueOf(s.compartment, running); err != nil {
					return err
				}
			}
			k.Assign = append(k.Assign, x)
		}
		b.k.Events = append(b.k.Events, k)
	}
	return nil
}

// outputs makes every symbol an output.
func (b *builder) outputs(out *Built) error {
	for _, s := range b.order {
		if s.base.ID == "" {
			continue
		}
		v, err := b.valueOf(s, running)
		if err != nil {
			return err
		}
		if s.kind != speciesSymbol {
			b.k.AddOutput(kinetics.Output{Name: s.base.ID}, v)
			continue
		}
		amount, err := b.amountOf(s, running)
		if err != nil {
			return err
		}
		b.k.AddOutput(kinetics.Output{Name: s.base.ID}, amount)
		if s.compartment == nil {
			v = amount
			if !b.m.dimensionless(s.species) {
				size, err := b.valueOf(b.ids[s.species.Compartment], running)
				if err != nil {
					return err
				}
				v = b.k.Op(kinetics.Div, amount, size)
			}
		}
		b.k.AddOutput(kinetics.Output{Name: "[" + s.base.ID + "]"}, v)
	}
	for _, c := range b.m.Constraints {
		if c.Math == nil {
			continue
		}
		v, err := env{b: b}.expr(c.Math)
		if err != nil {
			return err
		}
		out.Constraints = append(out.Constraints, len(b.k.Outputs))
		b.k.AddOutput(kinetics.Output{Name: "constraint " + c.ID}, v)
	}
	return nil
}

// fillDelays builds the delayed expressions once everything has a value; they
// may add more of them.
func (b *builder) fillDelays() error {
	for i := 0; i < len(b.delays); i++ {
		d := b.delays[i]
		x, err := d.env.expr(d.e.Args[0])
		if err != nil {
			return err
		}
		before := d.env
		before.phase = past
		past, err := before.expr(d.e.Args[0])
		if err != nil {
			return err
		}
		tau, err := d.env.expr(d.e.Args[1])
		if err != nil {
			return err
		}
		b.k.SetDelay(d.index, x, past, tau)
	}
	return nil
}

// missing reports parameters without a value that something reads.
func (b *builder) missing() error {
	used := make([]bool, len(b.k.Params))
	b.k.Used(used)
	set := map[int]bool{}
	for _, s := range b.order {
		if s.param >= 0 && (s.initial != nil || !math.IsNaN(s.conc) || s.assigned || s.unknown) {
			set[s.param] = true
		}
	}
	for i, p := range b.k.Params {
		if used[i] && math.IsNaN(p.Value) && !set[i] {
			return invalid(&Base{Line: p.Line, Col: 1}, p.Name, "it is used but has no value").WithHint("set a value, an initial assignment or a rule")
		}
	}
	return nil
}
