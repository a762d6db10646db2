package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
)

type termOut struct {
	Estimate report.Full `json:"estimate"`
	SE       report.Full `json:"se"`
	Stat     report.Full `json:"stat"`
	DF       report.Full `json:"df"`
	P        report.Full `json:"p"`
	CILow    report.Full `json:"ci_low"`
	CIHigh   report.Full `json:"ci_high"`
}

func newTerm(t synthesis.Term) termOut {
	n := func(v float64) report.Full { return report.Full(v) }
	return termOut{n(t.Estimate), n(t.SE), n(t.Stat), n(t.DF), n(t.P), n(t.Low), n(t.High)}
}

type eggerOut struct {
	Model     string  `json:"model"`
	Predictor string  `json:"predictor"`
	Slope     termOut `json:"slope"`
	Limit     termOut `json:"limit"`
}

type fillOut struct {
	Estimator string      `json:"estimator"`
	Side      string      `json:"side"`
	K0        int         `json:"k0"`
	K0SE      report.Full `json:"k0_se"`
	Filled    termOut     `json:"filled"`
	Tau2      report.Full `json:"tau2"`
}

type selectionOut struct {
	Steps       []float64     `json:"steps"`
	Alternative string        `json:"alternative"`
	Counts      []int         `json:"effects_by_interval"`
	Delta       []report.Full `json:"relative_chance_reported"`
	Estimate    report.Full   `json:"estimate"`
	SE          report.Full   `json:"se"`
	P           report.Full   `json:"p"`
	CILow       report.Full   `json:"ci_low"`
	CIHigh      report.Full   `json:"ci_high"`
	Tau2        report.Full   `json:"tau2"`
	LogLik      report.Full   `json:"loglik"`
	LRT         report.Full   `json:"lrt"`
	LRTP        report.Full   `json:"lrt_p"`
}

type biasOut struct {
	K          int           `json:"k"`
	Egger      eggerOut      `json:"egger"`
	EggerRMA   eggerOut      `json:"egger_random"`
	RankTau    report.Full   `json:"rank_tau"`
	RankP      report.Full   `json:"rank_p"`
	TrimFill   fillOut       `json:"trimfill"`
	PET        termOut       `json:"pet"`
	PEESE      termOut       `json:"peese"`
	PETPEESE   string        `json:"pet_peese_choice"`
	Selection  *selectionOut `json:"selection"`
	SelectNote string        `json:"selection_note,omitempty"`
}

func (a *app) metaBiasCmd() *cobra.Command {
	f := newMetaFlags()
	var estimator, side, alternative string
	var steps []float64
	c := &cobra.Command{Use: "bias FILE.csv", Short: "Small-study effects: Egger, rank test, trim and fill, PET, PEESE, selection model", Args: oneFile,
		Example: "  myoaxis meta bias effects.csv\n  myoaxis meta bias effects.csv --method REML --steps 0.025,0.5 --json",
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := f.prepare(a, args[0])
			if err != nil {
				return err
			}
			for _, c := range []struct {
				flag, value string
				known       []string
			}{{"estimator", estimator, []string{"L0", "R0", "Q0"}}, {"side", side, []string{"", "left", "right"}}, {"alternative", alternative, []string{"greater", "less", "two.sided"}}} {
				if !slices.Contains(c.known, c.value) {
					return usage(fmt.Errorf("--%s %q is not known", c.flag, c.value), "one of "+strings.TrimSpace(strings.Join(c.known, " ")))
				}
			}
			out, err := biasOf(d, estimator, side, alternative, steps)
			if err != nil {
				return dataFault(args[0], err)
			}
			if a.json {
				return a.printJSON(out)
			}
			a.biasText(out)
			return nil
		}}
	f.addEffects(c)
	f.addModel(c)
	a.jsonFlag(c)
	c.Flags().StringVar(&estimator, "estimator", "L0", "trim and fill: L0, R0 or Q0")
	c.Flags().StringVar(&side, "side", "", "trim and fill: side on which effects are missing (default: by the slope)")
	c.Flags().Float64SliceVar(&steps, "steps", []float64{0.025}, "selection model: steps of the p-value")
	c.Flags().StringVar(&alternative, "alternative", "greater", "selection model: direction of the favoured effects: greater, less or two.sided")
	return c
}

func biasOf(d *metaData, estimator, side, alternative string, steps []float64) (*biasOut, error) {
	egger, err := synthesis.Egger(d.y, d.v, "sei", d.opt.Level)
	if err != nil {
		return nil, err
	}
	peese, err := synthesis.Egger(d.y, d.v, "vi", d.opt.Level)
	if err != nil {
		return nil, err
	}
	rma, err := synthesis.EggerRandom(d.y, d.v, "sei", d.opt)
	if err != nil {
		return nil, err
	}
	tau, p, err := synthesis.RankTest(d.y, d.v)
	if err != nil {
		return nil, err
	}
	tf, err := synthesis.TrimAndFill(d.y, d.v, estimator, side, d.opt)
	if err != nil {
		return nil, err
	}
	n := func(v float64) report.Full { return report.Full(v) }
	out := &biasOut{K: len(d.y), Egger: eggerOut{egger.Model, egger.Predictor, newTerm(egger.Slope), newTerm(egger.Limit)}, EggerRMA: eggerOut{rma.Model, rma.Predictor, newTerm(rma.Slope), newTerm(rma.Limit)},
		RankTau: n(tau), RankP: n(p), TrimFill: fillOut{tf.Estimator, tf.Side, tf.K0, n(tf.SEK0), newTerm(tf.Meta.Terms[0]), n(tf.Meta.Tau2)}, PET: newTerm(egger.Limit), PEESE: newTerm(peese.Limit), PETPEESE: "PET"}
	if egger.Limit.P < 0.1 && egger.Limit.Estimate != 0 { // one-sided 0.05, as the rule is used
		out.PETPEESE = "PEESE"
	}
	for i := 1; i < len(steps); i++ {
		if steps[i] <= steps[i-1] {
			return nil, &synthesis.DataError{Message: "--steps are p-values between 0 and 1 in ascending order"}
		}
	}
	m, err := synthesis.SelectModel(d.y, d.v, synthesis.StepFunction, steps, alternative, d.opt.Level)
	if err != nil { // the other methods stand without it
		out.SelectNote = err.Error()
		return out, nil
	}
	out.Selection = &selectionOut{Steps: m.Steps, Alternative: m.Alternative, Counts: m.Counts, Estimate: n(m.Estimate), SE: n(m.SE), P: n(m.P), CILow: n(m.Low), CIHigh: n(m.High), Tau2: n(m.Tau2), LogLik: n(m.LogLik), LRT: n(m.LRT), LRTP: n(m.LRTP)}
	for _, x := range m.Delta {
		out.Selection.Delta = append(out.Selection.Delta, n(x))
	}
	return out, nil
}

func (a *app) biasText(o *biasOut) {
	w := tabwriter.NewWriter(a.sys.Stdout, 2, 8, 2, ' ', 0)
	row := func(name string, t termOut) {
		fmt.Fprintf(w, "%s\t%.4g\t%.4g to %.4g\tp %.4g\n", name, float64(t.Estimate), float64(t.CILow), float64(t.CIHigh), float64(t.P))
	}
	row("Egger's slope (weighted least squares)", o.Egger.Slope)
	row("Egger's slope (random effects)", o.EggerRMA.Slope)
	fmt.Fprintf(w, "rank test, Kendall's tau\t%.4g\t\tp %.4g\n", float64(o.RankTau), float64(o.RankP))
	row(fmt.Sprintf("trim and fill, %s, %d filled on the %s", o.TrimFill.Estimator, o.TrimFill.K0, o.TrimFill.Side), o.TrimFill.Filled)
	row("PET", o.PET)
	row("PEESE", o.PEESE)
	fmt.Fprintf(w, "PET-PEESE takes\t%s\t\t\n", o.PETPEESE)
	if s := o.Selection; s != nil {
		fmt.Fprintf(w, "selection by steps of p\t%.4g\t%.4g to %.4g\tp %.4g; against none p %.4g\n", float64(s.Estimate), float64(s.CILow), float64(s.CIHigh), float64(s.P), float64(s.LRTP))
	} else {
		fmt.Fprintf(w, "selection by steps of p\tnot fitted: %s\n", o.SelectNote)
	}
	w.Flush()
	fmt.Fprintln(a.sys.Stdout, "Small-study effects are not always publication bias; none of these methods is sure with few or heterogeneous effects.")
}

type influenceOut struct {
	Row      int         `json:"row"`
	Label    string      `json:"label"`
	RStudent report.Full `json:"rstudent"`
	DFFITS   report.Full `json:"dffits"`
	CookD    report.Full `json:"cooks_d"`
	CovRatio report.Full `json:"cov_ratio"`
	Tau2     report.Full `json:"tau2_without"`
	Q        report.Full `json:"q_without"`
	Hat      report.Full `json:"hat"`
	Weight   report.Full `json:"weight_pct"`
	Estimate report.Full `json:"estimate_without"`
	SE       report.Full `json:"se_without"`
}

func (a *app) metaInfluenceCmd() *cobra.Command {
	f := newMetaFlags()
	c := &cobra.Command{Use: "influence FILE.csv", Short: "Leave-one-out fits and influence diagnostics", Args: oneFile,
		Example: "  myoaxis meta influence effects.csv --json",
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := f.prepare(a, args[0])
			if err != nil {
				return err
			}
			in, err := synthesis.Influences(d.y, d.v, d.x, d.names, d.opt)
			if err != nil {
				return dataFault(args[0], err)
			}
			var out []influenceOut
			n := func(v float64) report.Full { return report.Full(v) }
			for i, q := range in {
				out = append(out, influenceOut{d.table.Lines[d.rows[i]], label(d, i), n(q.RStudent), n(q.DFFITS), n(q.CookD), n(q.CovRatio), n(q.Tau2Del), n(q.QDel), n(q.Hat), n(q.Weight), n(q.Estimate), n(q.SE)})
			}
			if a.json {
				return a.printJSON(map[string]any{"k": len(out), "method": f.method, "effects": out})
			}
			w := tabwriter.NewWriter(a.sys.Stdout, 2, 8, 2, ' ', 0)
			fmt.Fprintln(w, "effect\trstudent\tDFFITS\tCook's d\tcov. ratio\ttau² without\that\tweight %\testimate without (se)")
			for _, o := range out {
				fmt.Fprintf(w, "%s\t%.3g\t%.3g\t%.3g\t%.3g\t%.3g\t%.3g\t%.3g\t%.4g (%.3g)\n", o.Label, float64(o.RStudent), float64(o.DFFITS), float64(o.CookD), float64(o.CovRatio), float64(o.Tau2), float64(o.Hat), float64(o.Weight), float64(o.Estimate), float64(o.SE))
			}
			return w.Flush()
		}}
	f.addEffects(c)
	f.addModel(c)
	f.addModerators(c)
	a.jsonFlag(c)
	return c
}

// label names effect i of the fit.
func label(d *metaData, i int) string { return rowLabel(d, d.rows[i]) }

// rowLabel names a row of the table by the columns before the effect size.
func rowLabel(d *metaData, row int) string {
	var parts []string
	for _, h := range d.table.Header {
		if len(parts) == 2 || h == "yi" {
			break
		}
		if v := d.table.Text(row, h); v != "" {
			parts = append(parts, v)
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("line %d", d.table.Lines[row])
	}
	return strings.Join(parts, " ")
}

type cumulativeOut struct {
	Label    string      `json:"added"`
	K        int         `json:"k"`
	Estimate report.Full `json:"estimate"`
	SE       report.Full `json:"se"`
	CILow    report.Full `json:"ci_low"`
	CIHigh   report.Full `json:"ci_high"`
	Tau2     report.Full `json:"tau2"`
}

func (a *app) metaCumulativeCmd() *cobra.Command {
	f := newMetaFlags()
	c := &cobra.Command{Use: "cumulative FILE.csv", Short: "The pooled effect as effects are added in the order of the file", Args: oneFile,
		Example: "  myoaxis meta cumulative effects.csv",
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := f.prepare(a, args[0])
			if err != nil {
				return err
			}
			ms, err := synthesis.Cumulative(d.y, d.v, d.opt)
			if err != nil {
				return dataFault(args[0], err)
			}
			var out []cumulativeOut
			n := func(v float64) report.Full { return report.Full(v) }
			for i, m := range ms {
				t := m.Terms[0]
				out = append(out, cumulativeOut{label(d, i), i + 1, n(t.Estimate), n(t.SE), n(t.Low), n(t.High), n(m.Tau2)})
			}
			if a.json {
				return a.printJSON(map[string]any{"method": f.method, "steps": out})
			}
			w := tabwriter.NewWriter(a.sys.Stdout, 2, 8, 2, ' ', 0)
			fmt.Fprintln(w, "added\tk\testimate\tinterval\ttau²")
			for _, o := range out {
				fmt.Fprintf(w, "+ %s\t%d\t%.4g\t%.4g to %.4g\t%.4g\n", o.Label, o.K, float64(o.Estimate), float64(o.CILow), float64(o.CIHigh), float64(o.Tau2))
			}
			return w.Flush()
		}}
	f.addEffects(c)
	f.addModel(c)
	a.jsonFlag(c)
	return c
}
