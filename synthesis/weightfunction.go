package synthesis

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// stepWeight is 1 below the first step of p and δ_j above step j.
type stepWeight struct {
	d        *selectionData
	cuts     []float64 // z at each step, falling
	interval []int
	counts   []int
}

func newSteps(d *selectionData, steps []float64) (*stepWeight, error) {
	s := &stepWeight{d: d, counts: make([]int, len(steps)+1)}
	if len(steps) == 0 {
		return nil, &DataError{"a step function needs one step or more"}
	}
	for i, p := range steps {
		if !(p > 0 && p < 1) || i > 0 && p <= steps[i-1] {
			return nil, &DataError{"steps are p-values between 0 and 1 in ascending order"}
		}
		if d.twoSided {
			p /= 2
		}
		s.cuts = append(s.cuts, distuv.UnitNormal.Quantile(1-p))
	}
	for i := range d.y {
		z := d.y[i] / d.sd[i]
		if d.twoSided {
			z = math.Abs(z)
		}
		k := 0
		for k < len(s.cuts) && z < s.cuts[k] {
			k++
		}
		s.interval = append(s.interval, k)
		s.counts[k]++
	}
	for _, n := range s.counts {
		if n == 0 {
			return nil, &DataError{"an interval between the steps holds no effect: use fewer steps"}
		}
	}
	return s, nil
}

func (s *stepWeight) prepare([]float64) {}

func (s *stepWeight) observed(i int, delta, g []float64) float64 {
	clear(g)
	k := s.interval[i]
	if k == 0 {
		return 0
	}
	g[k-1] = 1 / delta[k-1]
	return math.Log(delta[k-1])
}

func (s *stepWeight) integral(m, sd float64, delta, dd []float64) (a, dm, ds float64) {
	clear(dd)
	weight := func(k int) float64 {
		if k == 0 {
			return 1
		}
		return delta[k-1]
	}
	a = weight(len(s.cuts))
	dd[len(dd)-1] = 1
	side := func(z, sign float64) { // the chance beyond each cut
		for k, c := range s.cuts {
			u := (sign*c - z) / sd
			p, f := UpperTail(sign*u), distuv.UnitNormal.Prob(u)
			step := weight(k) - weight(k+1)
			a += step * p
			dm += step * sign * f / sd
			ds += step * sign * f * u / sd
			dd[k] -= p
			if k > 0 {
				dd[k-1] += p
			}
		}
	}
	side(m, 1)
	if s.d.twoSided {
		side(m, -1)
	}
	return a, dm, ds
}

func (s *stepWeight) bounds() (low, high []float64) {
	for range s.cuts {
		low, high = append(low, 1e-8), append(high, maxDelta)
	}
	return low, high
}

func (s *stepWeight) starts() (out [][]float64) {
	for _, v := range []float64{0.1, 0.5, 1, 5, 50} {
		x := make([]float64, len(s.cuts))
		for i := range x {
			x[i] = v
		}
		out = append(out, x)
	}
	return out
}

// smoothWeight is a weight function that varies with p between two limits
// beyond which it is constant, integrated by Gauss–Legendre panels in z whose
// nodes all effects share.
type smoothWeight struct {
	d      *selectionData
	kind   SelectionType
	edge   float64     // |z| beyond which w is constant
	p, pc  []float64   // p and 1-p of every effect, cut to the limits
	z, wt  []float64   // nodes and quadrature weights
	np, nc []float64   // p and 1-p at the nodes
	w      []float64   // w at the nodes
	dw     [][]float64 // its derivatives
	top    [2]float64  // w in the upper (and for two-sided both) and the lower tail
	dtop   [2][]float64
	ptail  [2][2]float64 // p and 1-p in the tails
}

// leastP is the least distance of p from 0 and 1 that the functions with a
// pole there see (the value metafor uses); the others see all.
const leastP = 1e-5

func newSmooth(d *selectionData, kind SelectionType) *smoothWeight {
	s := &smoothWeight{d: d, kind: kind, edge: 8.3}
	least := 0.0
	if kind == BetaWeight || kind == PowerWeight {
		least = leastP
		s.edge = distuv.UnitNormal.Quantile(1 - least)
		if d.twoSided {
			s.edge = distuv.UnitNormal.Quantile(1 - least/2)
		}
	}
	cut := func(p, c float64) (float64, float64) {
		if p < least {
			return least, 1 - least
		}
		if c < least {
			return 1 - least, least
		}
		return p, c
	}
	for i := range d.y {
		p, c := cut(s.pAt(d.y[i] / d.sd[i]))
		s.p, s.pc = append(s.p, p), append(s.pc, c)
	}
	breaks := []float64{-s.edge}
	for x := math.Ceil(-s.edge); x < s.edge; x++ {
		breaks = append(breaks, x)
	}
	breaks = append(breaks, s.edge)
	if d.twoSided { // finer towards zero, where |z| has its kink
		breaks = nil
		for _, x := range []float64{1.25e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1, 2, 3, 4, 5, 6, 7, 8} {
			if x < s.edge {
				breaks = append(breaks, x)
			}
		}
		breaks = append(breaks, s.edge)
		all := []float64{0}
		for _, x := range breaks {
			all = append(append([]float64{-x}, all...), x)
		}
		breaks = all
	}
	const n = 12
	x, w := make([]float64, n), make([]float64, n)
	for b := 1; b < len(breaks); b++ {
		quad.Legendre{}.FixedLocations(x, w, breaks[b-1], breaks[b])
		s.z, s.wt = append(s.z, x...), append(s.wt, w...)
	}
	for _, z := range s.z {
		p, c := cut(s.pAt(z))
		s.np, s.nc = append(s.np, p), append(s.nc, c)
	}
	s.w = make([]float64, len(s.z))
	for range s.size() {
		s.dw = append(s.dw, make([]float64, len(s.z)))
		s.dtop[0], s.dtop[1] = append(s.dtop[0], 0), append(s.dtop[1], 0)
	}
	s.ptail = [2][2]float64{{least, 1 - least}, {1 - least, least}}
	if d.twoSided {
		s.ptail[1] = s.ptail[0]
	}
	return s
}

// pAt is the p-value of z, and one minus it without loss of digits.
func (s *smoothWeight) pAt(z float64) (p, c float64) {
	if s.d.twoSided {
		return math.Erfc(math.Abs(z) / math.Sqrt2), math.Erf(math.Abs(z) / math.Sqrt2)
	}
	return UpperTail(z), distuv.UnitNormal.CDF(z)
}

func (s *smoothWeight) size() int {
	if s.kind == BetaWeight {
		return 2
	}
	return 1
}

// logW is log w(p) and its derivatives; c = 1-p.
func (s *smoothWeight) logW(p, c float64, delta, g []float64) float64 {
	d := delta[0]
	switch s.kind {
	case BetaWeight:
		g[0], g[1] = math.Log(p), math.Log(c)
		return (d-1)*g[0] + (delta[1]-1)*g[1]
	case HalfNormal:
		g[0] = -p * p
		return d * g[0]
	case NegExp:
		g[0] = -p
		return d * g[0]
	case LogisticType:
		g[0] = -p / (1 + math.Exp(-d*p))
		return math.Ln2 - d*p - math.Log1p(math.Exp(-d*p))
	}
	g[0] = math.Log(c)
	return d * g[0]
}

func (s *smoothWeight) prepare(delta []float64) {
	g := make([]float64, s.size())
	for n := range s.z {
		s.w[n] = math.Exp(s.logW(s.np[n], s.nc[n], delta, g))
		for j := range g {
			s.dw[j][n] = s.w[n] * g[j] * s.wt[n]
		}
		s.w[n] *= s.wt[n]
	}
	for t, p := range s.ptail {
		s.top[t] = math.Exp(s.logW(p[0], p[1], delta, g))
		for j := range g {
			s.dtop[t][j] = s.top[t] * g[j]
		}
	}
}

func (s *smoothWeight) observed(i int, delta, g []float64) float64 {
	return s.logW(s.p[i], s.pc[i], delta, g)
}

func (s *smoothWeight) integral(m, sd float64, _, dd []float64) (a, dm, ds float64) {
	clear(dd)
	for t, sign := range []float64{1, -1} { // the constant tails
		u := (sign*s.edge - m) / sd
		p, f := UpperTail(sign*u), distuv.UnitNormal.Prob(u)
		a += s.top[t] * p
		dm += s.top[t] * sign * f / sd
		ds += s.top[t] * sign * f * u / sd
		for j := range dd {
			dd[j] += s.dtop[t][j] * p
		}
	}
	norm := 1 / (sd * math.Sqrt(2*math.Pi))
	for n, z := range s.z {
		u := (z - m) / sd // however far out: the weight there may be all that is left
		f := norm * math.Exp(-0.5*u*u)
		x := f * s.w[n]
		a += x
		dm += x * u / sd
		ds += x * (u*u - 1) / sd
		for j := range dd {
			dd[j] += f * s.dw[j][n]
		}
	}
	return a, dm, ds
}

func (s *smoothWeight) bounds() (low, high []float64) {
	if s.kind == BetaWeight {
		return []float64{1e-5, 1e-5}, []float64{maxDelta, maxDelta}
	}
	return []float64{0}, []float64{maxDelta}
}

func (s *smoothWeight) starts() [][]float64 {
	if s.kind == BetaWeight {
		return [][]float64{{1, 1}, {0.5, 0.5}, {1, 5}, {1, 50}}
	}
	return [][]float64{{1}, {0.1}, {10}, {60}}
}
