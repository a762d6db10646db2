package calibrate

import (
	"github.com/myoaxis/myoaxis/synthesis"
)

// domains maps domains of the pack to quantities of the model. Working memory
// and attention are executive functions in the model's grain; language has no
// quantity.
var domains = map[string]string{"memory": "memory.gain", "executive": "executive.gain", "working_memory": "executive.gain", "attention": "executive.gain",
	"processing_speed": "speed.gain", "visuospatial": "visuospatial.gain", "global": "global.gain"}

// cognition takes the contrasts that the pooled analysis takes.
func (c *collector) cognition() {
	used, flow := synthesis.Select(c.pack, synthesis.Selection{})
	listed := map[string]bool{}
	for _, l := range flow.Left {
		listed[l.ID] = true
		c.leave(tableOf(l.ID), l.ID, l.Reason)
	}
	for _, u := range used {
		k := u.Contrast
		listed[k.ID] = true
		q, ok := domains[k.Domain]
		switch {
		case !ok:
			c.leave(tableOf(k.ID), k.ID, "the model has no quantity for the domain "+k.Domain)
			continue
		case c.mediated(k.StudyID, k.Domain):
			c.leave(tableOf(k.ID), k.ID, "the same people's effect enters in its parts (mediation.csv)")
			continue
		}
		d := c.dose(k.StudyID, k.Frequency, k.Pct1RM, k.Sets, k.Reps, k.Weeks, nan)
		c.use(Observation{ID: k.ID, Study: k.StudyID, Cohort: u.Cohort, Class: Cognition, Quantity: q, Domain: k.Domain, Result: u.Result, Dose: d})
	}
	for _, a := range c.pack.ArmResults {
		if !listed[a.ID] {
			c.leave("arm_outcomes", a.ID, "one arm without its comparator, or the contrast of the same trial is used")
		}
	}
}

func tableOf(id string) string {
	if len(id) > 4 && id[:4] == "arm-" {
		return "arm_outcomes"
	}
	return "contrasts"
}
