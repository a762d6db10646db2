package sbml

import (
	"slices"

	"github.com/myoaxis/myoaxis/formula"
)

// Flat is the model with its submodels put in place (SBML Level 3 package
// comp, Version 1). read fetches external definitions; nil refuses them. Ids
// inside submodel A become A__id.
func (d *Document) Flat(read func(source string) ([]byte, error)) (*Model, error) {
	if d.Model == nil {
		return nil, invalid(&Base{Line: 1, Col: 1}, "", "there is no model")
	}
	if at := d.Model.fluxBalance; at != nil {
		return nil, unsupported(at, d.Model.ID, "flux balance (package fbc) is not simulated")
	}
	f := &flattener{read: read, owner: map[*Base]*instance{}, forward: map[*Base]forwarded{}, gone: map[*Base]bool{}, finalID: map[*Base]string{}}
	if len(d.Model.Submodels) == 0 {
		if err := f.replacementsWithoutSubmodels(d.Model); err != nil {
			return nil, err
		}
		return d.Model, nil
	}
	root, err := f.instantiate(d, d.Model, "", nil, 0)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(*instance) error{f.remove, f.replace} {
		if err := root.each(step); err != nil {
			return nil, err
		}
	}
	f.name(root)
	if err := root.each(f.convert); err != nil {
		return nil, err
	}
	out := &Model{Base: d.Model.Base, Level: d.Model.Level, SubstanceUnits: root.m.SubstanceUnits, TimeUnits: root.m.TimeUnits, VolumeUnits: root.m.VolumeUnits,
		AreaUnits: root.m.AreaUnits, LengthUnits: root.m.LengthUnits, ExtentUnits: root.m.ExtentUnits, ConversionFactor: root.m.ConversionFactor}
	if err := root.each(func(i *instance) error { return f.collect(i, out) }); err != nil {
		return nil, err
	}
	return out, nil
}

// maxInstances bounds the submodels of submodels.
const maxInstances, maxNesting = 100_000, 100

// instance is one copy of a model definition within the whole.
type instance struct {
	doc      *Document
	m        *Model // a copy whose elements are its own
	prefix   string
	sub      *Submodel // nil for the root
	parent   *instance
	children map[string]*instance
	order    []*instance
	gone     bool
}

// each calls f for an instance and everything inside, outer first.
func (i *instance) each(f func(*instance) error) error {
	if i.gone {
		return nil
	}
	if err := f(i); err != nil {
		return err
	}
	for _, c := range i.order {
		if err := c.each(f); err != nil {
			return err
		}
	}
	return nil
}

// forwarded says what stands for a replaced element, and the factor (an id in
// the scope of by) from the old value to the new one.
type forwarded struct {
	to     *Base
	factor string
	by     *instance
}

type flattener struct {
	read    func(string) ([]byte, error)
	owner   map[*Base]*instance
	forward map[*Base]forwarded
	gone    map[*Base]bool
	finalID map[*Base]string
	count   int
}

func (f *flattener) replacementsWithoutSubmodels(m *Model) error {
	for _, b := range m.elements() {
		if len(b.replaced) > 0 || b.replacedBy != nil {
			return invalid(b, b.ID, "it replaces an element of a submodel, but there are no submodels")
		}
	}
	return nil
}

// instantiate copies a definition and, below it, its submodels.
func (f *flattener) instantiate(d *Document, m *Model, prefix string, parent *instance, depth int) (*instance, error) {
	if f.count++; f.count > maxInstances || depth > maxNesting {
		return nil, unsupported(&m.Base, m.ID, "submodels are nested without end")
	}
	i := &instance{doc: d, m: m.copy(), prefix: prefix, parent: parent, children: map[string]*instance{}}
	for _, b := range append(i.m.elements(), i.m.parts()...) {
		f.owner[b] = i
	}
	for _, s := range i.m.Submodels {
		def, in, err := f.definition(d, s.Model, &s.Base, depth)
		if err != nil {
			return nil, err
		}
		c, err := f.instantiate(in, def, prefix+s.ID+"__", i, depth+1)
		if err != nil {
			return nil, err
		}
		c.sub = s
		i.children[s.ID] = c
		i.order = append(i.order, c)
	}
	return i, nil
}

// definition finds a model definition, in this document or another file.
func (f *flattener) definition(d *Document, id string, at *Base, depth int) (*Model, *Document, error) {
	if d.Model != nil && d.Model.ID == id && id != "" {
		return d.Model, d, nil
	}
	for _, m := range d.Definitions {
		if m.ID == id {
			return m, d, nil
		}
	}
	for _, x := range d.External {
		if x.ID != id {
			continue
		}
		if f.read == nil {
			return nil, nil, unsupported(&x.Base, x.ID, "external model definitions are not read here")
		}
		data, err := f.read(x.Source)
		if err != nil {
			return nil, nil, unsupported(&x.Base, x.ID, "the file %q cannot be read: %v", x.Source, err)
		}
		other, err := Read(x.Source, data)
		if err != nil {
			return nil, nil, err
		}
		if x.Model == "" {
			return other.Model, other, nil
		}
		if depth > maxNesting {
			return nil, nil, unsupported(&x.Base, x.ID, "external definitions are nested without end")
		}
		return f.definition(other, x.Model, &x.Base, depth+1)
	}
	return nil, nil, invalid(at, at.ID, "there is no model definition %q", id)
}

// resolve finds what a reference points at within an instance.
func (f *flattener) resolve(i *instance, r *elementRef) (*Base, error) {
	var found *Base
	match := func(b *Base) bool { return r.id != "" && b.ID == r.id || r.meta != "" && b.MetaID == r.meta }
	switch {
	case r.port != "":
		for _, p := range i.m.ports {
			if p.ID == r.port {
				b, err := f.resolve(i, p)
				if err != nil {
					return nil, err
				}
				found = b
			}
		}
	case r.unit != "":
		for _, u := range i.m.Units {
			if u.ID == r.unit {
				found = &u.Base
			}
		}
	default:
		for _, b := range i.m.elements() {
			if match(b) && !isUnits(i.m, b) {
				found = b
			}
		}
		for _, b := range i.m.parts() {
			if r.meta != "" && b.MetaID == r.meta {
				found = b
			}
		}
	}
	if found == nil {
		return nil, invalid(&r.Base, r.id+r.port+r.unit+r.meta, "the reference points at nothing")
	}
	if r.inner == nil {
		return found, nil
	}
	owner := f.owner[found]
	c, ok := owner.children[found.ID]
	if !ok {
		return nil, invalid(&r.Base, found.ID, "the reference goes through what is no submodel")
	}
	return f.resolve(c, r.inner)
}

func isUnits(m *Model, b *Base) bool {
	return slices.ContainsFunc(m.Units, func(u *UnitDefinition) bool { return &u.Base == b })
}

// remove carries out the deletions that an instance makes in its submodels.
func (f *flattener) remove(i *instance) error {
	for _, c := range i.order {
		for _, d := range c.sub.Deletions {
			b, err := f.resolve(c, d)
			if err != nil {
				return err
			}
			f.gone[b] = true
			if o := f.owner[b]; o.children[b.ID] != nil && isSubmodel(o.m, b) {
				o.children[b.ID].gone = true
			}
		}
	}
	return nil
}

func isSubmodel(m *Model, b *Base) bool {
	return slices.ContainsFunc(m.Submodels, func(s *Submodel) bool { return &s.Base == b })
}

// replace notes the replacements that an instance makes in its submodels.
func (f *flattener) replace(i *instance) error {
	for _, b := range i.m.elements() {
		for _, r := range b.replaced {
			if r.deletion != "" {
				continue // names what is deleted anyway
			}
			c, ok := i.children[r.submodel]
			if !ok {
				return invalid(&r.Base, r.submodel, "there is no such submodel")
			}
			t, err := f.resolve(c, r)
			if err != nil {
				return err
			}
			f.forward[t] = forwarded{b, r.factor, i}
			if o := f.owner[t]; isSubmodel(o.m, t) {
				o.children[t.ID].gone = true
			}
		}
	}
	for _, b := range i.m.elements() {
		if b.replacedBy == nil {
			continue
		}
		c, ok := i.children[b.replacedBy.submodel]
		if !ok {
			return invalid(&b.replacedBy.Base, b.replacedBy.submodel, "there is no such submodel")
		}
		t, err := f.resolve(c, b.replacedBy)
		if err != nil {
			return err
		}
		f.forward[b] = forwarded{t, "", i}
		if f.finalID[t] == "" { // what replaces takes over the outermost id
			f.finalID[t] = i.prefix + b.ID
		}
	}
	return nil
}

// name fixes the id of every element that stays.
func (f *flattener) name(root *instance) {
	_ = root.each(func(i *instance) error {
		for _, b := range i.m.elements() {
			if _, has := f.finalID[b]; !has && b.ID != "" {
				f.finalID[b] = i.prefix + b.ID
			}
		}
		return nil
	})
	// an element that replaces another by id may itself be replaced outside
	for b := range f.forward {
		if t, _ := f.target(b); t != b && f.finalID[t] == "" {
			f.finalID[t] = f.finalID[b]
		}
	}
}

// target follows replacements to what stays, and collects their factors.
func (f *flattener) target(b *Base) (*Base, []forwarded) {
	var factors []forwarded
	for range maxInstances {
		w, ok := f.forward[b]
		if !ok {
			break
		}
		if w.factor != "" {
			factors = append(factors, w)
		}
		b = w.to
	}
	return b, factors
}

// symbolFor is the expression for an id of an instance in the flat model.
func (f *flattener) symbolFor(i *instance, id string) *formula.Expr {
	for _, b := range i.m.elements() {
		if b.ID != id || isUnits(i.m, b) {
			continue
		}
		t, factors := f.target(b)
		x := formula.Sym(f.finalID[t])
		for _, w := range factors {
			x = formula.Op("divide", x, f.symbolFor(w.by, w.factor))
		}
		return x
	}
	return formula.Sym(i.prefix + id)
}

// factorOf is what a value assigned to an id of an instance is multiplied by.
func (f *flattener) factorOf(i *instance, id string) (out []*formula.Expr) {
	for _, b := range i.m.elements() {
		if b.ID == id && !isUnits(i.m, b) {
			_, factors := f.target(b)
			for _, w := range factors {
				out = append(out, f.symbolFor(w.by, w.factor))
			}
		}
	}
	return out
}

func (f *flattener) idFor(i *instance, id string) string {
	if id == "" {
		return ""
	}
	x := f.symbolFor(i, id)
	for x.Kind != formula.Symbol {
		x = x.Args[0]
	}
	return x.Name
}

func (f *flattener) unitFor(i *instance, id string) string {
	for _, u := range i.m.Units {
		if u.ID == id {
			t, _ := f.target(&u.Base)
			return f.finalID[t]
		}
	}
	return id
}
