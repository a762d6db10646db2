package doseresponse

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Scale names the difference of two means.
type Scale string

// The scales: the raw difference with the pooled SD of all arms (MD, as
// dosresmeta computes it), the same with every arm's own SD (MDH, exact without
// equal variances), and standardised by the pooled SD (Cohen), with the
// small-sample correction (Hedges), or by the reference SD (Glass).
const (
	MD     Scale = "md"
	MDH    Scale = "mdh"
	Cohen  Scale = "cohen"
	Hedges Scale = "hedges"
	Glass  Scale = "glass"
)

// Scales lists them.
var Scales = []Scale{MD, MDH, Cohen, Hedges, Glass}

// FromMeans builds the contrasts of a trial from the mean, SD and size of every
// arm against the arm of the lowest dose (Crippa & Orsini 2016,
// 10.1186/s12874-016-0189-0). Contrasts share that arm's sampling error.
func FromMeans(id string, arms []Arm, scale Scale) (Trial, error) {
	if len(arms) < 2 {
		return Trial{}, &ArmError{id, "one arm only: a reference and another dose are needed"}
	}
	for _, a := range arms {
		if !(a.SD > 0) || !(a.N >= 2) || math.IsInf(a.SD, 0) || math.IsNaN(a.Effect) || math.IsInf(a.Effect, 0) {
			return Trial{}, &ArmError{id, fmt.Sprintf("the arm at dose %g needs a mean, an SD above zero and two persons or more", a.Dose)}
		}
	}
	ref := lowest(arms)
	r := arms[ref]
	var ss, df, total float64
	for _, a := range arms {
		ss += (a.N - 1) * a.SD * a.SD
		df += a.N - 1
		total += a.N
	}
	pooled := ss / df
	unit, correct := math.Sqrt(pooled), 1.0
	var spread float64 // of the estimated unit: d²/spread
	switch scale {
	case Cohen:
		spread = 2 * total
	case Hedges:
		spread, correct = 2*(total-3.94), 1-3/(4*total-9)
	case Glass:
		unit, spread = r.SD, 2*(r.N-1)
	}
	t := Trial{ID: id, Ref: r.Dose}
	var rest []Arm
	for i, a := range arms {
		if i == ref {
			continue
		}
		y := a.Effect - r.Effect
		if scale != MD && scale != MDH {
			y *= correct / unit
		}
		rest, t.Dose, t.Y = append(rest, a), append(t.Dose, a.Dose), append(t.Y, y)
	}
	t.S = mat.NewSymDense(len(rest), nil)
	for i, a := range rest {
		for j := 0; j <= i; j++ {
			var c float64
			switch scale {
			case MD, MDH:
				c = r.SD * r.SD / r.N
				if i == j && scale == MD {
					c = pooled * (1/a.N + 1/r.N)
				} else if i == j {
					c += a.SD * a.SD / a.N
				}
			default:
				c = 1/r.N + t.Y[i]*t.Y[j]/spread
				if i == j {
					c += 1 / a.N
				}
			}
			t.S.SetSym(i, j, c)
		}
	}
	return t, nil
}
