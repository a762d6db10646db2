package kinetics

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Param is a model parameter. Prior and Source are kept as written; the model
// that uses them gives them meaning.
type Param struct {
	Name                         string
	Value                        float64
	Unit, Prior, Source, Meaning string
	Line                         int
}

// State is a dynamic quantity with its value at the start.
type State struct {
	Name          string
	Init          float64
	Unit, Meaning string
	Line          int
}

// Input is a quantity the caller sets between stops.
type Input struct{ Name, Unit, Meaning string }

// Flux moves an amount from one state to another; -1 is outside.
type Flux struct {
	Name, Meaning string
	From, To      int
	expr          Ref
}

// Output is a quantity computed from the states.
type Output struct {
	Name, Unit, Meaning string
	expr                Ref
}

// Model is a system of differential-algebraic equations with events and
// delays, read from model text or built with the Add methods (build.go).
type Model struct {
	Params  []Param
	States  []State
	Inputs  []Input
	Fluxes  []Flux
	Outputs []Output
	Events  []Event
	// Mass holds the entries of a constant mass matrix M in M·y' = f; nil is
	// the identity. A state whose row is empty is algebraic: f = 0 fixes it.
	Mass []MassEntry

	g        *graph
	names    map[string]Ref // every defined name -> node
	named    []string       // lets, fluxes and outputs, in order
	deriv    []Ref          // per state: node of its derivative (or residual)
	rates    []bool         // per state: has a rate or flux
	swap     map[Ref]Ref    // parameters computed at the start, in sensitivity models
	blocks   int            // sensitivity blocks behind the states proper
	relax    []Ref          // rates of the fast processes, nil where there are none
	delays   []delay
	initials []initial
}

// TextError is a fault in model text.
type TextError struct {
	File      string
	Line, Col int
	Message   string
}

func (e *TextError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Message)
}

var statement = regexp.MustCompile(`^(param|state|input|let|flux|rate|output)\s+([A-Za-z][A-Za-z0-9_.]*)\s*(.*)$`)

// Parse reads model text; file names it in errors.
func Parse(file, text string) (*Model, error) {
	m := NewModel()
	m.names["t"] = m.Time()
	for i, line := range strings.Split(text, "\n") {
		if c := strings.IndexByte(line, '#'); c >= 0 {
			line = line[:c]
		}
		if line = strings.TrimRight(line, " \t\r"); strings.TrimSpace(line) == "" {
			continue
		}
		if col, err := m.statement(line, i+1); err != nil {
			return nil, &TextError{file, i + 1, col + 1, err.Error()}
		}
	}
	for i, s := range m.States {
		if !m.rates[i] {
			return nil, &TextError{file, s.Line, 1, fmt.Sprintf("the state %s has neither rate nor flux", s.Name)}
		}
	}
	return m, nil
}

func (m *Model) statement(line string, no int) (col int, err error) {
	lead := len(line) - len(strings.TrimLeft(line, " \t"))
	g := statement.FindStringSubmatchIndex(line[lead:])
	if g == nil {
		return lead, fmt.Errorf("a line begins with param, state, input, let, flux, rate or output and a name")
	}
	kind, name := line[lead+g[2]:lead+g[3]], line[lead+g[4]:lead+g[5]]
	at := lead + g[6]
	body, notes, _ := strings.Cut(line[at:], ";")
	fields := strings.Split(notes, ";")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	if kind != "rate" {
		if _, dup := m.names[name]; dup {
			return lead + g[4], fmt.Errorf("%s is defined twice", name)
		}
	}
	switch kind {
	case "param":
		return at, m.param(name, body, fields, no)
	case "state":
		return at, m.state(name, body, fields, no)
	case "input":
		_, unit, err := valueUnit(body, false)
		m.Inputs = append(m.Inputs, Input{name, unit, fields[0]})
		m.names[name] = m.g.leaf(opInput, len(m.Inputs)-1)
		return at, err
	}
	return m.equation(kind, name, line, at, body, fields)
}

// valueUnit reads "= VALUE [UNIT]".
func valueUnit(body string, needValue bool) (v float64, unit string, err error) {
	rest, u, ok := strings.Cut(body, "[")
	u, _, closed := strings.Cut(u, "]")
	if !ok || !closed || strings.TrimSpace(u) == "" {
		return 0, "", fmt.Errorf("a unit in square brackets is missing; write [1] where there is none")
	}
	if !needValue {
		return 0, strings.TrimSpace(u), nil
	}
	text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), "="))
	if v, err = strconv.ParseFloat(text, 64); err != nil || v != v {
		return 0, "", fmt.Errorf("%q is not a value", text)
	}
	return v, strings.TrimSpace(u), nil
}

func (m *Model) param(name, body string, fields []string, no int) error {
	def, prior, ok := strings.Cut(body, "~")
	if prior = strings.TrimSpace(prior); !ok || prior == "" {
		return fmt.Errorf("the parameter %s has no prior", name)
	}
	v, unit, err := valueUnit(def, true)
	if err != nil {
		return err
	}
	if len(fields) < 2 || fields[0] == "" || fields[1] == "" {
		return fmt.Errorf("the parameter %s needs a source (or the word assumed) and a meaning", name)
	}
	m.names[name] = m.AddParam(Param{name, v, unit, prior, fields[0], strings.Join(fields[1:], "; "), no})
	return nil
}

func (m *Model) state(name, body string, fields []string, no int) error {
	v, unit, err := valueUnit(body, true)
	if err != nil {
		return err
	}
	m.names[name] = m.AddState(State{name, v, unit, fields[0], no})
	return nil
}

func (m *Model) equation(kind, name, line string, at int, body string, fields []string) (int, error) {
	eq := strings.IndexByte(body, '=')
	if eq < 0 {
		return at, fmt.Errorf("an equals sign is missing")
	}
	text, unit := body[eq+1:], ""
	if kind == "output" {
		k := strings.IndexByte(text, '[')
		if k < 0 {
			return at, fmt.Errorf("the output %s needs a unit in square brackets", name)
		}
		unit = strings.Trim(strings.TrimSpace(text[k:]), "[]")
		text = text[:k]
	}
	p := &parser{text: text, g: m.g, resolve: func(n string) (Ref, bool) { id, ok := m.names[n]; return id, ok }}
	id, err := p.parse()
	if err != nil {
		return at + eq + 1 + p.pos, err
	}
	switch kind {
	case "let":
		m.names[name] = id
		m.named = append(m.named, name)
	case "output":
		m.named = append(m.named, name)
		m.Outputs = append(m.Outputs, Output{name, unit, fields[0], id})
		m.names[name] = id
	case "rate":
		s, err := m.stateIndex(name)
		if err != nil {
			return at, err
		}
		m.addTo(s, id, Add)
	case "flux":
		return at, m.flux(name, body[:eq], fields[0], id)
	}
	return 0, nil
}

func (m *Model) stateIndex(name string) (int, error) {
	for i, s := range m.States {
		if s.Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s is not a state", name)
}

func (m *Model) addTo(state int, id Ref, o Op) {
	m.deriv[state] = m.g.binary(o, m.deriv[state], id)
	m.rates[state] = true
}

func (m *Model) flux(name, head, meaning string, id Ref) error {
	from, to, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(head), ":"), "->")
	if !ok {
		return fmt.Errorf("a flux is written NAME : FROM -> TO = EXPRESSION")
	}
	f := Flux{Name: name, Meaning: meaning, From: -1, To: -1, expr: id}
	for _, e := range []struct {
		text string
		at   *int
		o    Op
	}{{from, &f.From, Sub}, {to, &f.To, Add}} {
		t := strings.TrimSpace(e.text)
		if t == "." {
			continue
		}
		s, err := m.stateIndex(t)
		if err != nil {
			return err
		}
		*e.at = s
		m.addTo(s, id, e.o)
	}
	m.Fluxes = append(m.Fluxes, f)
	m.names[name] = id
	m.named = append(m.named, name)
	return nil
}

// Param returns the index of a parameter, -1 where there is none.
func (m *Model) Param(name string) int {
	for i, p := range m.Params {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// Input returns the index of an input, -1 where there is none.
func (m *Model) Input(name string) int {
	for i, p := range m.Inputs {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// Values returns a fresh copy of the default parameter values.
func (m *Model) Values() []float64 {
	v := make([]float64, len(m.Params))
	for i, p := range m.Params {
		v[i] = p.Value
	}
	return v
}

// Initial returns a fresh copy of the initial state.
func (m *Model) Initial() []float64 {
	v := make([]float64, len(m.States))
	for i, s := range m.States {
		v[i] = s.Init
	}
	return v
}

// DependsOn returns the parameters that an output depends on, through the
// states and their rates, in the order of the model text.
func (m *Model) DependsOn(output string) []int {
	for _, o := range m.Outputs {
		if o.Name == output {
			_, params := m.reached([]Ref{o.expr})
			return params
		}
	}
	return nil
}
