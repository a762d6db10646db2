package effect

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// AV is the variance estimator of a set of standardised mean differences that
// puts their mean, weighted by size, into every variance (Hedges 1982,
// 10.3102/10769986007002119). It needs all effects at once: SMDAverage.
const AV Vtype = "AV"

// SMDAverage is Hedges' g of every pair with the AV variances.
func SMDAverage(a, b []Group) (g, v []float64, err error) {
	var sum, total float64
	for i := range a {
		y, _, err := SMD(a[i], b[i])
		if err != nil {
			return nil, nil, fmt.Errorf("pair %d: %w", i+1, err)
		}
		n := float64(a[i].N + b[i].N)
		g = append(g, y)
		sum, total = sum+n*y, total+n
	}
	m := sum / total
	for i := range g {
		n1, n2 := float64(a[i].N), float64(b[i].N)
		v = append(v, 1/n1+1/n2+m*m/(2*(n1+n2)))
	}
	return g, v, nil
}

// SMDH is the standardised mean difference by the square root of the mean of
// both variances, corrected, for unequal variances (Bonett 2009,
// 10.1037/a0014699).
func SMDH(a, b Group) (g, v float64, err error) {
	if _, _, err := SMD(a, b); err != nil {
		return 0, 0, err
	}
	n1, n2 := float64(a.N), float64(b.N)
	s1, s2 := a.SD*a.SD, b.SD*b.SD
	mean := (s1 + s2) / 2
	g = J(n1+n2-2) * (a.Mean - b.Mean) / math.Sqrt(mean)
	v = g*g*(s1*s1/(n1-1)+s2*s2/(n2-1))/(8*mean*mean) + (s1/(n1-1)+s2/(n2-1))/mean
	return g, v, nil
}

// SMD1 is the mean difference standardised by the SD of the second group
// (Glass's delta), corrected.
func SMD1(a, b Group) (g, v float64, err error) {
	if _, _, err := SMD(a, b); err != nil {
		return 0, 0, err
	}
	n1, n2 := float64(a.N), float64(b.N)
	g = J(n2-1) * (a.Mean - b.Mean) / b.SD
	return g, 1/n1 + 1/n2 + g*g/(2*n2), nil
}

// LogVR is the log ratio of two SDs with its small-sample correction
// (Nakagawa et al. 2015, 10.1111/2041-210X.12309).
func LogVR(a, b Group) (y, v float64, err error) {
	if _, _, err := MD(a, b); err != nil {
		return 0, 0, err
	}
	d1, d2 := 2*float64(a.N-1), 2*float64(b.N-1)
	return math.Log(a.SD/b.SD) + 1/d1 - 1/d2, 1/d1 + 1/d2, nil
}

// Peto is the one-step log odds ratio (Yusuf et al. 1985).
func Peto(t Table) (y, v float64, err error) {
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	n1, n2, events := t.A+t.B, t.C+t.D, t.A+t.C
	n := n1 + n2
	h := n1 * n2 * events / n * (n - events) / n / (n - 1)
	if h == 0 {
		return 0, 0, fmt.Errorf("a table without events, or with nothing else, has no Peto odds ratio")
	}
	return (t.A - n1*events/n) / h, 1 / h, nil
}

// ArcsineRD is the difference of arcsine square roots of two risks.
func ArcsineRD(t Table) (y, v float64, err error) {
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	n1, n2 := t.A+t.B, t.C+t.D
	return math.Asin(math.Sqrt(t.A/n1)) - math.Asin(math.Sqrt(t.C/n2)), 1/(4*n1) + 1/(4*n2), nil
}

// SMDFromT is Hedges' g from the t statistic of two independent groups.
func SMDFromT(t float64, n1, n2 int) (g, v float64, err error) {
	if n1 < 2 || n2 < 2 || math.IsNaN(t) || math.IsInf(t, 0) {
		return 0, 0, fmt.Errorf("a t statistic needs two groups of two or more")
	}
	a, b := float64(n1), float64(n2)
	g = J(a+b-2) * t * math.Sqrt(1/a+1/b)
	return g, 1/a + 1/b + g*g/(2*(a+b)), nil
}

// SMDFromF is Hedges' g from the F statistic of two independent groups (one
// numerator degree of freedom) in the direction of sign.
func SMDFromF(f, sign float64, n1, n2 int) (g, v float64, err error) {
	if !(f >= 0) || sign == 0 || math.IsNaN(sign) {
		return 0, 0, fmt.Errorf("an F statistic of zero or more and a direction (+1 or -1) are needed")
	}
	return SMDFromT(math.Copysign(math.Sqrt(f), sign), n1, n2)
}

// SMDFromP is Hedges' g from the two-sided p of a t-test in the direction of
// sign.
func SMDFromP(p, sign float64, n1, n2 int) (g, v float64, err error) {
	if !(p > 0 && p <= 1) || sign == 0 || math.IsNaN(sign) || n1 < 2 || n2 < 2 {
		return 0, 0, fmt.Errorf("a p-value above 0, a direction (+1 or -1) and two groups of two or more are needed")
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n1 + n2 - 2)}.Quantile(1 - p/2)
	return SMDFromT(math.Copysign(t, sign), n1, n2)
}

// ChangeSD is the SD of a change score from the SDs before and after and their
// correlation r (Cochrane Handbook 6.5.2.8).
func ChangeSD(before, after, r float64) (float64, error) {
	if !(before > 0 && after > 0 && r > -1 && r < 1) {
		return 0, fmt.Errorf("the SD of a change needs two SDs above zero and a correlation between -1 and 1")
	}
	return math.Sqrt(before*before + after*after - 2*r*before*after), nil
}
