package calibrate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/training"
)

// RuleSensitivity is what the conclusions are under other rules for the prior
// probability of links.
type RuleSensitivity struct {
	Pack      string        `json:"pack"`
	Model     string        `json:"model"`
	Programme string        `json:"programme"`
	Rules     []RuleOutcome `json:"rules"`
}

// RuleOutcome is one rule's posterior in its conclusions.
type RuleOutcome struct {
	Rule      axis.Rule    `json:"rule"`
	WorstRHat float64      `json:"worst_rhat"`
	Domains   []RuleDomain `json:"domains"`
}

// RuleDomain is the gain of one domain at the end of the reference programme,
// and the share of it through the axis.
type RuleDomain struct {
	Domain string   `json:"domain"`
	Gain   Interval `json:"gain_sd"`
	Share  Interval `json:"share_through_axis"`
}

// Interval is a median with its central 95 %.
type Interval struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low_95"`
	High   float64 `json:"high_95"`
}

// MarshalJSON writes null for what no draw defines.
func (i Interval) MarshalJSON() ([]byte, error) {
	num := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	return json.Marshal(struct {
		Median *float64 `json:"median"`
		Low    *float64 `json:"low_95"`
		High   *float64 `json:"high_95"`
	}{num(i.Median), num(i.Low), num(i.High)})
}

// NewInterval summarises draws; NaN is left out.
func NewInterval(draws []float64) Interval {
	s := slices.DeleteFunc(slices.Clone(draws), func(v float64) bool { return math.IsNaN(v) })
	if len(s) == 0 {
		return Interval{nan, nan, nan}
	}
	slices.Sort(s)
	return Interval{round6(synthesis.Quantile(s, 0.5)), round6(synthesis.Quantile(s, 0.025)), round6(synthesis.Quantile(s, 0.975))}
}

func round6(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// ReferenceProgramme is what conclusions are stated for.
const ReferenceProgramme = "2x/week, 24 weeks: 6 exercises, 3x10 @ 2 RIR"

// Domains of the model, in the order of reports.
var Domains = []string{"memory", "executive", "speed", "visuospatial", "global"}

// Share is the part of a gain that comes through the axis: |axis| over |axis| +
// |direct|; NaN where both are nil.
func Share(gain, through float64) float64 {
	a, d := math.Abs(through), math.Abs(gain-through)
	if a+d < 1e-9 {
		return nan
	}
	return a / (a + d)
}

// conclude states a posterior's conclusions for the reference programme.
func conclude(m *axis.Model, post *Posterior) ([]RuleDomain, error) {
	prog, err := training.Parse(ReferenceProgramme)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range Domains {
		names = append(names, d+".gain", d+".axis")
	}
	p, err := NewPredictor(m, post, names)
	if err != nil {
		return nil, err
	}
	w := prog.Weeks()
	out, err := p.Predict(Scenario{Weeks: Weeks(prog.Schedule(), int(w)), At: []float64{w}})
	if err != nil {
		return nil, err
	}
	var ds []RuleDomain
	for k, d := range Domains {
		g, a := out[2*k][0], out[2*k+1][0]
		share := make([]float64, len(g))
		for i := range g {
			share[i] = Share(g[i], a[i])
		}
		ds = append(ds, RuleDomain{d, NewInterval(g), NewInterval(share)})
	}
	return ds, nil
}

// CompareRules calibrates under every other rule and states the conclusions
// beside those of the posterior given.
func CompareRules(ctx context.Context, p *evidence.Pack, m *axis.Model, post *Posterior, set Settings) (*RuleSensitivity, error) {
	out := &RuleSensitivity{Pack: post.Pack, Model: post.Model, Programme: ReferenceProgramme}
	for _, rule := range axis.Rules {
		at := post
		if rule != post.Rule {
			set.Rule = rule
			var err error
			var loose *ConvergenceError // its R-hat is printed with the conclusions
			if at, err = Run(ctx, p, m, set); err != nil && !errors.As(err, &loose) {
				return nil, err
			}
		}
		ds, err := conclude(m, at)
		if err != nil {
			return nil, err
		}
		out.Rules = append(out.Rules, RuleOutcome{rule, at.WorstRHat, ds})
	}
	return out, nil
}
