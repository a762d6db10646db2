package report

import (
	"strings"

	"github.com/myoaxis/myoaxis/reported"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/trace"
)

// Estimate is a pooled effect for JSON; all values in SD units.
type Estimate struct {
	Rows     int `json:"rows"`
	Cohorts  int `json:"cohorts"`
	Estimate Num `json:"estimate"`
	SE       Num `json:"se"`
	CILow    Num `json:"ci_low"`
	CIHigh   Num `json:"ci_high"`
	PILow    Num `json:"pi_low"`
	PIHigh   Num `json:"pi_high"`
	TauB     Num `json:"tau_between_cohorts"`
	TauW     Num `json:"tau_within_cohort"`
	LogLik   Num `json:"loglik"`
}

func newEstimate(e *synthesis.Estimate) *Estimate {
	if e == nil {
		return nil
	}
	return &Estimate{e.Rows, e.Cohorts, Num(e.Value), Num(e.SE), Num(e.Low), Num(e.High), Num(e.PredLow), Num(e.PredHigh), Num(e.TauB), Num(e.TauW), Num(e.LogLik)}
}

// Posterior is the Bayesian answer for JSON.
type Posterior struct {
	Mean             Num    `json:"mean"`
	SD               Num    `json:"sd"`
	Low              Num    `json:"cri_low"`
	High             Num    `json:"cri_high"`
	PredLow          Num    `json:"pi_low"`
	PredHigh         Num    `json:"pi_high"`
	TauB             Num    `json:"tau_between_cohorts_mean"`
	TauW             Num    `json:"tau_within_cohort_mean"`
	ProbPositive     Num    `json:"prob_positive"`
	ProbNextPositive Num    `json:"prob_next_study_positive"`
	Prior            string `json:"prior"`
}

// FormCount counts rows of one reported form.
type FormCount struct {
	Form  string `json:"form"`
	Count int    `json:"count"`
}

// OmegaPoint is the effect at one probability of mention.
type OmegaPoint struct {
	Omega     Num `json:"omega"`
	Estimate  Num `json:"estimate"`
	CILow     Num `json:"ci_low"`
	CIHigh    Num `json:"ci_high"`
	RelLogLik Num `json:"relative_profile_loglik"`
}

// LeaveOut is the effect without one cohort.
type LeaveOut struct {
	Cohort   string `json:"cohort"`
	Estimate Num    `json:"estimate"`
	SE       Num    `json:"se"`
}

// Reason counts observations left out for one reason.
type Reason struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Flow counts observations from found to used.
type Flow struct {
	Found    int      `json:"found"`
	Excluded []Reason `json:"excluded"`
	Used     int      `json:"used"`
	Studies  int      `json:"studies"`
	Cohorts  int      `json:"cohorts"`
	AssumedN int      `json:"rows_with_assumed_n"`
}

func newFlow(f synthesis.Flow) Flow {
	out := Flow{Found: f.Found, Excluded: []Reason{}, Used: f.Used, Studies: f.Studies, Cohorts: f.Cohorts, AssumedN: f.Assumed}
	for _, r := range f.Reasons() {
		out.Excluded = append(out.Excluded, Reason{r.Text, r.Count})
	}
	return out
}

// ObservationRow is one pooled result: a value where it is numeric, the range
// left open where it is partial.
type ObservationRow struct {
	ID           string `json:"id"`
	Study        string `json:"study"`
	Cohort       string `json:"cohort"`
	Domain       string `json:"domain"`
	Instrument   string `json:"instrument"`
	Form         string `json:"form"`
	Effect       Num    `json:"effect"`
	SE           Num    `json:"sampling_sd"`
	Low          Num    `json:"low"`
	High         Num    `json:"high"`
	AbstractOnly bool   `json:"abstract_only"`
	Source       string `json:"source"`
	Locator      string `json:"locator"`

	numeric   bool
	low, high float64
}

// PoolView is a pooled domain for JSON and HTML.
type PoolView struct {
	ID          string           `json:"id"`
	Domain      string           `json:"domain"`
	Unit        string           `json:"unit"`
	All         *Estimate        `json:"all_rows"`
	NumericOnly *Estimate        `json:"numeric_rows_only"`
	WithoutUnm  *Estimate        `json:"without_unmentioned"`
	Posterior   *Posterior       `json:"bayes"`
	Forms       []FormCount      `json:"rows_by_form"`
	NumericStud int              `json:"studies_with_numbers"`
	Flow        Flow             `json:"flow"`
	Omega       []OmegaPoint     `json:"selective_mention"`
	LeaveOne    []LeaveOut       `json:"leave_one_cohort_out"`
	Rows        []ObservationRow `json:"rows"`
	Note        string           `json:"note,omitempty"`
}

// NewPoolView prepares a pool for output.
func NewPoolView(p *synthesis.Pool) PoolView {
	v := PoolView{ID: trace.PoolID(p.Domain), Domain: p.Domain, Unit: "SD", All: newEstimate(p.All), NumericOnly: newEstimate(p.NumericOnly), WithoutUnm: newEstimate(p.WithoutUnm),
		NumericStud: p.NumericStud, Flow: newFlow(p.Flow), Note: p.Note, Forms: []FormCount{}, Omega: []OmegaPoint{}, LeaveOne: []LeaveOut{}, Rows: []ObservationRow{}}
	if q := p.Posterior; q != nil {
		v.Posterior = &Posterior{Num(q.Mean), Num(q.SD), Num(q.Low), Num(q.High), Num(q.PredLow), Num(q.PredHigh), Num(q.TauBMean), Num(q.TauWMean), Num(q.ProbPositive), Num(q.ProbNextPositive),
			"effect ~ normal(0, 1), tau ~ half-normal(0.5) each, unless given (assumed, weakly informative)"}
	}
	for _, f := range reported.Forms {
		if n := p.Forms[f]; n > 0 {
			v.Forms = append(v.Forms, FormCount{string(f), n})
		}
	}
	for _, o := range p.Omega {
		v.Omega = append(v.Omega, OmegaPoint{Num(o.Omega), Num(o.Value), Num(o.Low), Num(o.High), Num(o.RelLogLik)})
	}
	for _, l := range p.LeaveOneOut {
		v.LeaveOne = append(v.LeaveOne, LeaveOut{l.Cohort, Num(l.Value), Num(l.SE)})
	}
	for _, u := range p.Used {
		v.Rows = append(v.Rows, newRow(u))
	}
	return v
}

func newRow(u synthesis.Used) ObservationRow {
	c := u.Contrast
	r := ObservationRow{ID: c.ID, Study: c.StudyID, Cohort: u.Cohort, Domain: c.Domain, Instrument: c.Instrument, Form: string(u.Result.Form), SE: Num(u.Result.S), AbstractOnly: c.AbstractOnly, Source: c.Loc.Source, Locator: c.Loc.Locator, numeric: u.Result.Numeric}
	r.low, r.high = u.Result.Span()
	if r.numeric {
		r.Effect = Num(u.Result.Y)
		r.low, r.high = u.Result.Y-1.959964*u.Result.S, u.Result.Y+1.959964*u.Result.S
	} else {
		r.Effect = Num(nan)
	}
	r.Low, r.High = Num(r.low), Num(r.high)
	return r
}

// Words writes an identifier for people.
func Words(s string) string { return strings.ReplaceAll(s, "_", " ") }
