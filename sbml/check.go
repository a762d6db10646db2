package sbml

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/myoaxis/myoaxis/formula"
)

var sid = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Check lists the faults of a document, worst first in the order of the file:
// those found without running it, then whether it can be built, then units as
// warnings. read fetches external model definitions.
func (d *Document) Check(file string, read func(string) ([]byte, error)) Problems {
	c := &checker{}
	for _, m := range append([]*Model{d.Model}, d.Definitions...) {
		if m != nil {
			c.model(m)
		}
	}
	if len(c.problems) == 0 {
		flat, err := d.Flat(read)
		if err == nil {
			_, err = Build(flat)
		}
		var p *Problem
		var many Problems
		switch {
		case errors.As(err, &many):
			c.problems = append(c.problems, many...)
		case errors.As(err, &p):
			c.problems = append(c.problems, p)
		case err != nil:
			c.problems = append(c.problems, invalid(&Base{Line: 1, Col: 1}, "", "%v", err))
		default:
			c.problems = append(c.problems, flat.checkUnits()...)
		}
	}
	for _, p := range c.problems {
		if p.File == "" {
			p.File = file
		}
	}
	for i := range d.Warnings {
		c.problems = append(c.problems, &d.Warnings[i])
	}
	return c.problems
}

// checker looks at ids and references.
type checker struct {
	problems Problems
	kinds    map[string]string // id -> what it stands for
	units    map[string]bool
	lambdas  map[string]int
}

func (c *checker) fail(b *Base, element, format string, args ...any) *Problem {
	p := invalid(b, element, format, args...)
	c.problems = append(c.problems, p)
	return p
}

func (c *checker) define(b *Base, kind string, needed bool) {
	switch {
	case b.ID == "" && needed:
		c.fail(b, kind, "the id is missing")
	case b.ID == "":
	case !sid.MatchString(b.ID):
		c.fail(b, b.ID, "this is no valid id").Hint = "letters, digits and underscores, not beginning with a digit"
	case c.kinds[b.ID] != "":
		c.fail(b, b.ID, "the id stands for two things")
	default:
		c.kinds[b.ID] = kind
	}
}

func (c *checker) model(m *Model) {
	c.kinds, c.units, c.lambdas = map[string]string{}, map[string]bool{}, map[string]int{}
	for _, f := range m.Functions {
		c.define(&f.Base, "function", true)
		c.lambdas[f.ID] = -1
		if f.Math != nil {
			c.lambdas[f.ID] = len(f.Math.Args) - 1
		}
	}
	for _, u := range m.Units {
		if c.units[u.ID] {
			c.fail(&u.Base, u.ID, "two unit definitions have this id")
		}
		c.units[u.ID] = true
		for _, k := range u.Units {
			if _, ok := baseUnits[k.Kind]; !ok {
				c.fail(&u.Base, u.ID, "%q is no unit of SBML", k.Kind)
			}
		}
	}
	for _, x := range m.Compartments {
		c.define(&x.Base, "compartment", true)
		if x.Size < 0 {
			c.fail(&x.Base, x.ID, "its size is negative")
		}
	}
	for _, x := range m.Species {
		c.define(&x.Base, "species", true)
	}
	for _, x := range m.Parameters {
		c.define(&x.Base, "parameter", true)
	}
	for _, x := range m.Reactions {
		c.define(&x.Base, "reaction", true)
		for _, l := range [][]*SpeciesRef{x.Reactants, x.Products, x.Modifiers} {
			for _, r := range l {
				c.define(&r.Base, "species reference", false)
			}
		}
	}
	for _, x := range m.Events {
		c.define(&x.Base, "event", false)
	}
	c.references(m)
	c.formulas(m)
}

// refers checks that an id stands for the kind of thing it should.
func (c *checker) refers(b *Base, element, kind, id string) {
	if id != "" && c.kinds[id] != kind {
		c.fail(b, element, "there is no %s %q", kind, id)
	}
}

func (c *checker) unitRef(b *Base, id string) {
	if id == "" || c.units[id] {
		return
	}
	if _, ok := baseUnits[id]; !ok && !builtinUnits[id] {
		c.fail(b, b.ID, "there is no unit %q", id)
	}
}

// builtinUnits are those that Levels 1 and 2 predefine.
var builtinUnits = map[string]bool{"substance": true, "volume": true, "area": true, "length": true, "time": true}

func (c *checker) references(m *Model) {
	for _, x := range m.Compartments {
		c.unitRef(&x.Base, x.Units)
		c.refers(&x.Base, x.ID, "compartment", x.Outside)
	}
	for _, x := range m.Species {
		c.refers(&x.Base, x.ID, "compartment", x.Compartment)
		c.unitRef(&x.Base, x.SubstanceUnits)
		c.refers(&x.Base, x.ID, "parameter", x.ConversionFactor)
	}
	for _, x := range m.Parameters {
		c.unitRef(&x.Base, x.Units)
	}
	for _, x := range m.Reactions {
		c.refers(&x.Base, x.ID, "compartment", x.Compartment)
		for _, l := range [][]*SpeciesRef{x.Reactants, x.Products, x.Modifiers} {
			for _, r := range l {
				c.refers(&r.Base, x.ID, "species", r.Species)
			}
		}
	}
}

func (c *checker) variable(b *Base, id string) {
	switch c.kinds[id] {
	case "compartment", "species", "parameter", "species reference":
	default:
		c.fail(b, id, "there is no variable %q", id)
	}
}

func (c *checker) formulas(m *Model) {
	for _, x := range m.Functions {
		if x.Math != nil {
			local := map[string]bool{}
			for _, a := range x.Math.Args[:len(x.Math.Args)-1] {
				local[a.Name] = true
			}
			c.formula(x.Math.Args[len(x.Math.Args)-1], local)
		}
	}
	for _, x := range m.Initial {
		c.variable(&x.Base, x.Symbol)
		c.formula(x.Math, nil)
	}
	for _, x := range m.Rules {
		if x.Kind != Algebraic {
			c.variable(&x.Base, x.Variable)
		}
		c.formula(x.Math, nil)
	}
	for _, x := range m.Constraints {
		c.formula(x.Math, nil)
	}
	for _, x := range m.Reactions {
		if x.Law == nil {
			continue
		}
		local := map[string]bool{}
		for _, p := range x.Law.Locals {
			if local[p.ID] {
				c.fail(&p.Base, p.ID, "two local parameters of %s have this id", x.ID)
			}
			local[p.ID] = true
			c.unitRef(&p.Base, p.Units)
		}
		c.formula(x.Law.Math, local)
	}
	for _, x := range m.Events {
		for _, e := range []*formula.Expr{x.Trigger, x.Delay, x.Priority} {
			c.formula(e, nil)
		}
		for _, a := range x.Assignments {
			c.variable(&a.Base, a.Variable)
			c.formula(a.Math, nil)
		}
	}
}

// formula checks the names in a formula.
func (c *checker) formula(e *formula.Expr, local map[string]bool) {
	if e == nil {
		return
	}
	e.Walk(func(x *formula.Expr) {
		switch x.Kind {
		case formula.Symbol:
			if k := c.kinds[x.Name]; !local[x.Name] && (k == "" || k == "event" || k == "function") {
				c.fail(place(x), x.Name, "there is nothing with this id")
			}
		case formula.Call:
			n, ok := c.lambdas[x.Name]
			if !ok {
				c.fail(place(x), x.Name, "there is no function with this id")
			} else if n >= 0 && n != len(x.Args) {
				c.fail(place(x), x.Name, "the function takes %d value(s), not %d", n, len(x.Args))
			}
		}
		c.unitRef(place(x), x.Units)
	})
}

// Errors counts the problems that are no warnings.
func (p Problems) Errors() (n int) {
	for _, q := range p {
		if !q.Warning {
			n++
		}
	}
	return n
}

func warning(b *Base, element, format string, args ...any) *Problem {
	return &Problem{Line: b.Line, Col: b.Col, Element: element, Message: fmt.Sprintf(format, args...), Kind: ErrInvalid, Warning: true}
}
