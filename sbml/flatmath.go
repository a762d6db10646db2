package sbml

import (
	"slices"

	"github.com/myoaxis/myoaxis/formula"
)

// convert puts the final ids into an instance and applies the conversion
// factors of its submodel and of those around it.
func (f *flattener) convert(i *instance) error {
	c := &converter{f: f, i: i, reactions: map[string]bool{}}
	for _, r := range i.m.Reactions {
		_, replaced := f.forward[&r.Base] // what replaces it is in the units of its own model
		c.reactions[r.ID] = !replaced
	}
	f.removeParts(i.m)
	for at := i; at.sub != nil; at = at.parent {
		if id := at.sub.TimeFactor; id != "" {
			c.time = append(c.time, f.symbolFor(at.parent, id))
		}
		if id := at.sub.ExtentFactor; id != "" {
			c.extent = append(c.extent, f.symbolFor(at.parent, id))
		}
	}
	c.model(i.m)
	return nil
}

// converter rewrites the formulas and references of one instance.
type converter struct {
	f            *flattener
	i            *instance
	time, extent []*formula.Expr
	reactions    map[string]bool
	locals       map[string]bool
	swaps        map[string]*formula.Expr // replaced local parameters of the reaction at hand
}

func times(x *formula.Expr, by []*formula.Expr) *formula.Expr {
	if len(by) == 0 || x == nil {
		return x
	}
	return formula.Op("times", append([]*formula.Expr{x}, by...)...)
}

func over(x *formula.Expr, by []*formula.Expr) *formula.Expr {
	for _, b := range by {
		if x != nil {
			x = formula.Op("divide", x, b)
		}
	}
	return x
}

// expr rewrites a formula: ids become final ones, the time is that of the
// whole, and rates of reactions are in its extent and time.
func (c *converter) expr(e *formula.Expr) *formula.Expr {
	if e == nil {
		return nil
	}
	if e.Kind == formula.Lambda {
		outer := c.locals
		c.locals = map[string]bool{}
		for _, a := range e.Args[:len(e.Args)-1] {
			c.locals[a.Name] = true
		}
		out := *e
		out.Args = append([]*formula.Expr(nil), e.Args...)
		out.Args[len(out.Args)-1] = c.expr(e.Args[len(e.Args)-1])
		c.locals = outer
		return &out
	}
	return c.rewrite(e)
}

func (c *converter) rewrite(e *formula.Expr) *formula.Expr {
	placed := func(x *formula.Expr) *formula.Expr {
		y := *x
		y.Line, y.Col = e.Line, e.Col
		return &y
	}
	switch e.Kind {
	case formula.Symbol:
		if c.locals[e.Name] {
			return e
		}
		if x, ok := c.swaps[e.Name]; ok {
			return placed(x)
		}
		x := c.f.symbolFor(c.i, e.Name)
		if c.reactions[e.Name] {
			x = over(times(x, c.time), c.extent)
		}
		return placed(x)
	case formula.Time:
		return placed(over(e, c.time))
	}
	out := *e
	out.Args = make([]*formula.Expr, len(e.Args))
	for k, a := range e.Args {
		out.Args[k] = c.expr(a)
	}
	switch {
	case e.Kind == formula.Call:
		out.Name = c.f.idFor(c.i, e.Name)
	case e.Kind == formula.Apply && e.Name == "delay":
		out.Args[1] = times(out.Args[1], c.time)
	case e.Kind == formula.Apply && e.Name == "rateOf":
		return c.rate(e, &out)
	}
	return &out
}

// rate keeps the id inside rateOf, and puts its factors outside.
func (c *converter) rate(e, out *formula.Expr) *formula.Expr {
	x := e.Args[0]
	if x.Kind != formula.Symbol || c.locals[x.Name] {
		return times(out, c.time)
	}
	out.Args[0] = formula.Sym(c.f.idFor(c.i, x.Name))
	return times(over(out, c.f.factorOf(c.i, x.Name)), c.time)
}

// model rewrites every reference of the instance's model, in place.
func (c *converter) model(m *Model) {
	id := func(s *string) { *s = c.f.idFor(c.i, *s) }
	unit := func(s *string) { *s = c.f.unitFor(c.i, *s) }
	for _, x := range m.Functions {
		x.Math = c.expr(x.Math)
	}
	for _, x := range m.Compartments {
		unit(&x.Units)
		id(&x.Outside)
	}
	for _, x := range m.Species {
		id(&x.Compartment)
		unit(&x.SubstanceUnits)
		if x.ConversionFactor == "" && c.i.sub != nil {
			x.ConversionFactor = m.ConversionFactor
		}
		id(&x.ConversionFactor)
	}
	for _, x := range m.Parameters {
		unit(&x.Units)
	}
	for _, x := range m.Initial {
		x.Math = times(c.expr(x.Math), c.f.factorOf(c.i, x.Symbol))
		id(&x.Symbol)
	}
	for _, x := range m.Rules {
		x.Math = c.expr(x.Math)
		if x.Kind == Rate {
			x.Math = over(x.Math, c.time)
		}
		if x.Variable != "" {
			x.Math = times(x.Math, c.f.factorOf(c.i, x.Variable))
			id(&x.Variable)
		}
	}
	for _, x := range m.Constraints {
		x.Math = c.expr(x.Math)
	}
	for _, x := range m.Reactions {
		c.reaction(x)
	}
	for _, x := range m.Events {
		x.Trigger, x.Priority = c.expr(x.Trigger), c.expr(x.Priority)
		x.Delay = times(c.expr(x.Delay), c.time)
		for _, a := range x.Assignments {
			a.Math = times(c.expr(a.Math), c.f.factorOf(c.i, a.Variable))
			id(&a.Variable)
		}
	}
}

func (c *converter) reaction(x *Reaction) {
	x.Compartment = c.f.idFor(c.i, x.Compartment)
	for _, l := range [][]*SpeciesRef{x.Reactants, x.Products, x.Modifiers} {
		for _, r := range l {
			r.Species = c.f.idFor(c.i, r.Species)
			r.Math = c.expr(r.Math)
		}
	}
	if x.Law == nil {
		return
	}
	c.locals, c.swaps = map[string]bool{}, map[string]*formula.Expr{}
	x.Law.Locals = slices.DeleteFunc(x.Law.Locals, func(p *Parameter) bool {
		t, factors := c.f.target(&p.Base)
		if t == &p.Base {
			c.locals[p.ID] = true
			p.Units = c.f.unitFor(c.i, p.Units)
			return false
		}
		c.swaps[p.ID] = formula.Sym(c.f.finalID[t])
		for _, w := range factors {
			c.swaps[p.ID] = formula.Op("divide", c.swaps[p.ID], c.f.symbolFor(w.by, w.factor))
		}
		return true
	})
	x.Law.Math = over(times(c.expr(x.Law.Math), c.extent), c.time)
	c.locals, c.swaps = nil, nil
}

// collect appends what stays of an instance to the flat model.
func (f *flattener) collect(i *instance, out *Model) error {
	stays := func(b *Base) bool {
		_, replaced := f.forward[b]
		if f.gone[b] || replaced {
			return false
		}
		if b.ID != "" {
			b.ID = f.finalID[b]
		}
		b.replaced, b.replacedBy = nil, nil
		return true
	}
	for _, x := range i.m.Reactions { // ids of what is inside elements
		for _, l := range [][]*SpeciesRef{x.Reactants, x.Products, x.Modifiers} {
			for _, r := range l {
				if r.ID != "" {
					t, _ := f.target(&r.Base)
					r.ID = f.finalID[t]
				}
			}
		}
	}
	keep(&out.Functions, i.m.Functions, func(x *Function) bool { return stays(&x.Base) })
	keep(&out.Units, i.m.Units, func(x *UnitDefinition) bool { return stays(&x.Base) })
	keep(&out.Compartments, i.m.Compartments, func(x *Compartment) bool { return stays(&x.Base) })
	keep(&out.Species, i.m.Species, func(x *Species) bool { return stays(&x.Base) })
	keep(&out.Parameters, i.m.Parameters, func(x *Parameter) bool { return stays(&x.Base) })
	keep(&out.Initial, i.m.Initial, func(x *InitialAssignment) bool { return stays(&x.Base) })
	keep(&out.Rules, i.m.Rules, func(x *Rule) bool { return stays(&x.Base) })
	keep(&out.Constraints, i.m.Constraints, func(x *Constraint) bool { return stays(&x.Base) })
	keep(&out.Reactions, i.m.Reactions, func(x *Reaction) bool { return stays(&x.Base) })
	keep(&out.Events, i.m.Events, func(x *Event) bool { return stays(&x.Base) })
	return nil
}

// removeParts takes out deleted parts of elements.
func (f *flattener) removeParts(m *Model) {
	for _, x := range m.Reactions {
		for _, l := range []*[]*SpeciesRef{&x.Reactants, &x.Products, &x.Modifiers} {
			*l = slices.DeleteFunc(*l, func(r *SpeciesRef) bool { return f.gone[&r.Base] })
		}
		if x.Law != nil && f.gone[&x.Law.Base] {
			x.Law = nil
		}
		if x.Law != nil {
			x.Law.Locals = slices.DeleteFunc(x.Law.Locals, func(p *Parameter) bool { return f.gone[&p.Base] })
		}
	}
	for _, x := range m.Events {
		if f.gone[&x.TriggerBase] {
			x.Trigger = nil
		}
		if f.gone[&x.DelayBase] {
			x.Delay = nil
		}
		if f.gone[&x.PriorityBase] {
			x.Priority = nil
		}
		x.Assignments = slices.DeleteFunc(x.Assignments, func(a *EventAssignment) bool { return f.gone[&a.Base] })
	}
}

// IDs lists every id of the model in the order of its lists.
func (m *Model) IDs() (out []string) {
	for _, b := range m.elements() {
		if b.ID != "" && !isUnits(m, b) {
			out = append(out, b.ID)
		}
	}
	return out
}

// parts lists what has a place of its own but no id among those of the model:
// a reference reaches it by metaid.
func (m *Model) parts() (out []*Base) {
	for _, x := range m.Reactions {
		if x.Law != nil {
			out = append(out, &x.Law.Base)
			for _, p := range x.Law.Locals {
				out = append(out, &p.Base)
			}
		}
	}
	for _, x := range m.Events {
		out = append(out, &x.TriggerBase, &x.DelayBase, &x.PriorityBase)
	}
	return out
}

func keep[T any](out *[]T, all []T, stays func(T) bool) {
	for _, x := range all {
		if stays(x) {
			*out = append(*out, x)
		}
	}
}

// elements lists everything with a Base that a reference may point at.
func (m *Model) elements() (out []*Base) {
	for _, x := range m.Functions {
		out = append(out, &x.Base)
	}
	for _, x := range m.Units {
		out = append(out, &x.Base)
	}
	for _, x := range m.Compartments {
		out = append(out, &x.Base)
	}
	for _, x := range m.Species {
		out = append(out, &x.Base)
	}
	for _, x := range m.Parameters {
		out = append(out, &x.Base)
	}
	for _, x := range m.Initial {
		out = append(out, &x.Base)
	}
	for _, x := range m.Rules {
		out = append(out, &x.Base)
	}
	for _, x := range m.Constraints {
		out = append(out, &x.Base)
	}
	for _, x := range m.Reactions {
		out = append(out, &x.Base)
		for _, l := range [][]*SpeciesRef{x.Reactants, x.Products, x.Modifiers} {
			for _, r := range l {
				out = append(out, &r.Base)
			}
		}
	}
	for _, x := range m.Events {
		out = append(out, &x.Base)
		for _, a := range x.Assignments {
			out = append(out, &a.Base)
		}
	}
	for _, x := range m.Submodels {
		out = append(out, &x.Base)
	}
	return out
}

// copy makes a model whose elements are its own; formulas are shared.
func (m *Model) copy() *Model {
	c := *m
	c.Functions, c.Units, c.Compartments = clones(m.Functions), clones(m.Units), clones(m.Compartments)
	c.Species, c.Parameters, c.Initial = clones(m.Species), clones(m.Parameters), clones(m.Initial)
	c.Rules, c.Constraints, c.Submodels = clones(m.Rules), clones(m.Constraints), clones(m.Submodels)
	c.Reactions, c.Events = clones(m.Reactions), clones(m.Events)
	for _, x := range c.Reactions {
		x.Reactants, x.Products, x.Modifiers = clones(x.Reactants), clones(x.Products), clones(x.Modifiers)
		if x.Law != nil {
			l := *x.Law
			l.Locals = clones(l.Locals)
			x.Law = &l
		}
	}
	for _, x := range c.Events {
		x.Assignments = clones(x.Assignments)
	}
	return &c
}

func clones[T any](all []*T) []*T {
	out := make([]*T, len(all))
	for i, x := range all {
		y := *x
		out[i] = &y
	}
	return out
}
