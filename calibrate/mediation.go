package calibrate

import (
	"math"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

// part says which part of an effect a mediation row measures: through
// strength, the model's direct path, or the rest, its path through the axis.
func part(m evidence.Mediation) (quantity, domain string) {
	if math.IsNaN(m.Value) || math.IsNaN(m.CILow) || !strings.Contains(m.Mediator, "strength") {
		return "", ""
	}
	domain, _, _ = strings.Cut(m.Outcome, " ")
	if domain != "executive" && m.Outcome != "global (domain score)" {
		return "", ""
	}
	switch m.Statistic {
	case "indirect effect beta":
		return domain + ".Dir", domain
	case "direct effect beta":
		return domain + ".A", domain
	}
	return "", ""
}

// mediated tells whether the cohort's effect on a domain enters in parts.
func (c *collector) mediated(study, domain string) bool {
	for _, m := range c.pack.Mediations {
		if q, d := part(m); q != "" && d == domain && c.pack.Cohort(m.StudyID) == c.pack.Cohort(study) {
			return true
		}
	}
	return false
}

// mediation takes the parts of effects with intervals. Domain scores are read
// as SD (assumed).
func (c *collector) mediation() {
	open := evidence.Range{Low: nan, High: nan}
	for _, m := range c.pack.Mediations {
		q, domain := part(m)
		if q == "" {
			reason := "no coefficient with an interval"
			switch {
			case !math.IsNaN(m.Value) && strings.Contains(m.Statistic, "effect beta"):
				reason = "on another instrument than the domain score of the same people, which is used"
			case !math.IsNaN(m.Value):
				reason = "a correlation between persons; the model predicts means of groups"
			}
			c.leave("mediation", m.ID, reason)
			continue
		}
		se := (m.CIHigh - m.CILow) / (2 * reported.Significance(0.05))
		c.use(Observation{ID: m.ID, Study: m.StudyID, Cohort: c.pack.Cohort(m.StudyID), Class: Mediated, Quantity: q, Domain: domain,
			Result: reported.FromEstimate(m.Value, se), Dose: c.dose(m.StudyID, open, open, open, open, nan, nan)})
	}
}
