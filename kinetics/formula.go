package kinetics

import "github.com/myoaxis/myoaxis/formula"

// Namer gives the names of leaves when an expression is written as a formula;
// Known names expressions that have one of their own.
type Namer struct {
	Param, State, Input func(i int) string
	Known               func(r Ref) (string, bool)
}

// plain are operations with a MathML name of the same arguments.
var plain = map[Op]string{Add: "plus", Sub: "minus", Mul: "times", Div: "divide", Pow: "power", Max: "max", Min: "min", Lt: "lt", Le: "leq", Gt: "gt", Ge: "geq", Eq: "eq", Ne: "neq",
	And: "and", Or: "or", Xor: "xor", Rem: "rem", Quot: "quotient", Neg: "minus", Exp: "exp", Log: "ln", Abs: "abs", Not: "not", Floor: "floor", Ceil: "ceiling", Sin: "sin", Cos: "cos", Tan: "tan",
	Asin: "arcsin", Acos: "arccos", Atan: "arctan", Sinh: "sinh", Cosh: "cosh", Tanh: "tanh", Asinh: "arcsinh", Acosh: "arccosh", Atanh: "arctanh"}

// Formula writes an expression as a formula. Delayed values and operations that
// arise only in derivatives have none: ok is false.
func (m *Model) Formula(r Ref, n Namer) (e *formula.Expr, ok bool) {
	ok = true
	var write func(r Ref, top bool) *formula.Expr
	write = func(r Ref, top bool) *formula.Expr {
		if name, known := n.Known(r); known && !top {
			return formula.Sym(name)
		}
		x := m.g.nodes[r]
		switch x.op {
		case opConst:
			return formula.Num(x.v)
		case opParam:
			return formula.Sym(n.Param(int(x.a)))
		case opState:
			return formula.Sym(n.State(int(x.a)))
		case opInput:
			return formula.Sym(n.Input(int(x.a)))
		case opTime:
			return &formula.Expr{Kind: formula.Time}
		}
		var args []*formula.Expr
		m.g.operands(r, func(a Ref) { args = append(args, write(a, false)) })
		switch x.op {
		case Sqrt:
			return formula.Op("root", formula.Num(2), args[0])
		case Log10:
			return formula.Op("log", formula.Num(10), args[0])
		case Select:
			return formula.Op("piecewise", args[0], args[2], args[1])
		case Gamma:
			return formula.Op("factorial", formula.Op("minus", args[0], formula.Num(1)))
		}
		name, found := plain[x.op]
		ok = ok && found
		return formula.Op(name, args...)
	}
	e = write(r, true)
	return e, ok
}

// Names lists what the model text names beyond its parameters, states and
// inputs, in the order of the text.
func (m *Model) Names() []string { return m.named }

// Named returns the expression of a name of the model text.
func (m *Model) Named(name string) (Ref, bool) {
	r, ok := m.names[name]
	return r, ok
}
