package sbml

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/myoaxis/myoaxis/formula"
)

// Write writes a flat model as Level 3 Version 2; a model with fast reactions,
// which that version no longer knows, as Version 1. Notes and annotations are
// written as they were read; namespaces are the prefixes they use.
func Write(m *Model, namespaces map[string]string) ([]byte, error) {
	if len(m.Submodels) > 0 {
		return nil, unsupported(&m.Base, m.ID, "a model with submodels is written flat")
	}
	w := &writer{version: 2}
	if slices.ContainsFunc(m.Reactions, func(r *Reaction) bool { return r.Fast }) {
		w.version = 1
	}
	w.document(Modern(m), namespaces)
	return w.b.Bytes(), nil
}

// Modern returns a copy in the terms of Level 3: units that were predefined
// are defined, computed stoichiometries become rules.
func Modern(old *Model) *Model {
	m := old.copy()
	if m.Level < 3 {
		definePredefined(m)
	}
	for _, s := range m.Species {
		if old.dimensionless(s) {
			s.HasOnlySubstanceUnits = true
			if !math.IsNaN(s.InitialConcentration) {
				s.InitialAmount, s.InitialConcentration = s.InitialConcentration, math.NaN()
			}
		}
	}
	used := map[string]bool{}
	for _, b := range m.elements() {
		used[b.ID] = true
	}
	for _, r := range m.Reactions {
		for _, l := range [][]*SpeciesRef{r.Reactants, r.Products} {
			for _, ref := range l {
				if ref.Math == nil {
					continue
				}
				if ref.ID == "" {
					ref.ID = r.ID + "_" + ref.Species + "_stoichiometry"
					for used[ref.ID] {
						ref.ID += "_"
					}
					used[ref.ID] = true
				}
				m.Rules = append(m.Rules, &Rule{Kind: Assignment, Variable: ref.ID, Math: ref.Math})
				ref.Math, ref.Constant, ref.Stoichiometry = nil, false, math.NaN()
			}
		}
	}
	return m
}

// definePredefined writes out the units that Levels 1 and 2 take for granted.
func definePredefined(m *Model) {
	has := func(id string) bool {
		return slices.ContainsFunc(m.Units, func(u *UnitDefinition) bool { return u.ID == id })
	}
	for _, u := range []struct {
		id, kind string
		power    float64
		at       *string
	}{{"substance", "mole", 1, &m.SubstanceUnits}, {"volume", "litre", 1, &m.VolumeUnits}, {"area", "metre", 2, &m.AreaUnits}, {"length", "metre", 1, &m.LengthUnits}, {"time", "second", 1, &m.TimeUnits}} {
		if !has(u.id) {
			m.Units = append(m.Units, &UnitDefinition{Base: Base{ID: u.id}, Units: []Unit{{Kind: u.kind, Exponent: u.power, Multiplier: 1}}})
		}
		*u.at = u.id
	}
	m.ExtentUnits = "substance"
	for _, u := range m.Units {
		for i := range u.Units {
			switch u.Units[i].Kind {
			case "liter":
				u.Units[i].Kind = "litre"
			case "meter":
				u.Units[i].Kind = "metre"
			}
		}
	}
}

type writer struct {
	b       bytes.Buffer
	depth   int
	version int
}

// attr is an attribute; an empty value is left out.
type attr struct{ name, value string }

func text(name, value string) attr { return attr{name, value} }

func number(name string, v float64) attr {
	if math.IsNaN(v) {
		return attr{name, ""}
	}
	return attr{name, formatFloat(v)}
}

func formatFloat(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "INF"
	case math.IsInf(v, -1):
		return "-INF"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func truth(name string, v bool) attr { return attr{name, strconv.FormatBool(v)} }

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer does not fail
	return b.String()
}

func (w *writer) indent() {
	for range w.depth {
		w.b.WriteString("  ")
	}
}

func (w *writer) start(name string, closed bool, attrs ...attr) {
	w.indent()
	w.b.WriteString("<" + name)
	for _, a := range attrs {
		if a.value != "" {
			fmt.Fprintf(&w.b, " %s=\"%s\"", a.name, escape(a.value))
		}
	}
	if closed {
		w.b.WriteString("/>\n")
		return
	}
	w.b.WriteString(">\n")
	w.depth++
}

func (w *writer) end(name string) {
	w.depth--
	w.indent()
	w.b.WriteString("</" + name + ">\n")
}

// element writes an element with what every element may have.
func (w *writer) element(name string, b *Base, attrs []attr, inside func()) {
	all := []attr{text("metaid", b.MetaID), text("sboTerm", b.SBO), text("id", b.ID), text("name", b.Name)}
	empty := inside == nil && b.Notes == "" && b.Annotation == ""
	w.start(name, empty, append(all, attrs...)...)
	if empty {
		return
	}
	if b.Notes != "" {
		w.indent()
		w.b.WriteString("<notes>" + b.Notes + "</notes>\n")
	}
	if b.Annotation != "" {
		w.indent()
		w.b.WriteString("<annotation>" + b.Annotation + "</annotation>\n")
	}
	if inside != nil {
		inside()
	}
	w.end(name)
}

// list writes a list where it has members.
func list[T any](w *writer, name string, all []T, each func(T)) {
	if len(all) == 0 {
		return
	}
	w.start(name, false)
	for _, x := range all {
		each(x)
	}
	w.end(name)
}

func (w *writer) core() string {
	return fmt.Sprintf("http://www.sbml.org/sbml/level3/version%d/core", w.version)
}

func (w *writer) document(m *Model, namespaces map[string]string) {
	w.b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	attrs := []attr{text("xmlns", w.core())}
	var prefixes []string
	for p := range namespaces {
		prefixes = append(prefixes, p)
	}
	slices.Sort(prefixes)
	for _, p := range prefixes {
		if uri := namespaces[p]; packageOf(uri) == "" && p != "sbml" {
			attrs = append(attrs, text("xmlns:"+p, uri))
		}
	}
	w.start("sbml", false, append(attrs, text("level", "3"), text("version", strconv.Itoa(w.version)))...)
	w.model(m)
	w.end("sbml")
}

func (w *writer) model(m *Model) {
	attrs := []attr{text("substanceUnits", m.SubstanceUnits), text("timeUnits", m.TimeUnits), text("volumeUnits", m.VolumeUnits), text("areaUnits", m.AreaUnits),
		text("lengthUnits", m.LengthUnits), text("extentUnits", m.ExtentUnits), text("conversionFactor", m.ConversionFactor)}
	w.element("model", &m.Base, attrs, func() {
		list(w, "listOfFunctionDefinitions", m.Functions, func(x *Function) {
			w.element("functionDefinition", &x.Base, nil, func() { w.math(x.Math) })
		})
		list(w, "listOfUnitDefinitions", m.Units, w.unitDefinition)
		list(w, "listOfCompartments", m.Compartments, func(x *Compartment) {
			w.element("compartment", &x.Base, []attr{number("spatialDimensions", x.Dimensions), number("size", x.Size), text("units", x.Units), truth("constant", x.Constant)}, nil)
		})
		list(w, "listOfSpecies", m.Species, func(x *Species) {
			w.element("species", &x.Base, []attr{text("compartment", x.Compartment), number("initialAmount", x.InitialAmount), number("initialConcentration", x.InitialConcentration),
				text("substanceUnits", x.SubstanceUnits), truth("hasOnlySubstanceUnits", x.HasOnlySubstanceUnits), truth("boundaryCondition", x.Boundary), truth("constant", x.Constant), text("conversionFactor", x.ConversionFactor)}, nil)
		})
		list(w, "listOfParameters", m.Parameters, func(x *Parameter) {
			w.element("parameter", &x.Base, []attr{number("value", x.Value), text("units", x.Units), truth("constant", x.Constant)}, nil)
		})
		list(w, "listOfInitialAssignments", m.Initial, func(x *InitialAssignment) {
			w.element("initialAssignment", &x.Base, []attr{text("symbol", x.Symbol)}, func() { w.math(x.Math) })
		})
		list(w, "listOfRules", m.Rules, func(x *Rule) {
			w.element(string(x.Kind), &x.Base, []attr{text("variable", x.Variable)}, func() { w.math(x.Math) })
		})
		list(w, "listOfConstraints", m.Constraints, func(x *Constraint) {
			w.element("constraint", &x.Base, nil, func() {
				w.math(x.Math)
				if x.Message != "" {
					w.indent()
					w.b.WriteString("<message>" + x.Message + "</message>\n")
				}
			})
		})
		list(w, "listOfReactions", m.Reactions, w.reaction)
		list(w, "listOfEvents", m.Events, w.event)
	})
}

func (w *writer) unitDefinition(x *UnitDefinition) {
	w.element("unitDefinition", &x.Base, nil, func() {
		list(w, "listOfUnits", x.Units, func(u Unit) {
			w.start("unit", true, text("kind", u.Kind), number("exponent", u.Exponent), number("scale", u.Scale), number("multiplier", u.Multiplier))
		})
	})
}

func (w *writer) reaction(x *Reaction) {
	attrs := []attr{truth("reversible", x.Reversible), text("compartment", x.Compartment)}
	if w.version == 1 {
		attrs = append(attrs, truth("fast", x.Fast))
	}
	w.element("reaction", &x.Base, attrs, func() {
		ref := func(r *SpeciesRef) {
			w.element("speciesReference", &r.Base, []attr{text("species", r.Species), number("stoichiometry", r.Stoichiometry), truth("constant", r.Constant)}, nil)
		}
		list(w, "listOfReactants", x.Reactants, ref)
		list(w, "listOfProducts", x.Products, ref)
		list(w, "listOfModifiers", x.Modifiers, func(r *SpeciesRef) {
			w.element("modifierSpeciesReference", &r.Base, []attr{text("species", r.Species)}, nil)
		})
		if x.Law == nil {
			return
		}
		w.element("kineticLaw", &x.Law.Base, nil, func() {
			w.math(x.Law.Math)
			list(w, "listOfLocalParameters", x.Law.Locals, func(p *Parameter) {
				w.element("localParameter", &p.Base, []attr{number("value", p.Value), text("units", p.Units)}, nil)
			})
		})
	})
}

func (w *writer) event(x *Event) {
	w.element("event", &x.Base, []attr{truth("useValuesFromTriggerTime", x.UseValuesFromTriggerTime)}, func() {
		if x.Trigger != nil || w.version == 1 {
			w.element("trigger", &x.TriggerBase, []attr{truth("initialValue", x.TriggerInitial), truth("persistent", x.Persistent)}, func() { w.math(x.Trigger) })
		}
		if x.Priority != nil {
			w.element("priority", &x.PriorityBase, nil, func() { w.math(x.Priority) })
		}
		if x.Delay != nil {
			w.element("delay", &x.DelayBase, nil, func() { w.math(x.Delay) })
		}
		list(w, "listOfEventAssignments", x.Assignments, func(a *EventAssignment) {
			w.element("eventAssignment", &a.Base, []attr{text("variable", a.Variable)}, func() { w.math(a.Math) })
		})
	})
}

// math writes a formula as MathML; nil is left out.
func (w *writer) math(e *formula.Expr) {
	if e == nil {
		return
	}
	attrs := []attr{text("xmlns", mathSpace)}
	e.Walk(func(x *formula.Expr) {
		if x.Units != "" && len(attrs) == 1 {
			attrs = append(attrs, text("xmlns:sbml", w.core()))
		}
	})
	w.start("math", false, attrs...)
	w.expr(e)
	w.end("math")
}

func (w *writer) line(s string) {
	w.indent()
	w.b.WriteString(s)
	w.b.WriteByte('\n')
}

func (w *writer) symbol(url, name string) {
	w.line(fmt.Sprintf(`<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/%s"> %s </csymbol>`, url, name))
}

func (w *writer) expr(e *formula.Expr) {
	switch e.Kind {
	case formula.Number:
		w.cn(e)
	case formula.Symbol:
		w.line("<ci> " + escape(e.Name) + " </ci>")
	case formula.Time:
		w.symbol("time", "time")
	case formula.Avogadro:
		w.symbol("avogadro", "avogadro")
	case formula.Lambda:
		w.start("lambda", false)
		for _, a := range e.Args[:len(e.Args)-1] {
			w.line("<bvar><ci> " + escape(a.Name) + " </ci></bvar>")
		}
		w.expr(e.Args[len(e.Args)-1])
		w.end("lambda")
	case formula.Call:
		w.start("apply", false)
		w.line("<ci> " + escape(e.Name) + " </ci>")
		w.args(e.Args)
		w.end("apply")
	default:
		w.apply(e)
	}
}

func (w *writer) args(all []*formula.Expr) {
	for _, a := range all {
		w.expr(a)
	}
}

func (w *writer) apply(e *formula.Expr) {
	switch e.Name {
	case "true", "false":
		w.line("<" + e.Name + "/>")
		return
	case "piecewise":
		w.start("piecewise", false)
		for i := 0; i+1 < len(e.Args); i += 2 {
			w.start("piece", false)
			w.args(e.Args[i : i+2])
			w.end("piece")
		}
		if len(e.Args)%2 == 1 {
			w.start("otherwise", false)
			w.expr(e.Args[len(e.Args)-1])
			w.end("otherwise")
		}
		w.end("piecewise")
		return
	}
	w.start("apply", false)
	args := e.Args
	switch e.Name {
	case "delay", "rateOf":
		w.symbol(e.Name, e.Name)
	case "root", "log":
		w.line("<" + e.Name + "/>")
		inner := map[string]string{"root": "degree", "log": "logbase"}[e.Name]
		w.start(inner, false)
		w.expr(args[0])
		w.end(inner)
		args = args[1:]
	default:
		w.line("<" + e.Name + "/>")
	}
	w.args(args)
	w.end("apply")
}

func (w *writer) cn(e *formula.Expr) {
	v := e.Value
	units := ""
	if e.Units != "" {
		units = fmt.Sprintf(` sbml:units="%s"`, escape(e.Units))
	}
	switch {
	case math.IsNaN(v):
		w.line("<notanumber/>")
	case math.IsInf(v, 1):
		w.line("<infinity/>")
	case math.IsInf(v, -1):
		w.start("apply", false)
		w.line("<minus/>")
		w.line("<infinity/>")
		w.end("apply")
	case e.Text == "integer" && v == math.Trunc(v) && math.Abs(v) < 1e15:
		w.line(fmt.Sprintf(`<cn%s type="integer"> %d </cn>`, units, int64(v)))
	default:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if m, x, ok := cutExponent(s); ok {
			w.line(fmt.Sprintf(`<cn%s type="e-notation"> %s <sep/> %s </cn>`, units, m, x))
			return
		}
		w.line(fmt.Sprintf("<cn%s> %s </cn>", units, s))
	}
}

func cutExponent(s string) (mantissa, exponent string, ok bool) {
	for i := range s {
		if s[i] == 'e' {
			x, _ := strconv.Atoi(s[i+1:])
			return s[:i], strconv.Itoa(x), true
		}
	}
	return s, "", false
}
