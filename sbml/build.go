package sbml

import (
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/formula"
	"github.com/myoaxis/myoaxis/kinetics"
)

// Built is a model ready to run. Its outputs are named by the ids of the
// model's symbols; a species has two, its amount "S" and its concentration
// "[S]".
type Built struct {
	K   *kinetics.Model
	Sys *kinetics.System
	// Constraints are the outputs that must hold (1) while the model is run.
	Constraints []int
}

// Output returns the place of an output, -1 where there is none.
func (b *Built) Output(name string) int {
	for i, o := range b.K.Outputs {
		if o.Name == name {
			return i
		}
	}
	return -1
}

// symbolKind is what an id stands for.
type symbolKind uint8

const (
	compartmentSymbol symbolKind = iota
	speciesSymbol
	parameterSymbol
	referenceSymbol
	reactionSymbol
)

// symbol is anything with a value. The value of a species is what its id means
// in formulas: concentration, or amount where hasOnlySubstanceUnits.
type symbol struct {
	kind        symbolKind
	base        *Base
	constant    bool
	start       float64 // start value (of a species: amount) as set in the file
	conc        float64 // start concentration as set in the file
	species     *Species
	compartment *symbol // of a species, where the value is a concentration
	reaction    *Reaction
	ref         *SpeciesRef
	assignment  *Rule
	rate        *Rule
	initial     *InitialAssignment
	reacting    bool // a reaction changes it
	unknown     bool // an algebraic rule fixes it
	assigned    bool // an event changes it

	state, param int
	value        [3]cell // by phase
	derivative   cell
}

// cell is an expression made on demand; busy finds circles.
type cell struct {
	ref        kinetics.Ref
	done, busy bool
}

// builder turns a flat model into kinetics.
type builder struct {
	m         *Model
	k         *kinetics.Model
	ids       map[string]*symbol
	order     []*symbol
	functions map[string]*Function
	locals    map[*Reaction]map[string]kinetics.Ref
	delays    []delayed
	delayRefs map[*formula.Expr]kinetics.Ref
	unknowns  map[string]int // algebraic rules by the variable they fix
	// solved are the unknowns that could be eliminated, in the run and at the
	// start; nonlinear the others.
	solved, solvedBegin map[kinetics.Ref]kinetics.Ref
	nonlinear           []*symbol
}

type delayed struct {
	index int
	e     *formula.Expr
	env   env
}

// Build compiles a flat model (see Document.Flat).
func Build(m *Model) (*Built, error) {
	unknowns, err := matchAlgebraic(m)
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(m, unknowns)
	if err != nil {
		return nil, err
	}
	residuals, err := b.algebraic()
	if err != nil {
		return nil, err
	}
	if err := b.rates(); err != nil {
		return nil, err
	}
	if err := b.starts(); err != nil {
		return nil, err
	}
	if err := b.events(); err != nil {
		return nil, err
	}
	out := &Built{K: b.k}
	if err := b.outputs(out); err != nil {
		return nil, err
	}
	if err := b.fillDelays(); err != nil {
		return nil, err
	}
	b.finish(residuals)
	if err := b.missing(); err != nil {
		return nil, err
	}
	out.Sys = kinetics.Compile(b.k)
	return out, nil
}

func newBuilder(m *Model, unknowns map[string]int) (*builder, error) {
	b := &builder{m: m, k: kinetics.NewModel(), ids: map[string]*symbol{}, functions: map[string]*Function{}, locals: map[*Reaction]map[string]kinetics.Ref{},
		delayRefs: map[*formula.Expr]kinetics.Ref{}, unknowns: unknowns, solved: map[kinetics.Ref]kinetics.Ref{}, solvedBegin: map[kinetics.Ref]kinetics.Ref{}}
	for _, f := range m.Functions {
		b.functions[f.ID] = f
	}
	if err := b.collect(); err != nil {
		return nil, err
	}
	if err := b.classify(); err != nil {
		return nil, err
	}
	for id := range unknowns {
		b.ids[id].unknown = true
	}
	for _, s := range b.order {
		b.allocate(s)
	}
	for _, r := range m.Reactions {
		b.localParams(r)
	}
	return b, nil
}

func (b *builder) enter(id string, s *symbol) error {
	s.state, s.param = -1, -1
	if id != "" {
		if _, twice := b.ids[id]; twice {
			return invalid(s.base, id, "the id stands for two things")
		}
		b.ids[id] = s
	}
	b.order = append(b.order, s)
	return nil
}

// collect enters every symbol of the model.
func (b *builder) collect() error {
	for _, c := range b.m.Compartments {
		if err := b.enter(c.ID, &symbol{kind: compartmentSymbol, base: &c.Base, constant: c.Constant, start: c.Size, conc: math.NaN()}); err != nil {
			return err
		}
	}
	for _, s := range b.m.Species {
		c, ok := b.ids[s.Compartment]
		if !ok || c.kind != compartmentSymbol {
			return invalid(&s.Base, s.ID, "there is no compartment %q", s.Compartment)
		}
		x := &symbol{kind: speciesSymbol, base: &s.Base, constant: s.Constant, start: s.InitialAmount, conc: s.InitialConcentration, species: s, compartment: c}
		if s.HasOnlySubstanceUnits || b.m.dimensionless(s) {
			x.compartment = nil
		}
		if err := b.enter(s.ID, x); err != nil {
			return err
		}
	}
	for _, p := range b.m.Parameters {
		if err := b.enter(p.ID, &symbol{kind: parameterSymbol, base: &p.Base, constant: p.Constant, start: p.Value, conc: math.NaN()}); err != nil {
			return err
		}
	}
	for _, r := range b.m.Reactions {
		if err := b.enter(r.ID, &symbol{kind: reactionSymbol, base: &r.Base, reaction: r}); err != nil {
			return err
		}
		for _, l := range [][]*SpeciesRef{r.Reactants, r.Products} {
			for _, ref := range l {
				if ref.ID == "" {
					continue
				}
				if err := b.enter(ref.ID, &symbol{kind: referenceSymbol, base: &ref.Base, constant: ref.Constant, start: ref.Stoichiometry, conc: math.NaN(), ref: ref}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// dimensionless tells whether a species sits in a point without a size, or in
// one of Levels 1 and 2, where there is no concentration.
func (m *Model) dimensionless(s *Species) bool {
	for _, c := range m.Compartments {
		if c.ID == s.Compartment && c.Dimensions == 0 {
			return m.Level < 3 || math.IsNaN(c.Size) && !m.setsVariable(c.ID)
		}
	}
	return false
}

// setsVariable tells whether a rule, an initial assignment or an event gives
// an id its value.
func (m *Model) setsVariable(id string) bool {
	return slices.ContainsFunc(m.Rules, func(r *Rule) bool { return r.Variable == id || r.Kind == Algebraic }) ||
		slices.ContainsFunc(m.Initial, func(i *InitialAssignment) bool { return i.Symbol == id }) ||
		slices.ContainsFunc(m.Events, func(e *Event) bool {
			return slices.ContainsFunc(e.Assignments, func(a *EventAssignment) bool { return a.Variable == id })
		})
}

// variable is a symbol that a rule, initial assignment or event may set.
func (b *builder) variable(at *Base, id string) (*symbol, error) {
	s, ok := b.ids[id]
	if !ok || s.kind == reactionSymbol {
		return nil, invalid(at, id, "there is no variable %q", id)
	}
	return s, nil
}

// classify notes what changes each symbol.
func (b *builder) classify() error {
	for _, r := range b.m.Rules {
		if r.Kind == Algebraic || r.Math == nil {
			continue
		}
		s, err := b.variable(&r.Base, r.Variable)
		if err != nil {
			return err
		}
		if s.assignment != nil || s.rate != nil {
			return invalid(&r.Base, r.Variable, "two rules set it")
		}
		if s.constant {
			return invalid(&r.Base, r.Variable, "a rule sets what is constant")
		}
		if r.Kind == Rate {
			s.rate = r
		} else {
			s.assignment = r
		}
	}
	for _, i := range b.m.Initial {
		if i.Math == nil {
			continue
		}
		s, err := b.variable(&i.Base, i.Symbol)
		if err != nil {
			return err
		}
		if s.initial != nil {
			return invalid(&i.Base, i.Symbol, "two initial assignments set it")
		}
		if s.assignment != nil {
			return invalid(&i.Base, i.Symbol, "both an initial assignment and an assignment rule set it")
		}
		s.initial = i
	}
	for _, r := range b.m.Reactions {
		for _, l := range [][]*SpeciesRef{r.Reactants, r.Products} {
			for _, ref := range l {
				s, ok := b.ids[ref.Species]
				if !ok || s.kind != speciesSymbol {
					return invalid(&ref.Base, r.ID, "there is no species %q", ref.Species)
				}
				if s.species.Boundary || s.constant {
					continue
				}
				if s.assignment != nil || s.rate != nil {
					return invalid(&ref.Base, ref.Species, "both a rule and the reaction %s change it", r.ID).WithHint("a species set by a rule needs boundaryCondition true")
				}
				s.reacting = true
			}
		}
	}
	for _, e := range b.m.Events {
		for _, a := range e.Assignments {
			if a.Math == nil {
				continue
			}
			s, err := b.variable(&a.Base, a.Variable)
			if err != nil {
				return err
			}
			if s.constant {
				return invalid(&a.Base, a.Variable, "an event sets what is constant")
			}
			if s.assignment != nil {
				return invalid(&a.Base, a.Variable, "both an assignment rule and an event set it")
			}
			s.assigned = true
		}
	}
	return nil
}

// allocate gives a symbol its state or parameter.
func (b *builder) allocate(s *symbol) {
	switch {
	case s.kind == reactionSymbol || s.assignment != nil:
	case s.rate != nil || s.reacting:
		b.k.AddState(kinetics.State{Name: s.base.ID, Init: s.start, Line: s.base.Line})
		s.state = len(b.k.States) - 1
	default:
		b.k.AddParam(kinetics.Param{Name: s.base.ID, Value: s.start, Line: s.base.Line})
		s.param = len(b.k.Params) - 1
	}
}

func (b *builder) localParams(r *Reaction) {
	if r.Law == nil {
		return
	}
	m := map[string]kinetics.Ref{}
	for _, p := range r.Law.Locals {
		m[p.ID] = b.k.AddParam(kinetics.Param{Name: r.ID + "." + p.ID, Value: p.Value, Line: p.Line})
	}
	b.locals[r] = m
}

// leaf is the state or parameter of a symbol; of a species, its amount.
func (b *builder) leaf(s *symbol) kinetics.Ref {
	if s.state >= 0 {
		return b.k.State(s.state)
	}
	return b.k.ParamRef(s.param)
}

// demand makes a cell once; place and what describe a circle.
func demand(c *cell, at *Base, what string, f func() (kinetics.Ref, error)) (kinetics.Ref, error) {
	if c.done {
		return c.ref, nil
	}
	if c.busy {
		return kinetics.None, invalid(at, at.ID, "%s depends on itself", what)
	}
	c.busy = true
	r, err := f()
	c.busy = false
	if err == nil {
		c.ref, c.done = r, true
	}
	return r, err
}

// phase is when an expression is evaluated: while the model runs, at its
// start, or in the past before the start, which only delays look at.
type phase uint8

const (
	running phase = iota
	starting
	past
)

// valueOf is what the id of a symbol means in formulas.
func (b *builder) valueOf(s *symbol, ph phase) (kinetics.Ref, error) {
	return demand(&s.value[ph], s.base, "its value", func() (kinetics.Ref, error) {
		e := env{b: b, phase: ph}
		switch {
		case s.kind == reactionSymbol:
			return b.law(s.reaction, ph)
		case s.assignment != nil:
			return e.expr(s.assignment.Math)
		case ph != running && s.initial != nil:
			return e.expr(s.initial.Math)
		case s.kind == speciesSymbol:
			return b.speciesValue(s, ph)
		case s.kind == referenceSymbol && s.ref.Math != nil:
			return e.expr(s.ref.Math)
		}
		return b.leaf(s), nil
	})
}

// speciesValue is amount over size, or the amount alone.
func (b *builder) speciesValue(s *symbol, ph phase) (kinetics.Ref, error) {
	if ph != running && !math.IsNaN(s.conc) {
		c := b.k.Const(s.conc)
		if s.compartment != nil || b.m.dimensionless(s.species) {
			return c, nil
		}
		v, err := b.valueOf(b.ids[s.species.Compartment], ph)
		return b.k.Op(kinetics.Mul, c, v), err
	}
	if s.compartment == nil {
		return b.leaf(s), nil
	}
	v, err := b.valueOf(s.compartment, ph)
	if err != nil {
		return kinetics.None, err
	}
	return b.k.Op(kinetics.Div, b.leaf(s), v), nil
}

// amountOf is the amount of a species.
func (b *builder) amountOf(s *symbol, ph phase) (kinetics.Ref, error) {
	if ph == running && s.assignment == nil {
		return b.leaf(s), nil
	}
	v, err := b.valueOf(s, ph)
	if err != nil || s.compartment == nil {
		return v, err
	}
	size, err := b.valueOf(s.compartment, ph)
	if err != nil {
		return kinetics.None, err
	}
	return b.k.Op(kinetics.Mul, v, size), nil
}

func (b *builder) law(r *Reaction, ph phase) (kinetics.Ref, error) {
	if r.Law == nil || r.Law.Math == nil {
		return b.k.Const(0), nil
	}
	return env{b: b, phase: ph, names: b.locals[r]}.expr(r.Law.Math)
}

// stoichiometry of a species reference, as it is now.
func (b *builder) stoichiometry(r *SpeciesRef) (kinetics.Ref, error) {
	if r.ID != "" {
		return b.valueOf(b.ids[r.ID], running)
	}
	if r.Math != nil {
		return env{b: b}.expr(r.Math)
	}
	if math.IsNaN(r.Stoichiometry) {
		return kinetics.None, invalid(&r.Base, r.Species, "its stoichiometry has no value")
	}
	return b.k.Const(r.Stoichiometry), nil
}

// conversion is the factor from extent to the substance of a species.
func (b *builder) conversion(s *symbol) (kinetics.Ref, error) {
	id := s.species.ConversionFactor
	if id == "" {
		id = b.m.ConversionFactor
	}
	if id == "" {
		return b.k.Const(1), nil
	}
	f, err := b.variable(s.base, id)
	if err != nil {
		return kinetics.None, err
	}
	return b.valueOf(f, running)
}
