package doseresponse

import (
	"math"

	"gonum.org/v1/gonum/optimize"
)

// effective is the table of effective counts that reproduces every relative
// risk and its variance, given the two counts of the reference arm.
type effective struct {
	design Design
	rest   []Arm
}

// base are the controls of an arm, its person-time, or its persons at risk.
func (e effective) base(a Arm) float64 {
	if e.design == CaseControl {
		return a.N - a.Cases
	}
	return a.N
}

// arm are the cases and base of an arm.
func (e effective) arm(r Arm, a0, b0 float64) (a, b float64) {
	v, risk := r.SE*r.SE, math.Exp(r.Effect)*a0/b0
	switch e.design {
	case CaseControl:
		u := v - 1/a0 - 1/b0
		return (1 + risk) / u, (1 + 1/risk) / u
	case Incidence:
		a = 1 / (v - 1/a0)
	default: // risks: var = 1/a - 1/b
		a = (1 - risk) / (v - 1/a0 + 1/b0)
	}
	return a, a / risk
}

// sums are the cases and bases of all arms; ok is false where a count is not
// positive.
func (e effective) sums(a0, b0 float64) (a, b float64, ok bool) {
	a, b = a0, b0
	for _, r := range e.rest {
		ai, bi := e.arm(r, a0, b0)
		if !(ai > 0 && bi > 0) {
			return 0, 0, false
		}
		a, b = a+ai, b+bi
	}
	return a, b, true
}

// hamling finds the effective counts that keep as nearly as possible the share
// of the bases in the reference arm (p) and the ratio of bases to cases (z) of
// the reported table.
func hamling(id string, design Design, ref Arm, rest []Arm) (counts, error) {
	e := effective{design, rest}
	b, cases := e.base(ref), ref.Cases
	least := math.Inf(1)
	for _, r := range rest {
		b += e.base(r)
		cases += r.Cases
		least = math.Min(least, r.SE*r.SE)
	}
	p, z := e.base(ref)/b, b/cases
	miss := func(x []float64) float64 {
		a0, b0 := math.Exp(x[0]), math.Exp(x[1])
		a, b, ok := e.sums(a0, b0)
		if !ok {
			return math.Inf(1)
		}
		dp, dz := (p-b0/b)/p, (z-b/a)/z
		return dp*dp + dz*dz
	}
	// enough in the reference that every arm's variance is larger than its part
	x := []float64{math.Log(math.Max(ref.Cases, 2.2/least)), math.Log(math.Max(e.base(ref), 2.2/least))}
	for range 8 { // restarts shake off a collapsed simplex
		r, _ := optimize.Minimize(optimize.Problem{Func: miss}, x, &optimize.Settings{FuncEvaluations: 4000, Converger: &optimize.FunctionConverge{Absolute: 1e-30, Iterations: 300}}, &optimize.NelderMead{})
		if r == nil || math.IsInf(r.F, 1) {
			return counts{}, &ArmError{id, "no effective counts reproduce the variances (Hamling)"}
		}
		x = r.X
		if r.F < 1e-26 {
			break
		}
	}
	a0, b0 := math.Exp(x[0]), math.Exp(x[1])
	c := counts{ref: 1 / a0}
	switch design {
	case CaseControl:
		c.ref += 1 / b0
	case Cumulative:
		c.ref -= 1 / b0
	}
	for _, r := range rest {
		c.shared = append(c.shared, r.SE*r.SE)
	}
	return c, nil
}
