package doseresponse

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// margins are what a table must keep: cases in all, persons or person-time of
// every arm.
type margins struct {
	design Design
	ref    Arm
	rest   []Arm
	total  float64 // cases
}

// reference is what the arms leave of the cases.
func (m margins) reference(cases []float64) float64 {
	left := m.total
	for _, x := range cases {
		left -= x
	}
	return left
}

// possible says whether cases fit into the margins.
func (m margins) possible(cases []float64) bool {
	whole := func(x, n float64) bool { return x > 0 && (m.design == Incidence || x < n) }
	ok := whole(m.reference(cases), m.ref.N)
	for i, x := range cases {
		ok = ok && whole(x, m.rest[i].N)
	}
	return ok
}

// log is an arm's part of a log relative risk, and its derivative in the cases.
func (m margins) log(x, n float64) (value, slope float64) {
	if m.design == CaseControl {
		return math.Log(x / (n - x)), 1/x + 1/(n-x)
	}
	return math.Log(x / n), 1 / x
}

// variance is an arm's part of the variance of a log relative risk.
func (m margins) variance(x, n float64) float64 {
	switch m.design {
	case CaseControl:
		return 1/x + 1/(n-x)
	case Cumulative:
		return 1/x - 1/n
	}
	return 1 / x
}

// greenlandLongnecker finds the cell counts with the margins of the table that
// give the reported (adjusted) relative risks, by Newton steps on the cases.
func greenlandLongnecker(id string, design Design, ref Arm, rest []Arm) (counts, error) {
	m := margins{design, ref, rest, ref.Cases}
	cases := make([]float64, len(rest))
	for i, r := range rest {
		cases[i] = r.Cases
		m.total += r.Cases
	}
	for range 500 {
		next, done := m.newton(cases)
		if done {
			break
		}
		if next == nil {
			return counts{}, &ArmError{id, "no table with these margins has the reported relative risks (Greenland–Longnecker)"}
		}
		cases = next
	}
	c := counts{ref: m.variance(m.reference(cases), ref.N)}
	for i, r := range rest {
		c.shared = append(c.shared, c.ref+m.variance(cases[i], r.N))
	}
	return c, nil
}

// newton is one step towards the reported relative risks, shortened until the
// table is possible; done where they are reached, nil where no step helps.
func (m margins) newton(cases []float64) (next []float64, done bool) {
	n := len(cases)
	l0, c0 := m.log(m.reference(cases), m.ref.N)
	h, e := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	worst := 0.0
	for i := range cases {
		l, c := m.log(cases[i], m.rest[i].N)
		e.SetVec(i, m.rest[i].Effect-(l-l0))
		worst = math.Max(worst, math.Abs(e.AtVec(i)))
		for j := range n {
			h.Set(i, j, c0)
		}
		h.Set(i, i, c0+c)
	}
	if worst < 1e-13 {
		return nil, true
	}
	var d mat.VecDense
	if d.SolveVec(h, e) != nil {
		return nil, false
	}
	for step := 1.0; step > 1e-12; step /= 2 {
		next = make([]float64, n)
		for i := range cases {
			next[i] = cases[i] + step*d.AtVec(i)
		}
		if m.possible(next) {
			return next, false
		}
	}
	return nil, false
}
