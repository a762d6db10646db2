package lane

// Kind is an operation with a kernel.
type Kind uint8

// Operations on blocks of registers. OpFnma is Dst -= A·B, fused; OpSelect
// takes A where C is not zero, else B; OpLt and OpLe give 1 or 0.
const (
	OpAdd Kind = iota
	OpSub
	OpMul
	OpDiv
	OpMax
	OpMin
	OpPow
	OpLt
	OpLe
	OpNeg
	OpSqrt
	OpExp
	OpLog
	OpFnma
	OpSelect
	kinds
)

// Width is what the number of lanes must be a multiple of.
const Width = 8

// Run carries out operations of one kind, in order, on registers of w lanes. The
// caller vouches that every operand lies within reg.
func Run(k Kind, reg []float64, code []Instr, w int) {
	if len(code) > 0 {
		run(k, reg, code, w)
	}
}

// Axpy adds c[l]·src to dst in every row of w lanes, fused.
func Axpy(dst, src, c []float64, w int) {
	if len(dst) > 0 {
		axpy(dst, src[:len(dst)], c[:w], w)
	}
}

// Combine sets dst to base + Σ c[j]·x[j·stride:], fused in the order of j. The
// length of dst must be a multiple of Width.
func Combine(dst, base, x, c []float64, stride int) {
	switch {
	case len(dst) == 0:
	case len(c) == 0:
		copy(dst, base)
	default:
		_ = x[(len(c)-1)*stride+len(dst)-1]
		combine(dst, base[:len(dst)], x, c, stride)
	}
}

// Norm adds (e/(at + rt·max(|y|,|y1|)))² of every row to sum.
func Norm(sum, e, y, y1 []float64, at, rt float64, w int) {
	if len(e) > 0 {
		norm(sum[:w], e, y[:len(e)], y1[:len(e)], at, rt, w)
	}
}
