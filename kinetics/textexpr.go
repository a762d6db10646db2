package kinetics

import (
	"fmt"
	"strconv"
	"strings"
)

// parser reads an expression by precedence climbing.
type parser struct {
	text    string
	pos     int
	g       *graph
	resolve func(name string) (Ref, bool)
	depth   int
}

// exprError is a fault at a byte of the expression text.
type exprError struct {
	pos int
	msg string
}

func (e *exprError) Error() string { return e.msg }

func (p *parser) fail(msg string) error { return &exprError{p.pos, msg} }

func (p *parser) skip() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

func (p *parser) peek() byte {
	p.skip()
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) parse() (Ref, error) {
	id, err := p.sum()
	if err == nil && p.peek() != 0 {
		err = p.fail(fmt.Sprintf("%q is not expected here", p.text[p.pos]))
	}
	return id, err
}

func (p *parser) sum() (Ref, error) {
	if p.depth++; p.depth > 200 {
		return 0, p.fail("the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	a, err := p.product()
	for err == nil {
		c := p.peek()
		if c != '+' && c != '-' {
			break
		}
		p.pos++
		var b Ref
		if b, err = p.product(); err == nil {
			a = p.g.binary(map[byte]Op{'+': Add, '-': Sub}[c], a, b)
		}
	}
	return a, err
}

func (p *parser) product() (Ref, error) {
	a, err := p.signed()
	for err == nil {
		c := p.peek()
		if c != '*' && c != '/' {
			break
		}
		p.pos++
		var b Ref
		if b, err = p.signed(); err == nil {
			a = p.g.binary(map[byte]Op{'*': Mul, '/': Div}[c], a, b)
		}
	}
	return a, err
}

// signed binds a leading minus looser than a power: -x^2 = -(x^2).
func (p *parser) signed() (Ref, error) {
	if p.peek() == '-' {
		p.pos++
		if p.depth++; p.depth > 200 {
			return 0, p.fail("the expression is nested too deeply")
		}
		defer func() { p.depth-- }()
		a, err := p.signed()
		if err != nil {
			return 0, err
		}
		return p.g.unary(Neg, a), nil
	}
	a, err := p.atom()
	if err == nil && p.peek() == '^' {
		p.pos++
		var b Ref
		if b, err = p.signed(); err == nil {
			return p.g.binary(Pow, a, b), nil
		}
	}
	return a, err
}

func isName(c byte) bool {
	return c == '_' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *parser) atom() (Ref, error) {
	c := p.peek()
	switch {
	case c == '(':
		p.pos++
		a, err := p.sum()
		if err != nil {
			return 0, err
		}
		if p.peek() != ')' {
			return 0, p.fail("a closing bracket is missing")
		}
		p.pos++
		return a, nil
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	case isName(c):
		return p.name()
	}
	return 0, p.fail("a value is expected here")
}

func (p *parser) number() (Ref, error) {
	start := p.pos
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		exp := (c == '+' || c == '-') && p.pos > start && strings.ContainsRune("eE", rune(p.text[p.pos-1]))
		if !(c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || exp) {
			break
		}
		p.pos++
	}
	v, err := strconv.ParseFloat(p.text[start:p.pos], 64)
	if err != nil {
		p.pos = start
		return 0, p.fail("this is no number")
	}
	return p.g.constant(v), nil
}

var functions = map[string]struct {
	o    Op
	args int
}{"exp": {Exp, 1}, "log": {Log, 1}, "sqrt": {Sqrt, 1}, "pow": {Pow, 2}, "max": {Max, 2}, "min": {Min, 2}, "floor": {Floor, 1}}

func (p *parser) name() (Ref, error) {
	start := p.pos
	for p.pos < len(p.text) && isName(p.text[p.pos]) {
		p.pos++
	}
	name := p.text[start:p.pos]
	if f, ok := functions[name]; ok && p.peek() == '(' {
		return p.call(f.o, f.args)
	}
	if id, ok := p.resolve(name); ok {
		return id, nil
	}
	p.pos = start
	return 0, p.fail(fmt.Sprintf("%q is not defined above", name))
}

func (p *parser) call(o Op, args int) (Ref, error) {
	p.pos++ // the bracket
	var ids []Ref
	for {
		a, err := p.sum()
		if err != nil {
			return 0, err
		}
		ids = append(ids, a)
		c := p.peek()
		p.pos++
		if c == ')' {
			break
		}
		if c != ',' {
			p.pos--
			return 0, p.fail("a comma or a closing bracket is expected")
		}
	}
	if len(ids) != args {
		return 0, p.fail(fmt.Sprintf("the function takes %d value(s)", args))
	}
	if args == 1 {
		return p.g.unary(o, ids[0]), nil
	}
	return p.g.binary(o, ids[0], ids[1]), nil
}
