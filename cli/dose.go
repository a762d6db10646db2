package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
)

// doseFlags say how a user's file of doses is read and fitted.
type doseFlags struct {
	*metaFlags
	by, shape           string
	at, knots           []float64
	id, outcome, time   string
	arms, mean, sd, n   string
	meanPre, sdPre      string
	cases, design       string
	scale, covariance   string
	stages              int
	reference, effect   float64
	origin              bool
	reported, direction string
	seed                uint64
	emit                string
	many                bool
	bayes               bool
	agent               string
}

func (f *doseFlags) add(c *cobra.Command) {
	fl := c.Flags()
	for _, x := range [][2]string{{"yi", "effect or log relative risk"}, {"vi", "its variance"}, {"sei", "its standard error, empty at the reference"}, {"n1i", "size of the trained arm (--reported)"}, {"n2i", "size of the control arm (--reported)"}, {"ci-low", "lower end of its interval"}, {"ci-high", "upper end"}, {"ri", "correlation of before and after"}} {
		f.columns[x[0]] = fl.String(x[0], x[0], "FILE: column of the "+x[1])
	}
	f.given = fl.Changed
	fl.StringVar(&f.id, "id", "study", "FILE: column of the study")
	fl.StringVar(&f.outcome, "outcome", "", "FILE: column of the outcome, where a study has several")
	fl.StringVar(&f.time, "time", "", "FILE: column of the time point, where a study has several")
	fl.StringVar(&f.arms, "arms", "", "FILE of arms: columns of mean, SD and size, parted by commas, instead of --mean, --sd and --n")
	fl.StringVar(&f.mean, "mean", "mean", "FILE of arms: column of the mean")
	fl.StringVar(&f.sd, "sd", "sd", "FILE of arms: column of the SD")
	fl.StringVar(&f.n, "n", "n", "FILE of arms: column of the size (relative risks: persons or person-time)")
	fl.StringVar(&f.meanPre, "mean-pre", "", "FILE of arms: column of the mean before training")
	fl.StringVar(&f.sdPre, "sd-pre", "", "FILE of arms: column of the SD before training")
	fl.StringVar(&f.cases, "cases", "cases", "FILE of relative risks: column of the cases")
	fl.StringVar(&f.design, "design", "type", "FILE of relative risks: column with cc, ir or ci")
	fl.StringVar(&f.scale, "measure", "MD", "FILE of arms: MD, MDH, SMD (Hedges), COHEN or GLASS")
	fl.StringVar(&f.covariance, "covariance", "gl", "FILE of relative risks: gl (Greenland–Longnecker), hamling or indep")
	fl.StringVar(&f.method, "method", "REML", "FILE: REML, ML, FIXED, or MM with two stages")
	fl.IntVar(&f.stages, "stages", 1, "FILE: 1 or 2")
	fl.Float64SliceVar(&f.knots, "knots", nil, "FILE: knots of the spline (default: three at Harrell's quantiles)")
	fl.Float64Var(&f.reference, "reference", 0, "FILE: dose against which effects are given")
	fl.Float64Var(&f.effect, "effect", math.NaN(), "FILE: print the dose that has this effect")
	fl.BoolVar(&f.origin, "origin", false, "FILE of effects with one dose each: no effect at dose zero")
	fl.StringVar(&f.cluster, "cluster", "", "FILE: column of the clusters, robust covariance with Satterthwaite degrees of freedom")
	fl.StringVar(&f.robust, "robust", "CR2", "with --cluster: CR0, CR1, CR1p, CR1S, CR2 or CR3")
	fl.Float64Var(&f.rho, "rho", 0.6, "FILE: assumed correlation of sampling errors of two outcomes or times of one study")
	fl.Float64Var(&f.corr, "r", math.NaN(), "FILE: assumed correlation of before and after where no column holds it")
	fl.StringVar(&f.reported, "reported", "", "FILE of effects: column with the form of each result, as in meta")
	fl.StringVar(&f.direction, "direction", "direction", "with --reported: column with the direction")
	fl.Float64Var(&f.level, "level", 95, "FILE: confidence level in percent")
	fl.Uint64Var(&f.seed, "seed", 1, "FILE: seed of the draws where a dose is an interval such as 2-3")
	fl.BoolVar(&f.bayes, "bayes", false, "FILE with --agent: posterior of the curve of one agent by quadrature")
	fl.BoolVar(&f.many, "multiverse", false, "FILE: refit every defensible choice and print the share that supports an effect at the median dose; alternative doses as --by a,b")
	fl.StringVar(&f.agent, "agent", "", "FILE of arms: column of the agent; curves of several agents in one network")
	fl.StringVar(&f.emit, "emit", "", "FILE: R prints the equivalent metafor script instead of fitting")
	f.tableFlags.add(c)
}

// doseOut is the JSON of a curve fitted to a file.
type doseOut struct {
	By           string               `json:"by"`
	Shape        string               `json:"shape"`
	Data         string               `json:"data"`
	Measure      string               `json:"measure"`
	Method       string               `json:"method"`
	Stages       int                  `json:"stages"`
	Trials       int                  `json:"trials"`
	Contrasts    int                  `json:"contrasts"`
	Level        float64              `json:"level_pct"`
	Reference    report.Full          `json:"reference_dose"`
	DoseMin      report.Full          `json:"dose_min"`
	DoseMax      report.Full          `json:"dose_max"`
	Knots        []float64            `json:"knots,omitempty"`
	Coefficients []coefOut            `json:"coefficients"`
	Weights      []report.ShapeWeight `json:"shape_weights"`
	NotFitted    []string             `json:"shapes_not_fitted"`
	Psi          [][]report.Full      `json:"between_trials,omitempty"`
	Tau2         report.Full          `json:"tau2"`
	Q            report.Full          `json:"q"`
	QDF          int                  `json:"q_df"`
	QP           report.Full          `json:"q_p"`
	LogLik       report.Full          `json:"loglik"`
	AIC          report.Full          `json:"aic"`
	Curve        []dosePoint          `json:"curve"`
	Peak         *peakOut             `json:"peak"`
	DoseOf       *doseOfOut           `json:"dose_of_effect,omitempty"`
	Notes        []string             `json:"notes"`
}

type dosePoint struct {
	Dose         report.Full    `json:"dose"`
	Estimate     report.Full    `json:"estimate"`
	CILow        report.Full    `json:"ci_low"`
	CIHigh       report.Full    `json:"ci_high"`
	PILow        report.Full    `json:"pi_low"`
	PIHigh       report.Full    `json:"pi_high"`
	Slope        report.Full    `json:"slope"`
	SlopeSE      report.Full    `json:"slope_se"`
	Support      report.Support `json:"support"`
	Extrapolated bool           `json:"extrapolated"`
}

type peakOut struct {
	Dose     report.Full `json:"dose"`
	Estimate report.Full `json:"estimate"`
	CILow    report.Full `json:"ci_low"`
	CIHigh   report.Full `json:"ci_high"`
	Inside   bool        `json:"turns_within_the_doses"`
}

type doseOfOut struct {
	Effect report.Full `json:"effect"`
	Dose   report.Full `json:"dose"`
	CILow  report.Full `json:"ci_low"`
	CIHigh report.Full `json:"ci_high"`
}

func (f *doseFlags) check() error {
	known := func(flag, v string, all ...string) error {
		if !slices.Contains(all, v) {
			return usage(fmt.Errorf("--%s %q is not known", flag, v), "one of "+strings.Join(all, ", "))
		}
		return nil
	}
	shapes := []string{"average"}
	for _, s := range doseresponse.CurveShapes {
		shapes = append(shapes, string(s))
	}
	for _, err := range []error{
		known("shape", f.shape, shapes...), known("measure", f.scale, "MD", "MDH", "SMD", "HEDGES", "COHEN", "GLASS"), known("covariance", f.covariance, "gl", "hamling", "indep"),
		known("method", strings.ToUpper(f.method), "REML", "ML", "FIXED", "FE", "MM"), f.checkTests(),
	} {
		if err != nil {
			return err
		}
	}
	if f.stages != 1 && f.stages != 2 {
		return usage(fmt.Errorf("--stages %d is neither 1 nor 2", f.stages), "1 is the mixed model of all contrasts")
	}
	if !(f.rho >= 0 && f.rho < 1) {
		return usage(fmt.Errorf("--rho %g does not lie between 0 and 1", f.rho), "for example 0.6")
	}
	for i, k := range f.knots {
		if i > 0 && !(k > f.knots[i-1]) || math.IsNaN(k) {
			return usage(fmt.Errorf("--knots %v are not in ascending order", f.knots), "for example 0,10,30")
		}
	}
	if n := len(f.knots); n > 0 && (n < 3 || n > 7) {
		return usage(fmt.Errorf("a spline has 3 to 7 knots, not %d", n), "for example --knots 0,10,30")
	}
	if f.arms != "" {
		c := strings.Split(f.arms, ",")
		if len(c) != 3 {
			return usage(fmt.Errorf("--arms %q does not name three columns", f.arms), "for example --arms mean,sd,n")
		}
		f.mean, f.sd, f.n = strings.TrimSpace(c[0]), strings.TrimSpace(c[1]), strings.TrimSpace(c[2])
		given := f.given
		f.given = func(flag string) bool { return given(flag) || flag == "mean" || flag == "sd" || flag == "n" }
	}
	for _, d := range append([]float64{f.reference}, f.at...) {
		if !(d >= 0) || math.IsInf(d, 0) {
			return usage(fmt.Errorf("%g is no dose", d), "doses are zero or more")
		}
	}
	return nil
}

// options of the fit.
func (f *doseFlags) options() doseresponse.CurveOptions {
	m := strings.ToLower(f.method)
	if m == "fe" {
		m = "fixed"
	}
	o := doseresponse.CurveOptions{Method: m, Stages: f.stages, Level: f.level / 100}
	if f.cluster != "" && f.robust != "none" {
		o.Robust = synthesis.Sandwich(f.robust)
	}
	return o
}

// answer is what a command prints, as text or JSON.
type answer interface{ text(w io.Writer) error }

// file answers for a user's file: a curve, a network, its posterior, a
// multiverse, or the script of another tool.
func (f *doseFlags) file(a *app, path string) error {
	if !f.given("by") {
		f.by = "dose"
	}
	var out answer
	var err error
	switch {
	case f.emit == "R":
		return f.emitR(a, path)
	case f.emit != "":
		return usage(fmt.Errorf("--emit %q is not known", f.emit), "R")
	case f.many:
		out, err = f.multiverse(a, path)
	case f.bayes:
		out, err = f.fitBayesCurve(a, path)
	case f.agent != "":
		out, err = f.fitNetwork(a, path)
	default:
		out, err = f.fitFile(a, path)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(out)
	}
	return out.text(a.sys.Stdout)
}

// fitFile fits the curve of a file.
func (f *doseFlags) fitFile(a *app, path string) (*doseOut, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	t, err := f.read(a, path)
	if err != nil {
		return nil, err
	}
	d, err := f.readDoses(a, t)
	if err != nil {
		return nil, err
	}
	if strings.Contains(strings.ToLower(f.by), "met") && strings.Contains(strings.ToLower(f.by), "min") {
		d.notes = append(d.notes, "MET-minutes do not measure a dose of resistance training: sets, load and sessions do")
	}
	out, err := f.fitDoses(d)
	if err != nil {
		return nil, dataFaultUnlessUsage(path, err)
	}
	return out, nil
}

// forms lists the forms to fit.
func (f *doseFlags) forms(d *doseData) ([]doseresponse.Form, error) {
	knots := f.knots
	if knots == nil && (f.shape == "spline" || f.shape == "average") {
		var err error
		if knots, err = doseresponse.HarrellKnots(d.middle, 3); err != nil && f.shape == "spline" {
			return nil, &Fault{Code: ExitData, Err: err, Hint: "for example --knots 0,10,30"}
		}
	}
	var out []doseresponse.Form
	for _, s := range doseresponse.CurveShapes {
		if f.shape != "average" && string(s) != f.shape || s == doseresponse.Spline && knots == nil {
			continue
		}
		form := doseresponse.Form{Shape: s, Intercept: d.intercept}
		if s == doseresponse.Spline {
			form.Knots = knots
		}
		out = append(out, form)
	}
	return out, nil
}

func (f *doseFlags) fitDoses(d *doseData) (*doseOut, error) {
	forms, err := f.forms(d)
	if err != nil {
		return nil, err
	}
	o := f.options()
	o.Clusters = d.clusters
	fits, left, err := f.fit(d, forms, o)
	if err != nil {
		return nil, err
	}
	c := fits[0].Curve
	nan := report.Full(math.NaN())
	out := &doseOut{By: f.by, Shape: f.shape, Data: d.kind, Measure: d.measure, Method: strings.ToUpper(o.Method), Stages: f.stages, Trials: c.Trials, Contrasts: c.Points, Level: f.level, Reference: report.Full(f.reference),
		DoseMin: report.Full(c.Min), DoseMax: report.Full(c.Max), Coefficients: []coefOut{}, NotFitted: append([]string{}, left...), Notes: append([]string{}, d.notes...), Tau2: nan, Q: nan, QP: nan, LogLik: nan, AIC: nan}
	ref := f.reference
	if d.intercept {
		ref, out.Reference = math.NaN(), nan
	}
	if d.reports != nil {
		out.Method = "ML"
	}
	if len(fits) == 1 {
		out.one(c)
	}
	for _, w := range fits {
		out.Weights = append(out.Weights, report.ShapeWeight{Shape: string(w.Form.Shape), LogLik: report.Num(w.LogLik), AIC: report.Num(w.AIC), Weight: report.Num(w.Weight)})
	}
	for _, x := range f.grid(c.Min, c.Max, 25) {
		out.Curve = append(out.Curve, f.point(fits, d, x, ref))
	}
	out.Peak = f.peak(c, fits, ref)
	if len(fits) == 1 && !math.IsNaN(f.effect) {
		dose, low, high := c.DoseOf(f.effect, ref)
		out.DoseOf = &doseOfOut{report.Full(f.effect), report.Full(dose), report.Full(low), report.Full(high)}
	}
	return out, nil
}

// fit chooses between reports, uncertain doses and plain trials.
func (f *doseFlags) fit(d *doseData, forms []doseresponse.Form, o doseresponse.CurveOptions) ([]doseresponse.Weighted, []string, error) {
	if d.reports != nil {
		var fits []doseresponse.Weighted
		var left []string
		for _, form := range forms {
			c, err := doseresponse.FitReports(d.reports, d.middle, form, o.Level)
			if err != nil {
				if len(forms) == 1 {
					return nil, nil, err
				}
				left = append(left, fmt.Sprintf("%s: %v", form.Shape, err))
				continue
			}
			fits = append(fits, doseresponse.Weighted{Curve: c})
		}
		return doseresponse.Weigh(fits), left, nil
	}
	trials, err := d.build(func(low, high float64) float64 { return (low + high) / 2 })
	if err != nil {
		return nil, nil, err
	}
	if len(forms) > 1 {
		if d.uncertain > 0 {
			d.notes = append(d.notes, fmt.Sprintf("%d doses are intervals and enter at their middle: with --shape average they are not propagated", d.uncertain))
		}
		return doseresponse.FitShapes(trials, forms, o)
	}
	if d.uncertain == 0 {
		c, err := doseresponse.FitCurve(trials, forms[0], o)
		return []doseresponse.Weighted{{Curve: c, Weight: 1}}, nil, err
	}
	c, share, err := doseresponse.FitUncertain(d.build, forms[0], o, f.seed)
	d.notes = append(d.notes, fmt.Sprintf("%d doses are intervals: drawn %d times within them, up to %.0f %% of a coefficient's variance comes from that", d.uncertain, doseresponse.Imputations, 100*share))
	return []doseresponse.Weighted{{Curve: c, Weight: 1}}, nil, err
}

// one fills what only a single shape has.
func (o *doseOut) one(c *doseresponse.Curve) {
	for _, t := range c.Terms {
		o.Coefficients = append(o.Coefficients, coefOut{t.Name, newTerm(t)})
	}
	o.Knots = c.Form.Knots
	n := func(v float64) report.Full { return report.Full(v) }
	o.Tau2, o.Q, o.QDF, o.QP, o.LogLik, o.AIC = n(c.Tau2), n(c.Q), c.QDF, n(c.QP), n(c.LogLik), n(c.AIC)
	if c.Psi != nil {
		o.Tau2 = n(math.NaN())
		for i := range c.Coef {
			row := make([]report.Full, len(c.Coef))
			for j := range row {
				row[j] = n(c.Psi.At(i, j))
			}
			o.Psi = append(o.Psi, row)
		}
	}
}

// grid are the doses asked for, or n of them from low to high.
func (f *doseFlags) grid(low, high float64, n int) []float64 {
	if f.at != nil {
		return f.at
	}
	var out []float64
	for i := range n {
		out = append(out, low+(high-low)*float64(i)/float64(n-1))
	}
	return out
}

func (f *doseFlags) point(fits []doseresponse.Weighted, d *doseData, x, ref float64) dosePoint {
	n := func(v float64) report.Full { return report.Full(v) }
	c := fits[0].Curve
	e, low, high, pl, ph := interval(fits, x, ref)
	p := dosePoint{Dose: n(x), Estimate: n(e), CILow: n(low), CIHigh: n(high), PILow: n(pl), PIHigh: n(ph), Slope: n(math.NaN()), SlopeSE: n(math.NaN()), Extrapolated: x < c.Min || x > c.Max}
	if len(fits) == 1 {
		s, se := c.Slope(x)
		p.Slope, p.SlopeSE = n(s), n(se)
	}
	near := math.Inf(1)
	for _, y := range d.middle {
		near = math.Min(near, math.Abs(y-x))
	}
	studies := map[string]bool{}
	for i, y := range d.middle {
		if math.Abs(y-x) <= near+1e-9*(1+math.Abs(x)) {
			p.Support.Rows++
			studies[d.studies[i]] = true
		}
	}
	p.Support.Cohorts = len(studies)
	return p
}

// interval is the effect of a dose with its confidence and prediction interval.
func interval(fits []doseresponse.Weighted, x, ref float64) (e, low, high, predLow, predHigh float64) {
	if len(fits) == 1 {
		e, _, _ = fits[0].At(x, ref)
		low, high, predLow, predHigh = fits[0].Interval(x, ref)
		return e, low, high, predLow, predHigh
	}
	e, se, tau := doseresponse.AverageAt(fits, x, ref)
	z := doseresponse.NormalQuantile(fits[0].Options.Level)
	return e, e - z*se, e + z*se, e - z*math.Hypot(se, tau), e + z*math.Hypot(se, tau)
}

// peak is where the effect is largest in the direction the curve goes.
func (f *doseFlags) peak(c *doseresponse.Curve, fits []doseresponse.Weighted, ref float64) *peakOut {
	if len(fits) > 1 {
		return nil
	}
	sign := 1.0
	if e, _, _ := c.At((c.Min+c.Max)/2, f.reference); e < 0 && !c.Form.Intercept {
		sign = -1
	}
	x, inside := c.Peak(ref, sign)
	e, low, high, _, _ := interval(fits, x, ref)
	return &peakOut{report.Full(x), report.Full(e), report.Full(low), report.Full(high), inside}
}

func (o *doseOut) text(w io.Writer) error {
	g := func(v report.Full) string { return fmt.Sprintf("%.4g", float64(v)) }
	fmt.Fprintf(w, "%s by %s: %d trials, %d results (%s), shape %s, %s", o.Measure, o.By, o.Trials, o.Contrasts, o.Data, o.Shape, o.Method)
	if o.Stages == 2 {
		fmt.Fprint(w, ", two stages")
	}
	fmt.Fprintln(w)
	for _, n := range o.Notes {
		fmt.Fprintln(w, "note: "+n)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	if len(o.Coefficients) > 0 {
		fmt.Fprintf(t, "coefficient\testimate\tse\tp\t%g%% interval\n", o.Level)
		for _, c := range o.Coefficients {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s to %s\n", c.Name, g(c.Estimate), g(c.SE), g(c.P), g(c.CILow), g(c.CIHigh))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintf(t, "%s\teffect (%g%% interval)\tprediction\tresults here\ttrials here\t\n", o.By, o.Level)
	for _, p := range o.Curve {
		note := ""
		if p.Extrapolated {
			note = "extrapolated"
		}
		fmt.Fprintf(t, "%s\t%s (%s to %s)\t%s to %s\t%d\t%d\t%s\n", g(p.Dose), g(p.Estimate), g(p.CILow), g(p.CIHigh), g(p.PILow), g(p.PIHigh), p.Support.Rows, p.Support.Cohorts, note)
	}
	t.Flush()
	if len(o.Weights) > 1 {
		fmt.Fprint(w, "\nweight of each shape:")
		for _, x := range o.Weights {
			fmt.Fprintf(w, " %s %.0f%%", x.Shape, 100*float64(x.Weight))
		}
		fmt.Fprintln(w)
	}
	for _, s := range o.NotFitted {
		fmt.Fprintln(w, "not fitted, "+s)
	}
	if p := o.Peak; p != nil {
		where := "at the edge of the doses studied"
		if p.Inside {
			where = "where the curve turns"
		}
		fmt.Fprintf(w, "\nlargest effect %s (%s to %s) at %s, %s\n", g(p.Estimate), g(p.CILow), g(p.CIHigh), g(p.Dose), where)
	}
	if d := o.DoseOf; d != nil {
		end := func(v report.Full) string {
			if math.IsNaN(float64(v)) {
				return "beyond the doses studied"
			}
			return g(v)
		}
		fmt.Fprintf(w, "the effect %s is reached at %s (%s to %s)\n", g(d.Effect), end(d.Dose), end(d.CILow), end(d.CIHigh))
	}
	if !math.IsNaN(float64(o.Q)) {
		fmt.Fprintf(w, "Q = %s, df %d, p %s; log-likelihood %s, AIC (by ML) %s\n", g(o.Q), o.QDF, g(o.QP), g(o.LogLik), g(o.AIC))
	}
	return nil
}
