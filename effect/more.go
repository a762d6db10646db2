package effect

import (
	"fmt"
	"math"
)

// Vtype names a variance estimator of the standardised mean difference:
// large-sample (LS), unbiased (UB), the large-sample one of the uncorrected d
// (LS2). Names as in metafor's escalc.
type Vtype string

// The variance estimators.
const (
	LS  Vtype = "LS"
	UB  Vtype = "UB"
	LS2 Vtype = "LS2"
)

// SMDWith is Hedges' g of a against b with the chosen variance estimator
// (Hedges 1981; Viechtbauer 2007 for the unbiased one).
func SMDWith(a, b Group, t Vtype) (g, v float64, err error) {
	g, v, err = SMD(a, b)
	if err != nil {
		return 0, 0, err
	}
	n1, n2 := float64(a.N), float64(b.N)
	m := n1 + n2 - 2
	j := J(m)
	switch t {
	case UB:
		v = 1/n1 + 1/n2 + (1-(m-2)/(m*j*j))*g*g
	case LS2:
		d := g / j
		v = j * j * (1/n1 + 1/n2 + d*d/(2*(n1+n2)))
	}
	return g, v, nil
}

// Table is a two-by-two table: events and non-events of two groups.
type Table struct{ A, B, C, D float64 }

func (t Table) check() error {
	if !(t.A >= 0 && t.B >= 0 && t.C >= 0 && t.D >= 0) || t.A+t.B == 0 || t.C+t.D == 0 {
		return fmt.Errorf("a two-by-two table needs counts of zero or more and two groups with people")
	}
	return nil
}

// corrected adds ½ to every cell where one is empty.
func (t Table) corrected() Table {
	if t.A == 0 || t.B == 0 || t.C == 0 || t.D == 0 {
		return Table{t.A + 0.5, t.B + 0.5, t.C + 0.5, t.D + 0.5}
	}
	return t
}

// LogOR is the log odds ratio with the variance 1/a + 1/b + 1/c + 1/d.
func LogOR(t Table) (y, v float64, err error) {
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	t = t.corrected()
	return math.Log(t.A * t.D / (t.B * t.C)), 1/t.A + 1/t.B + 1/t.C + 1/t.D, nil
}

// LogRR is the log risk ratio with the variance 1/a - 1/n1 + 1/c - 1/n2.
func LogRR(t Table) (y, v float64, err error) {
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	t = t.corrected()
	n1, n2 := t.A+t.B, t.C+t.D
	return math.Log((t.A / n1) / (t.C / n2)), 1/t.A - 1/n1 + 1/t.C - 1/n2, nil
}

// RD is the risk difference with the variance ab/n1³ + cd/n2³; ½ is added for
// the variance alone where a cell is empty.
func RD(t Table) (y, v float64, err error) {
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	y = t.A/(t.A+t.B) - t.C/(t.C+t.D)
	u := t.corrected()
	n1, n2 := u.A+u.B, u.C+u.D
	return y, u.A*u.B/(n1*n1*n1) + u.C*u.D/(n2*n2*n2), nil
}

// ZCOR is Fisher's z of a correlation r of n people, variance 1/(n-3).
func ZCOR(r float64, n int) (y, v float64, err error) {
	if !(r > -1 && r < 1) || n < 4 {
		return 0, 0, fmt.Errorf("a Fisher z needs a correlation between -1 and 1 and 4 people or more")
	}
	return math.Atanh(r), 1 / float64(n-3), nil
}

// Paired is one group measured twice: n people, mean and SD after (1) and
// before (2), and the correlation of the two.
type Paired struct {
	N        int
	Mean1    float64
	Mean2    float64
	SD1, SD2 float64
	R        float64
}

func (p Paired) check() error {
	if p.N < 2 || !(p.SD1 > 0) || !(p.SD2 > 0) || !(p.R >= -1 && p.R <= 1) {
		return fmt.Errorf("a change needs 2 people or more, positive SDs and a correlation between -1 and 1")
	}
	return nil
}

// changeVariance is the variance of the difference of the two measurements.
func (p Paired) changeVariance() float64 {
	return p.SD1*p.SD1 + p.SD2*p.SD2 - 2*p.R*p.SD1*p.SD2
}

// MC is the raw mean change.
func MC(p Paired) (y, v float64, err error) {
	if err := p.check(); err != nil {
		return 0, 0, err
	}
	return p.Mean1 - p.Mean2, p.changeVariance() / float64(p.N), nil
}

// SMCC is the mean change in SDs of the change (Gibbons, Hedeker & Davis 1993).
func SMCC(p Paired) (y, v float64, err error) {
	if err := p.check(); err != nil {
		return 0, 0, err
	}
	if p.changeVariance() <= 0 {
		return 0, 0, fmt.Errorf("the change does not vary: nothing to standardise by")
	}
	n := float64(p.N)
	y = J(n-1) * (p.Mean1 - p.Mean2) / math.Sqrt(p.changeVariance())
	return y, 1/n + y*y/(2*n), nil
}

// SMCR is the mean change in SDs of the first measurement named, SD1 (Becker
// 1988): pass the SD before as SD1 to standardise by it.
func SMCR(p Paired) (y, v float64, err error) {
	if err := p.check(); err != nil {
		return 0, 0, err
	}
	n := float64(p.N)
	y = J(n-1) * (p.Mean1 - p.Mean2) / p.SD1
	return y, 2*(1-p.R)/n + y*y/(2*n), nil
}

// ROMC is the log ratio of the two means of one group.
func ROMC(p Paired) (y, v float64, err error) {
	if err := p.check(); err != nil {
		return 0, 0, err
	}
	if !(p.Mean1/p.Mean2 > 0) {
		return 0, 0, fmt.Errorf("a ratio of means needs two means of one sign, found %g and %g", p.Mean1, p.Mean2)
	}
	n := float64(p.N)
	return math.Log(p.Mean1 / p.Mean2), p.SD1*p.SD1/(n*p.Mean1*p.Mean1) + p.SD2*p.SD2/(n*p.Mean2*p.Mean2) - 2*p.R*p.SD1*p.SD2/(n*p.Mean1*p.Mean2), nil
}

// PrePost is one arm of a trial before and after, with the correlation of the
// two measurements, printed or imputed.
type PrePost struct {
	N           int
	Pre, Post   float64
	SDPre       float64
	Correlation float64
}

// DPPC2 is the difference of the arms' changes in pooled SDs before training
// (Morris 2008, 10.1177/1094428106291059, eq. 8), with the variance
// 2(1-r)(1/nT + 1/nC) + g²/(2(nT+nC)), r the mean of the two correlations
// weighted by size.
func DPPC2(t, c PrePost) (g, v float64, err error) {
	for _, a := range []PrePost{t, c} {
		if a.N < 2 || !(a.SDPre > 0) || !(a.Correlation >= -1 && a.Correlation <= 1) {
			return 0, 0, fmt.Errorf("a pre–post–control effect needs arms of 2 or more, positive SDs and correlations between -1 and 1")
		}
	}
	n1, n2 := float64(t.N), float64(c.N)
	sd := math.Sqrt(((n1-1)*t.SDPre*t.SDPre + (n2-1)*c.SDPre*c.SDPre) / (n1 + n2 - 2))
	g = J(n1+n2-2) * ((t.Post - t.Pre) - (c.Post - c.Pre)) / sd
	r := (n1*t.Correlation + n2*c.Correlation) / (n1 + n2)
	return g, 2*(1-r)*(1/n1+1/n2) + g*g/(2*(n1+n2)), nil
}
