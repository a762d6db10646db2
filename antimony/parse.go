package antimony

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/myoaxis/myoaxis/formula"
	"github.com/myoaxis/myoaxis/sbml"
)

// Parse reads a model; file names it in errors, which are *sbml.Problem.
func Parse(file, text string) (*sbml.Document, error) {
	p, problem := parse(text)
	if problem != nil {
		problem.File = file
		return nil, problem
	}
	return &sbml.Document{Level: 3, Version: 2, Model: p.m, Namespaces: map[string]string{}}, nil
}

// thing is a symbol of the model as the text describes it.
type thing struct {
	id, kind  string // species, compartment, parameter or reference; "" is not said
	at        sbml.Base
	in        string
	boundary  bool
	amount    bool // substanceOnly
	constant  *bool
	initial   *formula.Expr
	rule      bool // a rule sets it
	ruled     bool // a rule or an event changes it
	units     string
	factor    string // conversion factor
	name      string
	reacting  bool
	reference *sbml.SpeciesRef
}

type parser struct {
	m      *sbml.Model
	things map[string]*thing
	order  []*thing
	st     statement
	open   bool // within model … end
	seen   bool // a model has begun
	fun    *sbml.Function
	names  map[string]bool // reactions, events, functions and units
	unit   map[string]bool
	terms  [][3]string // SBO terms: name, ".kineticLaw" or "", term
}

const ident = `[A-Za-z_][A-Za-z0-9_]*`

var (
	modelLine    = regexp.MustCompile(`^model\s+\*?(` + ident + `)\s*(\(\s*\))?$`)
	functionLine = regexp.MustCompile(`^function\s+(` + ident + `)\s*\(([^)]*)\)\s*([\s\S]*)$`)
	unitLine     = regexp.MustCompile(`^unit\s+(` + ident + `)\s*=\s*([\s\S]+)$`)
	declLine     = regexp.MustCompile(`^((?:const|var|species|compartment|formula|substanceOnly)\b\s*)+`)
	labelled     = regexp.MustCompile(`^(` + ident + `)\s*:([^=][\s\S]*)$`)
	eventBody    = regexp.MustCompile(`^\s*at\b`)
	arrow        = regexp.MustCompile(`->|=>`)
	ruleLine     = regexp.MustCompile(`^(` + ident + `)\s*:=([\s\S]*)$`)
	rateLine     = regexp.MustCompile(`^(` + ident + `)\s*'\s*=([\s\S]*)$`)
	sboLine      = regexp.MustCompile(`^(` + ident + `)(\.kineticLaw)?\.sboTerm\s*=\s*(?:SBO:)?([0-9]+)$`)
	factorLine   = regexp.MustCompile(`^(` + ident + `)\.conversionFactor\s*=\s*(` + ident + `)$`)
	emptyLine    = regexp.MustCompile(`^(` + ident + `)\s*=\s*$`)
	initLine     = regexp.MustCompile(`^(\$?` + ident + `)\s*=([^=][\s\S]*)$`)
	zeroLine     = regexp.MustCompile(`^0\s*=([^=][\s\S]*)$`)
	nameLine     = regexp.MustCompile(`^(` + ident + `)\s+is\s+"([^"]*)"$`)
	hasLine      = regexp.MustCompile(`^(` + ident + `)\s+has\s+(` + ident + `)$`)
	onlyIdent    = regexp.MustCompile(`^` + ident + `$`)
)

func parse(text string) (*parser, *sbml.Problem) {
	all, bad := scan(text)
	if bad != nil {
		return nil, bad
	}
	p := &parser{m: &sbml.Model{Level: 3}, things: map[string]*thing{}, names: map[string]bool{}, unit: map[string]bool{}}
	for i := 0; i < len(all); i++ {
		p.st = all[i]
		if bad := p.statement(all, &i); bad != nil {
			return nil, bad
		}
	}
	if p.open || p.fun != nil {
		return nil, p.st.fail(len(p.st.text), "end is missing")
	}
	return p, p.finish()
}

func (p *parser) statement(all []statement, i *int) *sbml.Problem {
	s := p.st.text
	if p.fun != nil {
		return p.functionBody(s)
	}
	switch {
	case s == "end" && p.open:
		p.open = false
		return nil
	case strings.HasPrefix(s, "model ") || strings.HasPrefix(s, "model*") || strings.HasPrefix(s, "module "):
		g := modelLine.FindStringSubmatch(s)
		switch {
		case g == nil:
			return p.st.fail(0, "a model begins with: model NAME()").WithHint("models with arguments are not supported")
		case p.seen:
			return p.unsupported(0, "more than one model in a file is not supported")
		}
		p.m.ID, p.open, p.seen = g[1], true, true
		return nil
	case functionLine.MatchString(s):
		return p.function(s)
	case strings.HasPrefix(s, "function "):
		return p.st.fail(0, "a function is written: function NAME(x, y) formula end")
	case unitLine.MatchString(s):
		return p.unitDefinition(s)
	case declLine.MatchString(s):
		return p.declaration(s)
	}
	return p.equation(s, all, i)
}

func (p *parser) unsupported(pos int, msg string) *sbml.Problem {
	q := p.st.fail(pos, msg)
	q.Kind = sbml.ErrUnsupported
	return q
}

// equation reads reactions, events, rules and initial values.
func (p *parser) equation(s string, all []statement, i *int) *sbml.Problem {
	if g := labelled.FindStringSubmatchIndex(s); g != nil {
		id, body := s[g[2]:g[3]], s[g[4]:g[5]]
		switch {
		case eventBody.MatchString(body):
			return p.event(id, body, g[4])
		case arrow.MatchString(body):
			return p.reaction(id, body, g[4], all, i)
		}
		return p.unsupported(g[4], "neither a reaction nor an event follows; submodels are not supported")
	}
	if eventBody.MatchString(s) {
		return p.event("", s, 0)
	}
	if zeroLine.MatchString(s) {
		e, bad := p.formula(s, strings.IndexByte(s, '=')+1, len(s))
		p.m.Rules = append(p.m.Rules, &sbml.Rule{Base: p.base(""), Kind: sbml.Algebraic, Math: e})
		return bad
	}
	for kind, form := range map[sbml.RuleKind]*regexp.Regexp{sbml.Assignment: ruleLine, sbml.Rate: rateLine} {
		g := form.FindStringSubmatchIndex(s)
		if g == nil {
			continue
		}
		e, bad := p.formula(s, g[4], g[5])
		t := p.symbol(s[g[2]:g[3]])
		t.rule, t.ruled = true, true
		p.m.Rules = append(p.m.Rules, &sbml.Rule{Base: p.base(""), Kind: kind, Variable: s[g[2]:g[3]], Math: e})
		return bad
	}
	if g := emptyLine.FindStringSubmatch(s); g != nil { // a value that is not set
		p.symbol(g[1])
		return nil
	}
	if g := sboLine.FindStringSubmatch(s); g != nil {
		term := "SBO:" + strings.Repeat("0", max(0, 7-len(g[3]))) + g[3]
		p.terms = append(p.terms, [3]string{g[1], g[2], term})
		return nil
	}
	if g := factorLine.FindStringSubmatch(s); g != nil {
		if p.symbol(g[2]); g[1] == "model" {
			p.m.ConversionFactor = g[2]
		} else {
			p.symbol(g[1]).factor = g[2]
		}
		return nil
	}
	if g := initLine.FindStringSubmatchIndex(s); g != nil && !arrow.MatchString(s) {
		return p.initial(strings.TrimPrefix(s[g[2]:g[3]], "$"), g[4], len(s))
	}
	if g := nameLine.FindStringSubmatch(s); g != nil {
		p.symbol(g[1]).name = g[2]
		return nil
	}
	if g := hasLine.FindStringSubmatch(s); g != nil {
		p.symbol(g[1]).units = g[2]
		return nil
	}
	if arrow.MatchString(s) {
		id := fmt.Sprintf("_J%d", len(p.m.Reactions))
		return p.reaction(id, s, 0, all, i)
	}
	return p.st.fail(0, "this is no statement").WithHint("for example: J0: A -> B; k*A")
}

func (p *parser) initial(id string, from, to int) *sbml.Problem {
	e, bad := p.formula(p.st.text, from, to)
	t := p.symbol(id)
	if t.initial != nil {
		return p.st.fail(0, id+" has two initial values")
	}
	t.initial = e
	return bad
}

func (p *parser) base(id string) sbml.Base {
	return sbml.Base{ID: id, Line: p.st.line, Col: p.st.col}
}

// symbol returns the thing with an id, new where it is not known.
func (p *parser) symbol(id string) *thing {
	t, ok := p.things[id]
	if !ok {
		t = &thing{id: id, at: p.base(id)}
		p.things[id] = t
		p.order = append(p.order, t)
	}
	return t
}

// formula parses a part of the statement; its places are those of the file.
func (p *parser) formula(s string, from, to int) (*formula.Expr, *sbml.Problem) {
	e, err := formula.Parse(s[from:to], formula.Modern)
	var syntax *formula.SyntaxError
	if errors.As(err, &syntax) {
		return nil, p.st.fail(from+syntax.Pos, syntax.Message)
	}
	lead := len(s[from:to]) - len(strings.TrimLeft(s[from:to], " \t\n"))
	line, col := p.st.place(from + lead)
	dotted := ""
	e.Walk(func(x *formula.Expr) {
		x.Line, x.Col = line, col
		if strings.Contains(x.Name, ".") {
			dotted = x.Name
		}
	})
	if dotted != "" {
		return nil, p.unsupported(from+lead, "the name "+dotted+" belongs to a submodel, which is not supported")
	}
	return e, nil
}

func (p *parser) function(s string) *sbml.Problem {
	g := functionLine.FindStringSubmatch(s)
	f := &sbml.Function{Base: p.base(g[1]), Math: &formula.Expr{Kind: formula.Lambda}}
	for _, a := range strings.Split(g[2], ",") {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		if !onlyIdent.MatchString(a) {
			return p.st.fail(0, fmt.Sprintf("%q is no name of an argument", a))
		}
		f.Math.Args = append(f.Math.Args, formula.Sym(a))
	}
	p.fun = f
	if rest := strings.TrimSpace(g[3]); rest != "" {
		p.st.text = rest
		return p.functionBody(rest)
	}
	return nil
}

func (p *parser) functionBody(s string) *sbml.Problem {
	f := p.fun
	if s == "end" {
		p.fun = nil
		if n := len(f.Math.Args); n == 0 || f.Math.Args[n-1].Kind == formula.Symbol && f.Math.Args[n-1].Line == 0 {
			return p.st.fail(0, "the function "+f.ID+" has no formula")
		}
		p.m.Functions = append(p.m.Functions, f)
		return nil
	}
	s, ended := strings.CutSuffix(s, "end")
	if n := len(f.Math.Args); n > 0 && f.Math.Args[n-1].Line > 0 {
		return p.st.fail(0, "a function has one formula; end is missing")
	}
	e, bad := p.formula(s, 0, len(s))
	if bad != nil {
		return bad
	}
	body := *e
	body.Line = max(1, body.Line)
	f.Math.Args = append(f.Math.Args, &body)
	if ended {
		return p.functionBody("end")
	}
	return nil
}

// declaration reads: const|var|species|compartment|formula|substanceOnly, then
// a list of names with "in" and initial values.
func (p *parser) declaration(s string) *sbml.Problem {
	head := declLine.FindString(s)
	words := strings.Fields(head)
	from := len(head)
	for from < len(s) {
		to := from
		for depth := 0; to < len(s) && (s[to] != ',' || depth > 0); to++ {
			switch s[to] {
			case '(':
				depth++
			case ')':
				depth--
			}
		}
		if bad := p.declare(words, s[from:to], from); bad != nil {
			return bad
		}
		from = to + 1
	}
	return nil
}

var declared = regexp.MustCompile(`^\s*(\$?)(` + ident + `)\s*(?:in\s+(` + ident + `)\s*)?(?:(:?=)([\s\S]*))?$`)

func (p *parser) declare(words []string, item string, at int) *sbml.Problem {
	g := declared.FindStringSubmatchIndex(item)
	if g == nil {
		return p.st.fail(at, fmt.Sprintf("%q is no declaration", strings.TrimSpace(item)))
	}
	part := func(i int) string {
		if g[2*i] < 0 {
			return ""
		}
		return item[g[2*i]:g[2*i+1]]
	}
	t := p.symbol(part(2))
	t.boundary = t.boundary || part(1) == "$"
	for _, w := range words {
		yes, no := true, false
		switch w {
		case "const":
			t.constant = &yes
		case "var":
			t.constant = &no
		case "substanceOnly":
			t.amount = true
		case "formula":
			t.kind = "parameter"
		default:
			if t.kind != "" && t.kind != w {
				return p.st.fail(at, t.id+" is declared as "+t.kind+" already")
			}
			t.kind = w
		}
	}
	if c := part(3); c != "" {
		t.in, t.kind = c, map[bool]string{true: "compartment", false: "species"}[t.kind == "compartment"]
		p.symbol(c).kind = "compartment"
	}
	switch part(4) {
	case "=":
		return p.initial(t.id, at+g[10], at+g[11])
	case ":=":
		e, bad := p.formula(p.st.text, at+g[10], at+g[11])
		t.rule, t.ruled = true, true
		p.m.Rules = append(p.m.Rules, &sbml.Rule{Base: p.base(""), Kind: sbml.Assignment, Variable: t.id, Math: e})
		return bad
	}
	return nil
}

// reaction reads A + 2 B -> C, and the rate law in the next statement.
func (p *parser) reaction(id, body string, at int, all []statement, i *int) *sbml.Problem {
	m := arrow.FindStringIndex(body)
	r := &sbml.Reaction{Base: p.base(id), Reversible: body[m[0]:m[1]] == "->"}
	sides := []string{body[:m[0]], body[m[1]:]}
	if k := regexp.MustCompile(`\bin\s+(` + ident + `)\s*$`).FindStringSubmatchIndex(sides[1]); k != nil {
		r.Compartment = sides[1][k[2]:k[3]]
		sides[1] = sides[1][:k[0]]
	}
	for n, side := range sides {
		refs, bad := p.side(side, at+[]int{0, m[1]}[n])
		if bad != nil {
			return bad
		}
		if n == 0 {
			r.Reactants = refs
		} else {
			r.Products = refs
		}
	}
	if p.names[id] {
		return p.st.fail(0, "the name "+id+" is used twice")
	}
	p.names[id] = true
	p.m.Reactions = append(p.m.Reactions, r)
	if *i+1 >= len(all) || !isLaw(all[*i+1]) {
		return nil
	}
	*i++
	p.st = all[*i]
	e, bad := p.formula(p.st.text, 0, len(p.st.text))
	r.Law = &sbml.KineticLaw{Base: p.base(""), Math: e}
	return bad
}

// isLaw tells whether a statement is a bare formula.
func isLaw(s statement) bool {
	t := s.text
	if t == "end" || labelled.MatchString(t) || declLine.MatchString(t) || arrow.MatchString(t) || nameLine.MatchString(t) || hasLine.MatchString(t) ||
		emptyLine.MatchString(t) || sboLine.MatchString(t) || factorLine.MatchString(t) || ruleLine.MatchString(t) || rateLine.MatchString(t) || initLine.MatchString(t) || zeroLine.MatchString(t) || strings.HasPrefix(t, "model ") || strings.HasPrefix(t, "unit ") || strings.HasPrefix(t, "function ") || eventBody.MatchString(t) {
		return false
	}
	return true
}

var term = regexp.MustCompile(`^\s*(?:(-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|` + ident + `)\s*\*?\s*)??(\$?)(` + ident + `)\s*$`)

func (p *parser) side(s string, at int) (out []*sbml.SpeciesRef, bad *sbml.Problem) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	for _, part := range strings.Split(s, "+") {
		g := term.FindStringSubmatch(part)
		if g == nil {
			return nil, p.st.fail(at, fmt.Sprintf("%q is no species with its stoichiometry", strings.TrimSpace(part)))
		}
		ref := &sbml.SpeciesRef{Base: p.base(""), Species: g[3], Stoichiometry: 1, Constant: true}
		if g[1] != "" {
			if e, err := formula.Parse(g[1], formula.Modern); err == nil && e.Kind == formula.Number {
				ref.Stoichiometry = e.Value
			} else {
				n := p.symbol(g[1])
				if n.reference != nil {
					return nil, p.st.fail(at, "the stoichiometry "+g[1]+" is used twice")
				}
				n.kind, n.reference = "reference", ref
				ref.ID, ref.Stoichiometry, ref.Constant = g[1], math.NaN(), false
			}
		}
		t := p.symbol(g[3])
		if t.kind != "" && t.kind != "species" {
			return nil, p.st.fail(at, g[3]+" is a "+t.kind+" and no species")
		}
		t.kind, t.reacting = "species", true
		t.boundary = t.boundary || g[2] == "$"
		out = append(out, ref)
	}
	return out, nil
}

// event reads: at [delay after] trigger [, option = value …]: x = …, y = …
func (p *parser) event(id, body string, at int) *sbml.Problem {
	start := at + strings.Index(body, "at") + 2
	whole := p.st.text
	colon := topLevel(whole, start, ':')
	if colon < 0 {
		return p.st.fail(start, "the assignments of the event are missing").WithHint("for example: E: at time > 5: x = 1")
	}
	x := &sbml.Event{Base: p.base(id), TriggerInitial: true, Persistent: true, UseValuesFromTriggerTime: true}
	parts := splitTop(whole, start, colon, ',')
	from := parts[0][0]
	if k := regexp.MustCompile(`\bafter\b`).FindStringIndex(whole[parts[0][0]:parts[0][1]]); k != nil {
		e, bad := p.formula(whole, from, from+k[0])
		if bad != nil {
			return bad
		}
		x.Delay = e
		from += k[1]
	}
	e, bad := p.formula(whole, from, parts[0][1])
	if bad != nil {
		return bad
	}
	x.Trigger = e
	for _, o := range parts[1:] {
		if bad := p.eventOption(x, o[0], o[1]); bad != nil {
			return bad
		}
	}
	for _, a := range splitTop(whole, colon+1, len(whole), ',') {
		text := whole[a[0]:a[1]]
		if strings.TrimSpace(whole[colon+1:]) == "" { // an event that changes nothing
			break
		}
		if g := emptyLine.FindStringSubmatch(strings.TrimSpace(text)); g != nil {
			p.symbol(g[1]).ruled = true
			x.Assignments = append(x.Assignments, &sbml.EventAssignment{Base: p.base(""), Variable: g[1]})
			continue
		}
		g := initLine.FindStringSubmatchIndex(strings.TrimLeft(text, " \t\n"))
		lead := len(text) - len(strings.TrimLeft(text, " \t\n"))
		if g == nil {
			return p.st.fail(a[0]+lead, "an assignment of an event is written x = formula")
		}
		e, bad := p.formula(whole, a[0]+lead+g[4], a[1])
		if bad != nil {
			return bad
		}
		v := strings.TrimPrefix(text[lead+g[2]:lead+g[3]], "$")
		p.symbol(v).ruled = true
		x.Assignments = append(x.Assignments, &sbml.EventAssignment{Base: p.base(""), Variable: v, Math: e})
	}
	if id != "" && p.names[id] {
		return p.st.fail(0, "the name "+id+" is used twice")
	}
	p.names[id] = true
	p.m.Events = append(p.m.Events, x)
	return nil
}

func (p *parser) eventOption(x *sbml.Event, from, to int) *sbml.Problem {
	key, _, ok := strings.Cut(p.st.text[from:to], "=")
	if !ok {
		return p.st.fail(from, "an option of an event is written name = value")
	}
	e, bad := p.formula(p.st.text, from+len(key)+1, to)
	if bad != nil {
		return bad
	}
	flag := e.Kind == formula.Apply && e.Name == "true"
	if name := strings.TrimSpace(key); name != "priority" && !flag && e.Name != "false" {
		return p.st.fail(from, name+" is true or false")
	}
	switch strings.TrimSpace(key) {
	case "priority":
		x.Priority = e
	case "t0":
		x.TriggerInitial = flag
	case "persistent":
		x.Persistent = flag
	case "fromTrigger":
		x.UseValuesFromTriggerTime = flag
	default:
		return p.st.fail(from, fmt.Sprintf("%q is no option of an event", strings.TrimSpace(key))).WithHint("t0, persistent, priority or fromTrigger")
	}
	return nil
}

// topLevel finds a character outside brackets, -1 where there is none.
func topLevel(s string, from int, c byte) int {
	depth := 0
	for i := from; i < len(s); i++ {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		case s[i] == c && depth == 0:
			return i
		}
	}
	return -1
}

func splitTop(s string, from, to int, c byte) (out [][2]int) {
	for {
		k := topLevel(s[:to], from, c)
		if k < 0 {
			return append(out, [2]int{from, to})
		}
		out = append(out, [2]int{from, k})
		from = k + 1
	}
}
