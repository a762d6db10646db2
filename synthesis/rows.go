package synthesis

import (
	"fmt"
	"math"

	"github.com/myoaxis/myoaxis/effect"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

// Unmentioned says what to do with outcomes that were measured and not spoken
// of again.
type Unmentioned string

// As not significant, left out, or with half weight.
const (
	UnmentionedYes    Unmentioned = "yes"
	UnmentionedNo     Unmentioned = "no"
	UnmentionedWeight Unmentioned = "weight"
)

// AssumedArm is the arm size used where a paper prints none: the median of
// the printed sizes of training arms in the embedded pack, each arm once
// (assumed; such rows are counted apart).
const AssumedArm = 22

// FromContrast turns a contrast into a reported result. It fails with the
// reason where the form is no contrast or its numbers do not allow a spread.
func FromContrast(c evidence.Contrast) (reported.Result, error) {
	n1, n2 := float64(c.NRT), float64(c.NControl)
	if c.NRT < 2 {
		n1 = AssumedArm
	}
	if c.NControl < 2 {
		n2 = AssumedArm
	}
	n2 = math.Max(2, n2/float64(c.ControlSharedBy))
	s := reported.SamplingSD(0, n1, n2)
	r, err := fromForm(c, n1, n2, s)
	r.Mentionable = c.AbstractOnly
	return r, err
}

func fromForm(c evidence.Contrast, n1, n2, s float64) (reported.Result, error) {
	o := float64(c.Orientation)
	z975 := reported.Significance(0.05)
	alpha := c.Alpha
	if math.IsNaN(alpha) {
		alpha = 0.05
	}
	switch c.Form {
	case "estimate_ci":
		return reported.FromEstimate(o*c.Effect, (c.CIHigh-c.CILow)/(2*z975)), nil
	case "estimate_se":
		return reported.FromEstimate(o*c.Effect, c.SE), nil
	case "estimate_n":
		return reported.FromEstimate(o*c.Effect, reported.SamplingSD(c.Effect, n1, n2)), nil
	case "md_ci": // a raw difference becomes a standardised one through its z
		z := c.Effect / ((c.CIHigh - c.CILow) / (2 * z975))
		g := o * effect.FromZ(z, n1, n2)
		return reported.FromEstimate(g, reported.SamplingSD(g, n1, n2)), nil
	case "p_exact":
		return reported.FromP(c.PValue, c.Direction, n1, n2)
	case "p_threshold":
		return reported.FromThreshold(alpha, c.Direction, s), nil
	case "ns":
		return reported.FromNotSignificant(alpha, c.Direction, s), nil
	case "direction_only":
		return reported.FromDirection(c.Direction, s), nil
	case "unmentioned":
		r := reported.FromNotSignificant(alpha, 0, s)
		r.Form = reported.Unmentioned
		return r, nil
	}
	return reported.Result{}, fmt.Errorf("the form %s is no contrast between groups", c.Form)
}
