package doseresponse

import (
	"math"

	"gonum.org/v1/gonum/optimize"
)

// hamling finds effective counts that reproduce every relative risk and its
// variance, and as nearly as possible the share of controls (persons at risk,
// person-time) in the reference arm (p) and their ratio to the cases (z) of the
// reported table.
func hamling(id string, design Design, ref Arm, rest []Arm) (counts, error) {
	others := func(a Arm) float64 { // controls, person-time, or persons at risk
		if design == CaseControl {
			return a.N - a.Cases
		}
		return a.N
	}
	b, cases := others(ref), ref.Cases
	for _, r := range rest {
		b += others(r)
		cases += r.Cases
	}
	p, z := others(ref)/b, b/cases
	table := func(a0, b0 float64) (b, a float64, ok bool) {
		b, a = b0, a0
		for _, r := range rest {
			rr := math.Exp(r.Effect)
			var ai, bi float64
			switch design {
			case CaseControl:
				u := r.SE*r.SE - 1/a0 - 1/b0
				ai, bi = (1+rr*a0/b0)/u, (1+b0/(a0*rr))/u
			case Incidence:
				ai = 1 / (r.SE*r.SE - 1/a0)
				bi = ai / (rr * a0 / b0)
			default: // risks: var = 1/a - 1/b
				risk := rr * a0 / b0
				ai = (1 - risk) / (r.SE*r.SE - 1/a0 + 1/b0)
				bi = ai / risk
			}
			if !(ai > 0 && bi > 0) {
				return 0, 0, false
			}
			b, a = b+bi, a+ai
		}
		return b, a, true
	}
	miss := func(x []float64) float64 {
		a0, b0 := math.Exp(x[0]), math.Exp(x[1])
		b, a, ok := table(a0, b0)
		if !ok {
			return math.Inf(1)
		}
		dp, dz := (p-b0/b)/p, (z-b/a)/z
		return dp*dp + dz*dz
	}
	// enough in the reference that every arm's variance is larger than its part
	least := math.Inf(1)
	for _, r := range rest {
		least = math.Min(least, r.SE*r.SE)
	}
	start := []float64{math.Log(math.Max(ref.Cases, 2.2/least)), math.Log(math.Max(others(ref), 2.2/least))}
	for range 8 { // restarts shake off a collapsed simplex
		r, err := optimize.Minimize(optimize.Problem{Func: miss}, start, &optimize.Settings{FuncEvaluations: 4000, Converger: &optimize.FunctionConverge{Absolute: 1e-30, Iterations: 300}}, &optimize.NelderMead{})
		if r == nil || err != nil && math.IsInf(r.F, 1) {
			return counts{}, &ArmError{id, "no effective counts reproduce the variances (Hamling)"}
		}
		start = r.X
		if r.F < 1e-26 {
			break
		}
	}
	if math.IsInf(miss(start), 1) {
		return counts{}, &ArmError{id, "no effective counts reproduce the variances (Hamling)"}
	}
	a0, b0 := math.Exp(start[0]), math.Exp(start[1])
	own := 1 / a0
	switch design {
	case CaseControl:
		own += 1 / b0
	case Cumulative:
		own -= 1 / b0
	}
	c := counts{ref: []float64{own}}
	for _, r := range rest {
		c.shared = append(c.shared, r.SE*r.SE)
	}
	return c, nil
}
