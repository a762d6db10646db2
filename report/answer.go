package report

import (
	"fmt"
	"strings"

	"github.com/myoaxis/myoaxis/figure"
)

// answer is the summary in plain words, from the numbers of the content.
func answer(c *Content) []Statement {
	var out []Statement
	say := func(trace, format string, args ...any) {
		out = append(out, Statement{fmt.Sprintf(format, args...), trace})
	}
	o := c.Overall
	if o.All == nil {
		return []Statement{{"No result in this evidence can be pooled.", o.ID}}
	}
	say(o.ID, "Across all cognitive domains, %d results from %d cohorts of older adults put the effect of resistance training at %s SD (95%% interval %s to %s); the true effect in a new trial may lie between %s and %s.",
		o.All.Rows, o.All.Cohorts, num(o.All.Estimate), num(o.All.CILow), num(o.All.CIHigh), num(o.All.PILow), num(o.All.PIHigh))
	if c.Calibration.Sentence != "" {
		say("calibration", "The muscle–brain axis was calibrated and judged. %s", c.Calibration.Sentence)
	}
	if o.NumericOnly != nil {
		say(o.ID, "Only %d of %d studies print a number. Dropping the others would have given %s SD (%s to %s).", o.NumericStud, o.Flow.Studies, num(o.NumericOnly.Estimate), num(o.NumericOnly.CILow), num(o.NumericOnly.CIHigh))
	}
	if best, at := bestOmega(o); at != nil {
		say("omega-overall-t", "That figure trusts abstracts to mention every outcome. The data fit best if a non-significant outcome is mentioned with probability %s; the effect is then %s SD (%s to %s).", num(best), num(at.Estimate), num(at.CILow), num(at.CIHigh))
	}
	var clear, open []string
	for _, d := range c.Domains {
		if d.All == nil {
			continue
		}
		text := fmt.Sprintf("%s %s (%s to %s)", Words(d.Domain), num(d.All.Estimate), num(d.All.CILow), num(d.All.CIHigh))
		if float64(d.All.CILow) > 0 {
			clear = append(clear, text)
		} else {
			open = append(open, text)
		}
	}
	if len(clear) > 0 {
		say("domains", "The interval excludes no effect for: %s.", strings.Join(clear, "; "))
	}
	if len(open) > 0 {
		say("domains", "It does not for: %s.", strings.Join(open, "; "))
	}
	out = append(out, doseAnswer(c)...)
	if e := c.Example; e != nil && len(e.Domains) > 0 {
		g := e.Domains[len(e.Domains)-1]
		if g.NewGroup != nil {
			say("programme", "The calibrated axis expects %s SD of the example programme for global cognition (95%% interval %s to %s; in a new group %s to %s).", num(g.Gain.Median), num(g.Gain.Q025), num(g.Gain.Q975), num(g.NewGroup.Q025), num(g.NewGroup.Q975))
		} else {
			say("parameters", "Through the muscle–brain axis, the example programme moves global cognition by %s SD (95%% of virtual persons %s to %s) — %s.", num(g.Gain.Median), num(g.Gain.Q025), num(g.Gain.Q975), e.Label)
		}
	}
	for _, s := range c.Calibration.Shares {
		if s.Domain == agendaDomain && s.Path == "axis" {
			say("calibration", "How much of that runs through myokines and the brain and not beside them is open: %s%% (95%% interval %s to %s; before the data %s to %s).", percent(s.Share.Median), percent(s.Share.Low), percent(s.Share.High), percent(s.Prior.Low), percent(s.Prior.High))
			if lo, hi, ok := c.Calibration.shareByRule(); ok {
				say("calibration", "Under other prior rules for the links its median runs from %s%% to %s%%: the trials do not settle it.", percent(lo), percent(hi))
			}
		}
	}
	return out
}

func num(n Num) string { return figure.Num(float64(n)) }

// bestOmega is the probability of mention with the highest profile likelihood.
func bestOmega(p PoolView) (Num, *OmegaPoint) {
	var at *OmegaPoint
	for i := range p.Omega {
		if at == nil || p.Omega[i].RelLogLik > at.RelLogLik {
			at = &p.Omega[i]
		}
	}
	if at == nil || at.Omega == 1 {
		return 1, nil
	}
	return at.Omega, at
}

func doseAnswer(c *Content) (out []Statement) {
	for _, d := range c.Doses {
		if d.By != "frequency" && d.By != "weeks" {
			continue
		}
		flat := 0.0
		for _, w := range d.Weights {
			if w.Shape == "flat" {
				flat = float64(w.Weight)
			}
		}
		verdict := "favour some dose–response"
		if flat > 0.3 {
			verdict = "cannot tell a dose–response from none"
		}
		out = append(out, Statement{fmt.Sprintf("%s (%s to %s %s studied, %d cohorts): the trials %s; a flat line carries %s%% of the weight.",
			d.Label, plain(d.DoseMin), plain(d.DoseMax), d.Unit, d.Cohorts, verdict, percent(flat)), "dose-" + d.By + "-t"})
	}
	return out
}

// plain writes a round number without decimals it does not need.
func plain(n Num) string { return fmt.Sprintf("%.4g", float64(n)) }

func percent(share float64) string { return fmt.Sprintf("%.0f", 100*share) }
