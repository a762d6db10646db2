package sbml

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/formula"
)

// Problems is an error of several faults.
type Problems []*Problem

func (p Problems) Error() string {
	var b strings.Builder
	for i, q := range p {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(q.Error())
	}
	return b.String()
}

// Unwrap makes errors.Is look at every fault.
func (p Problems) Unwrap() []error {
	out := make([]error, len(p))
	for i, q := range p {
		out[i] = q
	}
	return out
}

// reader collects the faults of a document while it is read.
type reader struct {
	file     string
	level    int
	version  int
	problems Problems
	doc      *Document
}

// Read reads a document; file names it in errors, which are Problems.
func Read(file string, data []byte) (*Document, error) {
	root, err := parseXML(data)
	if err != nil {
		return nil, InFile(err, file)
	}
	r := &reader{file: file, doc: &Document{Namespaces: map[string]string{}}}
	r.document(root)
	var bad Problems
	for _, p := range r.problems {
		p.File = file
		if p.Warning {
			r.doc.Warnings = append(r.doc.Warnings, *p)
		} else {
			bad = append(bad, p)
		}
	}
	if len(bad) > 0 {
		return nil, bad
	}
	return r.doc, nil
}

func (r *reader) report(p *Problem) { r.problems = append(r.problems, p) }

func (r *reader) warn(e *element, format string, args ...any) {
	p := invalid(e.place(), e.name, format, args...)
	p.Warning = true
	r.report(p)
}

func (r *reader) document(root *element) {
	if root.name != "sbml" {
		r.report(invalid(root.place(), root.name, "the root element of SBML is <sbml>"))
		return
	}
	r.level, r.version = r.integer(root, "level", 0), r.integer(root, "version", 0)
	r.doc.Level, r.doc.Version = r.level, r.version
	if ok := r.level == 1 && (r.version == 1 || r.version == 2) || r.level == 2 && r.version >= 1 && r.version <= 5 || r.level == 3 && (r.version == 1 || r.version == 2); !ok {
		r.report(unsupported(root.place(), "sbml", "Level %d Version %d is not known", r.level, r.version))
		return
	}
	r.packages(root)
	m := root.child("model")
	if m == nil {
		if r.level == 3 && r.version == 2 || root.child("listOfModelDefinitions") != nil {
			r.doc.Model = &Model{Base: *root.place(), Level: r.level}
		} else {
			r.report(invalid(root.place(), "sbml", "the model is missing"))
		}
	} else {
		r.doc.Model = r.model(m)
	}
	for _, l := range root.children {
		for _, c := range l.children {
			switch {
			case l.name == "listOfModelDefinitions" && c.name == "modelDefinition":
				r.doc.Definitions = append(r.doc.Definitions, r.model(c))
			case l.name == "listOfExternalModelDefinitions" && c.name == "externalModelDefinition":
				r.doc.External = append(r.doc.External, &External{Base: r.base(c), Source: c.packageAttr("comp", "source"), Model: c.packageAttr("comp", "modelRef")})
			}
		}
	}
}

// packages looks at the Level 3 packages a document declares.
func (r *reader) packages(root *element) {
	for _, a := range root.attrs {
		if a.Name.Space == "xmlns" {
			r.doc.Namespaces[a.Name.Local] = a.Value
		}
		pkg := packageOf(a.Name.Space)
		if a.Name.Local != "required" || pkg == "" || pkg == "comp" || pkg == "l3v2extendedmath" {
			continue // comp is read, and the math of Version 2 is in all of Level 3
		}
		if a.Value == "true" || a.Value == "1" {
			r.report(unsupported(root.place(), "sbml", "the package %s is required to understand the model and is not supported", pkg))
		} else {
			r.warn(root, "the package %s is not read", pkg)
		}
	}
}

// attributes

func (r *reader) number(e *element, name string, missing float64) float64 {
	s, ok := e.attr(name)
	if !ok {
		return missing
	}
	v, err := parseFloat(s)
	if err != nil {
		r.report(invalid(e.place(), e.name, "%s=%q is not a number", name, s))
	}
	return v
}

func (r *reader) integer(e *element, name string, missing int) int {
	s, ok := e.attr(name)
	if !ok {
		return missing
	}
	v, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		r.report(invalid(e.place(), e.name, "%s=%q is not a whole number", name, s))
	}
	return v
}

func (r *reader) boolean(e *element, name string, missing bool) bool {
	s, ok := e.attr(name)
	if !ok {
		return missing
	}
	switch strings.TrimSpace(s) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	r.report(invalid(e.place(), e.name, "%s=%q is neither true nor false", name, s))
	return missing
}

func (r *reader) str(e *element, name string) string {
	s, _ := e.attr(name)
	return strings.TrimSpace(s)
}

// need reports a missing attribute.
func (r *reader) need(e *element, names ...string) {
	for _, n := range names {
		if _, ok := e.attr(n); !ok {
			r.report(invalid(e.place(), e.name, "the attribute %s is missing", n))
		}
	}
}

func (r *reader) base(e *element) Base {
	b := Base{ID: r.str(e, "id"), Name: r.str(e, "name"), MetaID: r.str(e, "metaid"), SBO: r.str(e, "sboTerm"), Line: e.line, Col: e.col}
	if b.ID == "" {
		b.ID = e.packageAttr("comp", "id")
	}
	if r.level == 1 {
		b.ID = b.Name
	}
	for _, c := range e.children {
		switch c.name {
		case "notes":
			b.Notes = c.raw
		case "annotation":
			b.Annotation = c.raw
		case "listOfReplacedElements":
			for _, k := range c.children {
				b.replaced = append(b.replaced, r.elementRef(k))
			}
		case "replacedBy":
			b.replacedBy = r.elementRef(c)
		}
	}
	return b
}

func (r *reader) elementRef(e *element) *elementRef {
	x := &elementRef{Base: Base{ID: e.packageAttr("comp", "id"), Line: e.line, Col: e.col}, submodel: e.packageAttr("comp", "submodelRef"), port: e.packageAttr("comp", "portRef"), id: e.packageAttr("comp", "idRef"),
		unit: e.packageAttr("comp", "unitRef"), meta: e.packageAttr("comp", "metaIdRef"), deletion: e.packageAttr("comp", "deletion"), factor: e.packageAttr("comp", "conversionFactor")}
	if c := e.child("sBaseRef"); c != nil {
		x.inner = r.elementRef(c)
	}
	return x
}

// math reads the <math> of an element; nil where there is none. Level 1 has a
// formula attribute in its place.
func (r *reader) math(e *element) *formula.Expr {
	if r.level == 1 {
		return r.formula(e)
	}
	m := e.child("math")
	if m == nil {
		if r.level < 3 || r.version < 2 {
			r.report(invalid(e.place(), e.name, "the math is missing"))
		}
		return nil
	}
	x, err := readMath(m)
	if err != nil {
		var p *Problem
		if errors.As(err, &p) {
			r.report(p)
		}
		return nil
	}
	return x
}

func (r *reader) formula(e *element) *formula.Expr {
	text, ok := e.attr("formula")
	if !ok {
		r.need(e, "formula")
		return nil
	}
	x, err := formula.Parse(text, formula.Level1)
	if err != nil {
		r.report(invalid(e.place(), e.name, "formula=%q: %v", text, err))
		return nil
	}
	x.Walk(func(n *formula.Expr) { n.Line, n.Col = e.line, e.col })
	return x
}

// lists calls f for every child of the lists with a name.
func lists(e *element, name string, f func(*element)) {
	for _, l := range e.children {
		if l.name == name {
			for _, c := range l.children {
				if c.name != "notes" && c.name != "annotation" {
					f(c)
				}
			}
		}
	}
}

func (r *reader) model(e *element) *Model {
	m := &Model{Base: r.base(e), Level: r.level, SubstanceUnits: r.str(e, "substanceUnits"), TimeUnits: r.str(e, "timeUnits"), VolumeUnits: r.str(e, "volumeUnits"),
		AreaUnits: r.str(e, "areaUnits"), LengthUnits: r.str(e, "lengthUnits"), ExtentUnits: r.str(e, "extentUnits"), ConversionFactor: r.str(e, "conversionFactor")}
	for _, c := range e.children {
		switch pkg := packageOf(c.space); {
		case pkg == "fbc":
			m.fluxBalance = c.place()
		case pkg == "" && !modelParts[c.name]:
			r.report(invalid(c.place(), c.name, "this is no part of a model"))
		}
	}
	lists(e, "listOfFunctionDefinitions", func(c *element) { m.Functions = append(m.Functions, r.function(c)) })
	lists(e, "listOfUnitDefinitions", func(c *element) { m.Units = append(m.Units, r.units(c)) })
	lists(e, "listOfCompartments", func(c *element) { m.Compartments = append(m.Compartments, r.compartment(c)) })
	lists(e, "listOfSpecies", func(c *element) { m.Species = append(m.Species, r.species(c)) })
	lists(e, "listOfParameters", func(c *element) { m.Parameters = append(m.Parameters, r.parameter(c)) })
	lists(e, "listOfInitialAssignments", func(c *element) {
		r.need(c, "symbol")
		m.Initial = append(m.Initial, &InitialAssignment{Base: r.base(c), Symbol: r.str(c, "symbol"), Math: r.math(c)})
	})
	lists(e, "listOfRules", func(c *element) {
		if rule := r.rule(c); rule != nil {
			m.Rules = append(m.Rules, rule)
		}
	})
	lists(e, "listOfConstraints", func(c *element) {
		k := &Constraint{Base: r.base(c), Math: r.math(c)}
		if msg := c.child("message"); msg != nil {
			k.Message = msg.raw
		}
		m.Constraints = append(m.Constraints, k)
	})
	lists(e, "listOfReactions", func(c *element) { m.Reactions = append(m.Reactions, r.reaction(c)) })
	lists(e, "listOfEvents", func(c *element) { m.Events = append(m.Events, r.event(c)) })
	lists(e, "listOfSubmodels", func(c *element) { m.Submodels = append(m.Submodels, r.submodel(c)) })
	lists(e, "listOfPorts", func(c *element) { m.ports = append(m.ports, r.elementRef(c)) })
	return m
}

// modelParts are the elements that a model may hold.
var modelParts = map[string]bool{"notes": true, "annotation": true, "listOfFunctionDefinitions": true, "listOfUnitDefinitions": true, "listOfCompartmentTypes": true, "listOfSpeciesTypes": true,
	"listOfCompartments": true, "listOfSpecies": true, "listOfParameters": true, "listOfInitialAssignments": true, "listOfRules": true, "listOfConstraints": true, "listOfReactions": true, "listOfEvents": true,
	"listOfSpecie": true}

func (r *reader) function(e *element) *Function {
	f := &Function{Base: r.base(e), Math: r.math(e)}
	if f.Math != nil && f.Math.Kind != formula.Lambda {
		r.report(invalid(e.place(), f.ID, "the math of a function definition is a lambda"))
	}
	return f
}

func (r *reader) units(e *element) *UnitDefinition {
	u := &UnitDefinition{Base: r.base(e)}
	lists(e, "listOfUnits", func(c *element) {
		k := Unit{Kind: r.str(c, "kind"), Exponent: r.number(c, "exponent", 1), Scale: r.number(c, "scale", 0), Multiplier: r.number(c, "multiplier", 1)}
		if r.number(c, "offset", 0) != 0 {
			r.report(unsupported(c.place(), "unit", "units with an offset are not supported"))
		}
		u.Units = append(u.Units, k)
	})
	return u
}

func (r *reader) compartment(e *element) *Compartment {
	c := &Compartment{Base: r.base(e), Dimensions: 3, Units: r.str(e, "units"), Outside: r.str(e, "outside")}
	switch r.level {
	case 1:
		c.Size = r.number(e, "volume", 1)
	default:
		c.Dimensions = r.number(e, "spatialDimensions", 3)
		c.Size = r.number(e, "size", math.NaN())
		c.Constant = r.boolean(e, "constant", true)
	}
	if c.Dimensions == 0 && r.level == 2 {
		c.Size = math.NaN()
	}
	return c
}

func (r *reader) species(e *element) *Species {
	s := &Species{Base: r.base(e), Compartment: r.str(e, "compartment"), InitialAmount: r.number(e, "initialAmount", math.NaN()),
		InitialConcentration: r.number(e, "initialConcentration", math.NaN()), SubstanceUnits: r.str(e, "substanceUnits"),
		HasOnlySubstanceUnits: r.boolean(e, "hasOnlySubstanceUnits", false), Boundary: r.boolean(e, "boundaryCondition", false),
		Constant: r.boolean(e, "constant", false), ConversionFactor: r.str(e, "conversionFactor")}
	if r.level == 1 {
		s.SubstanceUnits = r.str(e, "units")
	}
	r.need(e, "compartment")
	if _, a := e.attr("initialAmount"); a {
		if _, b := e.attr("initialConcentration"); b {
			r.report(invalid(e.place(), s.ID, "both initialAmount and initialConcentration are set"))
		}
	}
	return s
}

func (r *reader) parameter(e *element) *Parameter {
	return &Parameter{Base: r.base(e), Value: r.number(e, "value", math.NaN()), Units: r.str(e, "units"), Constant: r.level > 1 && r.boolean(e, "constant", true)}
}

// rule reads a rule of any Level; Level 1 has a kind for each kind of variable.
func (r *reader) rule(e *element) *Rule {
	k := &Rule{Base: r.base(e), Math: r.math(e)}
	switch e.name {
	case "algebraicRule", "assignmentRule", "rateRule":
		k.Kind = RuleKind(e.name)
		k.Variable = r.str(e, "variable")
	case "parameterRule":
		k.Variable = r.str(e, "name")
	case "compartmentVolumeRule":
		k.Variable = r.str(e, "compartment")
	case "speciesConcentrationRule", "specieConcentrationRule":
		k.Variable = r.str(e, "species") + r.str(e, "specie")
	default:
		r.warn(e, "this kind of rule is not known")
		return nil
	}
	if r.level == 1 && e.name != "algebraicRule" {
		k.ID = ""
		if k.Kind = Assignment; r.str(e, "type") == "rate" {
			k.Kind = Rate
		}
	}
	if k.Kind != Algebraic && k.Variable == "" {
		r.report(invalid(e.place(), e.name, "the variable is missing"))
	}
	return k
}

func (r *reader) reaction(e *element) *Reaction {
	x := &Reaction{Base: r.base(e), Reversible: r.boolean(e, "reversible", true), Fast: r.boolean(e, "fast", false), Compartment: r.str(e, "compartment")}
	lists(e, "listOfReactants", func(c *element) { x.Reactants = append(x.Reactants, r.speciesRef(c)) })
	lists(e, "listOfProducts", func(c *element) { x.Products = append(x.Products, r.speciesRef(c)) })
	lists(e, "listOfModifiers", func(c *element) {
		x.Modifiers = append(x.Modifiers, &SpeciesRef{Base: r.base(c), Species: r.str(c, "species"), Stoichiometry: math.NaN()})
	})
	k := e.child("kineticLaw")
	if k == nil {
		return x
	}
	x.Law = &KineticLaw{Base: r.base(k), Math: r.math(k)}
	for _, l := range []string{"listOfParameters", "listOfLocalParameters"} {
		lists(k, l, func(c *element) {
			p := r.parameter(c)
			p.Constant = true
			x.Law.Locals = append(x.Law.Locals, p)
		})
	}
	return x
}

func (r *reader) speciesRef(e *element) *SpeciesRef {
	s := &SpeciesRef{Base: r.base(e), Species: r.str(e, "species") + r.str(e, "specie"), Constant: r.level == 3 && r.boolean(e, "constant", false)}
	if r.level == 1 {
		s.ID = ""
	}
	missing := 1.0
	if r.level == 3 {
		missing = math.NaN()
	}
	s.Stoichiometry = r.number(e, "stoichiometry", missing)
	if d := r.number(e, "denominator", 1); d != 1 {
		s.Stoichiometry /= d
	}
	if c := e.child("stoichiometryMath"); c != nil && r.level == 2 {
		s.Math = r.math(c)
	}
	if s.Species == "" {
		r.need(e, "species")
	}
	return s
}

func (r *reader) event(e *element) *Event {
	x := &Event{Base: r.base(e), TriggerInitial: true, Persistent: true, UseValuesFromTriggerTime: r.boolean(e, "useValuesFromTriggerTime", true)}
	if t := e.child("trigger"); t != nil {
		x.TriggerBase = r.base(t)
		x.Trigger = r.math(t)
		x.TriggerInitial = r.boolean(t, "initialValue", true)
		x.Persistent = r.boolean(t, "persistent", true)
	} else if r.level < 3 || r.version < 2 {
		r.report(invalid(e.place(), "event", "the trigger is missing"))
	}
	if d := e.child("delay"); d != nil {
		x.DelayBase = r.base(d)
		x.Delay = r.math(d)
	}
	if p := e.child("priority"); p != nil {
		x.PriorityBase = r.base(p)
		x.Priority = r.math(p)
	}
	lists(e, "listOfEventAssignments", func(c *element) {
		r.need(c, "variable")
		x.Assignments = append(x.Assignments, &EventAssignment{Base: r.base(c), Variable: r.str(c, "variable"), Math: r.math(c)})
	})
	return x
}

func (r *reader) submodel(e *element) *Submodel {
	s := &Submodel{Base: r.base(e), Model: e.packageAttr("comp", "modelRef"), TimeFactor: e.packageAttr("comp", "timeConversionFactor"), ExtentFactor: e.packageAttr("comp", "extentConversionFactor")}
	lists(e, "listOfDeletions", func(c *element) { s.Deletions = append(s.Deletions, r.elementRef(c)) })
	return s
}
