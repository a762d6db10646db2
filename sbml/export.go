package sbml

import (
	"fmt"
	"math"
	"strings"

	"github.com/myoaxis/myoaxis/formula"
	"github.com/myoaxis/myoaxis/kinetics"
)

// Export says how a kinetic model is written as SBML.
type Export struct {
	ID, TimeUnits string
	// Params and Initial are the values; nil those of the model.
	Params, Initial []float64
	// Stops become events.
	Stops []kinetics.Stop
	// Describe gives the notes and annotation (XML) of a name of the model and
	// its metaid.
	Describe func(name, metaid string) (notes, annotation string)
}

// FromKinetics writes a model read from model text: states are parameters with
// rate rules, everything else that has a name is an assignment rule, inputs are
// set by events. Dots in names become underscores; the name is kept.
func FromKinetics(k *kinetics.Model, x Export) (*Model, error) {
	if k.Mass != nil || len(k.Events) > 0 {
		return nil, &Problem{Line: 1, Col: 1, Message: "only models read from model text are exported", Kind: ErrUnsupported}
	}
	w := &exporter{k: k, x: x, ids: map[string]string{}, used: map[string]bool{}, known: map[kinetics.Ref]string{}}
	m := &Model{Base: Base{ID: x.ID}, Level: 3, TimeUnits: x.TimeUnits}
	if x.TimeUnits == "hour" {
		m.Units = []*UnitDefinition{{Base: Base{ID: "hour"}, Units: []Unit{{Kind: "second", Exponent: 1, Multiplier: 3600}}}}
	}
	params, initial := x.Params, x.Initial
	if params == nil {
		params = k.Values()
	}
	if initial == nil {
		initial = k.Initial()
	}
	for i, p := range k.Params {
		m.Parameters = append(m.Parameters, &Parameter{Base: w.base(p.Name), Value: params[i], Constant: true})
	}
	for _, in := range k.Inputs {
		m.Parameters = append(m.Parameters, &Parameter{Base: w.base(in.Name), Value: 0})
	}
	for i, s := range k.States {
		m.Parameters = append(m.Parameters, &Parameter{Base: w.base(s.Name), Value: initial[i]})
	}
	if err := w.rules(m); err != nil {
		return nil, err
	}
	return m, w.events(m)
}

type exporter struct {
	k     *kinetics.Model
	x     Export
	ids   map[string]string
	used  map[string]bool
	known map[kinetics.Ref]string
}

// id is a valid id for a name.
func (w *exporter) id(name string) string {
	if id, ok := w.ids[name]; ok {
		return id
	}
	id := strings.ReplaceAll(name, ".", "_")
	for w.used[id] {
		id += "_"
	}
	w.ids[name], w.used[id] = id, true
	return id
}

func (w *exporter) base(name string) Base {
	b := Base{ID: w.id(name), Name: name}
	if w.x.Describe != nil {
		b.MetaID = "_" + b.ID
		if b.Notes, b.Annotation = w.x.Describe(name, b.MetaID); b.Annotation == "" {
			b.MetaID = ""
		}
	}
	return b
}

func (w *exporter) formula(r kinetics.Ref) (*formula.Expr, error) {
	e, ok := w.k.Formula(r, kinetics.Namer{
		Param: func(i int) string { return w.id(w.k.Params[i].Name) },
		State: func(i int) string { return w.id(w.k.States[i].Name) },
		Input: func(i int) string { return w.id(w.k.Inputs[i].Name) },
		Known: func(r kinetics.Ref) (string, bool) { n, ok := w.known[r]; return n, ok },
	})
	if !ok {
		return nil, &Problem{Line: 1, Col: 1, Message: "an expression of the model has no form in SBML", Kind: ErrUnsupported}
	}
	return e, nil
}

// rules writes the named expressions and the rates.
func (w *exporter) rules(m *Model) error {
	for _, name := range w.k.Names() {
		r, _ := w.k.Named(name)
		e, err := w.formula(r)
		if err != nil {
			return err
		}
		b := w.base(name)
		m.Parameters = append(m.Parameters, &Parameter{Base: b, Value: math.NaN()})
		m.Rules = append(m.Rules, &Rule{Kind: Assignment, Variable: b.ID, Math: e})
		if _, leaf := w.known[r]; !leaf && e.Kind == formula.Apply {
			w.known[r] = b.ID
		}
	}
	for i, s := range w.k.States {
		e, err := w.formula(w.k.Rate(i))
		if err != nil {
			return err
		}
		m.Rules = append(m.Rules, &Rule{Kind: Rate, Variable: w.id(s.Name), Math: e})
	}
	return nil
}

func (w *exporter) events(m *Model) error {
	for i, st := range w.x.Stops {
		e := &Event{Base: Base{ID: fmt.Sprintf("stop_%d", i+1)}, TriggerInitial: false, Persistent: true, UseValuesFromTriggerTime: true,
			Trigger: formula.Op("geq", &formula.Expr{Kind: formula.Time}, formula.Num(st.T))}
		for _, s := range st.Set {
			e.Assignments = append(e.Assignments, &EventAssignment{Variable: w.id(w.k.Inputs[s.Index].Name), Math: formula.Num(s.Value)})
		}
		for _, s := range st.Add {
			id := w.id(w.k.States[s.Index].Name)
			e.Assignments = append(e.Assignments, &EventAssignment{Variable: id, Math: formula.Op("plus", formula.Sym(id), formula.Num(s.Value))})
		}
		m.Events = append(m.Events, e)
	}
	return nil
}
