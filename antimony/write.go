package antimony

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/formula"
	"github.com/myoaxis/myoaxis/sbml"
)

// Write writes a flat model. lost lists what the language has no words for and
// that does not change results (notes, units of numbers, display details);
// what would change them is refused with an sbml.ErrUnsupported.
func Write(m *sbml.Model) (text string, lost []string, err error) {
	w := &writer{m: sbml.Modern(m), rename: map[string]string{}, initial: map[string]*formula.Expr{}, ruled: map[string]bool{}}
	if err := w.refuse(); err != nil {
		return "", nil, err
	}
	w.prepare()
	w.write()
	return w.b.String(), w.lost, nil
}

type writer struct {
	m       *sbml.Model
	b       strings.Builder
	lost    []string
	rename  map[string]string
	taken   map[string]bool
	initial map[string]*formula.Expr
	ruled   map[string]bool // by a rule or an event
	fixed   map[string]bool // by an assignment rule: needs no initial value
	// algebraic: with algebraic rules, other readers take what is not said to be
	// constant for variable.
	algebraic bool
	late      []string // initial values of what is made up
}

func (w *writer) refuse() error {
	fail := func(b *sbml.Base, what string) error {
		return &sbml.Problem{Line: b.Line, Col: b.Col, Element: b.ID, Message: what + " cannot be said in Antimony", Kind: sbml.ErrUnsupported}
	}
	for _, r := range w.m.Reactions {
		if r.Fast {
			return fail(&r.Base, "a fast reaction")
		}
	}
	return nil
}

// words that a name in Antimony may not be.
var words = map[string]bool{"model": true, "module": true, "end": true, "function": true, "const": true, "var": true, "species": true, "compartment": true, "formula": true,
	"substanceOnly": true, "at": true, "after": true, "in": true, "is": true, "has": true, "unit": true, "time": true, "avogadro": true, "pi": true, "exponentiale": true,
	"inf": true, "infinity": true, "nan": true, "notanumber": true, "true": true, "false": true, "lambda": true, "priority": true, "persistent": true, "t0": true, "fromTrigger": true, "import": true}

func (w *writer) free(id string) string {
	for words[id] || words[strings.ToLower(id)] || w.taken[id] || formula.IsFunction(id) {
		id += "_"
	}
	w.taken[id] = true
	return id
}

// prepare finds new names for what cannot keep its own, and what sets what.
func (w *writer) prepare() {
	w.taken, w.fixed = map[string]bool{}, map[string]bool{}
	ids := w.m.IDs()
	for _, id := range ids {
		if !words[id] && !words[strings.ToLower(id)] && !formula.IsFunction(id) {
			w.taken[id] = true
		}
	}
	for _, id := range ids {
		if !w.taken[id] {
			w.rename[id] = w.free(id)
			w.lost = append(w.lost, "the name "+id+" is a word of the language: it is now "+w.rename[id])
		}
	}
	for _, x := range w.m.Initial {
		if x.Math != nil {
			w.initial[x.Symbol] = x.Math
		}
	}
	for _, x := range w.m.Rules {
		if x.Math != nil {
			w.ruled[x.Variable] = true
			w.algebraic = w.algebraic || x.Kind == sbml.Algebraic
			w.fixed[x.Variable] = w.fixed[x.Variable] || x.Kind == sbml.Assignment
		}
	}
	for _, e := range w.m.Events {
		for _, a := range e.Assignments {
			w.ruled[a.Variable] = true
		}
	}
}

func (w *writer) id(id string) string {
	if n, ok := w.rename[id]; ok {
		return n
	}
	return id
}

func (w *writer) expr(e *formula.Expr, local map[string]string) string {
	units := false
	e.Walk(func(x *formula.Expr) { units = units || x.Units != "" })
	if units && !slices.Contains(w.lost, "units of numbers in formulas") {
		w.lost = append(w.lost, "units of numbers in formulas")
	}
	return e.Rename(func(id string) string {
		if n, ok := local[id]; ok {
			return n
		}
		return w.id(id)
	}).String()
}

func (w *writer) line(format string, a ...any) {
	w.b.WriteString("  ")
	fmt.Fprintf(&w.b, format, a...)
	w.b.WriteString("\n")
}

func (w *writer) write() {
	for _, f := range w.m.Functions {
		w.function(f)
	}
	name := w.m.ID
	if name == "" || words[name] {
		name = "unnamed"
	}
	fmt.Fprintf(&w.b, "model %s()\n", name)
	for _, u := range w.m.Units {
		w.unit(u)
	}
	for _, x := range w.m.Compartments {
		w.declare("compartment", x.ID, x.Constant, "", number2(x.Size))
		w.base(&x.Base, x.Units)
		if x.Dimensions != 3 && x.Dimensions == x.Dimensions {
			w.lost = append(w.lost, fmt.Sprintf("%s has %g dimensions", x.ID, x.Dimensions))
		}
	}
	for _, x := range w.m.Species {
		w.species(x)
	}
	if w.m.ConversionFactor != "" {
		w.line("model.conversionFactor = %s;", w.id(w.m.ConversionFactor))
	}
	for _, x := range w.m.Parameters {
		w.declare("", x.ID, x.Constant, "", number2(x.Value))
		w.base(&x.Base, x.Units)
	}
	for _, x := range w.m.Reactions {
		w.reaction(x)
	}
	for _, l := range w.late {
		w.line("%s", l)
	}
	for _, x := range w.m.Rules {
		switch {
		case x.Math == nil:
		case x.Kind == sbml.Algebraic:
			w.line("0 = %s;", w.expr(x.Math, nil))
		case x.Kind == sbml.Rate:
			w.line("%s' = %s;", w.id(x.Variable), w.expr(x.Math, nil))
		default:
			w.line("%s := %s;", w.id(x.Variable), w.expr(x.Math, nil))
		}
	}
	for _, x := range w.m.Events {
		w.event(x)
	}
	if len(w.m.Constraints) > 0 {
		w.lost = append(w.lost, fmt.Sprintf("%d constraint(s)", len(w.m.Constraints)))
	}
	w.b.WriteString("end\n")
}

func number2(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return formula.Num(v).String()
}

// base writes a display name and a unit, and notes what is lost.
func (w *writer) base(b *sbml.Base, units string) {
	if b.Name != "" && b.Name != b.ID && !strings.ContainsAny(b.Name, "\"\n") {
		w.line("%s is \"%s\";", w.id(b.ID), b.Name)
	}
	if units != "" {
		w.line("%s has %s;", w.id(b.ID), unitID(units))
	}
	if b.Notes+b.Annotation != "" && !slices.Contains(w.lost, "notes and annotations") {
		w.lost = append(w.lost, "notes and annotations")
	}
}

// declare writes a declaration with its initial value.
func (w *writer) declare(kind, id string, constant bool, in, value string) {
	words := kind
	if constant == w.ruled[id] || kind == "" && value == "" || constant && w.algebraic { // not what the text would be read as
		words = strings.TrimSpace(map[bool]string{true: "const ", false: "var "}[constant] + kind)
	}
	if e, ok := w.initial[id]; ok {
		value = w.expr(e, nil)
	}
	if w.fixed[id] {
		value = ""
	}
	switch {
	case words == "" && value == "": // its rule says it all
		return
	case words == "":
		w.line("%s = %s;", w.id(id), value)
		return
	}
	if value != "" {
		value = " = " + value
	}
	w.line("%s %s%s%s;", words, w.id(id), in, value)
}

func (w *writer) species(x *sbml.Species) {
	kind := "species"
	if x.HasOnlySubstanceUnits {
		kind = "substanceOnly species"
	}
	if x.Constant {
		kind = "const " + kind
	}
	c := w.id(x.Compartment)
	value := ""
	switch amount, conc := number2(x.InitialAmount), number2(x.InitialConcentration); {
	case w.fixed[x.ID]:
	case w.initial[x.ID] != nil:
		value = " = " + w.expr(w.initial[x.ID], nil)
	case amount != "" && x.HasOnlySubstanceUnits:
		value = " = " + amount
	case amount != "":
		value = " = " + amount + "/" + c
	case conc != "" && x.HasOnlySubstanceUnits:
		value = " = " + conc + "*" + c
	case conc != "":
		value = " = " + conc
	}
	w.line("%s %s%s in %s%s;", kind, map[bool]string{true: "$"}[x.Boundary], w.id(x.ID), c, value)
	w.base(&x.Base, x.SubstanceUnits)
	if x.ConversionFactor != "" {
		w.line("%s.conversionFactor = %s;", w.id(x.ID), w.id(x.ConversionFactor))
	}
}

func (w *writer) reaction(x *sbml.Reaction) {
	sides := [2]string{}
	for n, l := range [][]*sbml.SpeciesRef{x.Reactants, x.Products} {
		var parts []string
		for k, r := range l {
			parts = append(parts, w.reference(x, r, n, k))
		}
		sides[n] = strings.Join(parts, " + ")
	}
	in := ""
	if x.Compartment != "" {
		in = " in " + w.id(x.Compartment)
	}
	local := map[string]string{}
	law := ""
	if x.Law != nil {
		for _, p := range x.Law.Locals {
			id := w.free(x.ID + "_" + p.ID)
			local[p.ID] = id
			w.late = append(w.late, fmt.Sprintf("const %s%s;", id, map[bool]string{true: " = " + number2(p.Value)}[!math.IsNaN(p.Value)]))
		}
		if x.Law.Math != nil {
			law = " " + w.expr(x.Law.Math, local) + ";"
		}
	}
	w.line("%s: %s %s %s%s;%s", w.id(x.ID), sides[0], map[bool]string{true: "->", false: "=>"}[x.Reversible], sides[1], in, law)
	w.base(&x.Base, "")
}

// reference writes a species with its stoichiometry; one that is no plain
// positive number gets a name.
func (w *writer) reference(x *sbml.Reaction, r *sbml.SpeciesRef, side, k int) string {
	v := r.Stoichiometry
	s := w.id(r.Species)
	switch {
	case r.ID != "":
		words := ""
		if r.Constant == w.ruled[r.ID] || math.IsNaN(v) && w.initial[r.ID] == nil {
			words = map[bool]string{true: "const ", false: "var "}[r.Constant]
		}
		value := number2(v)
		if e, ok := w.initial[r.ID]; ok {
			value = w.expr(e, nil)
		}
		if value != "" && !w.fixed[r.ID] {
			value = " = " + value
		} else {
			value = ""
		}
		if words+value != "" {
			w.late = append(w.late, words+w.id(r.ID)+value+";")
		}
		return w.id(r.ID) + " " + s
	case v == 1:
		return s
	case v > 0 && !math.IsInf(v, 0):
		return formula.Num(v).String() + " " + s
	}
	id := w.free(fmt.Sprintf("%s_%d%d_stoichiometry", x.ID, side, k))
	w.late = append(w.late, fmt.Sprintf("const %s%s;", id, map[bool]string{true: " = " + number2(v)}[!math.IsNaN(v)]))
	return id + " " + s
}

func (w *writer) event(x *sbml.Event) {
	if x.Trigger == nil {
		return // it never fires
	}
	var b strings.Builder
	if x.ID != "" {
		b.WriteString(w.id(x.ID) + ": ")
	}
	b.WriteString("at ")
	if x.Delay != nil {
		b.WriteString("(" + w.expr(x.Delay, nil) + ") after ")
	}
	b.WriteString("(" + w.expr(x.Trigger, nil) + ")")
	if x.Priority != nil {
		b.WriteString(", priority = " + w.expr(x.Priority, nil))
	}
	for _, o := range []struct {
		name string
		v    bool
	}{{"t0", x.TriggerInitial}, {"persistent", x.Persistent}, {"fromTrigger", x.UseValuesFromTriggerTime}} {
		if !o.v {
			b.WriteString(", " + o.name + " = false")
		}
	}
	sep := ": "
	for _, a := range x.Assignments {
		if a.Math != nil {
			b.WriteString(sep + w.id(a.Variable) + " = " + w.expr(a.Math, nil))
			sep = ", "
		}
	}
	if sep == ": " { // without assignments it does nothing
		return
	}
	w.line("%s;", b.String())
}

func (w *writer) function(f *sbml.Function) {
	if f.Math == nil {
		return
	}
	n := len(f.Math.Args) - 1
	var args []string
	local := map[string]string{}
	for _, a := range f.Math.Args[:n] {
		local[a.Name] = a.Name
		for words[strings.ToLower(local[a.Name])] || words[local[a.Name]] || formula.IsFunction(local[a.Name]) {
			local[a.Name] += "_"
		}
		args = append(args, local[a.Name])
	}
	fmt.Fprintf(&w.b, "function %s(%s)\n  %s;\nend\n", w.id(f.ID), strings.Join(args, ", "), w.expr(f.Math.Args[n], local))
}

// unitID is the name of a unit, which may not be a word either.
func unitID(id string) string {
	if words[strings.ToLower(id)] {
		return id + "_"
	}
	return id
}

func (w *writer) unit(u *sbml.UnitDefinition) {
	var parts []string
	for _, k := range u.Units {
		v := k.Multiplier * math.Pow(10, k.Scale)
		s := k.Kind
		if k.Exponent != 1 {
			s += "^" + strconv.FormatFloat(k.Exponent, 'g', -1, 64)
		}
		if v != 1 {
			s = strconv.FormatFloat(v, 'g', -1, 64) + " " + s
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		parts = []string{"dimensionless"}
	}
	w.line("unit %s = %s;", unitID(u.ID), strings.Join(parts, " * "))
}
