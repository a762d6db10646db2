// Package effect computes standardised effects from arm summaries and test
// statistics. Inputs are group sizes, means and SDs; nothing is read or
// printed here.
package effect

import (
	"fmt"
	"math"
)

// J is the exact small-sample correction of Hedges (1981,
// 10.3102/10769986006002107, eq. 6e) for df degrees of freedom, df > 1.
func J(df float64) float64 {
	a, _ := math.Lgamma(df / 2)
	b, _ := math.Lgamma((df - 1) / 2)
	return math.Exp(a-b) / math.Sqrt(df/2)
}

// Group is one arm: its size, mean and SD.
type Group struct {
	N        int
	Mean, SD float64
}

// SMD is Hedges' g of a against b with the large-sample variance
// 1/n1 + 1/n2 + g²/(2(n1+n2)) (Hedges & Olkin 1985; metafor's vtype "LS").
func SMD(a, b Group) (g, v float64, err error) {
	if a.N < 2 || b.N < 2 || !(a.SD > 0) || !(b.SD > 0) {
		return 0, 0, fmt.Errorf("a standardised difference needs two groups of 2 or more with positive SD")
	}
	n1, n2 := float64(a.N), float64(b.N)
	sp := math.Sqrt(((n1-1)*a.SD*a.SD + (n2-1)*b.SD*b.SD) / (n1 + n2 - 2))
	g = J(n1+n2-2) * (a.Mean - b.Mean) / sp
	return g, 1/n1 + 1/n2 + g*g/(2*(n1+n2)), nil
}

// FromZ is the standardised effect behind a z or t statistic of a comparison
// of two independent groups: J·t·sqrt(1/n1+1/n2).
func FromZ(t, n1, n2 float64) float64 {
	return J(n1+n2-2) * t * math.Sqrt(1/n1+1/n2)
}

// MD is the raw mean difference of a against b with its variance
// sd1²/n1 + sd2²/n2.
func MD(a, b Group) (d, v float64, err error) {
	if a.N < 2 || b.N < 2 || !(a.SD > 0) || !(b.SD > 0) {
		return 0, 0, fmt.Errorf("a mean difference needs two groups of 2 or more with positive SD")
	}
	return a.Mean - b.Mean, a.SD*a.SD/float64(a.N) + b.SD*b.SD/float64(b.N), nil
}

// ROM is the log ratio of means of a against b with its delta-method variance
// sd1²/(n1·m1²) + sd2²/(n2·m2²) (Hedges, Gurevitch & Curtis 1999,
// 10.1890/0012-9658(1999)080[1150:TMAORR]2.0.CO;2). Both means must have the
// same sign.
func ROM(a, b Group) (r, v float64, err error) {
	if a.N < 2 || b.N < 2 || !(a.SD > 0) || !(b.SD > 0) {
		return 0, 0, fmt.Errorf("a ratio of means needs two groups of 2 or more with positive SD")
	}
	if !(a.Mean/b.Mean > 0) {
		return 0, 0, fmt.Errorf("a ratio of means needs two means of one sign, found %g and %g", a.Mean, b.Mean)
	}
	return math.Log(a.Mean / b.Mean), a.SD*a.SD/(float64(a.N)*a.Mean*a.Mean) + b.SD*b.SD/(float64(b.N)*b.Mean*b.Mean), nil
}
