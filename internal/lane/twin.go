package lane

import "math"

// Instr is one operation on registers of w lanes: reg[Dst:Dst+w] = op(reg[A:A+w],
// reg[B:B+w], reg[C:C+w]).
type Instr struct{ Dst, A, B, C int32 }

// The constants and steps of Exp, Log and Pow below are those of the kernels,
// operation by operation; fma is exact in both.

const (
	log2e    = 1.4426950408889634
	ln2Hi    = 6.93147180369123816490e-01 // fdlibm: 32 bits
	ln2Lo    = 1.90821492927058770002e-10
	shift    = 6755399441055744.0 // 1.5·2^52: adding it rounds to a whole number
	sqrt2    = 1.4142135623730951
	two54    = 18014398509481984.0
	tiny     = 2.2250738585072014e-308 // smallest normal number
	limit    = 800.0
	third2   = 0.66666666666666663 // 2/3 in two parts
	third2Lo = 3.7007434154171886e-17
)

// expPoly are 1/13!, 1/12!, …, 1/2!: the series of (e^r - 1 - r)/r² for |r| ≤
// ln 2 / 2, whose next term is below 2^-57 of the result.
var expPoly = [12]float64{1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5}

// logPoly are the coefficients Lg7 … Lg1 of fdlibm's e_log.c (Sun Microsystems,
// 1993).
var logPoly = [7]float64{1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01}

// powPoly are 2/21, 2/19, …, 2/5: the series of log((1+s)/(1-s)) behind 2s and
// 2s³/3.
var powPoly = [9]float64{2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5}

// Exp is e^x.
func Exp(x float64) float64 { return expSum(x, 0) }

// expSum is e^(x + lo) for a small lo.
func expSum(x, lo float64) float64 {
	c := min1(max1(x, -limit), limit)
	t := math.FMA(c, log2e, shift)
	k := t - shift
	r := math.FMA(-k, ln2Hi, c)
	r = math.FMA(-k, ln2Lo, r)
	r0 := r
	r = r0 + lo
	e := lo - (r - r0)
	q := expPoly[0]
	for _, p := range expPoly[1:] {
		q = math.FMA(q, r, p)
	}
	h := r + 1
	e += r - (h - 1)
	s := h + math.FMA(r*r, q, e)
	n := int32(math.Float64bits(t))
	half := n >> 1
	s = s * math.Float64frombits(uint64(half+1023)<<52)
	s = s * math.Float64frombits(uint64(n-half+1023)<<52)
	if x != x {
		return x
	}
	return s
}

// max1 and min1 are the machine's: where nothing is larger, the second.
func max1(a, b float64) float64 {
	if a > b {
		return a
	}
	return b
}

func min1(a, b float64) float64 {
	if a < b {
		return a
	}
	return b
}

// Max and Min keep a NaN in either place.
func Max(a, b float64) float64 {
	if a != a {
		return a
	}
	return max1(a, b)
}

// Min: see Max.
func Min(a, b float64) float64 {
	if a != a {
		return a
	}
	return min1(a, b)
}

// split writes x > 0 as m·2^k with m between √½ and √2.
func split(x float64) (m, k float64) {
	k = -1023
	if x < tiny {
		x, k = x*two54, -1077
	}
	b := math.Float64bits(x)
	k += float64(b >> 52)
	m = math.Float64frombits(b&(1<<52-1) | 1023<<52)
	if m > sqrt2 {
		m, k = m*0.5, k+1
	}
	return m, k
}

// Log is the natural logarithm.
func Log(x float64) float64 {
	m, k := split(x)
	f := m - 1
	s := f / (f + 2)
	z := s * s
	q := logPoly[0]
	for _, p := range logPoly[1:] {
		q = math.FMA(q, z, p)
	}
	q *= z
	h := f * 0.5 * f
	r := math.FMA(s, h+q, k*ln2Lo)
	out := math.FMA(k, ln2Hi, f-(h-r))
	switch {
	case x > 0 && x <= math.MaxFloat64:
		return out
	case x == 0:
		return math.Inf(-1)
	case x > 0:
		return x
	}
	return math.NaN()
}

// Pow is x^y. The logarithm carries about 65 bits. Zero, negative, infinite
// and not-a-number values, and results outside the normal range, are those of
// math.Pow.
func Pow(x, y float64) float64 {
	r, ok := powNormal(x, y)
	if !ok {
		return math.Pow(x, y)
	}
	return r
}

func powNormal(x, y float64) (float64, bool) {
	m, k := split(x)
	f := m - 1
	d := m + 1
	dl := m - (d - 1)
	s := f / d
	sl := math.FMA(-s, dl, math.FMA(-s, d, f)) / d
	z := s * s
	zl := math.FMA(s, s, -z)
	zl = math.FMA(s+s, sl, zl)
	q := powPoly[0]
	for _, p := range powPoly[1:] {
		q = math.FMA(q, z, p)
	}
	// c = 2/3 + z·q in two parts
	zq := z * q
	c := zq + third2
	cl := (zq - (c - third2)) + third2Lo
	// t = s·z, u = t·c in two parts
	t := s * z
	tl := math.FMA(s, z, -t) + math.FMA(s, zl, sl*z)
	u := t * c
	ul := math.FMA(t, c, -u) + math.FMA(t, cl, tl*c)
	// log m = 2s + u; log x = k·ln2 + log m
	a := s + s
	b := a + u
	bl := (u - (b - a)) + (sl + sl + ul)
	kh := k * ln2Hi
	l := kh + b
	v := l - kh
	ll := (kh - (l - v)) + (b - v) + math.FMA(k, ln2Lo, bl)
	// y·log x
	w := y * l
	wl := math.FMA(y, l, -w) + float64(y*ll) // no fusing where the machine would
	r := expSum(w, wl)
	return r, x >= tiny && x <= math.MaxFloat64 && w > -700 && w < 700
}

// The loops below are what the kernels replace.

func each1(reg []float64, code []Instr, w int, f func(a float64) float64) {
	for _, c := range code {
		d, a := reg[c.Dst:][:w], reg[c.A:][:w]
		for i := range d {
			d[i] = f(a[i])
		}
	}
}

func each2(reg []float64, code []Instr, w int, f func(a, b float64) float64) {
	for _, c := range code {
		d, a, b := reg[c.Dst:][:w], reg[c.A:][:w], reg[c.B:][:w]
		for i := range d {
			d[i] = f(a[i], b[i])
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// twins are the block operations in Go, by kind.
var twins = [kinds]func(reg []float64, code []Instr, w int){
	OpAdd: func(r []float64, c []Instr, w int) { each2(r, c, w, func(a, b float64) float64 { return a + b }) },
	OpSub: func(r []float64, c []Instr, w int) { each2(r, c, w, func(a, b float64) float64 { return a - b }) },
	OpMul: func(r []float64, c []Instr, w int) { each2(r, c, w, func(a, b float64) float64 { return a * b }) },
	OpDiv: func(r []float64, c []Instr, w int) { each2(r, c, w, func(a, b float64) float64 { return a / b }) },
	OpMax: func(r []float64, c []Instr, w int) { each2(r, c, w, Max) },
	OpMin: func(r []float64, c []Instr, w int) { each2(r, c, w, Min) },
	OpPow: func(r []float64, c []Instr, w int) { each2(r, c, w, Pow) },
	OpLt: func(r []float64, c []Instr, w int) {
		each2(r, c, w, func(a, b float64) float64 { return truth(a < b) })
	},
	OpLe: func(r []float64, c []Instr, w int) {
		each2(r, c, w, func(a, b float64) float64 { return truth(a <= b) })
	},
	OpNeg:  func(r []float64, c []Instr, w int) { each1(r, c, w, func(a float64) float64 { return -a }) },
	OpSqrt: func(r []float64, c []Instr, w int) { each1(r, c, w, math.Sqrt) },
	OpExp:  func(r []float64, c []Instr, w int) { each1(r, c, w, Exp) },
	OpLog:  func(r []float64, c []Instr, w int) { each1(r, c, w, Log) },
	OpFnma: func(reg []float64, code []Instr, w int) {
		for _, c := range code {
			d, a, b := reg[c.Dst:][:w], reg[c.A:][:w], reg[c.B:][:w]
			for i := range d {
				d[i] = math.FMA(-a[i], b[i], d[i])
			}
		}
	},
	OpSelect: func(reg []float64, code []Instr, w int) {
		for _, c := range code {
			d, a, b, k := reg[c.Dst:][:w], reg[c.A:][:w], reg[c.B:][:w], reg[c.C:][:w]
			for i := range d {
				if k[i] != 0 {
					d[i] = a[i]
				} else {
					d[i] = b[i]
				}
			}
		}
	},
}

// axpyTwin adds c[l]·src to dst for every row of w lanes.
func axpyTwin(dst, src, c []float64, w int) {
	for r := 0; r < len(dst); r += w {
		for l := range w {
			dst[r+l] = math.FMA(c[l], src[r+l], dst[r+l])
		}
	}
}

// combineTwin sets dst to base + Σ c[j]·x[j·stride:].
func combineTwin(dst, base, x, c []float64, stride int) {
	for i := range dst {
		s := base[i]
		for j, v := range c {
			s = math.FMA(v, x[j*stride+i], s)
		}
		dst[i] = s
	}
}

// normTwin adds (e/(at + rt·max(|y|,|y1|)))² of every row to sum.
func normTwin(sum, e, y, y1 []float64, at, rt float64, w int) {
	for r := 0; r < len(e); r += w {
		for l := range w {
			sc := math.FMA(rt, max1(math.Abs(y[r+l]), math.Abs(y1[r+l])), at)
			q := e[r+l] / sc
			sum[l] = math.FMA(q, q, sum[l])
		}
	}
}
