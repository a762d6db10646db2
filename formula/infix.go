package formula

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Dialect is a way to write infix formulas.
type Dialect uint8

// Level1 is the notation of SBML Level 1; Modern that of Antimony (checked
// against libAntimony 3.3.0), which has symbols for the time and constants and
// logical operators by sign. In both log is natural.
const (
	Modern Dialect = iota
	Level1
)

// maxDepth bounds the nesting of a formula.
const maxDepth = 500

// SyntaxError is a fault in a formula; Pos is the byte, from 0.
type SyntaxError struct {
	Pos     int
	Message string
}

func (e *SyntaxError) Error() string { return e.Message }

// Parse reads an infix formula. Names that are no known function become Call
// where a bracket follows, else Symbol; "time" and "avogadro" are the symbols
// of SBML in the modern dialect.
func Parse(text string, d Dialect) (*Expr, error) {
	p := &parser{text: text, dialect: d}
	e, err := p.binary(0)
	if err == nil && p.peek() != 0 {
		err = p.fail(fmt.Sprintf("%q is not expected here", p.text[p.pos]))
	}
	return e, err
}

type parser struct {
	text    string
	pos     int
	depth   int
	dialect Dialect
}

func (p *parser) fail(msg string) error { return &SyntaxError{p.pos, msg} }

func (p *parser) peek() byte {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// levels of binary operators, loosest first.
var levels = [][][2]string{
	{{"||", "or"}},
	{{"&&", "and"}},
	{{"==", "eq"}, {"!=", "neq"}, {"<=", "leq"}, {">=", "geq"}, {"<", "lt"}, {">", "gt"}},
	{{"+", "plus"}, {"-", "minus"}},
	{{"*", "times"}, {"/", "divide"}, {"%", "rem"}},
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.fail("the formula is nested too deeply")
	}
	return nil
}

func (p *parser) binary(level int) (*Expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	a, err := p.binary(level + 1)
	last := "" // comparison made last: a < b < c compares both pairs
next:
	for err == nil {
		p.peek()
		for _, o := range levels[level] {
			if !strings.HasPrefix(p.text[p.pos:], o[0]) {
				continue
			}
			p.pos += len(o[0])
			var b *Expr
			if b, err = p.binary(level + 1); err != nil {
				continue next
			}
			if level == 2 && o[1] == last && last != "neq" {
				a = Op(last, append(append([]*Expr(nil), a.Args...), b)...)
			} else {
				a = join(o[1], a, b)
			}
			last = o[1]
			continue next
		}
		break
	}
	return a, err
}

// join makes sums and products of many terms flat.
func join(op string, a, b *Expr) *Expr {
	if (op == "plus" || op == "times" || op == "and" || op == "or") && a.Kind == Apply && a.Name == op {
		return Op(op, append(append([]*Expr(nil), a.Args...), b)...)
	}
	return Op(op, a, b)
}

// unary binds a sign looser than a power: -x^2 = -(x^2).
func (p *parser) unary() (*Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	switch c := p.peek(); c {
	case '-', '!', '+':
		p.pos++
		a, err := p.unary()
		switch {
		case err != nil || c == '+':
			return a, err
		case c == '!':
			return Op("not", a), nil
		case a.Kind == Number:
			n := *a
			n.Value = -a.Value
			return &n, nil
		}
		return Op("minus", a), nil
	}
	a, err := p.atom()
	if err == nil && p.peek() == '^' {
		p.pos++
		var b *Expr
		if b, err = p.unary(); err == nil {
			return Op("power", a, b), nil
		}
	}
	return a, err
}

func isName(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *parser) atom() (*Expr, error) {
	c := p.peek()
	start := p.pos
	switch {
	case c == '(':
		p.pos++
		a, err := p.binary(0)
		if err == nil && p.peek() != ')' {
			err = p.fail("a closing bracket is missing")
		}
		p.pos++
		return a, err
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	case isName(c):
		for p.pos < len(p.text) && (isName(p.text[p.pos]) || p.text[p.pos] == '.' && p.dialect == Modern) {
			p.pos++
		}
		name := p.text[start:p.pos]
		if p.peek() == '(' {
			return p.call(name)
		}
		return p.symbol(name), nil
	}
	return nil, p.fail("a value is expected here")
}

func (p *parser) symbol(name string) *Expr {
	if p.dialect == Modern {
		switch strings.ToLower(name) {
		case "true", "false":
			return Op(strings.ToLower(name))
		case "inf", "infinity":
			return Num(math.Inf(1))
		case "nan", "notanumber":
			return Num(math.NaN())
		case "pi":
			return Num(math.Pi)
		case "exponentiale":
			return Num(math.E)
		case "avogadro":
			return &Expr{Kind: Avogadro}
		case "time":
			return &Expr{Kind: Time}
		}
	}
	return Sym(name)
}

func (p *parser) number() (*Expr, error) {
	start := p.pos
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		sign := (c == '+' || c == '-') && p.pos > start && strings.IndexByte("eE", p.text[p.pos-1]) >= 0
		if !(c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || sign) {
			break
		}
		p.pos++
	}
	text := p.text[start:p.pos]
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		p.pos = start
		return nil, p.fail("this is no number")
	}
	n := Num(v)
	if strings.Trim(text, "0123456789") == "" {
		n.Text = "integer"
	}
	if c := p.peek(); p.dialect == Modern && isName(c) && (c < '0' || c > '9') { // a number with its unit
		start := p.pos
		for p.pos < len(p.text) && isName(p.text[p.pos]) {
			p.pos++
		}
		n.Units = p.text[start:p.pos]
	}
	return n, nil
}

// names of functions that are written otherwise than in MathML.
var aliases = map[string]string{"acos": "arccos", "asin": "arcsin", "atan": "arctan", "ceil": "ceiling", "acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh",
	"arccos": "arccos", "acot": "arccot", "acoth": "arccoth", "acsc": "arccsc", "acsch": "arccsch", "asec": "arcsec", "asech": "arcsech",
	"pow": "power", "ln": "ln", "root": "root", "mod": "rem", "rate": "rateOf", "rateOf": "rateOf", "geq": "geq", "leq": "leq", "gt": "gt", "lt": "lt", "eq": "eq", "neq": "neq"}

// IsFunction tells whether a name followed by a bracket is read as a function
// of the language.
func IsFunction(name string) bool {
	_, alias := aliases[name]
	_, _, op := Arity(name)
	return alias || op || name == "sqr" || name == "sqrt" || name == "log10"
}

func (p *parser) call(name string) (*Expr, error) {
	at := p.pos
	p.pos++
	var args []*Expr
	for p.peek() != ')' {
		a, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if c := p.peek(); c == ',' {
			p.pos++
		} else if c != ')' {
			return nil, p.fail("a comma or a closing bracket is expected")
		}
	}
	p.pos++
	e := p.apply(name, args)
	if e.Kind == Apply {
		if least, most, _ := Arity(e.Name); len(e.Args) < least || len(e.Args) > most {
			return nil, &SyntaxError{at, fmt.Sprintf("%s does not take %d value(s)", name, len(args))}
		}
	}
	return e, nil
}

func (p *parser) apply(name string, args []*Expr) *Expr {
	if len(args) == 1 {
		switch {
		case name == "sqr":
			return Op("power", args[0], Num(2))
		case name == "sqrt":
			return Op("root", Num(2), args[0])
		case name == "log10":
			return Op("log", Num(10), args[0])
		case name == "log":
			return Op("ln", args[0])
		}
	}
	if a, ok := aliases[name]; ok {
		name = a
	}
	if _, _, ok := Arity(name); ok {
		return Op(name, args...)
	}
	return &Expr{Kind: Call, Name: name, Args: args}
}

// String writes the expression in the modern dialect; Parse reads it back.
func (e *Expr) String() string {
	var b strings.Builder
	e.write(&b, 0)
	return b.String()
}

// symbols and binding of the operators, as in levels; 6 is a power, 5 a sign.
var written = map[string]struct {
	text string
	bind int
}{"or": {" || ", 1}, "and": {" && ", 2}, "eq": {" == ", 3}, "neq": {" != ", 3}, "leq": {" <= ", 3}, "geq": {" >= ", 3}, "lt": {" < ", 3}, "gt": {" > ", 3},
	"plus": {" + ", 4}, "minus": {" - ", 4}, "times": {"*", 5}, "divide": {"/", 5}, "rem": {"%", 5}, "power": {"^", 7}}

func (e *Expr) write(b *strings.Builder, bind int) {
	switch e.Kind {
	case Number:
		writeNumber(b, e.Value, bind)
	case Symbol:
		b.WriteString(e.Name)
	case Time:
		b.WriteString("time")
	case Avogadro:
		b.WriteString("avogadro")
	case Lambda:
		writeCall(b, "lambda", e.Args)
	case Call:
		writeCall(b, e.Name, e.Args)
	default:
		e.writeApply(b, bind)
	}
}

func writeNumber(b *strings.Builder, v float64, bind int) {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	switch {
	case math.IsNaN(v):
		s = "nan"
	case math.IsInf(v, 1):
		s = "inf"
	case math.IsInf(v, -1):
		s = "-inf"
	}
	if s[0] == '-' && bind > 4 {
		s = "(" + s + ")"
	}
	b.WriteString(s)
}

func writeCall(b *strings.Builder, name string, args []*Expr) {
	b.WriteString(name)
	b.WriteByte('(')
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		a.write(b, 0)
	}
	b.WriteByte(')')
}

func (e *Expr) writeApply(b *strings.Builder, bind int) {
	w, infix := written[e.Name]
	switch {
	case e.Name == "true" || e.Name == "false":
		b.WriteString(e.Name)
	case e.Name == "log" && e.Args[0].IsNumber(10):
		writeCall(b, "log10", e.Args[1:])
	case e.Name == "root" && e.Args[0].IsNumber(2):
		writeCall(b, "sqrt", e.Args[1:])
	case e.Name == "log": // of another base
		Op("divide", Op("ln", e.Args[1]), Op("ln", e.Args[0])).write(b, bind)
	case e.Name == "not" || e.Name == "minus" && len(e.Args) == 1:
		sign := "-"
		if e.Name == "not" {
			sign = "!"
		}
		e.wrapped(b, bind, 6, func() {
			b.WriteString(sign)
			e.Args[0].write(b, 6)
		})
	case !infix || len(e.Args) < 2 || w.bind == 3 && len(e.Args) > 2:
		writeCall(b, plainName(e.Name), e.Args)
	default:
		e.wrapped(b, bind, w.bind, func() {
			for i, a := range e.Args {
				if i > 0 {
					b.WriteString(w.text)
				}
				own := w.bind
				if i > 0 || w.bind == 3 || w.bind == 7 {
					own++
				}
				a.write(b, own)
			}
		})
	}
}

// plainName is how Antimony writes a function whose MathML name is another.
func plainName(name string) string {
	switch name {
	case "ceiling":
		return "ceil"
	case "power":
		return "pow"
	}
	return name
}

func (e *Expr) wrapped(b *strings.Builder, bind, own int, f func()) {
	if bind > own {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	f()
}
