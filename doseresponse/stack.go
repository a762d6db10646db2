package doseresponse

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Stack puts the contrasts of several outcomes or times of one trial together.
// Contrasts of different sets are correlated by rho, the assumed correlation of
// the sampling errors of two outcomes in one person, times what they would
// share within one outcome: the reference arm, and the arm where it is the
// same (that is, at the same dose). n are the sizes of the arms by set, as
// FromMeans took them.
func Stack(id string, sets []Trial, n []map[float64]float64, rho float64) (Trial, error) {
	if !(rho >= 0 && rho < 1) {
		return Trial{}, &ArmError{id, "the correlation of outcomes lies between 0 and 1"}
	}
	if len(sets) == 1 {
		return sets[0], nil
	}
	out := Trial{ID: id}
	var of, at []int
	for k, s := range sets {
		out.Dose, out.Ref, out.Y = append(out.Dose, s.Dose...), append(out.Ref, s.Ref...), append(out.Y, s.Y...)
		for i := range s.Y {
			out.Set, of, at = append(out.Set, k), append(of, k), append(at, i)
		}
	}
	size := func(i int, dose float64) float64 { return n[of[i]][dose] }
	share := func(i, j int) float64 { // within one outcome, in units of its variance
		var s float64
		if out.Ref[i] == out.Ref[j] {
			s += 1 / math.Sqrt(size(i, out.Ref[i])*size(j, out.Ref[j]))
		}
		if out.Dose[i] == out.Dose[j] {
			s += 1 / math.Sqrt(size(i, out.Dose[i])*size(j, out.Dose[j]))
		}
		return s
	}
	out.S = mat.NewSymDense(len(out.Y), nil)
	for i := range out.Y {
		for j := range i + 1 {
			if of[i] == of[j] {
				out.S.SetSym(i, j, sets[of[i]].S.At(at[i], at[j]))
				continue
			}
			vi, vj := sets[of[i]].S.At(at[i], at[i]), sets[of[j]].S.At(at[j], at[j])
			out.S.SetSym(i, j, rho*share(i, j)/math.Sqrt(share(i, i)*share(j, j))*math.Sqrt(vi*vj))
		}
	}
	var ch mat.Cholesky
	if !ch.Factorize(out.S) {
		return out, &ArmError{id, fmt.Sprintf("with a correlation of %g between outcomes the covariance of its contrasts is not positive definite", rho)}
	}
	return out, nil
}
