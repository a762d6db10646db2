package antimony

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/formula"
	"github.com/myoaxis/myoaxis/sbml"
)

// finish turns what was gathered into the lists of the model.
func (p *parser) finish() *sbml.Problem {
	for _, t := range p.order {
		if t.in != "" {
			p.symbol(t.in).kind = "compartment"
		}
	}
	home := false
	for _, t := range p.order {
		if t.kind == "species" && t.in == "" {
			t.in, home = "default_compartment", true
		}
	}
	if home {
		c := p.symbol("default_compartment")
		if c.kind = "compartment"; c.initial == nil && !c.ruled {
			c.initial = formula.Num(1)
		}
	}
	for _, t := range p.order {
		var bad *sbml.Problem
		switch t.kind {
		case "compartment":
			bad = p.compartment(t)
		case "species":
			bad = p.species(t)
		case "reference":
			bad = p.reference(t)
		default:
			bad = p.parameter(t)
		}
		if bad != nil {
			return bad
		}
	}
	p.modifiers()
	p.sboTerms()
	return nil
}

// sboTerms puts the SBO terms on their elements; those of names that stand for
// nothing are left out.
func (p *parser) sboTerms() {
	for _, t := range p.terms {
		for _, r := range p.m.Reactions {
			switch {
			case r.ID != t[0]:
			case t[1] == "":
				r.SBO = t[2]
			case r.Law != nil:
				r.Law.SBO = t[2]
			}
		}
		for _, c := range p.m.Compartments {
			if c.ID == t[0] {
				c.SBO = t[2]
			}
		}
		for _, s := range p.m.Species {
			if s.ID == t[0] {
				s.SBO = t[2]
			}
		}
		for _, q := range p.m.Parameters {
			if q.ID == t[0] {
				q.SBO = t[2]
			}
		}
	}
}

// modifiers names, as SBML wants it, the species that a rate law reads and the
// reaction does not change.
func (p *parser) modifiers() {
	for _, r := range p.m.Reactions {
		if r.Law == nil {
			continue
		}
		have := map[string]bool{}
		for _, x := range append(append([]*sbml.SpeciesRef(nil), r.Reactants...), r.Products...) {
			have[x.Species] = true
		}
		r.Law.Math.Walk(func(e *formula.Expr) {
			if t := p.things[e.Name]; e.Kind == formula.Symbol && t != nil && t.kind == "species" && !have[e.Name] {
				have[e.Name] = true
				r.Modifiers = append(r.Modifiers, &sbml.SpeciesRef{Base: p.base(""), Species: e.Name, Stoichiometry: math.NaN()})
			}
		})
	}
}

// number is the value of an initial value that is a plain number.
func number(e *formula.Expr) float64 {
	if e == nil || e.Kind != formula.Number {
		return math.NaN()
	}
	return e.Value
}

// computed makes an initial assignment of a value that is no plain number.
func (p *parser) computed(t *thing) {
	if t.initial != nil && t.initial.Kind != formula.Number {
		p.m.Initial = append(p.m.Initial, &sbml.InitialAssignment{Base: sbml.Base{Line: t.at.Line, Col: t.at.Col}, Symbol: t.id, Math: t.initial})
	}
}

func (t *thing) base() sbml.Base {
	b := t.at
	b.Name = t.name
	return b
}

// isConstant: what the text says, else whether nothing changes it.
func (t *thing) isConstant() bool {
	if t.constant != nil {
		return *t.constant
	}
	return !t.ruled
}

func (p *parser) compartment(t *thing) *sbml.Problem {
	p.computed(t)
	p.m.Compartments = append(p.m.Compartments, &sbml.Compartment{Base: t.base(), Dimensions: 3, Size: number(t.initial), Units: t.units, Constant: t.isConstant()})
	return nil
}

func (p *parser) species(t *thing) *sbml.Problem {
	s := &sbml.Species{Base: t.base(), Compartment: t.in, InitialAmount: math.NaN(), InitialConcentration: math.NaN(), SubstanceUnits: t.units,
		HasOnlySubstanceUnits: t.amount, ConversionFactor: t.factor, Boundary: t.boundary, Constant: t.constant != nil && *t.constant}
	switch e := t.initial; {
	case e == nil:
	case e.Kind == formula.Number && t.amount:
		s.InitialAmount = e.Value
	case e.Kind == formula.Number:
		s.InitialConcentration = e.Value
	case !t.amount && e.Kind == formula.Apply && e.Name == "divide" && e.Args[0].Kind == formula.Number && e.Args[1].Kind == formula.Symbol && e.Args[1].Name == t.in:
		s.InitialAmount = e.Args[0].Value // an amount over the size
	case t.amount && e.Kind == formula.Apply && e.Name == "times" && len(e.Args) == 2 && e.Args[0].Kind == formula.Number && e.Args[1].Kind == formula.Symbol && e.Args[1].Name == t.in:
		s.InitialConcentration = e.Args[0].Value
	default:
		p.computed(t)
	}
	s.Boundary = s.Boundary || t.rule && t.reacting // a rule, not the reactions, moves it
	p.m.Species = append(p.m.Species, s)
	return nil
}

func (p *parser) reference(t *thing) *sbml.Problem {
	t.reference.Stoichiometry, t.reference.Constant = number(t.initial), t.isConstant()
	p.computed(t)
	return nil
}

func (p *parser) parameter(t *thing) *sbml.Problem {
	if p.names[t.id] {
		return problem(t.at.Line, t.at.Col, "the name "+t.id+" stands for a reaction, an event or a function, and for a value")
	}
	p.computed(t)
	p.m.Parameters = append(p.m.Parameters, &sbml.Parameter{Base: t.base(), Value: number(t.initial), Units: t.units, Constant: t.isConstant()})
	return nil
}

var unitTerm = regexp.MustCompile(`^(?:([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*)?(?:([A-Za-z_]+)(?:\s*\^\s*(-?[0-9.]+))?)?$`)

// unitDefinition reads: unit NAME = 1e-3 mole / litre ^ 2
func (p *parser) unitDefinition(s string) *sbml.Problem {
	g := unitLine.FindStringSubmatch(s)
	if p.unit[g[1]] {
		return p.st.fail(0, "the unit "+g[1]+" is defined twice")
	}
	p.unit[g[1]] = true
	u := &sbml.UnitDefinition{Base: p.base(g[1])}
	sign, factor := 1.0, 1.0
	for _, part := range regexp.MustCompile(`[*/]|[^*/]+`).FindAllString(g[2], -1) {
		part = strings.Trim(strings.TrimSpace(part), "()")
		switch part {
		case "*":
			sign = 1
			continue
		case "/":
			sign = -1
			continue
		}
		m := unitTerm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil || part == "" {
			return p.st.fail(0, strconv.Quote(part)+" is no unit").WithHint("for example: unit mM = 1e-3 mole / litre")
		}
		k := sbml.Unit{Kind: m[2], Exponent: sign, Multiplier: 1}
		if m[3] != "" {
			v, _ := strconv.ParseFloat(m[3], 64)
			k.Exponent *= v
		}
		v := 1.0
		if m[1] != "" {
			v, _ = strconv.ParseFloat(m[1], 64)
		}
		if k.Kind == "" || k.Exponent == 0 {
			factor *= math.Pow(v, sign)
			continue
		}
		k.Multiplier = v
		u.Units = append(u.Units, k)
	}
	if factor != 1 || len(u.Units) == 0 {
		u.Units = append(u.Units, sbml.Unit{Kind: "dimensionless", Exponent: 1, Multiplier: factor})
	}
	p.m.Units = append(p.m.Units, u)
	return nil
}
