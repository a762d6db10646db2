package calibrate

import (
	"slices"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

// Class is a kind of observation; each has its own spread between studies.
type Class int

// The classes of observations.
const (
	Cognition Class = iota // standardised mean differences against no training
	Chronic                // logarithm of the fold of a resting level
	Acute                  // logarithm of the fold after one session
	Muscle                 // logarithm of the gain of strength or mass
	Mediated               // parts of an effect, through and beside strength
	classes
)

var classNames = [classes]string{"cognition", "chronic", "acute", "muscle", "mediation"}

func (c Class) String() string { return classNames[c] }

// Observation is one reported result and the quantity of the model it meets.
type Observation struct {
	ID, Study, Cohort string
	Class             Class
	Quantity          string // of the model, e.g. "memory.gain" or "irisin"
	Domain            string // cognition: domain of the pack
	Entity            string // markers: entity of the pack
	Plasma            bool   // markers: plasma, where serum is the reference
	ELISA             bool   // irisin not measured by mass spectrometry
	Result            reported.Result
	Dose              Dose
	AtH               float64 // acute: hours after the session
	// SinceEnd: the quantity is a change since the end of training.
	SinceEnd bool
}

// Unused is a row that no prediction of the model meets, and why.
type Unused struct {
	Table  string `json:"table"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Data is what a posterior is fitted to.
type Data struct {
	Observations []Observation
	Unused       []Unused
	Prior        []PriorUse // rows that enter as priors
}

// PriorUse is a row that is the source of a parameter's prior.
type PriorUse struct{ Table, ID, Param string }

// Collect sorts every row of the pack into observations, priors, and rows left
// out with the reason. No row is lost: TestEveryRowIsListed.
func Collect(p *evidence.Pack, m ModelInfo) Data { return collect(p, m, changeSD(p)) }

// collect reads markers with a given SD between persons of a change, so that
// new studies are judged by that of the pack a posterior was made from.
func collect(p *evidence.Pack, m ModelInfo, sd float64) Data {
	c := &collector{pack: p, model: m, sd: sd}
	c.priors()
	c.cognition()
	c.markers()
	c.muscle()
	c.mediation()
	c.rest()
	slices.SortStableFunc(c.data.Observations, func(a, b Observation) int { return int(a.Class) - int(b.Class) })
	return c.data
}

// ModelInfo is what Collect needs to know of the model.
type ModelInfo interface {
	// Sources lists, for each parameter, the records its prior rests on as
	// TABLE:ID.
	Sources() map[string][]string
}

type collector struct {
	pack  *evidence.Pack
	model ModelInfo
	data  Data
	taken map[string]string // TABLE:ID -> parameter
	sd    float64           // between persons, of the log change of a marker
}

func (c *collector) use(o Observation) {
	c.data.Observations = append(c.data.Observations, o)
}

func (c *collector) leave(table, id, reason string) {
	c.data.Unused = append(c.data.Unused, Unused{table, id, reason})
}

// priors notes the records behind priors: they do not enter twice.
func (c *collector) priors() {
	c.taken = map[string]string{}
	src := c.model.Sources()
	var names []string
	for n := range src {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		for _, ref := range src[n] {
			if _, seen := c.taken[ref]; !seen {
				c.taken[ref] = n
			}
		}
	}
}

// rest lists the tables that never enter the likelihood.
func (c *collector) rest() {
	for _, k := range c.pack.Kinetics {
		if par, ok := c.taken["kinetics:"+k.ID]; ok {
			c.data.Prior = append(c.data.Prior, PriorUse{"kinetics", k.ID, par})
			continue
		}
		switch {
		case k.Quality == "unusable":
			c.leave("kinetics", k.ID, "the record says it may not be cited")
		case k.Quality == "model":
			c.leave("kinetics", k.ID, "a constant of another model, not a measurement")
		case k.Entity == "muscle_mass" || k.Entity == "muscle_strength":
			c.leave("kinetics", k.ID, "a pooled estimate (kept back as a check) or a gain that stands in muscle_outcomes.csv")
		default:
			c.leave("kinetics", k.ID, "the model has no parameter for it, or holds a better source")
		}
	}
	for _, k := range c.pack.Claims {
		if par, ok := c.taken["claims:"+k.ID]; ok {
			c.data.Prior = append(c.data.Prior, PriorUse{"claims", k.ID, par})
		} else {
			c.leave("claims", k.ID, "about no link of the model")
		}
	}
	for _, t := range []struct{ table, key, reason string }{
		{"pooled", "", "a pooled estimate: its trials stand in the same likelihood"},
		{"biomarker_pooled", "", "a pooled estimate: its trials stand in the same likelihood"},
		{"strength_dose", "id", "a pooled estimate or words; the gains of trial arms stand in muscle_outcomes.csv"},
		{"models", "", "a published model, not an observation"},
	} {
		for _, tab := range c.pack.TablesOf(t.table) {
			for r := range tab.Rows {
				id := tab.Text(r, "raw_row")
				if t.key != "" {
					id = tab.Text(r, t.key)
				}
				c.leave(t.table, id, t.reason)
			}
		}
	}
}
