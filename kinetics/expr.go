package kinetics

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// op is the kind of an expression node.
type op uint8

const (
	opConst op = iota
	opParam
	opState
	opInput
	opTime
	opAdd
	opSub
	opMul
	opDiv
	opPow
	opNeg
	opExp
	opLog
	opSqrt
	opMax
	opMin
	opStep // 1 where a >= b, else 0; arises from the derivatives of max and min
)

// node is one expression; equal nodes share one id (hash-consing), so common
// parts are computed once.
type node struct {
	op   op
	a, b int     // operand ids, or the index of a parameter, state or input
	v    float64 // constant
}

// graph holds the nodes; operands always precede their users.
type graph struct {
	nodes []node
	ids   map[node]int
	diffs map[[2]int]int
}

func newGraph() *graph { return &graph{ids: map[node]int{}, diffs: map[[2]int]int{}} }

func (g *graph) add(n node) int {
	if id, ok := g.ids[n]; ok {
		return id
	}
	g.nodes = append(g.nodes, n)
	g.ids[n] = len(g.nodes) - 1
	return len(g.nodes) - 1
}

func (g *graph) constant(v float64) int { return g.add(node{op: opConst, v: v}) }

func (g *graph) isConst(id int, v float64) bool {
	return g.nodes[id].op == opConst && g.nodes[id].v == v
}

// binary builds a node, folding constants and neutral elements.
func (g *graph) binary(o op, a, b int) int {
	if g.nodes[a].op == opConst && g.nodes[b].op == opConst {
		return g.constant(apply(o, g.nodes[a].v, g.nodes[b].v))
	}
	switch {
	case o == opAdd && g.isConst(a, 0):
		return b
	case (o == opAdd || o == opSub) && g.isConst(b, 0):
		return a
	case o == opSub && g.isConst(a, 0):
		return g.unary(opNeg, b)
	case o == opSub && a == b:
		return g.constant(0)
	case o == opMul && (g.isConst(a, 0) || g.isConst(b, 0)):
		return g.constant(0)
	case o == opMul && g.isConst(a, 1):
		return b
	case (o == opMul || o == opDiv || o == opPow) && g.isConst(b, 1):
		return a
	case o == opDiv && g.isConst(a, 0):
		return a
	case o == opPow && g.isConst(b, 0):
		return g.constant(1)
	}
	if (o == opAdd || o == opMul) && a > b {
		a, b = b, a
	}
	return g.add(node{op: o, a: a, b: b})
}

func (g *graph) unary(o op, a int) int {
	n := g.nodes[a]
	if n.op == opConst {
		return g.constant(apply(o, n.v, 0))
	}
	if o == opNeg && n.op == opNeg {
		return n.a
	}
	return g.add(node{op: o, a: a})
}

func apply(o op, a, b float64) float64 {
	switch o {
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	case opDiv:
		return a / b
	case opPow:
		return math.Pow(a, b)
	case opNeg:
		return -a
	case opExp:
		return math.Exp(a)
	case opLog:
		return math.Log(a)
	case opSqrt:
		return math.Sqrt(a)
	case opMax:
		return math.Max(a, b)
	case opMin:
		return math.Min(a, b)
	case opStep:
		if a >= b {
			return 1
		}
		return 0
	}
	panic("kinetics: no such operation")
}

// diff is the derivative of a node in a state (or, with kind opTime, in t).
func (g *graph) diff(id int, kind op, index int) int {
	key := [2]int{id, int(kind)<<32 | index}
	if d, ok := g.diffs[key]; ok {
		return d
	}
	n := g.nodes[id]
	var d int
	da := func() int { return g.diff(n.a, kind, index) }
	db := func() int { return g.diff(n.b, kind, index) }
	switch n.op {
	case opConst, opParam, opInput, opStep:
		d = g.constant(0)
	case opState, opTime:
		d = g.constant(0)
		if n.op == kind && (kind == opTime || n.a == index) {
			d = g.constant(1)
		}
	case opAdd, opSub:
		d = g.binary(n.op, da(), db())
	case opMul:
		d = g.binary(opAdd, g.binary(opMul, da(), n.b), g.binary(opMul, n.a, db()))
	case opDiv:
		d = g.binary(opSub, g.binary(opDiv, da(), n.b), g.binary(opDiv, g.binary(opMul, id, db()), n.b))
	case opPow:
		d = g.diffPow(n, id, da(), db())
	case opNeg:
		d = g.unary(opNeg, da())
	case opExp:
		d = g.binary(opMul, id, da())
	case opLog:
		d = g.binary(opDiv, da(), n.a)
	case opSqrt:
		d = g.binary(opDiv, da(), g.binary(opMul, g.constant(2), id))
	case opMax, opMin:
		s := g.add(node{op: opStep, a: n.a, b: n.b})
		hi, lo := da(), db()
		if n.op == opMin {
			hi, lo = lo, hi
		}
		d = g.binary(opAdd, lo, g.binary(opMul, s, g.binary(opSub, hi, lo)))
	}
	g.diffs[key] = d
	return d
}

// diffPow is d(a^b): b·a^(b-1)·a' + a^b·log(a)·b'.
func (g *graph) diffPow(n node, id, da, db int) int {
	d := g.binary(opMul, g.binary(opMul, n.b, g.binary(opPow, n.a, g.binary(opSub, n.b, g.constant(1)))), da)
	if g.isConst(db, 0) {
		return d
	}
	return g.binary(opAdd, d, g.binary(opMul, g.binary(opMul, id, g.unary(opLog, n.a)), db))
}

// parser reads an expression by precedence climbing.
type parser struct {
	text    string
	pos     int
	g       *graph
	resolve func(name string) (int, bool)
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

func (p *parser) parse() (int, error) {
	id, err := p.sum()
	if err == nil && p.peek() != 0 {
		err = p.fail(fmt.Sprintf("%q is not expected here", p.text[p.pos]))
	}
	return id, err
}

func (p *parser) sum() (int, error) {
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
		var b int
		if b, err = p.product(); err == nil {
			a = p.g.binary(map[byte]op{'+': opAdd, '-': opSub}[c], a, b)
		}
	}
	return a, err
}

func (p *parser) product() (int, error) {
	a, err := p.signed()
	for err == nil {
		c := p.peek()
		if c != '*' && c != '/' {
			break
		}
		p.pos++
		var b int
		if b, err = p.signed(); err == nil {
			a = p.g.binary(map[byte]op{'*': opMul, '/': opDiv}[c], a, b)
		}
	}
	return a, err
}

// signed binds a leading minus looser than a power: -x^2 = -(x^2).
func (p *parser) signed() (int, error) {
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
		return p.g.unary(opNeg, a), nil
	}
	a, err := p.atom()
	if err == nil && p.peek() == '^' {
		p.pos++
		var b int
		if b, err = p.signed(); err == nil {
			return p.g.binary(opPow, a, b), nil
		}
	}
	return a, err
}

func isName(c byte) bool {
	return c == '_' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *parser) atom() (int, error) {
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

func (p *parser) number() (int, error) {
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
	o    op
	args int
}{"exp": {opExp, 1}, "log": {opLog, 1}, "sqrt": {opSqrt, 1}, "pow": {opPow, 2}, "max": {opMax, 2}, "min": {opMin, 2}}

func (p *parser) name() (int, error) {
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

func (p *parser) call(o op, args int) (int, error) {
	p.pos++ // the bracket
	var ids []int
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
