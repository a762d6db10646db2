package report

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/trace"
	"github.com/myoaxis/myoaxis/training"
)

// Options of a report.
type Options struct {
	Programme training.Programme
	Person    population.Person
	N         int // virtual persons of the example
	Seed      uint64
	Command   string // as typed, for the page
}

// Content is everything the report says.
type Content struct {
	Title       string           `json:"title"`
	Command     string           `json:"command"`
	Seed        uint64           `json:"seed"`
	Answer      []Statement      `json:"answer"`
	Evidence    EvidenceView     `json:"evidence"`
	Overall     PoolView         `json:"overall"`
	Domains     []PoolView       `json:"domains"`
	Doses       []DoseView       `json:"dose_response"`
	DoseNotes   []string         `json:"dose_notes"`
	Randomised  []RandomisedView `json:"randomised_doses"`
	Markers     []MarkerView     `json:"markers"`
	Links       []LinkView       `json:"links"`
	Example     *Simulation      `json:"example_programme"`
	Acute       []Series         `json:"acute_responses"`
	Calibration CalibrationView  `json:"calibration"`
	Limits      []string         `json:"limits"`

	graph *trace.Graph
	pack  *evidence.Pack
	model *axis.Model
}

// Statement is one sentence of the answer with the id it rests on.
type Statement struct {
	Text  string `json:"text"`
	Trace string `json:"trace"`
}

// EvidenceView counts what the pack holds.
type EvidenceView struct {
	Studies    int `json:"studies"`
	Contrasts  int `json:"contrasts"`
	ArmResults int `json:"arm_results"`
	Biomarkers int `json:"biomarker_rows"`
	Kinetics   int `json:"kinetic_rows"`
	Claims     int `json:"claims"`
	Parameters int `json:"model_parameters"`
	Assumed    int `json:"model_parameters_assumed"`
}

// Build computes the content of a report from a pack without errors.
func Build(ctx context.Context, p *evidence.Pack, o Options) (*Content, error) {
	m, err := axis.Build(p)
	if err != nil {
		return nil, err
	}
	c := &Content{Title: "Resistance training and cognition in older adults: what the record supports", Command: o.Command, Seed: o.Seed, pack: p, model: m}
	c.Evidence = EvidenceView{Studies: len(p.Studies), Contrasts: len(p.Contrasts), ArmResults: len(p.ArmResults), Biomarkers: len(p.Biomarkers), Kinetics: len(p.Kinetics), Claims: len(p.Claims), Parameters: len(m.K.Params)}
	for _, par := range m.K.Params {
		if axis.Assumed(par) {
			c.Evidence.Assumed++
		}
	}
	pools, err := c.pool(p)
	if err != nil {
		return nil, err
	}
	if err := c.doses(pools[0]); err != nil {
		return nil, err
	}
	c.Randomised = NewRandomisedViews(doseresponse.RandomisedDoses(p))
	c.Markers = NewMarkerViews(p)
	c.Links = NewLinkViews(m)
	if err := c.calibrated(ctx, p, m, o); err != nil {
		return nil, err
	}
	if err := c.simulate(ctx, m, o); err != nil {
		return nil, err
	}
	c.graph = trace.Build(p, m, c.Calibration.post, pools)
	c.Limits = limits(c)
	c.Answer = answer(c)
	return c, nil
}

// pool fits every domain; the first is all of them together.
func (c *Content) pool(p *evidence.Pack) ([]*synthesis.Pool, error) {
	names := append([]string{"overall"}, evidence.Domains...)
	pools := make([]*synthesis.Pool, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, d := range names {
		wg.Go(func() {
			pools[i], errs[i] = synthesis.PoolDomain(p, synthesis.Options{Selection: synthesis.Selection{Domain: d}})
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("pooling %s: %w", names[i], err)
		}
	}
	c.Overall = NewPoolView(pools[0])
	for _, q := range pools[1:] {
		c.Domains = append(c.Domains, NewPoolView(q))
	}
	return pools, nil
}

func (c *Content) doses(overall *synthesis.Pool) error {
	c.Doses, c.DoseNotes = []DoseView{}, []string{}
	for _, v := range doseresponse.Variables {
		r, err := doseresponse.Fit(overall.Used, v, doseresponse.Average, nil, 0.95)
		if errors.Is(err, doseresponse.ErrTooFewDoses) {
			c.DoseNotes = append(c.DoseNotes, fmt.Sprintf("%s: %v", v.Label, err))
			continue
		}
		if err != nil {
			return err
		}
		c.Doses = append(c.Doses, NewDoseView(r, "overall"))
	}
	return nil
}

func (c *Content) simulate(ctx context.Context, m *axis.Model, o Options) (err error) {
	c.Example, err = Simulate(ctx, Plan{Model: m, Posterior: c.Calibration.post, Studied: NewStudied(c.pack), Programme: o.Programme, Person: o.Person, N: o.N, Seed: o.Seed, EveryH: training.HoursPerWeek, AfterW: 8})
	if err != nil {
		return err
	}
	// the first session and the day after, in fine steps
	one := training.Programme{Phases: []training.Phase{o.Programme.Phases[0]}}
	one.Phases[0].Weeks = 1
	first := one.Schedule()
	if len(first) == 0 {
		c.Acute = []Series{}
		return nil
	}
	run := population.Run{Model: m, Programme: &one, Person: o.Person, N: o.N, Seed: o.Seed}
	if c.Calibration.post != nil {
		run.Posterior = c.Calibration.post
	}
	for h := -0.5; h <= 24.01; h += 0.25 {
		run.Times = append(run.Times, first[0].Start+h)
	}
	e, err := run.Simulate(ctx)
	if err != nil {
		return err
	}
	for _, n := range []string{"irisin.fold", "bdnf.fold", "il6.fold", "il15.fold", "igf1.fold"} {
		k := e.Index(n)
		s := Series{ID: n, Entity: axis.EntityOf(n), Unit: "fold of rest"}
		for i, t := range e.Times {
			s.Points = append(s.Points, SeriesPoint{Num(t - first[0].Start), quantiles(e.Series(k, i))})
		}
		c.Acute = append(c.Acute, s)
	}
	return nil
}

func limits(c *Content) []string {
	o := c.Overall
	return []string{
		fmt.Sprintf("Of %d pooled results %d come from an abstract or a summary only; %d of %d studies print a number for any pooled outcome.", len(o.Rows), abstractRows(o), o.NumericStud, o.Flow.Studies),
		"Abstracts mention significant outcomes more readily. The selective-mention curves show what the pooled effect becomes if a non-significant outcome is mentioned with a lower probability; the data themselves favour a probability well below 1.",
		"Arm sizes that a paper does not print are the whole sample split evenly, or the pack's median (counted in the flow).",
		"Raw mean differences are standardised through their test statistic, which ignores adjustment for baseline.",
		"Dose–response compares trials that differ in more than the dose; only the trials in the table of randomised doses separate the two.",
		axisLimit(c),
		"No human value was found for blood–brain transfer of any factor, for the half-lives of irisin, IL-15, plasma BDNF and cathepsin B, or for gains from brain state to cognition.",
		"This is no medical advice.",
	}
}

func axisLimit(c *Content) string {
	s := fmt.Sprintf("The axis model has %d parameters and links, %d of them assumed. ", c.Evidence.Parameters, c.Evidence.Assumed)
	if c.Calibration.post == nil {
		return s + "Its predictions are prior predictive: they are not fitted to trials and must not be read as effects of a programme."
	}
	return s + fmt.Sprintf("The data left %d of its %d uncertain quantities where the priors had them; what rests on those is an assumption with a width.", c.Calibration.Silent(), len(c.Calibration.Learned))
}

func abstractRows(p PoolView) (n int) {
	for _, r := range p.Rows {
		if r.AbstractOnly {
			n++
		}
	}
	return n
}
