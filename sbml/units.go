package sbml

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/myoaxis/myoaxis/formula"
)

// dims is a unit as powers of base units and a factor (its logarithm).
type dims struct {
	powers map[string]float64
	log    float64
}

// base units of SBML: SI base units with their powers, then the factor.
var baseUnits = map[string]dims{}

func init() {
	put := func(name string, factor float64, powers map[string]float64) {
		baseUnits[name] = dims{powers, math.Log(factor)}
	}
	for _, b := range []string{"ampere", "candela", "item", "kelvin", "kilogram", "metre", "mole", "second"} {
		put(b, 1, map[string]float64{b: 1})
	}
	put("meter", 1, map[string]float64{"metre": 1})
	for _, b := range []string{"dimensionless", "radian", "steradian"} {
		put(b, 1, nil)
	}
	put("avogadro", formula.AvogadroNumber, nil)
	put("gram", 1e-3, map[string]float64{"kilogram": 1})
	put("litre", 1e-3, map[string]float64{"metre": 3})
	put("liter", 1e-3, map[string]float64{"metre": 3})
	put("becquerel", 1, map[string]float64{"second": -1})
	put("hertz", 1, map[string]float64{"second": -1})
	put("katal", 1, map[string]float64{"mole": 1, "second": -1})
	put("newton", 1, map[string]float64{"kilogram": 1, "metre": 1, "second": -2})
	put("pascal", 1, map[string]float64{"kilogram": 1, "metre": -1, "second": -2})
	put("joule", 1, map[string]float64{"kilogram": 1, "metre": 2, "second": -2})
	put("watt", 1, map[string]float64{"kilogram": 1, "metre": 2, "second": -3})
	put("coulomb", 1, map[string]float64{"ampere": 1, "second": 1})
	put("volt", 1, map[string]float64{"kilogram": 1, "metre": 2, "second": -3, "ampere": -1})
	put("ohm", 1, map[string]float64{"kilogram": 1, "metre": 2, "second": -3, "ampere": -2})
	put("siemens", 1, map[string]float64{"kilogram": -1, "metre": -2, "second": 3, "ampere": 2})
	put("farad", 1, map[string]float64{"kilogram": -1, "metre": -2, "second": 4, "ampere": 2})
	put("weber", 1, map[string]float64{"kilogram": 1, "metre": 2, "second": -2, "ampere": -1})
	put("tesla", 1, map[string]float64{"kilogram": 1, "second": -2, "ampere": -1})
	put("henry", 1, map[string]float64{"kilogram": 1, "metre": 2, "second": -2, "ampere": -2})
	put("gray", 1, map[string]float64{"metre": 2, "second": -2})
	put("sievert", 1, map[string]float64{"metre": 2, "second": -2})
	put("lumen", 1, map[string]float64{"candela": 1})
	put("lux", 1, map[string]float64{"candela": 1, "metre": -2})
}

func (d dims) times(e dims, power float64) dims {
	out := dims{map[string]float64{}, d.log + power*e.log}
	for k, v := range d.powers {
		out.powers[k] = v
	}
	for k, v := range e.powers {
		if out.powers[k] += power * v; math.Abs(out.powers[k]) < 1e-9 {
			delete(out.powers, k)
		}
	}
	return out
}

func (d dims) same(e dims) bool {
	q := d.times(e, -1)
	return len(q.powers) == 0 && math.Abs(q.log) < 1e-9
}

func (d dims) String() string {
	var parts []string
	for k, v := range d.powers {
		if v == 1 {
			parts = append(parts, k)
		} else {
			parts = append(parts, fmt.Sprintf("%s^%g", k, v))
		}
	}
	sort.Strings(parts)
	if math.Abs(d.log) > 1e-9 {
		parts = append([]string{fmt.Sprintf("%.6g", math.Exp(d.log))}, parts...)
	}
	if len(parts) == 0 {
		return "dimensionless"
	}
	return strings.Join(parts, "·")
}

// unitChecker infers units; nil is unknown, which fits everything.
type unitChecker struct {
	m        *Model
	defs     map[string]dims
	symbols  map[string]*dims
	problems Problems
}

// checkUnits warns where units do not fit.
func (m *Model) checkUnits() Problems {
	c := &unitChecker{m: m, defs: map[string]dims{}, symbols: map[string]*dims{}}
	for _, u := range m.Units {
		d := dims{}
		for _, k := range u.Units {
			b := baseUnits[k.Kind]
			b.log += math.Log(k.Multiplier) + k.Scale*math.Ln10
			d = d.times(b, k.Exponent)
		}
		c.defs[u.ID] = d
	}
	for _, x := range m.Compartments {
		c.symbols[x.ID] = c.compartmentUnit(x)
	}
	for _, x := range m.Species {
		c.symbols[x.ID] = c.speciesUnit(x)
	}
	for _, x := range m.Parameters {
		c.symbols[x.ID] = c.unit(x.Units)
	}
	for _, x := range m.Reactions {
		c.symbols[x.ID] = c.per(c.extent(), c.time())
	}
	c.model()
	return c.problems
}

// unit of a name; the units that Levels 1 and 2 predefine have their defaults.
func (c *unitChecker) unit(name string) *dims {
	if d, ok := c.defs[name]; ok {
		return &d
	}
	if d, ok := baseUnits[name]; ok {
		return &d
	}
	if c.m.Level < 3 {
		switch name {
		case "substance":
			d := baseUnits["mole"]
			return &d
		case "volume":
			d := baseUnits["litre"]
			return &d
		case "area":
			return &dims{map[string]float64{"metre": 2}, 0}
		case "length":
			d := baseUnits["metre"]
			return &d
		case "time":
			d := baseUnits["second"]
			return &d
		}
	}
	return nil
}

// either takes the unit set on the model, or that which Levels 1 and 2
// predefine.
func (c *unitChecker) either(set, predefined string) *dims {
	if set != "" {
		return c.unit(set)
	}
	return c.unit(predefined)
}

func (c *unitChecker) time() *dims { return c.either(c.m.TimeUnits, "time") }
func (c *unitChecker) extent() *dims {
	return c.either(c.m.ExtentUnits, "substance")
}

func (c *unitChecker) per(a, b *dims) *dims {
	if a == nil || b == nil {
		return nil
	}
	d := a.times(*b, -1)
	return &d
}

func (c *unitChecker) compartmentUnit(x *Compartment) *dims {
	if x.Units != "" {
		return c.unit(x.Units)
	}
	switch x.Dimensions {
	case 3:
		return c.either(c.m.VolumeUnits, "volume")
	case 2:
		return c.either(c.m.AreaUnits, "area")
	case 1:
		return c.either(c.m.LengthUnits, "length")
	}
	return nil
}

func (c *unitChecker) speciesUnit(x *Species) *dims {
	s := c.unit(x.SubstanceUnits)
	if x.SubstanceUnits == "" {
		s = c.either(c.m.SubstanceUnits, "substance")
	}
	if x.HasOnlySubstanceUnits {
		return s
	}
	return c.per(s, c.symbols[x.Compartment])
}

func (c *unitChecker) model() {
	assign := func(b *Base, id string, e *formula.Expr, want *dims) {
		if e == nil {
			return
		}
		if got := c.expr(e, nil); got != nil && want != nil && !got.same(*want) {
			c.problems = append(c.problems, warning(b, id, "its units are %s, those of the formula %s", want, got))
		}
	}
	for _, x := range c.m.Initial {
		assign(&x.Base, x.Symbol, x.Math, c.symbols[x.Symbol])
	}
	for _, x := range c.m.Rules {
		switch x.Kind {
		case Assignment:
			assign(&x.Base, x.Variable, x.Math, c.symbols[x.Variable])
		case Rate:
			assign(&x.Base, x.Variable, x.Math, c.per(c.symbols[x.Variable], c.time()))
		default:
			assign(&x.Base, "", x.Math, nil)
		}
	}
	for _, x := range c.m.Reactions {
		if x.Law == nil || x.Law.Math == nil {
			continue
		}
		local := map[string]*dims{}
		for _, p := range x.Law.Locals {
			local[p.ID] = c.unit(p.Units)
		}
		want := c.symbols[x.ID]
		if got := c.expr(x.Law.Math, local); got != nil && want != nil && !got.same(*want) {
			c.problems = append(c.problems, warning(&x.Law.Base, x.ID, "the units of its rate are %s, expected %s", got, want))
		}
	}
	for _, x := range c.m.Events {
		if x.Trigger != nil {
			c.expr(x.Trigger, nil)
		}
		assign(&x.DelayBase, x.ID, x.Delay, c.time())
		for _, a := range x.Assignments {
			assign(&a.Base, a.Variable, a.Math, c.symbols[a.Variable])
		}
	}
}

// expr infers the units of a formula, and warns where parts do not fit.
func (c *unitChecker) expr(e *formula.Expr, local map[string]*dims) *dims {
	switch e.Kind {
	case formula.Number:
		if e.Units != "" {
			return c.unit(e.Units)
		}
		return nil // a bare number fits everything
	case formula.Symbol:
		if d, ok := local[e.Name]; ok {
			return d
		}
		return c.symbols[e.Name]
	case formula.Time:
		return c.time()
	case formula.Call:
		return c.call(e, local)
	case formula.Apply:
		return c.apply(e, local)
	}
	return nil
}

func (c *unitChecker) call(e *formula.Expr, local map[string]*dims) *dims {
	for _, f := range c.m.Functions {
		if f.ID != e.Name || f.Math == nil || len(f.Math.Args) != len(e.Args)+1 {
			continue
		}
		inner := map[string]*dims{}
		for i, a := range e.Args {
			inner[f.Math.Args[i].Name] = c.expr(a, local)
		}
		return c.expr(f.Math.Args[len(e.Args)], inner)
	}
	return nil
}

func (c *unitChecker) apply(e *formula.Expr, local map[string]*dims) *dims {
	args := make([]*dims, len(e.Args))
	for i, a := range e.Args {
		args[i] = c.expr(a, local)
	}
	none := &dims{}
	switch e.Name {
	case "times", "divide":
		out := *none
		for i, a := range args {
			if a == nil {
				return nil
			}
			out = out.times(*a, map[bool]float64{true: -1, false: 1}[e.Name == "divide" && i == 1])
		}
		return &out
	case "plus", "minus", "max", "min":
		return c.alike(e, args)
	case "eq", "neq", "lt", "leq", "gt", "geq":
		c.alike(e, args)
		return none
	case "piecewise":
		var values []*dims
		for i := 0; i < len(args); i += 2 {
			values = append(values, args[i])
		}
		return c.alike(e, values)
	case "power":
		return c.power(args[0], e.Args[1], 1)
	case "root":
		return c.power(args[1], e.Args[0], -1)
	case "abs", "floor", "ceiling", "delay":
		return args[0]
	case "rateOf":
		return c.per(args[0], c.time())
	case "exp", "ln", "log", "sin", "cos", "tan", "factorial":
		for _, a := range args {
			if a != nil && !a.same(*none) {
				c.problems = append(c.problems, warning(place(e), e.Name, "it is applied to %s, which has units", a))
			}
		}
		return none
	}
	return none
}

func (c *unitChecker) power(base *dims, by *formula.Expr, sign float64) *dims {
	if base == nil {
		return nil
	}
	if by.Kind != formula.Number || by.Value == 0 {
		if base.same(dims{}) {
			return base
		}
		return nil
	}
	d := dims{}.times(*base, math.Pow(by.Value, sign))
	return &d
}

// alike warns where values that must have the same units do not.
func (c *unitChecker) alike(e *formula.Expr, args []*dims) *dims {
	var first *dims
	for _, a := range args {
		switch {
		case a == nil:
		case first == nil:
			first = a
		case !first.same(*a):
			c.problems = append(c.problems, warning(place(e), e.Name, "%s and %s are put together", first, a))
			return nil
		}
	}
	return first
}
