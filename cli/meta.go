package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat"
)

func (a *app) metaCmd() *cobra.Command {
	f := newMetaFlags()
	var o metaExtras
	c := &cobra.Command{
		Use: "meta FILE", Short: "Meta-analysis and meta-regression of a table of effect sizes",
		Long: "Effect sizes with variances, standard errors or intervals, or the arms or statistics from which they are computed, as CSV (any\n" +
			"separator) or XLSX. The roles of the columns are printed on stderr. Rows without an effect size or a moderator are left out and counted.",
		Example: "  myoaxis meta effects.csv --json\n  myoaxis meta arms.xlsx --measure SMD --n1i n1 --m1i m1 --sd1i sd1 --n2i n2 --m2i m2 --sd2i sd2 --test knha\n" +
			"  myoaxis meta effects.csv --mods weeks,population --where \"domain == 'memory'\"\n  myoaxis meta effects.csv --random study/effect --cluster study --rho 0.6 --test t\n" +
			"  myoaxis meta effects.csv --random 'outcome|study' --struct UN\n  myoaxis meta effects.csv --html report.html\n  myoaxis meta effects.csv --reported form --n1i n1 --n2i n2",
		Args: oneFile,
		RunE: func(_ *cobra.Command, args []string) error { return f.main(a, args[0], o) },
	}
	f.addEffects(c)
	f.addModel(c)
	f.addModerators(c)
	f.addClusters(c)
	f.addWeights(c)
	o.add(c)
	a.jsonFlag(c)
	c.AddCommand(a.metaBiasCmd(), a.metaInfluenceCmd(), a.metaCumulativeCmd(), a.metaBayesCmd(), a.metaGoshCmd())
	return c
}

// metaExtras are what a run can do beside the fit.
type metaExtras struct {
	permute, bootstrap  int
	profile             bool
	emit, html          string
	reported, direction string
	multiverse          bool
	seed                uint64
}

func (o *metaExtras) add(c *cobra.Command) {
	fl := c.Flags()
	fl.IntVar(&o.permute, "permute", 0, "permutation test with at most this many arrangements; exact where there are no more")
	fl.IntVar(&o.bootstrap, "bootstrap", 0, "percentile interval of the mean from this many bootstrap samples of the effects, or with --cluster of whole clusters")
	fl.BoolVar(&o.profile, "profile", false, "profile-likelihood intervals and likelihood-ratio tests of the random terms' variances")
	fl.StringVar(&o.emit, "emit", "", "R: print the equivalent metafor script instead of fitting")
	fl.StringVar(&o.html, "html", "", "write a page with forest, funnel, Baujat and bubble plots")
	fl.StringVar(&o.reported, "reported", "", "column with the form of each result (estimate, p=0.03, p<0.05, ns, direction, unmentioned): rows without numbers count too")
	fl.StringVar(&o.direction, "direction", "direction", "with --reported: column with the direction, +1, -1 or empty")
	fl.BoolVar(&o.multiverse, "multiverse", false, "refit every defensible choice and print the share that supports the conclusion")
	fl.Uint64Var(&o.seed, "seed", 1, "seed of sampled permutations and of the bootstrap")
}

func (f *metaFlags) main(a *app, path string, o metaExtras) error {
	var out *metaOut
	var err error
	switch {
	case o.html != "" && f.weights != "":
		return usage(fmt.Errorf("--html draws the model's own weights"), "leave out --weights")
	case o.emit != "" && o.emit != "R":
		return usage(fmt.Errorf("--emit %q is not known", o.emit), "R")
	case o.emit == "R":
		return f.emitR(a, path)
	case o.multiverse:
		return f.multiverse(a, path)
	case o.reported != "":
		out, err = f.runReported(a, path, o)
	default:
		out, err = f.run(a, path, o)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(out)
	}
	return metaText(a.sys.Stdout, out)
}

// metaOut is the JSON of contracts: null where a quantity does not exist.
type metaOut struct {
	K            int             `json:"k"`
	Excluded     int             `json:"rows_excluded"`
	Dropped      []string        `json:"moderators_dropped,omitempty"`
	Method       string          `json:"method"`
	Measure      string          `json:"measure"`
	Test         string          `json:"test"`
	Level        float64         `json:"level_pct"`
	Estimate     report.Full     `json:"estimate"`
	SE           report.Full     `json:"se"`
	Stat         report.Full     `json:"stat"`
	P            report.Full     `json:"p"`
	CILow        report.Full     `json:"ci_low"`
	CIHigh       report.Full     `json:"ci_high"`
	PILow        report.Full     `json:"pi_low"`
	PIHigh       report.Full     `json:"pi_high"`
	PIForm       string          `json:"pi_form,omitempty"`
	Tau2         report.Full     `json:"tau2"`
	SETau2       report.Full     `json:"tau2_se"`
	Tau2Low      report.Full     `json:"tau2_ci_low"`
	Tau2High     report.Full     `json:"tau2_ci_high"`
	ProfileLow   report.Full     `json:"tau2_profile_ci_low"`
	ProfileHigh  report.Full     `json:"tau2_profile_ci_high"`
	I2           report.Full     `json:"i2"`
	H2           report.Full     `json:"h2"`
	R2           report.Full     `json:"r2"`
	Q            report.Full     `json:"q"`
	QDF          int             `json:"q_df"`
	QP           report.Full     `json:"q_p"`
	Sigma2       []sigmaOut      `json:"sigma2"`
	G            []covarianceOut `json:"g,omitempty"`
	Robust       *robustOut      `json:"robust,omitempty"`
	Permutation  *permutationOut `json:"permutation,omitempty"`
	Bootstrap    *bootstrapOut   `json:"bootstrap,omitempty"`
	Reported     *reportedOut    `json:"reported,omitempty"`
	Coefficients []coefOut       `json:"coefficients"`
	QM           report.Full     `json:"qm"`
	QMDF         report.Full     `json:"qm_df"`
	QMP          report.Full     `json:"qm_p"`
	LogLik       report.Full     `json:"loglik"`
	AIC          report.Full     `json:"aic"`
	BIC          report.Full     `json:"bic"`
	AICc         report.Full     `json:"aicc"`
}

type sigmaOut struct {
	Level   string      `json:"level"`
	NLevels int         `json:"n_levels"`
	Value   report.Full `json:"value"`
	Profile *profileOut `json:"profile,omitempty"`
}

type profileOut struct {
	Low  report.Full `json:"ci_low"`
	High report.Full `json:"ci_high"`
	LRT  report.Full `json:"lrt"`
	LRTP report.Full `json:"lrt_p"`
}

type covarianceOut struct {
	Outer   string          `json:"outer"`
	Struct  string          `json:"struct"`
	NGroups int             `json:"n_groups"`
	Levels  []string        `json:"levels"`
	Tau2    []report.Full   `json:"tau2"`
	Rho     [][]report.Full `json:"rho"`

	Profiles []profiledOut `json:"profile,omitempty"`
}

// profiledOut is the profile-likelihood interval of one parameter.
type profiledOut struct {
	Name  string      `json:"name"`
	Value report.Full `json:"value"`
	Low   report.Full `json:"ci_low"`
	High  report.Full `json:"ci_high"`
}

type coefOut struct {
	Name string `json:"name"`
	termOut
}

type robustOut struct {
	Estimator string      `json:"estimator"`
	Cluster   string      `json:"cluster"`
	Clusters  int         `json:"n_clusters"`
	WaldDF2   report.Full `json:"qm_df2"` // of the robust F test of the moderators
	Omega2    report.Full `json:"omega2"`
	Rho       report.Full `json:"rho"`
}

type permutationOut struct {
	Exact        bool          `json:"exact"`
	Arrangements int           `json:"arrangements"`
	P            []report.Full `json:"p"`
	QMP          report.Full   `json:"qm_p"`
}

// bootstrapOut is the percentile interval of the mean.
type bootstrapOut struct {
	Draws    int         `json:"draws"`
	Clusters string      `json:"drawn"`
	SE       report.Full `json:"se"`
	CILow    report.Full `json:"ci_low"`
	CIHigh   report.Full `json:"ci_high"`
}

func oneFile(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(fmt.Errorf("%s needs one CSV file or workbook", c.Name()), "for example "+c.CommandPath()+" effects.csv")
	}
	return nil
}

func (f *metaFlags) newOut(d *metaData) *metaOut {
	none := report.Full(math.NaN())
	out := &metaOut{SETau2: none, ProfileLow: none, ProfileHigh: none, Excluded: d.found - len(d.rows), Dropped: d.dropped, Method: f.method, Measure: f.measure, Test: f.test, Level: f.level, Sigma2: []sigmaOut{}, R2: report.Full(math.NaN())}
	if out.Measure == "" {
		out.Measure = "GEN"
	}
	return out
}

func (f *metaFlags) run(a *app, path string, o metaExtras) (*metaOut, error) {
	d, err := f.prepare(a, path)
	if err != nil {
		return nil, err
	}
	if f.cluster != "" {
		if err := column(d.table, f.cluster, "cluster"); err != nil {
			return nil, err
		}
	}
	out := f.newOut(d)
	switch {
	case f.rve != "":
		err = f.fitRVE(d, out)
	case f.random != "" || f.vfile != "" || f.sharedControl != "":
		err = f.fitMixed(a, d, out, o)
	default:
		err = f.fitPlain(d, out)
	}
	if err != nil {
		return nil, dataFaultUnlessUsage(path, err)
	}
	if o.permute != 0 {
		if f.rve+f.random+f.vfile+f.sharedControl+f.weights != "" {
			return nil, usage(fmt.Errorf("--permute treats effects as independent"), "leave out --random, --rve, --v, --shared-control and --weights")
		}
		p, err := synthesis.Permute(d.y, d.v, d.x, d.names, d.opt, o.permute, o.seed)
		if err != nil {
			return nil, dataFault(path, err)
		}
		out.Permutation = &permutationOut{Exact: p.Exact, Arrangements: p.Arrangements, QMP: report.Full(p.QMP)}
		for _, v := range p.P {
			out.Permutation.P = append(out.Permutation.P, report.Full(v))
		}
	}
	if o.bootstrap != 0 {
		if out.Bootstrap, err = f.bootstrap(d, o); err != nil {
			return nil, dataFaultUnlessUsage(path, err)
		}
	}
	if o.html != "" {
		if err := f.writePage(a, d, out, o.html); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// bootstrap draws effects or clusters and refits the univariate mean.
func (f *metaFlags) bootstrap(d *metaData, o metaExtras) (*bootstrapOut, error) {
	if f.mods+f.random+f.rve+f.vfile+f.sharedControl+f.weights != "" || o.bootstrap < 20 || o.bootstrap > 10_000_000 {
		return nil, usage(fmt.Errorf("--bootstrap draws 20 to 10000000 samples for the mean of the univariate model"), "leave out --mods, --random, --rve, --v, --shared-control and --weights")
	}
	out := &bootstrapOut{Draws: o.bootstrap, Clusters: "effects"}
	var cluster []string
	if f.cluster != "" {
		cluster, out.Clusters = d.texts(f.cluster), "clusters of "+f.cluster
	}
	b, err := synthesis.Bootstrap(d.y, d.v, cluster, d.opt, o.bootstrap, o.seed)
	if err != nil {
		return nil, err
	}
	slices.Sort(b.Estimates)
	a := (1 - d.opt.Level) / 2
	out.SE, out.CILow, out.CIHigh = report.Full(stat.StdDev(b.Estimates, nil)), report.Full(synthesis.Quantile(b.Estimates, a)), report.Full(synthesis.Quantile(b.Estimates, 1-a))
	return out, nil
}

// fitPlain is the univariate model, tested robustly where there are clusters.
func (f *metaFlags) fitPlain(d *metaData, out *metaOut) error {
	o := d.opt
	o.Profile = true
	m, err := synthesis.Analyse(d.y, d.v, d.x, d.names, o)
	if err != nil {
		return err
	}
	out.fill(m)
	out.SETau2 = report.Full(m.SETau2)
	out.ProfileLow, out.ProfileHigh = report.Full(m.ProfileLow), report.Full(m.ProfileHigh)
	if m.P > 1 && f.weights == "" && f.method != "EE" && f.method != "FE" {
		if null, err := synthesis.Mean(d.y, d.v, d.opt); err == nil && null.Tau2 > 0 {
			out.R2 = report.Full(math.Max(0, 100*(null.Tau2-m.Tau2)/null.Tau2))
		}
	}
	if f.cluster == "" || f.robust == "none" {
		return nil
	}
	c, err := m.RobustCovariance(d.y, d.v, d.x, d.texts(f.cluster), synthesis.Sandwich(f.robust))
	if err != nil {
		return err
	}
	out.makeRobust(m, c, f)
	return nil
}

// fitRVE is robust variance estimation with its own working weights.
func (f *metaFlags) fitRVE(d *metaData, out *metaOut) error {
	rho := f.rho
	if rho == 0 {
		rho = 0.8
	}
	kind := synthesis.CorrelatedWeights
	if f.rve == "hier" {
		kind = synthesis.HierarchicalWeights
	}
	small := f.robust == "CR2"
	m, err := synthesis.AnalyseRVE(d.y, d.v, d.x, d.names, d.texts(f.cluster), kind, rho, small, d.opt.Level)
	if err != nil {
		return err
	}
	nan := report.Full(math.NaN())
	*out = metaOut{Excluded: out.Excluded, Dropped: out.Dropped, Measure: out.Measure, Level: out.Level, K: m.K, Method: "RVE " + strings.ToUpper(f.rve), Test: "t", Sigma2: []sigmaOut{}, Tau2: report.Full(m.Tau2),
		PILow: nan, PIHigh: nan, SETau2: nan, ProfileLow: nan, ProfileHigh: nan, Tau2Low: nan, Tau2High: nan, I2: nan, H2: nan, R2: nan, Q: nan, QP: nan, QM: nan, QMDF: nan, QMP: nan, LogLik: nan, AIC: nan, BIC: nan, AICc: nan}
	estimator := "bias-reduced linearisation"
	if !small {
		estimator = "sandwich times m/(m-p)"
	}
	out.setTerms(m.Terms)
	out.Robust = &robustOut{estimator, f.cluster, m.Studies, nan, report.Full(m.Omega2), report.Full(m.Rho)}
	return nil
}

func (o *metaOut) setTerms(terms []synthesis.Term) {
	n := func(v float64) report.Full { return report.Full(v) }
	o.Coefficients = nil
	for _, t := range terms {
		o.Coefficients = append(o.Coefficients, coefOut{t.Name, newTerm(t)})
	}
	t := terms[0]
	o.Estimate, o.SE, o.Stat, o.P, o.CILow, o.CIHigh = n(t.Estimate), n(t.SE), n(t.Stat), n(t.P), n(t.Low), n(t.High)
}

// makeRobust replaces the tests of the coefficients by cluster-robust ones, and
// the test of all moderators by the approximate Hotelling T².
func (o *metaOut) makeRobust(m *synthesis.Meta, c *synthesis.RobustCovariance, f *metaFlags) {
	nan := report.Full(math.NaN())
	o.Robust = &robustOut{f.robust, f.cluster, c.Clusters, nan, nan, nan}
	o.setTerms(m.TestRobust(c))
	o.QM, o.QMDF, o.QMP = nan, nan, nan
	var beta []float64
	var moderators []int
	for i, t := range m.Terms {
		beta = append(beta, t.Estimate)
		if i > 0 {
			moderators = append(moderators, i)
		}
	}
	if len(moderators) > 0 && c.Clusters <= 2000 {
		w := c.Wald(beta, moderators)
		o.QM, o.QMDF, o.QMP, o.Robust.WaldDF2 = report.Full(w.F), report.Full(w.DF1), report.Full(w.P), report.Full(w.DF2)
	}
}

func (o *metaOut) fill(m *synthesis.Meta) {
	n := func(v float64) report.Full { return report.Full(v) }
	o.K = m.K
	o.setTerms(m.Terms)
	o.PILow, o.PIHigh, o.Tau2, o.Tau2Low, o.Tau2High = n(m.PredLow), n(m.PredHigh), n(m.Tau2), n(m.Tau2Low), n(m.Tau2High)
	if !math.IsNaN(m.PredLow) {
		o.PIForm = "normal"
		if df := m.Terms[0].DF; !math.IsNaN(df) {
			o.PIForm = fmt.Sprintf("t with %g degrees of freedom", df)
		}
	}
	o.I2, o.H2, o.Q, o.QDF, o.QP, o.QM, o.QMDF, o.QMP = n(m.I2), n(m.H2), n(m.Q), m.QDF, n(m.QP), n(m.QM), n(m.QMDF1), n(m.QMP)
	o.LogLik, o.AIC, o.BIC, o.AICc = n(m.LogLik), n(m.AIC), n(m.BIC), n(m.AICc)
}

func metaText(w io.Writer, o *metaOut) error {
	g := func(v report.Full) string { return fmt.Sprintf("%.4g", float64(v)) }
	has := func(v report.Full) bool { return !math.IsNaN(float64(v)) }
	fmt.Fprintf(w, "%d effect sizes (%d rows left out), measure %s, method %s, test %s\n\n", o.K, o.Excluded, o.Measure, o.Method, o.Test)
	fmt.Fprintf(w, "%-24s %10s %10s %10s %10s   %g%% interval\n", "", "estimate", "se", o.Test, "p", o.Level)
	for _, c := range o.Coefficients {
		fmt.Fprintf(w, "%-24s %10s %10s %10s %10s   %s to %s\n", c.Name, g(c.Estimate), g(c.SE), g(c.Stat), g(c.P), g(c.CILow), g(c.CIHigh))
	}
	fmt.Fprintln(w)
	if has(o.Q) {
		fmt.Fprintf(w, "Q = %s, df %d, p %s", g(o.Q), o.QDF, g(o.QP))
		if has(o.I2) { // not defined with correlated sampling errors
			fmt.Fprintf(w, "; I² %s %%, H² %s", g(o.I2), g(o.H2))
		}
		fmt.Fprintln(w)
	}
	if len(o.Sigma2) == 0 && len(o.G) == 0 && o.Method != "EE" && o.Method != "FE" && o.Reported == nil {
		fmt.Fprintf(w, "tau² %s", g(o.Tau2))
		if has(o.SETau2) {
			fmt.Fprintf(w, ", se %s", g(o.SETau2))
		}
		if has(o.Tau2Low) {
			fmt.Fprintf(w, " (Q-profile %s to %s", g(o.Tau2Low), g(o.Tau2High))
			if has(o.ProfileLow) {
				fmt.Fprintf(w, ", profile likelihood %s to %s", g(o.ProfileLow), g(o.ProfileHigh))
			}
			fmt.Fprint(w, ")")
		}
		fmt.Fprintln(w)
	}
	if has(o.R2) {
		fmt.Fprintf(w, "R² %s %% of tau² explained by the moderators\n", g(o.R2))
	}
	o.randomText(w, g)
	if p := o.Permutation; p != nil {
		kind := "sampled"
		if p.Exact {
			kind = "all"
		}
		for i, c := range o.Coefficients {
			fmt.Fprintf(w, "permutation test of %s, %s %d arrangements: p %s\n", c.Name, kind, p.Arrangements, g(p.P[i]))
		}
	}
	if b := o.Bootstrap; b != nil {
		fmt.Fprintf(w, "bootstrap of %s, %d draws: se %s, interval %s to %s\n", b.Clusters, b.Draws, g(b.SE), g(b.CILow), g(b.CIHigh))
	}
	if has(o.PILow) {
		fmt.Fprintf(w, "prediction interval %s to %s", g(o.PILow), g(o.PIHigh))
		if o.PIForm != "" {
			fmt.Fprintf(w, " (%s)", o.PIForm)
		}
		fmt.Fprintln(w)
	}
	if len(o.Coefficients) > 1 && has(o.QM) {
		if o.Robust != nil {
			fmt.Fprintf(w, "moderators: robust F = %s, df %s and %s, p %s\n", g(o.QM), g(o.QMDF), g(o.Robust.WaldDF2), g(o.QMP))
		} else {
			fmt.Fprintf(w, "moderators: QM = %s, df %s, p %s\n", g(o.QM), g(o.QMDF), g(o.QMP))
		}
	}
	o.Reported.text(w)
	if !has(o.LogLik) {
		return nil
	}
	_, err := fmt.Fprintf(w, "log-likelihood %s, AIC %s, BIC %s, AICc %s\n", g(o.LogLik), g(o.AIC), g(o.BIC), g(o.AICc))
	return err
}

// randomText tells of robust tests and random terms.
func (o *metaOut) randomText(w io.Writer, g func(report.Full) string) {
	if r := o.Robust; r != nil {
		fmt.Fprintf(w, "tests robust to clusters of %s: %s, %d clusters, Satterthwaite degrees of freedom\n", r.Cluster, r.Estimator, r.Clusters)
		if !math.IsNaN(float64(r.Omega2)) {
			fmt.Fprintf(w, "omega² within clusters %s\n", g(r.Omega2))
		}
	}
	for _, s := range o.Sigma2 {
		fmt.Fprintf(w, "sigma² %s: %s (%d groups)", s.Level, g(s.Value), s.NLevels)
		if p := s.Profile; p != nil {
			fmt.Fprintf(w, ", profile %s to %s; without it LRT %s, p %s", g(p.Low), g(p.High), g(p.LRT), g(p.LRTP))
		}
		fmt.Fprintln(w)
	}
	for _, c := range o.G {
		fmt.Fprintf(w, "%s within %s (%d groups):\n", c.Struct, c.Outer, c.NGroups)
		for i, l := range c.Levels {
			fmt.Fprintf(w, "  tau² %s: %s", l, g(c.Tau2[i]))
			for j := range i {
				fmt.Fprintf(w, ", rho with %s %s", c.Levels[j], g(c.Rho[i][j]))
			}
			fmt.Fprintln(w)
		}
		for _, p := range c.Profiles {
			fmt.Fprintf(w, "  profile of %s: %s (%s to %s)\n", p.Name, g(p.Value), g(p.Low), g(p.High))
		}
	}
}
