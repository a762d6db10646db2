package report

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/prescribe"
)

// CalibrationView is what the calibrated axis knows and how far to trust it.
type CalibrationView struct {
	// Missing says why there is no posterior; everything else is then empty.
	Missing      string                     `json:"missing,omitempty"`
	Pack         string                     `json:"pack_hash"`
	Model        string                     `json:"model_hash"`
	Chains       int                        `json:"chains"`
	Draws        int                        `json:"draws"`
	WorstRHat    Num                        `json:"worst_rhat"`
	LeastESS     Num                        `json:"fewest_effective_draws"`
	Observations []ClassCount               `json:"observations"`
	Unused       []ClassCount               `json:"unused_rows"`
	Learned      []calibrate.Change         `json:"learned"`
	Sentence     string                     `json:"validation_in_words"`
	Validation   *calibrate.Validation      `json:"validation"`
	Rules        *calibrate.RuleSensitivity `json:"rules_for_links"`
	Programme    string                     `json:"programme"`
	Shares       []prescribe.PathShare      `json:"shares"`
	Surface      []prescribe.Cell           `json:"dose_surface"`
	Drivers      []prescribe.Driver         `json:"drivers"`
	Agenda       []prescribe.Measurement    `json:"agenda"`
	post         *calibrate.Posterior
}

// ClassCount counts rows.
type ClassCount struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// agendaDomain is the domain whose drivers and agenda are shown.
const agendaDomain = "global"

// calibrated fills the view; a pack that the shipped posterior was not made
// from leaves it empty, with the reason.
func (c *Content) calibrated(ctx context.Context, p *evidence.Pack, m *axis.Model, o Options) error {
	v := &c.Calibration
	*v = CalibrationView{Observations: []ClassCount{}, Unused: []ClassCount{}, Learned: []calibrate.Change{}, Shares: []prescribe.PathShare{}, Surface: []prescribe.Cell{}, Drivers: []prescribe.Driver{}, Agenda: []prescribe.Measurement{}}
	post, err := calibrate.Shipped(p, m)
	var fe *calibrate.FileError
	if errors.As(err, &fe) {
		v.Missing = err.Error() + ": predictions on this page are from the priors alone"
		return nil
	}
	if err != nil {
		return err
	}
	v.post, v.Pack, v.Model, v.Chains, v.Draws = post, post.Pack, post.Model, post.Chains, post.Draws
	v.WorstRHat, v.LeastESS = Num(post.WorstRHat), Num(post.LeastESS)
	data := calibrate.NewProblem(p, m).Data
	for class, n := range countBy(data.Observations, func(o calibrate.Observation) string { return o.Class.String() }) {
		v.Observations = append(v.Observations, ClassCount{class, n})
	}
	for reason, n := range countBy(data.Unused, func(u calibrate.Unused) string { return u.Reason }) {
		v.Unused = append(v.Unused, ClassCount{reason, n})
	}
	for _, list := range [][]ClassCount{v.Observations, v.Unused} {
		slices.SortFunc(list, func(a, b ClassCount) int {
			return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Name, b.Name))
		})
	}
	v.Learned = calibrate.Learned(m, post)
	if v.Validation = calibrate.ShippedValidation(post); v.Validation != nil {
		v.Sentence = calibrate.Sentence(v.Validation)
	}
	v.Rules = calibrate.ShippedRules(post)
	return v.answers(ctx, m, o, prescribe.NewSupport(data.Observations))
}

func countBy[T any](rows []T, key func(T) string) map[string]int {
	n := map[string]int{}
	for _, r := range rows {
		n[key(r)]++
	}
	return n
}

// answers computes what the posterior says of the example programme and of
// doses.
func (v *CalibrationView) answers(ctx context.Context, m *axis.Model, o Options, s prescribe.Support) (err error) {
	pm, err := prescribe.NewModel(m, v.post)
	if err != nil {
		return err
	}
	prior, err := prescribe.NewModel(m, calibrate.PriorDraws(m, v.post.Len(), o.Seed))
	if err != nil {
		return err
	}
	people := []population.Person{o.Person}
	v.Programme = o.Programme.String()
	if v.Shares, err = prescribe.Shares(pm, prior, o.Programme, people); err != nil {
		return err
	}
	if v.Surface, err = prescribe.Surface(pm, s, people, prescribe.MID); err != nil {
		return err
	}
	if v.Drivers, err = prescribe.Drivers(ctx, pm, agendaDomain, o.Programme, o.Person, 256, o.Seed); err != nil {
		return err
	}
	v.Agenda, err = prescribe.Agenda(pm, agendaDomain, o.Programme, o.Person, o.Seed)
	return err
}

// TopDrivers and TopAgenda are the first rows, for the page.
func (v CalibrationView) TopDrivers() []prescribe.Driver { return v.Drivers[:min(12, len(v.Drivers))] }

// TopAgenda: see TopDrivers.
func (v CalibrationView) TopAgenda() []prescribe.Measurement {
	return v.Agenda[:min(10, len(v.Agenda))]
}

// Informed are the parameters and links of which the data took at least a
// tenth of the prior variance, most first.
func (v CalibrationView) Informed() (out []calibrate.Change) {
	for _, l := range v.Learned {
		if l.Used && l.Learned >= 0.1 {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b calibrate.Change) int { return cmp.Compare(b.Learned, a.Learned) })
	return out
}

// Untouched are the parameters and links of which the data said next to
// nothing.
func (v CalibrationView) Untouched() (out []calibrate.Change) {
	for _, l := range v.Learned {
		if !l.Used || l.Learned < 0.1 {
			out = append(out, l)
		}
	}
	return out
}

// Silent counts them.
func (v CalibrationView) Silent() int { return len(v.Untouched()) }

// shareByRule is the range over the rules for links of the median share of the
// effect on the agenda's domain that runs through the axis.
func (v CalibrationView) shareByRule() (low, high float64, ok bool) {
	if v.Rules == nil {
		return 0, 0, false
	}
	low = 1
	for _, r := range v.Rules.Rules {
		for _, d := range r.Domains {
			if d.Domain == agendaDomain {
				low, high, ok = min(low, d.Share.Median), max(high, d.Share.Median), true
			}
		}
	}
	return low, high, ok
}
