package lane

import "golang.org/x/sys/cpu"

// The kernels check no bounds: run, axpy and norm are their only callers, and
// the tapes that name registers are made by the compiler of package kinetics.

//go:noescape
func addAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func subAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func mulAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func divAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func maxAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func minAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func ltAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func leAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func negAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func sqrtAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func expAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func logAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func fnmaAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func chooseAVX2(reg *float64, code *Instr, n, w int)

//go:noescape
func powAVX2(reg *float64, code *Instr, n, w int) (special uint64)

//go:noescape
func axpyAVX2(dst, src, c *float64, rows, w int)

//go:noescape
func combineAVX2(dst, base, x, c *float64, stride, terms, n int)

//go:noescape
func normAVX2(sum, e, y, y1 *float64, at, rt float64, rows, w int)

//go:noescape
func addAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func subAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func mulAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func divAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func maxAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func minAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func ltAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func leAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func negAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func sqrtAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func expAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func logAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func fnmaAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func chooseAVX512(reg *float64, code *Instr, n, w int)

//go:noescape
func powAVX512(reg *float64, code *Instr, n, w int) (special uint64)

//go:noescape
func axpyAVX512(dst, src, c *float64, rows, w int)

//go:noescape
func combineAVX512(dst, base, x, c *float64, stride, terms, n int)

//go:noescape
func normAVX512(sum, e, y, y1 *float64, at, rt float64, rows, w int)

// set is a complete set of kernels.
type set struct {
	name  string
	block [kinds]func(reg *float64, code *Instr, n, w int)
	pow   func(reg *float64, code *Instr, n, w int) uint64
	axpy  func(dst, src, c *float64, rows, w int)
	// combine: see combineTwin
	combine func(dst, base, x, c *float64, stride, terms, n int)
	norm    func(sum, e, y, y1 *float64, at, rt float64, rows, w int)
}

var setAVX2 = &set{"avx2", [kinds]func(*float64, *Instr, int, int){
	OpAdd:    addAVX2,
	OpSub:    subAVX2,
	OpMul:    mulAVX2,
	OpDiv:    divAVX2,
	OpMax:    maxAVX2,
	OpMin:    minAVX2,
	OpLt:     ltAVX2,
	OpLe:     leAVX2,
	OpNeg:    negAVX2,
	OpSqrt:   sqrtAVX2,
	OpExp:    expAVX2,
	OpLog:    logAVX2,
	OpFnma:   fnmaAVX2,
	OpSelect: chooseAVX2,
}, powAVX2, axpyAVX2, combineAVX2, normAVX2}

var setAVX512 = &set{"avx512", [kinds]func(*float64, *Instr, int, int){
	OpAdd:    addAVX512,
	OpSub:    subAVX512,
	OpMul:    mulAVX512,
	OpDiv:    divAVX512,
	OpMax:    maxAVX512,
	OpMin:    minAVX512,
	OpLt:     ltAVX512,
	OpLe:     leAVX512,
	OpNeg:    negAVX512,
	OpSqrt:   sqrtAVX512,
	OpExp:    expAVX512,
	OpLog:    logAVX512,
	OpFnma:   fnmaAVX512,
	OpSelect: chooseAVX512,
}, powAVX512, axpyAVX512, combineAVX512, normAVX512}

// best is what this machine can run, nil where it has neither.
var best = choose()

func choose() *set {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasFMA:
		return setAVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return setAVX2
	}
	return nil
}

// Set names the kernels in use.
func Set() string {
	if best == nil {
		return "go"
	}
	return best.name
}

func run(k Kind, reg []float64, code []Instr, w int) {
	switch {
	case best == nil:
		twins[k](reg, code, w)
	case k == OpPow:
		if best.pow(&reg[0], &code[0], len(code), w) != 0 {
			twins[k](reg, code, w)
		}
	default:
		best.block[k](&reg[0], &code[0], len(code), w)
	}
}

func axpy(dst, src, c []float64, w int) {
	if best == nil {
		axpyTwin(dst, src, c, w)
		return
	}
	best.axpy(&dst[0], &src[0], &c[0], len(dst)/w, w)
}

func combine(dst, base, x, c []float64, stride int) {
	if best == nil {
		combineTwin(dst, base, x, c, stride)
		return
	}
	best.combine(&dst[0], &base[0], &x[0], &c[0], stride, len(c), len(dst))
}

func norm(sum, e, y, y1 []float64, at, rt float64, w int) {
	if best == nil {
		normTwin(sum, e, y, y1, at, rt, w)
		return
	}
	best.norm(&sum[0], &e[0], &y[0], &y1[0], at, rt, len(e)/w, w)
}
