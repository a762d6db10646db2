package calibrate

import (
	"math"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

// Assumed SD between persons of the logarithm of a gain, where a paper prints
// none: about the middle of the printed ones (0.08 to 0.18 for strength, 0.035
// to 0.045 for mass).
const (
	assumedStrengthSD = 0.15
	assumedMassSD     = 0.04
)

func (c *collector) muscle() {
	for _, o := range c.pack.Muscle {
		y := o.ChangeLog
		if math.IsNaN(y) {
			y = math.Log1p(o.ChangePct / 100)
		}
		if math.IsNaN(y) || math.IsInf(y, 0) || o.N < 2 {
			c.leave("muscle_outcomes", o.ID, "no change, or no number of people")
			continue
		}
		d := c.dose(o.StudyID, o.Frequency, o.Pct1RM, o.Sets, evidence.Range{Low: nan, High: nan}, o.Weeks, o.Age)
		d.Trained = o.Trained
		obs := Observation{ID: o.ID, Study: o.StudyID, Cohort: o.Cohort, Class: Muscle, Quantity: o.Outcome, Result: reported.FromEstimate(y, muscleSE(o, y)), Dose: d}
		if !math.IsNaN(o.DetrainingWeeks) {
			obs.Dose.AfterW, obs.SinceEnd = o.DetrainingWeeks, true
		}
		c.use(obs)
	}
}

// muscleSE is the standard error of the mean log change.
func muscleSE(o evidence.MuscleOutcome, y float64) float64 {
	n := math.Sqrt(float64(o.N))
	switch o.SpreadKind {
	case "sd_log":
		return o.Spread / n
	case "sd_pct":
		return o.Spread / 100 / math.Exp(y) / n
	case "se_pct":
		return o.Spread / 100 / math.Exp(y)
	}
	if o.Outcome == "mass" {
		return assumedMassSD / n
	}
	return assumedStrengthSD / n
}
