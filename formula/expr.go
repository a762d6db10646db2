package formula

import "math"

// Kind says what an expression is.
type Kind uint8

// Number is a constant; Symbol a name; Time, Avogadro the symbols of SBML;
// Apply an operation of MathML (Name is its element: plus, sin, piecewise, …)
// or of SBML (delay, rateOf); Call a call of a function the model defines;
// Lambda a function definition: its parameters, then its body.
const (
	Number Kind = iota
	Symbol
	Time
	Avogadro
	Apply
	Call
	Lambda
)

// Expr is an expression. Trees are shared freely and never changed after they
// are built.
type Expr struct {
	Kind  Kind
	Name  string
	Value float64
	// Text keeps the form of a number as written: "" is shortest decimal,
	// "integer", "e-notation" and "rational" are those of MathML.
	Text  string
	Units string
	Args  []*Expr
	// Line and Col are the place in the source, from 1; 0 where there is none.
	Line, Col int
}

// AvogadroNumber is the value SBML fixes for its symbol (CODATA 2006, as in
// SBML Level 3 Version 1, 3.4.6).
const AvogadroNumber = 6.02214179e23

// Num is a number.
func Num(v float64) *Expr { return &Expr{Kind: Number, Value: v} }

// Sym is a name.
func Sym(name string) *Expr { return &Expr{Kind: Symbol, Name: name} }

// Op applies an operation of MathML.
func Op(name string, args ...*Expr) *Expr { return &Expr{Kind: Apply, Name: name, Args: args} }

// IsNumber tells whether e is the number v.
func (e *Expr) IsNumber(v float64) bool { return e.Kind == Number && e.Value == v }

// Walk calls f for e and everything below it, outer before inner.
func (e *Expr) Walk(f func(*Expr)) {
	f(e)
	for _, a := range e.Args {
		a.Walk(f)
	}
}

// Map rebuilds e from the leaves up; f may return its argument. Parts without a
// change are shared.
func (e *Expr) Map(f func(*Expr) *Expr) *Expr {
	out := e
	for i, a := range e.Args {
		b := a.Map(f)
		if b == a {
			continue
		}
		if out == e {
			c := *e
			c.Args = append([]*Expr(nil), e.Args...)
			out = &c
		}
		out.Args[i] = b
	}
	return f(out)
}

// Rename replaces the names of symbols and of called functions; parameters of a
// lambda hide the names outside.
func (e *Expr) Rename(to func(string) string) *Expr {
	if e.Kind == Lambda {
		hidden := map[string]bool{}
		for _, a := range e.Args[:len(e.Args)-1] {
			hidden[a.Name] = true
		}
		outer := to
		to = func(n string) string {
			if hidden[n] {
				return n
			}
			return outer(n)
		}
	}
	return e.Map(func(x *Expr) *Expr {
		if x.Kind != Symbol && x.Kind != Call {
			return x
		}
		n := to(x.Name)
		if n == x.Name {
			return x
		}
		c := *x
		c.Name = n
		return &c
	})
}

// Arity gives the least and the largest number of arguments of an operation of
// MathML or SBML; ok is false where there is no such operation.
func Arity(name string) (least, most int, ok bool) {
	a, ok := arities[name]
	return a[0], a[1], ok
}

var arities = func() map[string][2]int {
	m := map[string][2]int{
		"plus": {0, math.MaxInt}, "times": {0, math.MaxInt}, "minus": {1, 2}, "divide": {2, 2}, "power": {2, 2},
		"root": {2, 2}, "log": {2, 2}, "quotient": {2, 2}, "rem": {2, 2}, "implies": {2, 2}, "not": {1, 1},
		"and": {0, math.MaxInt}, "or": {0, math.MaxInt}, "xor": {0, math.MaxInt},
		"eq": {1, math.MaxInt}, "lt": {1, math.MaxInt}, "leq": {1, math.MaxInt}, "gt": {1, math.MaxInt}, "geq": {1, math.MaxInt}, "neq": {2, 2},
		"max": {1, math.MaxInt}, "min": {1, math.MaxInt}, "piecewise": {0, math.MaxInt},
		"delay": {2, 2}, "rateOf": {1, 1}, "true": {0, 0}, "false": {0, 0},
	}
	for _, f := range []string{"exp", "ln", "abs", "floor", "ceiling", "factorial"} {
		m[f] = [2]int{1, 1}
	}
	for _, f := range []string{"sin", "cos", "tan", "sec", "csc", "cot"} {
		for _, g := range []string{f, f + "h", "arc" + f, "arc" + f + "h"} {
			m[g] = [2]int{1, 1}
		}
	}
	return m
}()

// IsBoolean tells whether an expression yields a truth value by its form.
func (e *Expr) IsBoolean() bool {
	if e.Kind != Apply {
		return false
	}
	switch e.Name {
	case "and", "or", "xor", "not", "implies", "eq", "neq", "lt", "leq", "gt", "geq", "true", "false":
		return true
	case "piecewise":
		return len(e.Args) > 0 && e.Args[0].IsBoolean()
	}
	return false
}
