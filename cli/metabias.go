package cli

import (
	"fmt"
	"math"
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
	Type        string        `json:"type"`
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
	Clustered  *clusteredOut `json:"clustered,omitempty"`
}

// clusteredOut is the adjustment for effects that depend on one another.
type clusteredOut struct {
	Cluster   string      `json:"cluster"`
	Clusters  int         `json:"n_clusters"`
	Rho       float64     `json:"rho"`
	Slope     termOut     `json:"slope_cr2"`
	PET       termOut     `json:"pet_cr2"`
	PEESE     termOut     `json:"peese_cr2"`
	Choice    string      `json:"pet_peese_choice"`
	Draws     int         `json:"bootstrap_draws"`
	Failed    int         `json:"bootstrap_failed"`
	Selection report.Full `json:"selection_estimate"`
	CILow     report.Full `json:"selection_ci_low"`
	CIHigh    report.Full `json:"selection_ci_high"`
	SE        report.Full `json:"selection_se"`
	Note      string      `json:"note,omitempty"`
}

func (a *app) metaBiasCmd() *cobra.Command {
	f := newMetaFlags()
	var o biasFlags
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
			}{{"estimator", o.estimator, []string{"L0", "R0", "Q0"}}, {"side", o.side, []string{"", "left", "right"}}, {"alternative", o.alternative, []string{"greater", "less", "two.sided"}}, {"selection", o.kind, []string{"stepfun", "beta", "halfnorm", "negexp", "logistic", "power"}}} {
				if !slices.Contains(c.known, c.value) {
					return usage(fmt.Errorf("--%s %q is not known", c.flag, c.value), "one of "+strings.TrimSpace(strings.Join(c.known, " ")))
				}
			}
			out, err := biasOf(d, o)
			if err != nil {
				return dataFault(args[0], err)
			}
			if o.cluster != "" {
				if err := column(d.table, o.cluster, "cluster"); err != nil {
					return err
				}
				if out.Clustered, err = o.clustered(d, out); err != nil {
					return dataFaultUnlessUsage(args[0], err)
				}
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
	o.add(c)
	return c
}

// biasFlags choose among the methods.
type biasFlags struct {
	estimator, side, alternative, kind, cluster string
	steps                                       []float64
	rho                                         float64
	draws                                       int
	seed                                        uint64
}

func (o *biasFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&o.estimator, "estimator", "L0", "trim and fill: L0, R0 or Q0")
	fl.StringVar(&o.side, "side", "", "trim and fill: side on which effects are missing (default: by the slope)")
	fl.StringVar(&o.kind, "selection", "stepfun", "selection model: stepfun, beta, halfnorm, negexp, logistic or power")
	fl.Float64SliceVar(&o.steps, "steps", []float64{0.025}, "selection model: steps of the p-value (stepfun)")
	fl.StringVar(&o.alternative, "alternative", "greater", "selection model: direction of the favoured effects: greater, less or two.sided")
	fl.StringVar(&o.cluster, "cluster", "", "column of the clusters: PET-PEESE with CR2, selection model with a bootstrap of whole clusters")
	fl.Float64Var(&o.rho, "rho", 0.6, "with --cluster: assumed correlation of sampling errors within a cluster")
	fl.IntVar(&o.draws, "bootstrap", 500, "with --cluster: draws")
	fl.Uint64Var(&o.seed, "seed", 1, "with --cluster: seed of the draws")
}

// clustered repeats PET-PEESE and the selection model for dependent effects.
func (o biasFlags) clustered(d *metaData, out *biasOut) (*clusteredOut, error) {
	if !(o.rho >= 0 && o.rho < 1) || o.draws < 20 || o.draws > 100_000 {
		return nil, usage(fmt.Errorf("--rho lies between 0 and 1 and --bootstrap between 20 and 100000"), "for example --rho 0.6 --bootstrap 500")
	}
	cluster := d.texts(o.cluster)
	c, err := synthesis.AsymmetryInClusters(d.y, d.v, cluster, o.rho, d.opt.Level)
	if err != nil {
		return nil, err
	}
	nan := report.Full(math.NaN())
	r := &clusteredOut{Cluster: o.cluster, Clusters: c.Clusters, Rho: o.rho, Slope: newTerm(c.Slope), PET: newTerm(c.PET), PEESE: newTerm(c.PEESE), Choice: c.Choice, Selection: nan, CILow: nan, CIHigh: nan, SE: nan}
	if out.Selection == nil {
		r.Note = out.SelectNote
		return r, nil
	}
	low, high, se, failed, err := synthesis.BootstrapSelection(d.y, d.v, cluster, synthesis.SelectionType(o.kind), o.steps, o.alternative, d.opt.Level, o.draws, o.seed)
	if err != nil {
		r.Note = err.Error()
		return r, nil
	}
	n := func(v float64) report.Full { return report.Full(v) }
	r.Draws, r.Failed, r.Selection, r.CILow, r.CIHigh, r.SE = o.draws, failed, out.Selection.Estimate, n(low), n(high), n(se)
	return r, nil
}

func biasOf(d *metaData, o biasFlags) (*biasOut, error) {
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
	tf, err := synthesis.TrimAndFill(d.y, d.v, o.estimator, o.side, d.opt)
	if err != nil {
		return nil, err
	}
	n := func(v float64) report.Full { return report.Full(v) }
	out := &biasOut{K: len(d.y), Egger: eggerOut{egger.Model, egger.Predictor, newTerm(egger.Slope), newTerm(egger.Limit)}, EggerRMA: eggerOut{rma.Model, rma.Predictor, newTerm(rma.Slope), newTerm(rma.Limit)},
		RankTau: n(tau), RankP: n(p), TrimFill: fillOut{tf.Estimator, tf.Side, tf.K0, n(tf.SEK0), newTerm(tf.Meta.Terms[0]), n(tf.Meta.Tau2)}, PET: newTerm(egger.Limit), PEESE: newTerm(peese.Limit), PETPEESE: "PET"}
	if egger.Limit.P < 0.1 && egger.Limit.Estimate != 0 { // one-sided 0.05, as the rule is used
		out.PETPEESE = "PEESE"
	}
	for i := 1; i < len(o.steps); i++ {
		if o.steps[i] <= o.steps[i-1] {
			return nil, &synthesis.DataError{Message: "--steps are p-values between 0 and 1 in ascending order"}
		}
	}
	m, err := synthesis.SelectModel(d.y, d.v, synthesis.SelectionType(o.kind), o.steps, o.alternative, d.opt.Level)
	if err != nil { // the other methods stand without it
		out.SelectNote = err.Error()
		return out, nil
	}
	out.Selection = &selectionOut{Type: string(m.Type), Steps: m.Steps, Alternative: m.Alternative, Counts: m.Counts, Estimate: n(m.Estimate), SE: n(m.SE), P: n(m.P), CILow: n(m.Low), CIHigh: n(m.High), Tau2: n(m.Tau2), LogLik: n(m.LogLik), LRT: n(m.LRT), LRTP: n(m.LRTP)}
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
		fmt.Fprintf(w, "selection model, %s\t%.4g\t%.4g to %.4g\tp %.4g; against none p %.4g\n", s.Type, float64(s.Estimate), float64(s.CILow), float64(s.CIHigh), float64(s.P), float64(s.LRTP))
	} else {
		fmt.Fprintf(w, "selection model\tnot fitted: %s\n", o.SelectNote)
	}
	if c := o.Clustered; c != nil {
		fmt.Fprintf(w, "\nfor dependent effects, %d clusters of %s, rho %g\t\t\t\n", c.Clusters, c.Cluster, c.Rho)
		row("slope, CR2", c.Slope)
		row("PET, CR2", c.PET)
		row("PEESE, CR2", c.PEESE)
		fmt.Fprintf(w, "PET-PEESE takes\t%s\t\t\n", c.Choice)
		if c.Note == "" {
			fmt.Fprintf(w, "selection model, bootstrap of clusters\t%.4g\t%.4g to %.4g\t%d draws, %d not fitted\n", float64(c.Selection), float64(c.CILow), float64(c.CIHigh), c.Draws, c.Failed)
		} else {
			fmt.Fprintf(w, "selection model\tnot fitted: %s\n", c.Note)
		}
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
	BLUP     report.Full `json:"blup"`
	BLUPSE   report.Full `json:"blup_se"`
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
			m, err := synthesis.Analyse(d.y, d.v, d.x, d.names, d.opt)
			if err != nil {
				return dataFault(args[0], err)
			}
			shrunken := m.BLUPs(d.y, d.v, d.x)
			var out []influenceOut
			n := func(v float64) report.Full { return report.Full(v) }
			for i, q := range in {
				out = append(out, influenceOut{d.table.Lines[d.rows[i]], label(d, i), n(q.RStudent), n(q.DFFITS), n(q.CookD), n(q.CovRatio), n(q.Tau2Del), n(q.QDel), n(q.Hat), n(q.Weight), n(q.Estimate), n(q.SE), n(shrunken[i].Estimate), n(shrunken[i].SE)})
			}
			if a.json {
				return a.printJSON(map[string]any{"k": len(out), "method": f.method, "effects": out})
			}
			w := tabwriter.NewWriter(a.sys.Stdout, 2, 8, 2, ' ', 0)
			fmt.Fprintln(w, "effect\trstudent\tDFFITS\tCook's d\tcov. ratio\ttau² without\that\tweight %\testimate without (se)\tshrunken (se)")
			for _, o := range out {
				fmt.Fprintf(w, "%s\t%.3g\t%.3g\t%.3g\t%.3g\t%.3g\t%.3g\t%.3g\t%.4g (%.3g)\t%.4g (%.3g)\n", o.Label, float64(o.RStudent), float64(o.DFFITS), float64(o.CookD), float64(o.CovRatio), float64(o.Tau2), float64(o.Hat), float64(o.Weight), float64(o.Estimate), float64(o.SE), float64(o.BLUP), float64(o.BLUPSE))
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
