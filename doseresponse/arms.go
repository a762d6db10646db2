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
type counts struct {
	ref    float64
	shared []float64 // of every arm, with the reference's part
}

func (c counts) correlation(i, j int) float64 {
	return c.ref / math.Sqrt(c.shared[i]*c.shared[j])
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
