package kinetics

import (
	"math"
	"sync"
)

// Ref names an expression of a model.
type Ref int32

// None is no expression.
const None Ref = -1

// node is one expression; equal nodes share one id (hash-consing), so common
// parts are computed once.
type node struct {
	op      Op
	a, b, c Ref     // operands; of a leaf, a is the index of the parameter, state, …
	v       float64 // constant
}

// graph holds the nodes; operands always precede their users.
type graph struct {
	nodes []node
	ids   map[node]Ref
	diffs map[diffKey]Ref
	deps  [][]int32 // states a node depends on, sorted; made on demand
	// mu guards the graph where several goroutines build relaxations of one model.
	mu sync.Mutex
}

// diffKey names a derivative: of a node in a leaf.
type diffKey struct {
	id   Ref
	kind Op
	leaf int32
}

func newGraph() *graph { return &graph{ids: map[node]Ref{}, diffs: map[diffKey]Ref{}} }

func (g *graph) add(n node) Ref {
	if id, ok := g.ids[n]; ok {
		return id
	}
	g.nodes = append(g.nodes, n)
	id := Ref(len(g.nodes) - 1)
	g.ids[n] = id
	return id
}

func (g *graph) leaf(o Op, index int) Ref { return g.add(node{op: o, a: Ref(index)}) }
func (g *graph) constant(v float64) Ref   { return g.add(node{op: opConst, v: v}) }

func (g *graph) isConst(id Ref, v float64) bool {
	return g.nodes[id].op == opConst && g.nodes[id].v == v
}

// value is the value of a constant node.
func (g *graph) value(id Ref) (float64, bool) { return g.nodes[id].v, g.nodes[id].op == opConst }

// operands calls f for the operands of a node.
func (g *graph) operands(id Ref, f func(Ref)) {
	n := &g.nodes[id]
	if n.op.leaf() {
		return
	}
	f(n.a)
	if !n.op.unary() {
		f(n.b)
	}
	if n.op == Select {
		f(n.c)
	}
}

// binary builds a node, folding constants and neutral elements.
func (g *graph) binary(o Op, a, b Ref) Ref {
	if g.nodes[a].op == opConst && g.nodes[b].op == opConst {
		return g.constant(apply(o, g.nodes[a].v, g.nodes[b].v, 0))
	}
	switch {
	case o == Add && g.isConst(a, 0):
		return b
	case (o == Add || o == Sub) && g.isConst(b, 0):
		return a
	case o == Sub && g.isConst(a, 0):
		return g.unary(Neg, b)
	case o == Sub && a == b:
		return g.constant(0)
	case o == Mul && (g.isConst(a, 0) || g.isConst(b, 0)):
		return g.constant(0)
	case o == Mul && g.isConst(a, 1):
		return b
	case (o == Mul || o == Div || o == Pow) && g.isConst(b, 1):
		return a
	case o == Mul && g.isConst(a, -1):
		return g.unary(Neg, b)
	case o == Mul && g.isConst(b, -1):
		return g.unary(Neg, a)
	case o == Div && g.isConst(a, 0):
		return a
	case o == Pow && g.isConst(b, 0):
		return g.constant(1)
	case o == Pow && g.nodes[b].op == opConst:
		if id, ok := g.wholePower(a, g.nodes[b].v); ok {
			return id
		}
	case o == Add && g.nodes[b].op == Neg:
		return g.binary(Sub, a, g.nodes[b].a)
	case o == Add && g.nodes[a].op == Neg:
		return g.binary(Sub, b, g.nodes[a].a)
	case o == Sub && g.nodes[b].op == Neg:
		return g.binary(Add, a, g.nodes[b].a)
	}
	if (o == Add || o == Mul) && a > b {
		a, b = b, a
	}
	return g.add(node{op: o, a: a, b: b})
}

// wholePower writes the small powers that rate laws are full of as products.
func (g *graph) wholePower(a Ref, b float64) (Ref, bool) {
	switch b {
	case 2:
		return g.binary(Mul, a, a), true
	case 3:
		return g.binary(Mul, g.binary(Mul, a, a), a), true
	case 4:
		q := g.binary(Mul, a, a)
		return g.binary(Mul, q, q), true
	case -1:
		return g.binary(Div, g.constant(1), a), true
	}
	return None, false
}

func (g *graph) unary(o Op, a Ref) Ref {
	n := g.nodes[a]
	if n.op == opConst {
		return g.constant(apply(o, n.v, 0, 0))
	}
	if o == Neg && n.op == Neg {
		return n.a
	}
	return g.add(node{op: o, a: a})
}

func (g *graph) choose(c, a, b Ref) Ref {
	if v, ok := g.value(c); ok {
		if v != 0 {
			return a
		}
		return b
	}
	if a == b {
		return a
	}
	return g.add(node{op: Select, a: a, b: b, c: c})
}

// build makes a node like n with other operands.
func (g *graph) build(n node, a, b, c Ref) Ref {
	switch {
	case n.op == Select:
		return g.choose(c, a, b)
	case n.op.unary():
		return g.unary(n.op, a)
	}
	return g.binary(n.op, a, b)
}

// substitute rebuilds an expression with other nodes in place of those that
// swap names; memo is kept between calls with the same swap.
func (g *graph) substitute(id Ref, memo map[Ref]Ref, swap func(Ref) (Ref, bool)) Ref {
	if r, ok := memo[id]; ok {
		return r
	}
	r, swapped := swap(id)
	if !swapped {
		r = id
		if n := g.nodes[id]; !n.op.leaf() {
			a := g.substitute(n.a, memo, swap)
			b, c := n.b, n.c
			if !n.op.unary() {
				b = g.substitute(n.b, memo, swap)
			}
			if n.op == Select {
				c = g.substitute(n.c, memo, swap)
			}
			if a != n.a || b != n.b || c != n.c {
				r = g.build(n, a, b, c)
			}
		}
	}
	memo[id] = r
	return r
}

// reach visits every node below the given ones once, operands first.
func (g *graph) reach(ids []Ref, visit func(Ref)) {
	seen := map[Ref]bool{}
	var walk func(Ref)
	walk = func(id Ref) {
		if seen[id] {
			return
		}
		seen[id] = true
		g.operands(id, walk)
		visit(id)
	}
	for _, id := range ids {
		walk(id)
	}
}

// states lists the states an expression depends on directly.
func (g *graph) states(id Ref) []int32 {
	for len(g.deps) < len(g.nodes) {
		at := Ref(len(g.deps))
		n := &g.nodes[at]
		var d []int32
		switch {
		case n.op == opState:
			d = []int32{int32(n.a)}
		case n.op.leaf():
		default:
			d = g.deps[n.a]
			if !n.op.unary() {
				d = union(d, g.deps[n.b])
			}
			if n.op == Select {
				d = union(d, g.deps[n.c])
			}
		}
		g.deps = append(g.deps, d)
	}
	return g.deps[id]
}

// union merges two sorted lists; it returns one of them where it holds all.
func union(a, b []int32) []int32 {
	if len(b) == 0 || len(a) > 0 && &a[0] == &b[0] && len(a) == len(b) {
		return a
	}
	if len(a) == 0 {
		return b
	}
	out := make([]int32, 0, len(a)+len(b))
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i] < b[j]:
			out = append(out, a[i])
			i++
		case i == len(a) || b[j] < a[i]:
			out = append(out, b[j])
			j++
		default:
			out = append(out, a[i])
			i, j = i+1, j+1
		}
	}
	if len(out) == len(a) {
		return a
	}
	if len(out) == len(b) {
		return b
	}
	return out
}

// diff is the derivative of a node in a leaf: a state, a parameter, a delayed
// value, or (opTime, 0) the time. Discrete nodes have the derivative 0.
func (g *graph) diff(id Ref, kind Op, leaf int) Ref {
	n := g.nodes[id]
	if n.op.leaf() {
		return g.constant(truth(n.op == kind && (kind == opTime || int(n.a) == leaf)))
	}
	if n.op.discrete() {
		if n.op == Rem { // a - b·trunc(a/b), the last part held
			return g.binary(Sub, g.diff(n.a, kind, leaf), g.binary(Mul, g.diff(n.b, kind, leaf), g.binary(Quot, n.a, n.b)))
		}
		return g.constant(0)
	}
	key := diffKey{id, kind, int32(leaf)}
	if d, ok := g.diffs[key]; ok {
		return d
	}
	da := g.diff(n.a, kind, leaf)
	var d Ref
	switch {
	case n.op.unary():
		d = g.diffUnary(n, id, da)
	case n.op == And || n.op == Or || n.op == Xor:
		d = g.constant(0)
	default:
		d = g.diffBinary(n, id, da, g.diff(n.b, kind, leaf))
	}
	g.diffs[key] = d
	return d
}

func (g *graph) diffBinary(n node, id, da, db Ref) Ref {
	switch n.op {
	case Add, Sub:
		return g.binary(n.op, da, db)
	case Mul:
		return g.binary(Add, g.binary(Mul, da, n.b), g.binary(Mul, n.a, db))
	case Div:
		return g.binary(Sub, g.binary(Div, da, n.b), g.binary(Div, g.binary(Mul, id, db), n.b))
	case Pow:
		return g.diffPow(n, id, da, db)
	case Select:
		return g.choose(n.c, da, db)
	case Max:
		return g.choose(g.binary(Ge, n.a, n.b), da, db)
	case Min:
		return g.choose(g.binary(Ge, n.a, n.b), db, da)
	}
	panic("kinetics: no derivative")
}

// diffPow is d(a^b): b·a^(b-1)·a' + a^b·log(a)·b'. Where b is a constant, the
// value at a = 0 stays finite.
func (g *graph) diffPow(n node, id, da, db Ref) Ref {
	d := g.constant(0)
	if !g.isConst(da, 0) {
		d = g.binary(Mul, g.binary(Mul, n.b, g.binary(Pow, n.a, g.binary(Sub, n.b, g.constant(1)))), da)
	}
	if g.isConst(db, 0) {
		return d
	}
	return g.binary(Add, d, g.binary(Mul, g.binary(Mul, id, g.unary(Log, n.a)), db))
}

func (g *graph) diffUnary(n node, id, da Ref) Ref {
	if g.isConst(da, 0) {
		return da
	}
	one := g.constant(1)
	square := func(x Ref) Ref { return g.binary(Mul, x, x) }
	over := func(x Ref) Ref { return g.binary(Div, da, x) }
	switch n.op {
	case Neg:
		return g.unary(Neg, da)
	case Exp:
		return g.binary(Mul, id, da)
	case Log:
		return over(n.a)
	case Log10:
		return over(g.binary(Mul, n.a, g.constant(math.Ln10)))
	case Sqrt:
		return over(g.binary(Mul, g.constant(2), id))
	case Abs:
		return g.binary(Mul, g.unary(Sign, n.a), da)
	case Not:
		return g.constant(0)
	case Sin:
		return g.binary(Mul, g.unary(Cos, n.a), da)
	case Cos:
		return g.unary(Neg, g.binary(Mul, g.unary(Sin, n.a), da))
	case Tan:
		return g.binary(Mul, g.binary(Add, one, square(id)), da)
	case Asin:
		return over(g.unary(Sqrt, g.binary(Sub, one, square(n.a))))
	case Acos:
		return g.unary(Neg, over(g.unary(Sqrt, g.binary(Sub, one, square(n.a)))))
	case Atan:
		return over(g.binary(Add, one, square(n.a)))
	case Sinh:
		return g.binary(Mul, g.unary(Cosh, n.a), da)
	case Cosh:
		return g.binary(Mul, g.unary(Sinh, n.a), da)
	case Tanh:
		return g.binary(Mul, g.binary(Sub, one, square(id)), da)
	case Asinh:
		return over(g.unary(Sqrt, g.binary(Add, square(n.a), one)))
	case Acosh:
		return over(g.unary(Sqrt, g.binary(Sub, square(n.a), one)))
	case Atanh:
		return over(g.binary(Sub, one, square(n.a)))
	case Gamma:
		return g.binary(Mul, g.binary(Mul, id, g.unary(Digamma, n.a)), da)
	}
	// Digamma arises only in derivatives; its own derivative is not needed.
	return g.constant(0)
}
