package doseresponse

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Arm is one dose level of a trial. For relative measures Effect is the log
// relative risk against the reference with its SE (NaN at the reference); for
// means Effect is the mean with SD and N.
type Arm struct {
	Dose              float64
	Effect, SE        float64
	Cases, N          float64
	SD                float64
	DoseLow, DoseHigh float64 // where the dose is an interval; equal otherwise

	// Before training, where the change is compared: PreSD is 0 otherwise. R is
	// the correlation of before and after.
	Pre, PreSD, R float64
}

// Design of a study that reports relative risks.
type Design string

// Case-control (odds ratios), incidence rates (person-time), cumulative
// incidence (risks).
const (
	CaseControl Design = "cc"
	Incidence   Design = "ir"
	Cumulative  Design = "ci"
)

// Trial is a set of contrasts with their known covariance, each of a dose
// against the dose of its reference arm. Set numbers the outcome and time a
// contrast belongs to, where there are several (nil: one).
type Trial struct {
	ID   string
	Ref  []float64
	Dose []float64
	Y    []float64
	Set  []int
	S    *mat.SymDense
}

// ArmError is a fault in the arms of one trial.
type ArmError struct{ Trial, Message string }

func (e *ArmError) Error() string { return fmt.Sprintf("trial %s: %s", e.Trial, e.Message) }

// reference is the index of the arm without a standard error, or of the lowest
// dose where all are means.
func lowest(arms []Arm) int {
	ref := 0
	for i, a := range arms {
		if a.Dose < arms[ref].Dose {
			ref = i
		}
	}
	return ref
}

// FromRelativeRisks builds the contrasts of a trial from log relative risks.
// The covariance from the shared reference is reconstructed by "gl" (Greenland
// & Longnecker 1992, 10.1093/oxfordjournals.aje.a116237), which needs the
// margins (cases and N of every arm), "hamling" (Hamling et al. 2008,
// 10.1002/sim.3013), or taken as none ("indep").
func FromRelativeRisks(id string, design Design, arms []Arm, method string) (Trial, error) {
	ref := -1
	for i, a := range arms {
		if math.IsNaN(a.SE) || a.SE == 0 {
			if ref >= 0 {
				return Trial{}, &ArmError{id, "two arms have no standard error: one reference is expected"}
			}
			ref = i
		}
	}
	if ref < 0 || len(arms) < 2 {
		return Trial{}, &ArmError{id, "a reference arm (without standard error) and one other arm are needed"}
	}
	t := Trial{ID: id}
	var rest []Arm
	for i, a := range arms {
		if i != ref {
			rest = append(rest, a)
			t.Dose, t.Ref, t.Y = append(t.Dose, a.Dose), append(t.Ref, arms[ref].Dose), append(t.Y, a.Effect)
		}
	}
	n := len(rest)
	t.S = mat.NewSymDense(n, nil)
	for i, a := range rest {
		t.S.SetSym(i, i, a.SE*a.SE)
	}
	if n == 1 || method == "indep" {
		return t, nil
	}
	pseudo, err := pseudoCounts(id, design, arms[ref], rest, method)
	if err != nil {
		return t, err
	}
	for i := range n {
		for j := range i {
			t.S.SetSym(i, j, pseudo.correlation(i, j)*rest[i].SE*rest[j].SE)
		}
	}
	return t, nil
}

// counts are the variances of the log risk in each arm and in the reference
// that reproduce the reported relative risks.
type counts struct{ ref, shared []float64 }

func (c counts) correlation(i, j int) float64 {
	return c.ref[0] / math.Sqrt(c.shared[i]*c.shared[j])
}

func pseudoCounts(id string, design Design, ref Arm, rest []Arm, method string) (counts, error) {
	if !(ref.Cases > 0 && ref.N > ref.Cases) && design != Incidence || !(ref.N > 0) {
		return counts{}, &ArmError{id, "the reference arm needs cases, and more persons than cases"}
	}
	for _, a := range rest {
		if !(a.Cases > 0 && a.N > 0) || design != Incidence && a.N <= a.Cases {
			return counts{}, &ArmError{id, fmt.Sprintf("the arm at dose %g needs cases, and more persons than cases", a.Dose)}
		}
	}
	switch method {
	case "gl":
		return greenlandLongnecker(id, design, ref, rest)
	case "hamling":
		return hamling(id, design, ref, rest)
	}
	return counts{}, &ArmError{id, fmt.Sprintf("the reconstruction %q is not known", method)}
}

// greenlandLongnecker finds the cell counts with the margins of the table that
// give the reported (adjusted) relative risks, by Newton steps on the cases.
func greenlandLongnecker(id string, design Design, ref Arm, rest []Arm) (counts, error) {
	n := len(rest)
	total := ref.Cases
	a := make([]float64, n)
	for i, r := range rest {
		a[i] = r.Cases
		total += r.Cases
	}
	a0 := func(a []float64) float64 {
		left := total
		for _, x := range a {
			left -= x
		}
		return left
	}
	inside := func(a []float64) bool {
		z := a0(a)
		ok := z > 0 && (design == Incidence || z < ref.N)
		for i, x := range a {
			ok = ok && x > 0 && (design == Incidence || x < rest[i].N)
		}
		return ok
	}
	// log relative risk of the counts, and the part of its derivative from one arm
	part := func(x, m float64) (float64, float64) {
		if design == CaseControl {
			return math.Log(x / (m - x)), 1/x + 1/(m-x)
		}
		return math.Log(x / m), 1 / x
	}
	for range 500 {
		l0, c0 := part(a0(a), ref.N)
		h, e := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
		worst := 0.0
		for i := range a {
			l, c := part(a[i], rest[i].N)
			e.SetVec(i, rest[i].Effect-(l-l0))
			worst = math.Max(worst, math.Abs(e.AtVec(i)))
			for j := range n {
				h.Set(i, j, c0)
			}
			h.Set(i, i, c0+c)
		}
		if worst < 1e-13 {
			break
		}
		var d mat.VecDense
		if err := d.SolveVec(h, e); err != nil {
			return counts{}, &ArmError{id, "the table behind the relative risks could not be reconstructed"}
		}
		step := 1.0
		next := make([]float64, n)
		for ; step > 1e-12; step /= 2 {
			for i := range a {
				next[i] = a[i] + step*d.AtVec(i)
			}
			if inside(next) {
				break
			}
		}
		if step <= 1e-12 {
			return counts{}, &ArmError{id, "no table with these margins has the reported relative risks (Greenland–Longnecker)"}
		}
		copy(a, next)
	}
	own := func(x, m float64) float64 {
		switch design {
		case CaseControl:
			return 1/x + 1/(m-x)
		case Cumulative:
			return 1/x - 1/m
		}
		return 1 / x
	}
	c := counts{ref: []float64{own(a0(a), ref.N)}}
	for i, r := range rest {
		c.shared = append(c.shared, c.ref[0]+own(a[i], r.N))
	}
	return c, nil
}
