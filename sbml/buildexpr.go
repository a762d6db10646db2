package sbml

import (
	"math"

	"github.com/myoaxis/myoaxis/formula"
	"github.com/myoaxis/myoaxis/kinetics"
)

// env is where an expression stands: its phase, and the
// local names of a reaction or a function call.
type env struct {
	b     *builder
	phase phase
	names map[string]kinetics.Ref
	calls int
}

// maxCalls bounds functions that call functions.
const maxCalls = 64

func place(e *formula.Expr) *Base { return &Base{Line: e.Line, Col: e.Col} }

func (v env) expr(e *formula.Expr) (kinetics.Ref, error) {
	k := v.b.k
	switch e.Kind {
	case formula.Number:
		return k.Const(e.Value), nil
	case formula.Avogadro:
		return k.Const(formula.AvogadroNumber), nil
	case formula.Time:
		return k.Time(), nil
	case formula.Symbol:
		if r, ok := v.names[e.Name]; ok {
			return r, nil
		}
		s, ok := v.b.ids[e.Name]
		if !ok {
			return kinetics.None, invalid(place(e), e.Name, "there is nothing with this id")
		}
		return v.b.valueOf(s, v.phase)
	case formula.Call:
		return v.call(e)
	case formula.Apply:
		return v.apply(e)
	}
	return kinetics.None, invalid(place(e), "lambda", "a lambda stands only in a function definition")
}

func (v env) args(e *formula.Expr) ([]kinetics.Ref, error) {
	out := make([]kinetics.Ref, len(e.Args))
	for i, a := range e.Args {
		r, err := v.expr(a)
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	return out, nil
}

// call puts a function's body in place of its call.
func (v env) call(e *formula.Expr) (kinetics.Ref, error) {
	f, ok := v.b.functions[e.Name]
	if !ok {
		return kinetics.None, invalid(place(e), e.Name, "there is no function with this id")
	}
	if f.Math == nil {
		return kinetics.None, invalid(place(e), e.Name, "the function has no math")
	}
	if n := len(f.Math.Args) - 1; n != len(e.Args) {
		return kinetics.None, invalid(place(e), e.Name, "the function takes %d value(s), not %d", n, len(e.Args))
	}
	if v.calls >= maxCalls {
		return kinetics.None, invalid(place(e), e.Name, "the function calls itself")
	}
	args, err := v.args(e)
	if err != nil {
		return kinetics.None, err
	}
	inner := env{b: v.b, phase: v.phase, names: map[string]kinetics.Ref{}, calls: v.calls + 1}
	for i, a := range args {
		inner.names[f.Math.Args[i].Name] = a
	}
	return inner.expr(f.Math.Args[len(args)])
}

// simple maps operations of MathML that are one operation here.
var simple = map[string]kinetics.Op{"exp": kinetics.Exp, "ln": kinetics.Log, "abs": kinetics.Abs, "floor": kinetics.Floor, "ceiling": kinetics.Ceil, "not": kinetics.Not,
	"sin": kinetics.Sin, "cos": kinetics.Cos, "tan": kinetics.Tan, "arcsin": kinetics.Asin, "arccos": kinetics.Acos, "arctan": kinetics.Atan,
	"sinh": kinetics.Sinh, "cosh": kinetics.Cosh, "tanh": kinetics.Tanh, "arcsinh": kinetics.Asinh, "arccosh": kinetics.Acosh, "arctanh": kinetics.Atanh,
	"divide": kinetics.Div, "power": kinetics.Pow, "rem": kinetics.Rem, "quotient": kinetics.Quot, "neq": kinetics.Ne}

// folded are operations of any number of values with their neutral element.
var folded = map[string]struct {
	op   kinetics.Op
	none float64
}{"plus": {kinetics.Add, 0}, "times": {kinetics.Mul, 1}, "and": {kinetics.And, 1}, "or": {kinetics.Or, 0}, "xor": {kinetics.Xor, 0},
	"max": {kinetics.Max, math.Inf(-1)}, "min": {kinetics.Min, math.Inf(1)}}

// chained are comparisons of any number of values.
var chained = map[string]kinetics.Op{"eq": kinetics.Eq, "lt": kinetics.Lt, "leq": kinetics.Le, "gt": kinetics.Gt, "geq": kinetics.Ge}

// inverted are functions that are one over another, or another at one over.
var inverted = map[string]kinetics.Op{"sec": kinetics.Cos, "csc": kinetics.Sin, "cot": kinetics.Tan, "sech": kinetics.Cosh, "csch": kinetics.Sinh, "coth": kinetics.Tanh}
var invertedArc = map[string]kinetics.Op{"arcsec": kinetics.Acos, "arccsc": kinetics.Asin, "arccot": kinetics.Atan, "arcsech": kinetics.Acosh, "arccsch": kinetics.Asinh, "arccoth": kinetics.Atanh}

func (v env) apply(e *formula.Expr) (kinetics.Ref, error) {
	k := v.b.k
	switch e.Name {
	case "delay":
		return v.delay(e), nil
	case "rateOf":
		return v.rateOf(e)
	}
	a, err := v.args(e)
	if err != nil {
		return kinetics.None, err
	}
	one := func() kinetics.Ref { return k.Const(1) }
	if op, ok := simple[e.Name]; ok {
		return k.Op(op, a...), nil
	}
	if f, ok := folded[e.Name]; ok {
		return v.fold(f.op, f.none, a), nil
	}
	if op, ok := chained[e.Name]; ok {
		all := one()
		for i := 1; i < len(a); i++ {
			all = v.and(all, k.Op(op, a[i-1], a[i]))
		}
		return all, nil
	}
	if op, ok := inverted[e.Name]; ok {
		return k.Op(kinetics.Div, one(), k.Op(op, a[0])), nil
	}
	if op, ok := invertedArc[e.Name]; ok {
		return k.Op(op, k.Op(kinetics.Div, one(), a[0])), nil
	}
	switch e.Name {
	case "true":
		return one(), nil
	case "false":
		return k.Const(0), nil
	case "minus":
		if len(a) == 1 {
			return k.Op(kinetics.Neg, a[0]), nil
		}
		return k.Op(kinetics.Sub, a[0], a[1]), nil
	case "implies":
		return k.Op(kinetics.Or, k.Op(kinetics.Not, a[0]), a[1]), nil
	case "factorial":
		return k.Op(kinetics.Gamma, k.Op(kinetics.Add, a[0], one())), nil
	case "root":
		if e.Args[0].IsNumber(2) {
			return k.Op(kinetics.Sqrt, a[1]), nil
		}
		return k.Op(kinetics.Pow, a[1], k.Op(kinetics.Div, one(), a[0])), nil
	case "log":
		if e.Args[0].IsNumber(10) {
			return k.Op(kinetics.Log10, a[1]), nil
		}
		return k.Op(kinetics.Div, k.Op(kinetics.Log, a[1]), k.Op(kinetics.Log, a[0])), nil
	case "piecewise":
		return v.piecewise(a), nil
	}
	return kinetics.None, unsupported(place(e), e.Name, "this operation is not supported")
}

func (v env) and(a, b kinetics.Ref) kinetics.Ref {
	if x, ok := v.b.k.Value(a); ok && x == 1 {
		return b
	}
	return v.b.k.Op(kinetics.And, a, b)
}

func (v env) fold(op kinetics.Op, none float64, a []kinetics.Ref) kinetics.Ref {
	if len(a) == 0 {
		return v.b.k.Const(none)
	}
	out := a[0]
	if len(a) == 1 && (op == kinetics.And || op == kinetics.Or || op == kinetics.Xor) {
		return v.b.k.Op(kinetics.Ne, out, v.b.k.Const(0))
	}
	for _, x := range a[1:] {
		out = v.b.k.Op(op, out, x)
	}
	return out
}

// piecewise takes value, condition, value, condition, …, otherwise.
func (v env) piecewise(a []kinetics.Ref) kinetics.Ref {
	out := v.b.k.Const(math.NaN())
	if len(a)%2 == 1 {
		out = a[len(a)-1]
	}
	for i := len(a) / 2 * 2; i >= 2; i -= 2 {
		out = v.b.k.Op(kinetics.Select, a[i-2], out, a[i-1])
	}
	return out
}

// delay makes one delayed value for each place in the model and each set of
// local names.
func (v env) delay(e *formula.Expr) kinetics.Ref {
	b := v.b
	if r, ok := b.delayRefs[e]; ok && v.calls == 0 {
		return r
	}
	r, index := b.k.NewDelay()
	b.delayRefs[e] = r
	v.phase = running
	b.delays = append(b.delays, delayed{index, e, v})
	return r
}

func (v env) rateOf(e *formula.Expr) (kinetics.Ref, error) {
	x := e.Args[0]
	if x.Kind != formula.Symbol {
		return kinetics.None, invalid(place(e), "rateOf", "it takes an id")
	}
	if v.phase == past { // nothing moves before the start
		return v.b.k.Const(0), nil
	}
	if r, local := v.names[x.Name]; local { // a local parameter, or the argument of a function
		return v.b.totalRate(place(e), r)
	}
	s, ok := v.b.ids[x.Name]
	if !ok {
		return kinetics.None, invalid(place(x), x.Name, "there is nothing with this id")
	}
	return v.b.rateOf(s)
}
