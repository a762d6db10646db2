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
// 10.1186/s12874-016-0189-0). Contrasts share that arm's sampling error. Where
// every arm has a mean and SD before training, changes are compared: raw ones
// with the SD of the change, standardised ones by the SDs before (Morris 2008,
// 10.1177/1094428106291059) with sampling variances times 2(1-r).
func FromMeans(id string, arms []Arm, scale Scale) (Trial, error) {
	if len(arms) < 2 {
		return Trial{}, &ArmError{id, "one arm only: a reference and another dose are needed"}
	}
	for _, a := range arms {
		if a.PreSD != 0 && (!(a.PreSD > 0) || !(a.R > -1 && a.R < 1) || math.IsNaN(a.Pre)) || (a.PreSD == 0) != (arms[0].PreSD == 0) {
			return Trial{}, &ArmError{id, "every arm or none needs a mean and an SD before training and a correlation between -1 and 1"}
		}
		if !(a.SD > 0) || !(a.N >= 2) || math.IsInf(a.SD, 0) || math.IsNaN(a.Effect) || math.IsInf(a.Effect, 0) {
			return Trial{}, &ArmError{id, fmt.Sprintf("the arm at dose %g needs a mean, an SD above zero and two persons or more", a.Dose)}
		}
	}
	arms, part := changes(arms, scale)
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
	t := Trial{ID: id}
	var rest []Arm
	for i, a := range arms {
		if i == ref {
			continue
		}
		y := a.Effect - r.Effect
		if scale != MD && scale != MDH {
			y *= correct / unit
		}
		rest, t.Dose, t.Ref, t.Y = append(rest, a), append(t.Dose, a.Dose), append(t.Ref, r.Dose), append(t.Y, y)
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
				c = part/r.N + t.Y[i]*t.Y[j]/spread
				if i == j {
					c += part / a.N
				}
			}
			t.S.SetSym(i, j, c)
		}
	}
	return t, nil
}

// changes turns arms measured before and after into arms of changes; part is
// the factor on the sampling variance of a standardised mean.
func changes(arms []Arm, scale Scale) (out []Arm, part float64) {
	if arms[0].PreSD == 0 {
		return arms, 1
	}
	var r float64
	for _, a := range arms {
		raw := scale == MD || scale == MDH
		sd := a.PreSD
		if raw {
			sd = math.Sqrt(a.PreSD*a.PreSD + a.SD*a.SD - 2*a.R*a.PreSD*a.SD)
		}
		r += a.R / float64(len(arms))
		a.Effect, a.SD = a.Effect-a.Pre, sd
		out = append(out, a)
	}
	return out, 2 * (1 - r)
}
