package kinetics

import (
	"math"

	"github.com/myoaxis/myoaxis/internal/lane"
)

// Op is an operation of an expression. Truth values are the numbers 1 and 0;
// any value but 0 counts as true.
type Op uint8

// Leaves come first; their index is in node.a.
const (
	opConst Op = iota
	opParam
	opState
	opInput
	opTime
	opMode  // the value of a discrete node, kept while a step is taken
	opDelay // the value of a delayed expression

	Add
	Sub
	Mul
	Div
	Pow
	Max
	Min
	Lt
	Le
	Gt
	Ge
	Eq
	Ne
	And
	Or
	Xor
	Rem  // a - b·trunc(a/b)
	Quot // trunc(a/b)

	Neg
	Exp
	Log
	Log10
	Sqrt
	Abs
	Sign
	Not
	Floor
	Ceil
	Sin
	Cos
	Tan
	Asin
	Acos
	Atan
	Sinh
	Cosh
	Tanh
	Asinh
	Acosh
	Atanh
	Gamma
	Digamma

	Select // a where c holds, else b

	opCount
)

func (o Op) leaf() bool  { return o <= opDelay }
func (o Op) unary() bool { return o >= Neg && o <= Digamma }

// discrete tells whether the operation jumps between values.
func (o Op) discrete() bool {
	return o >= Lt && o <= Ne || o == Rem || o == Quot || o == Floor || o == Ceil || o == Sign
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// apply computes one operation; c is the condition of Select.
func apply(o Op, a, b, c float64) float64 {
	switch o {
	case Add:
		return a + b
	case Sub:
		return a - b
	case Mul:
		return a * b
	case Div:
		return a / b
	case Pow:
		return lane.Pow(a, b)
	case Neg:
		return -a
	case Exp:
		return lane.Exp(a)
	case Log:
		return lane.Log(a)
	case Sqrt:
		return math.Sqrt(a)
	case Max:
		return lane.Max(a, b)
	case Min:
		return lane.Min(a, b)
	case Select:
		if c != 0 {
			return a
		}
		return b
	}
	if o.unary() {
		return applyUnary(o, a)
	}
	return applyLogic(o, a, b)
}

func applyLogic(o Op, a, b float64) float64 {
	switch o {
	case Lt:
		return truth(a < b)
	case Le:
		return truth(a <= b)
	case Gt:
		return truth(a > b)
	case Ge:
		return truth(a >= b)
	case Eq:
		return truth(a == b)
	case Ne:
		return truth(a != b)
	case And:
		return truth(a != 0 && b != 0)
	case Or:
		return truth(a != 0 || b != 0)
	case Xor:
		return truth((a != 0) != (b != 0))
	case Rem:
		return a - b*math.Trunc(a/b)
	case Quot:
		return math.Trunc(a / b)
	}
	panic("kinetics: no such operation")
}

func applyUnary(o Op, a float64) float64 {
	switch o {
	case Log10:
		return math.Log10(a)
	case Abs:
		return math.Abs(a)
	case Sign:
		return truth(a > 0) - truth(a < 0)
	case Not:
		return truth(a == 0)
	case Floor:
		return math.Floor(a)
	case Ceil:
		return math.Ceil(a)
	case Gamma:
		return math.Gamma(a)
	case Digamma:
		return digamma(a)
	}
	return trigonometric[o](a)
}

var trigonometric = map[Op]func(float64) float64{Sin: math.Sin, Cos: math.Cos, Tan: math.Tan, Asin: math.Asin, Acos: math.Acos, Atan: math.Atan,
	Sinh: math.Sinh, Cosh: math.Cosh, Tanh: math.Tanh, Asinh: math.Asinh, Acosh: math.Acosh, Atanh: math.Atanh}

// digamma is the derivative of log Γ, by recurrence and the asymptotic series
// (Abramowitz & Stegun 6.3.5, 6.3.18).
func digamma(x float64) float64 {
	var s float64
	for x < 10 {
		s -= 1 / x
		x++
	}
	y := 1 / (x * x)
	return s + math.Log(x) - 0.5/x - y*(1.0/12-y*(1.0/120-y*(1.0/252-y*(1.0/240-y/132))))
}
