// Command gen writes the kernels of package lane: one program for two widths
// of vector. Run it with go generate ./internal/lane; a test tells when its
// output is out of date.
package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
)

func main() {
	if err := os.WriteFile("kernels_amd64.s", Kernels(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// isa is an instruction set: its registers, their bytes, and its name.
type isa struct {
	name, reg string
	bytes     int
}

var isas = []isa{{"AVX2", "Y", 32}, {"AVX512", "Z", 64}}

// Kernels is the text of the assembly file.
func Kernels() []byte {
	g := &gen{consts: map[string]int{}}
	for _, i := range isas {
		g.isa = i
		for _, o := range [][2]string{{"add", "VADDPD"}, {"sub", "VSUBPD"}, {"mul", "VMULPD"}, {"div", "VDIVPD"}} {
			g.simple(o[0], "R9", func(v int) { g.line("%s %d(R10)(BX*1), %s, %s", o[1], v*g.isa.bytes, g.r(v), g.r(v)) })
		}
		g.simple("fnma", "R8", func(v int) {
			g.line("VMOVUPD %d(R9)(BX*1), %s", v*g.isa.bytes, g.r(v+2))
			g.line("VFNMADD231PD %d(R10)(BX*1), %s, %s", v*g.isa.bytes, g.r(v+2), g.r(v))
		})
		g.simple("neg", "R9", func(v int) { g.logic("XOR", g.bits("sign", 1<<63), v, v) })
		g.block("max", func() { g.extreme("VMAXPD") })
		g.block("min", func() { g.extreme("VMINPD") })
		g.block("lt", func() { g.compare(17) })
		g.block("le", func() { g.compare(18) })
		g.block("sqrt", func() { g.load(1, "R9"); g.line("VSQRTPD %s, %s", g.r(1), g.r(0)) })
		g.block("choose", func() {
			g.load(1, "R9")
			g.load(2, "R10")
			g.load(3, "R11")
			g.three("VXORPD", 4, 4, 4)
			g.blend(0, 1, 2, 4, 3, 4) // not equal to zero, or not a number
		})
		g.block("exp", func() { g.load(0, "R9"); g.three("VXORPD", 1, 1, 1); g.exp() })
		g.block("log", g.log)
		g.block("pow", g.pow)
		g.axpy()
		g.combine()
		g.norm()
	}
	return g.file()
}

type gen struct {
	isa    isa
	b      bytes.Buffer
	consts map[string]int
	values []uint64
}

func (g *gen) r(i int) string { return fmt.Sprintf("%s%d", g.isa.reg, i) }

func (g *gen) line(f string, a ...any) { fmt.Fprintf(&g.b, "\t"+f+"\n", a...) }

// bits is the address of a constant, kept eight times over.
func (g *gen) bits(name string, v uint64) string {
	at, ok := g.consts[name]
	if !ok {
		at = len(g.values)
		g.consts[name] = at
		g.values = append(g.values, v)
	}
	return fmt.Sprintf("lanes<>+%d(SB)", at*64)
}

func (g *gen) c(v float64) string {
	return g.bits(fmt.Sprintf("%016x", math.Float64bits(v)), math.Float64bits(v))
}

func (g *gen) load(d int, base string) { g.line("VMOVUPD (%s)(BX*1), %s", base, g.r(d)) }
func (g *gen) set(d int, v float64)    { g.line("VMOVUPD %s, %s", g.c(v), g.r(d)) }

// mem is d = a op memory.
func (g *gen) mem(op, base string, a, d int) {
	g.line("%s (%s)(BX*1), %s, %s", op, base, g.r(a), g.r(d))
}

// three is d = a op b; with is d = a op constant.
func (g *gen) three(op string, b, a, d int) { g.line("%s %s, %s, %s", op, g.r(b), g.r(a), g.r(d)) }
func (g *gen) with(op string, v float64, a, d int) {
	g.line("%s %s, %s, %s", op, g.c(v), g.r(a), g.r(d))
}

func (g *gen) add(d, a, b int) { g.three("VADDPD", b, a, d) }
func (g *gen) sub(d, a, b int) { g.three("VSUBPD", b, a, d) }
func (g *gen) mul(d, a, b int) { g.three("VMULPD", b, a, d) }
func (g *gen) div(d, a, b int) { g.three("VDIVPD", b, a, d) }
func (g *gen) copy(d, a int)   { g.line("VMOVAPD %s, %s", g.r(a), g.r(d)) }

// fma is d += a·b, fnma d -= a·b, fms d = a·b - d.
func (g *gen) fma(d, a, b int)  { g.three("VFMADD231PD", b, a, d) }
func (g *gen) fnma(d, a, b int) { g.three("VFNMADD231PD", b, a, d) }
func (g *gen) fms(d, a, b int)  { g.three("VFMSUB231PD", b, a, d) }

// horner is d = d·a + v.
func (g *gen) horner(d, a int, v float64) { g.with("VFMADD213PD", v, a, d) }

// logic is a bitwise operation; mem is an address.
func (g *gen) logic(op, mem string, a, d int) {
	if g.isa.name == "AVX512" {
		g.line("VP%sQ %s, %s, %s", op, mem, g.r(a), g.r(d))
		return
	}
	g.line("VP%s %s, %s, %s", op, mem, g.r(a), g.r(d))
}

// blend is d = yes where a compares to b as predicate says, else no.
func (g *gen) blend(d, yes, no, predicate, a, b int) {
	if g.isa.name == "AVX512" {
		g.line("VCMPPD $%d, %s, %s, K1", predicate, g.r(b), g.r(a))
		g.line("VBLENDMPD %s, %s, K1, %s", g.r(yes), g.r(no), g.r(d))
		return
	}
	g.line("VCMPPD $%d, %s, %s, Y15", predicate, g.r(b), g.r(a))
	g.line("VBLENDVPD Y15, %s, %s, %s", g.r(yes), g.r(no), g.r(d))
}

// predicates of VCMPPD.
const (
	equal, unordered, notEqual, less, lessEqual, greater = 0, 3, 4, 17, 18, 30
)

func (g *gen) extreme(op string) {
	g.load(1, "R9")
	g.load(2, "R10")
	g.three(op, 2, 1, 0)
	g.blend(0, 1, 0, unordered, 1, 1)
}

func (g *gen) compare(predicate int) {
	g.load(1, "R9")
	g.load(2, "R10")
	g.set(3, 1)
	g.three("VXORPD", 4, 4, 4)
	g.blend(0, 3, 4, predicate, 1, 2)
}

// block is a kernel over instructions: dst in R8, operands in R9 to R11, the
// result in register 0.
func (g *gen) block(name string, body func()) {
	g.open(name)
	body()
	g.line("VMOVUPD %s, (R8)(BX*1)", g.r(0))
	g.close(name, g.isa.bytes)
}

// simple is a kernel whose operations are so short that eight lanes are done at
// a time: body turns vector v of the first operand into the result.
func (g *gen) simple(name, first string, body func(v int)) {
	g.open(name)
	for v := range 64 / g.isa.bytes {
		g.line("VMOVUPD %d(%s)(BX*1), %s", v*g.isa.bytes, first, g.r(v))
	}
	for v := range 64 / g.isa.bytes {
		body(v)
		g.line("VMOVUPD %s, %d(R8)(BX*1)", g.r(v), v*g.isa.bytes)
	}
	g.close(name, 64)
}

// operands is how many operands a kernel reads.
var operands = map[string]int{"neg": 1, "sqrt": 1, "exp": 1, "log": 1, "choose": 3}

func (g *gen) open(name string) {
	size := 32
	if name == "pow" {
		size = 40
	}
	fmt.Fprintf(&g.b, "\nTEXT ·%s%s(SB), NOSPLIT, $0-%d\n", name, g.isa.name, size)
	g.line("MOVQ reg+0(FP), SI")
	g.line("MOVQ code+8(FP), DI")
	g.line("MOVQ n+16(FP), CX")
	g.line("MOVQ w+24(FP), DX")
	g.line("SHLQ $3, DX")
	if name == "pow" {
		g.line("XORQ R12, R12")
	}
	fmt.Fprintf(&g.b, "outer:\n")
	n, ok := operands[name]
	if !ok {
		n = 2
	}
	for i, r := range []string{"R8", "R9", "R10", "R11"}[:n+1] {
		g.line("MOVLQSX %d(DI), %s", 4*i, r)
		g.line("LEAQ (SI)(%s*8), %s", r, r)
	}
	g.line("XORQ BX, BX")
	fmt.Fprintf(&g.b, "inner:\n")
}

func (g *gen) close(name string, step int) {
	g.line("ADDQ $%d, BX", step)
	g.line("CMPQ BX, DX")
	g.line("JLT inner")
	g.line("ADDQ $16, DI")
	g.line("DECQ CX")
	g.line("JNZ outer")
	g.line("VZEROUPPER")
	if name == "pow" {
		g.line("MOVQ R12, special+32(FP)")
	}
	g.line("RET")
}

// exp is expSum of twin.go: x in 0, lo in 1, result in 0.
func (g *gen) exp() {
	g.with("VMAXPD", -800, 0, 2)
	g.with("VMINPD", 800, 2, 2) // c
	g.set(3, 6755399441055744)
	g.with("VFMADD231PD", 1.4426950408889634, 2, 3) // t
	g.with("VSUBPD", 6755399441055744, 3, 4)        // k
	g.with("VFNMADD231PD", 6.93147180369123816490e-01, 4, 2)
	g.with("VFNMADD231PD", 1.90821492927058770002e-10, 4, 2) // r0
	g.add(4, 2, 1)                                           // r
	g.sub(2, 4, 2)
	g.sub(1, 1, 2) // e = lo - (r - r0)
	g.set(5, 1.0/6227020800)
	for _, p := range []float64{1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5} {
		g.horner(5, 4, p)
	}
	g.with("VADDPD", 1, 4, 6) // h
	g.with("VSUBPD", 1, 6, 7)
	g.sub(7, 4, 7)
	g.add(1, 1, 7) // e
	g.mul(4, 4, 4)
	g.fma(1, 4, 5)
	g.add(6, 6, 1) // s
	g.line("VPSRAD $1, %s, %s", g.r(3), g.r(4))
	g.line("VPSUBD %s, %s, %s", g.r(4), g.r(3), g.r(3))
	for _, k := range []int{4, 3} {
		g.line("VPADDD %s, %s, %s", g.bits("bias", 1023), g.r(k), g.r(k))
		g.line("VPSLLQ $52, %s, %s", g.r(k), g.r(k))
		g.mul(6, 6, k)
	}
	g.blend(0, 0, 6, unordered, 0, 0)
}

// split is split of twin.go: x in 0, m in 1, k in 2; uses 3 and 4.
func (g *gen) split() {
	g.set(3, 2.2250738585072014e-308)
	g.with("VMULPD", 18014398509481984, 0, 1)
	g.blend(1, 1, 0, less, 0, 3)
	g.set(2, -1077)
	g.set(4, -1023)
	g.blend(2, 2, 4, less, 0, 3)
	g.line("VPSRLQ $52, %s, %s", g.r(1), g.r(3))
	g.logic("OR", g.bits("magic", 0x4330000000000000), 3, 3)
	g.with("VSUBPD", 4503599627370496, 3, 3)
	g.add(2, 2, 3)
	g.logic("AND", g.bits("mantissa", 1<<52-1), 1, 1)
	g.logic("OR", g.bits("one", 1023<<52), 1, 1)
	g.set(3, 1.4142135623730951)
	g.with("VADDPD", 1, 2, 4)
	g.blend(2, 4, 2, greater, 1, 3)
	g.with("VMULPD", 0.5, 1, 4)
	g.blend(1, 4, 1, greater, 1, 3)
}

func (g *gen) log() {
	g.load(0, "R9")
	g.split()
	g.with("VSUBPD", 1, 1, 3) // f
	g.with("VADDPD", 2, 3, 4)
	g.div(4, 3, 4) // s
	g.mul(5, 4, 4) // z
	g.set(6, 1.479819860511658591e-01)
	for _, p := range []float64{1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01} {
		g.horner(6, 5, p)
	}
	g.mul(6, 6, 5)
	g.with("VMULPD", 0.5, 3, 7)
	g.mul(7, 7, 3) // h
	g.with("VMULPD", 1.90821492927058770002e-10, 2, 8)
	g.add(6, 7, 6)
	g.fma(8, 4, 6) // r
	g.sub(7, 7, 8)
	g.sub(7, 3, 7)
	g.with("VFMADD231PD", 6.93147180369123816490e-01, 2, 7) // out
	g.set(1, math.NaN())
	g.set(2, math.Inf(-1))
	g.three("VXORPD", 3, 3, 3)
	g.blend(1, 2, 1, equal, 0, 3)
	g.set(2, math.MaxFloat64)
	g.blend(4, 7, 0, lessEqual, 0, 2) // +Inf stays
	g.blend(0, 4, 1, greater, 0, 3)
}

func (g *gen) pow() {
	g.load(0, "R9")
	g.split()
	g.with("VSUBPD", 1, 1, 3) // f
	g.with("VADDPD", 1, 1, 4) // d
	g.with("VSUBPD", 1, 4, 5)
	g.sub(5, 1, 5) // dl
	g.div(6, 3, 4) // s
	g.copy(7, 3)
	g.fnma(7, 6, 4)
	g.fnma(7, 6, 5)
	g.div(7, 7, 4) // sl
	g.mul(8, 6, 6) // z
	g.copy(9, 8)
	g.fms(9, 6, 6) // zl
	g.add(10, 6, 6)
	g.fma(9, 10, 7)
	g.set(10, 2.0/21)
	for _, p := range []float64{2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5} {
		g.horner(10, 8, p)
	}
	g.mul(10, 8, 10)                              // zq
	g.with("VADDPD", 0.66666666666666663, 10, 11) // c
	g.with("VSUBPD", 0.66666666666666663, 11, 12)
	g.sub(12, 10, 12)
	g.with("VADDPD", 3.7007434154171886e-17, 12, 12) // cl
	g.mul(10, 6, 8)                                  // t
	g.copy(13, 10)
	g.fms(13, 6, 8)
	g.mul(3, 7, 8)
	g.fma(3, 6, 9)
	g.add(13, 13, 3) // tl
	g.mul(3, 10, 11) // u
	g.copy(4, 3)
	g.fms(4, 10, 11)
	g.mul(5, 13, 11)
	g.fma(5, 10, 12)
	g.add(4, 4, 5) // ul
	g.add(5, 6, 6) // a
	g.add(8, 5, 3) // b
	g.sub(9, 8, 5)
	g.sub(9, 3, 9)
	g.add(10, 7, 7)
	g.add(10, 10, 4)
	g.add(9, 9, 10)                                    // bl
	g.with("VMULPD", 6.93147180369123816490e-01, 2, 3) // kh
	g.add(4, 3, 8)                                     // l
	g.sub(5, 4, 3)                                     // v
	g.sub(6, 4, 5)
	g.sub(6, 3, 6)
	g.sub(7, 8, 5)
	g.add(6, 6, 7)
	g.with("VFMADD231PD", 1.90821492927058770002e-10, 2, 9)
	g.add(6, 6, 9) // ll
	g.load(7, "R10")
	g.mul(8, 7, 4) // w
	g.copy(1, 8)
	g.fms(1, 7, 4)
	g.mul(6, 7, 6)
	g.add(1, 1, 6) // wl
	g.ok()
	g.copy(0, 8)
	g.exp()
}

// ok notes in R12 where x in 0 or w in 8 is outside what pow computes; uses 9
// to 12.
func (g *gen) ok() {
	one, zero := 9, 10
	g.set(one, 1)
	g.three("VXORPD", zero, zero, zero)
	step := func(predicate int, a int, v float64, first bool) {
		g.set(11, v)
		g.blend(12, one, zero, predicate, a, 11)
		if first {
			g.copy(13, 12)
		} else {
			g.mul(13, 13, 12)
		}
	}
	step(30-1, 0, 2.2250738585072014e-308, true) // greater or equal, ordered
	step(lessEqual, 0, math.MaxFloat64, false)
	step(greater, 8, -700, false)
	step(less, 8, 700, false)
	if g.isa.name == "AVX512" {
		g.line("VCMPPD $%d, %s, %s, K1", notEqual, g.r(one), g.r(13))
		g.line("KMOVW K1, AX")
	} else {
		g.line("VCMPPD $%d, %s, %s, Y15", notEqual, g.r(one), g.r(13))
		g.line("VMOVMSKPD Y15, AX")
	}
	g.line("ORQ AX, R12")
}

// axpy is axpyTwin: dst, src and c of rows of w lanes.
func (g *gen) axpy() {
	fmt.Fprintf(&g.b, "\nTEXT ·axpy%s(SB), NOSPLIT, $0-40\n", g.isa.name)
	g.line("MOVQ dst+0(FP), R8")
	g.line("MOVQ src+8(FP), R9")
	g.line("MOVQ c+16(FP), R10")
	g.line("MOVQ rows+24(FP), CX")
	g.line("MOVQ w+32(FP), DX")
	g.line("SHLQ $3, DX")
	fmt.Fprintf(&g.b, "outer:\n")
	g.line("XORQ BX, BX")
	fmt.Fprintf(&g.b, "inner:\n")
	g.load(0, "R8")
	g.load(1, "R9")
	g.mem("VFMADD231PD", "R10", 1, 0)
	g.line("VMOVUPD %s, (R8)(BX*1)", g.r(0))
	g.line("ADDQ $%d, BX", g.isa.bytes)
	g.line("CMPQ BX, DX")
	g.line("JLT inner")
	g.line("ADDQ DX, R8")
	g.line("ADDQ DX, R9")
	g.line("DECQ CX")
	g.line("JNZ outer")
	g.line("VZEROUPPER")
	g.line("RET")
}

// combine is combineTwin.
func (g *gen) combine() {
	fmt.Fprintf(&g.b, "\nTEXT ·combine%s(SB), NOSPLIT, $0-56\n", g.isa.name)
	for i, s := range [][2]string{{"dst", "R8"}, {"base", "R9"}, {"x", "R10"}, {"c", "R11"}, {"stride", "R12"}, {"terms", "R13"}, {"n", "DX"}} {
		g.line("MOVQ %s+%d(FP), %s", s[0], 8*i, s[1])
	}
	g.line("SHLQ $3, R12")
	g.line("SHLQ $3, DX")
	g.line("XORQ BX, BX")
	fmt.Fprintf(&g.b, "inner:\n")
	vectors := 64 / g.isa.bytes // eight lanes at a time
	for v := range vectors {
		g.line("VMOVUPD %d(R9)(BX*1), %s", v*g.isa.bytes, g.r(v))
	}
	g.line("LEAQ (R10)(BX*1), SI")
	g.line("XORQ AX, AX")
	fmt.Fprintf(&g.b, "term:\n")
	g.line("VBROADCASTSD (R11)(AX*8), %s", g.r(3))
	for v := range vectors {
		g.line("VFMADD231PD %d(SI), %s, %s", v*g.isa.bytes, g.r(3), g.r(v))
	}
	g.line("ADDQ R12, SI")
	g.line("INCQ AX")
	g.line("CMPQ AX, R13")
	g.line("JLT term")
	for v := range vectors {
		g.line("VMOVUPD %s, %d(R8)(BX*1)", g.r(v), v*g.isa.bytes)
	}
	g.line("ADDQ $64, BX")
	g.line("CMPQ BX, DX")
	g.line("JLT inner")
	g.line("VZEROUPPER")
	g.line("RET")
}

// norm is normTwin.
func (g *gen) norm() {
	fmt.Fprintf(&g.b, "\nTEXT ·norm%s(SB), NOSPLIT, $0-64\n", g.isa.name)
	for i, s := range [][2]string{{"sum", "R8"}, {"e", "R9"}, {"y", "R10"}, {"y1", "R11"}} {
		g.line("MOVQ %s+%d(FP), %s", s[0], 8*i, s[1])
	}
	g.line("VBROADCASTSD at+32(FP), %s", g.r(5))
	g.line("VBROADCASTSD rt+40(FP), %s", g.r(6))
	g.line("MOVQ rows+48(FP), CX")
	g.line("MOVQ w+56(FP), DX")
	g.line("SHLQ $3, DX")
	g.line("VMOVUPD %s, %s", g.bits("abs", 1<<63-1), g.r(7))
	fmt.Fprintf(&g.b, "outer:\n")
	g.line("XORQ BX, BX")
	fmt.Fprintf(&g.b, "inner:\n")
	g.load(1, "R10")
	g.load(2, "R11")
	g.logic("AND", g.r(7), 1, 1)
	g.logic("AND", g.r(7), 2, 2)
	g.three("VMAXPD", 2, 1, 1)
	g.three("VFMADD213PD", 5, 6, 1) // rt·max + at
	g.load(2, "R9")
	g.div(2, 2, 1)
	g.load(0, "R8")
	g.fma(0, 2, 2)
	g.line("VMOVUPD %s, (R8)(BX*1)", g.r(0))
	g.line("ADDQ $%d, BX", g.isa.bytes)
	g.line("CMPQ BX, DX")
	g.line("JLT inner")
	for _, r := range []string{"R9", "R10", "R11"} {
		g.line("ADDQ DX, %s", r)
	}
	g.line("DECQ CX")
	g.line("JNZ outer")
	g.line("VZEROUPPER")
	g.line("RET")
}

func (g *gen) file() []byte {
	var out bytes.Buffer
	out.WriteString("// Code generated by internal/lane/gen. DO NOT EDIT.\n\n#include \"textflag.h\"\n\n")
	for i, v := range g.values {
		for k := range 8 {
			fmt.Fprintf(&out, "DATA lanes<>+%d(SB)/8, $0x%016x\n", 64*i+8*k, v)
		}
	}
	fmt.Fprintf(&out, "GLOBL lanes<>(SB), RODATA|NOPTR, $%d\n", 64*len(g.values))
	out.Write(g.b.Bytes())
	return out.Bytes()
}
