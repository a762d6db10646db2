package cli

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/effect"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/mat"
)

// metaFlags name the columns and the model.
type metaFlags struct {
	yi, vi, sei                         string
	n1i, m1i, sd1i, n2i, m2i, sd2i      string
	ai, bi, ci, di, ri, ni, vtype       string
	m1pre, m2pre                        string
	measure, method, test, mods, random string
	cluster, robust                     string
	level, rho                          float64
}

func (a *app) metaCmd() *cobra.Command {
	f := newMetaFlags()
	c := &cobra.Command{
		Use: "meta FILE.csv", Short: "Ordinary meta-analysis and meta-regression of a table of effect sizes",
		Long: "Effect sizes with variances (or standard errors), or two arms from which they are computed. The roles of the columns are\n" +
			"printed on stderr. Rows without an effect size or a moderator are left out and counted.",
		Example: "  myoaxis meta effects.csv --json\n  myoaxis meta arms.csv --measure SMD --n1i n1 --m1i m1 --sd1i sd1 --n2i n2 --m2i m2 --sd2i sd2 --test knha\n" +
			"  myoaxis meta effects.csv --mods weeks,population --method ML\n  myoaxis meta effects.csv --random study/effect --cluster study --rho 0.6 --test t",
		Args: oneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			out, err := f.run(a, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(out)
			}
			return metaText(a.sys.Stdout, out)
		},
	}
	f.addEffects(c)
	f.addModel(c)
	f.addModerators(c)
	f.addClusters(c)
	a.jsonFlag(c)
	c.AddCommand(a.metaBiasCmd(), a.metaInfluenceCmd(), a.metaCumulativeCmd(), a.metaBayesCmd())
	return c
}

// newMetaFlags holds the defaults, which a subcommand without the flag keeps.
func newMetaFlags() metaFlags { return metaFlags{method: "REML", test: "z", robust: "CR2"} }

// addEffects adds the flags that say where the effect sizes are.
func (f *metaFlags) addEffects(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.yi, "yi", "yi", "column of the effect size")
	fl.StringVar(&f.vi, "vi", "vi", "column of its variance")
	fl.StringVar(&f.sei, "sei", "", "column of its standard error, instead of --vi")
	for _, x := range [][2]string{{"n1i", "size of the first arm"}, {"m1i", "mean of the first arm, or after"}, {"sd1i", "SD of the first arm, or after (SMCR: the SD to standardise by)"}, {"n2i", "size of the second arm"}, {"m2i", "mean of the second arm, or before"}, {"sd2i", "SD of the second arm, or before"},
		{"ai", "events, first group"}, {"bi", "non-events, first group"}, {"ci", "events, second group"}, {"di", "non-events, second group"}, {"m1pre", "mean of the first arm before (DPPC2; sd1i is then the SD before)"}, {"m2pre", "mean of the second arm before"}, {"ri", "correlation"}, {"ni", "size of one group"}} {
		fl.StringVar(f.column(x[0]), x[0], x[0], "column: "+x[1])
	}
	fl.StringVar(&f.vtype, "vtype", "LS", "variance of SMD: LS, UB or LS2")
	fl.StringVar(&f.measure, "measure", "", "compute the effect size: "+measureNames)
	fl.Float64Var(&f.level, "level", 95, "confidence level in percent")
}

// addModel adds the choice of the random-effects model. A subcommand takes only
// the flags it heeds.
func (f *metaFlags) addModel(c *cobra.Command) {
	c.Flags().StringVar(&f.method, "method", f.method, "EE, FE, DL, HE, HS, HSk, SJ, ML, REML, EB or PM")
	c.Flags().StringVar(&f.test, "test", f.test, "z, t, knha or adhoc")
}

func (f *metaFlags) addModerators(c *cobra.Command) {
	c.Flags().StringVar(&f.mods, "mods", "", "moderators, parted by commas; a:b is an interaction, factor(a) treats numbers as levels")
}

// addClusters adds nested random terms and cluster-robust tests.
func (f *metaFlags) addClusters(c *cobra.Command) {
	c.Flags().StringVar(&f.random, "random", "", "nested random terms, for example study/effect (ML or REML)")
	c.Flags().StringVar(&f.cluster, "cluster", "", "column of the clusters: robust tests with Satterthwaite degrees of freedom")
	c.Flags().StringVar(&f.robust, "robust", f.robust, "with --cluster: CR0, CR1, CR2, or none")
	c.Flags().Float64Var(&f.rho, "rho", 0, "correlation of sampling errors within a cluster (with --random and --cluster)")
}

// metaOut is the JSON of contracts: null where a quantity does not exist.
type metaOut struct {
	K            int         `json:"k"`
	Excluded     int         `json:"rows_excluded"`
	Method       string      `json:"method"`
	Measure      string      `json:"measure"`
	Test         string      `json:"test"`
	Level        float64     `json:"level_pct"`
	Estimate     report.Full `json:"estimate"`
	SE           report.Full `json:"se"`
	Stat         report.Full `json:"stat"`
	P            report.Full `json:"p"`
	CILow        report.Full `json:"ci_low"`
	CIHigh       report.Full `json:"ci_high"`
	PILow        report.Full `json:"pi_low"`
	PIHigh       report.Full `json:"pi_high"`
	Tau2         report.Full `json:"tau2"`
	Tau2Low      report.Full `json:"tau2_ci_low"`
	Tau2High     report.Full `json:"tau2_ci_high"`
	I2           report.Full `json:"i2"`
	H2           report.Full `json:"h2"`
	Q            report.Full `json:"q"`
	QDF          int         `json:"q_df"`
	QP           report.Full `json:"q_p"`
	Sigma2       []sigmaOut  `json:"sigma2"`
	Robust       *robustOut  `json:"robust,omitempty"`
	Coefficients []coefOut   `json:"coefficients"`
	QM           report.Full `json:"qm"`
	QMDF         report.Full `json:"qm_df"`
	QMP          report.Full `json:"qm_p"`
	LogLik       report.Full `json:"loglik"`
	AIC          report.Full `json:"aic"`
	BIC          report.Full `json:"bic"`
	AICc         report.Full `json:"aicc"`
}

type sigmaOut struct {
	Level   string      `json:"level"`
	NLevels int         `json:"n_levels"`
	Value   report.Full `json:"value"`
}

type coefOut struct {
	Name string `json:"name"`
	termOut
}

func oneFile(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(fmt.Errorf("%s needs one CSV file", c.Name()), "for example "+c.CommandPath()+" effects.csv")
	}
	return nil
}

// metaData is a table made ready for a fit.
type metaData struct {
	table *evidence.Table
	y, v  []float64
	rows  []int // of the table
	x     *mat.Dense
	names []string
	opt   synthesis.MetaOptions
}

// prepare checks the flags and reads the table.
func (f metaFlags) prepare(a *app, path string) (*metaData, error) {
	if !slices.Contains(synthesis.Methods, synthesis.Method(f.method)) {
		return nil, usage(fmt.Errorf("--method %q is not known", f.method), "EE, FE, DL, HE, HS, HSk, SJ, ML, REML, EB or PM")
	}
	if !slices.Contains(synthesis.Tests, synthesis.Test(f.test)) {
		return nil, usage(fmt.Errorf("--test %q is not known", f.test), "z, t, knha or adhoc")
	}
	if !slices.Contains([]string{"CR0", "CR1", "CR2", "none"}, f.robust) {
		return nil, usage(fmt.Errorf("--robust %q is not known", f.robust), "CR0, CR1, CR2 or none")
	}
	if f.rho != 0 && (f.random == "" || f.cluster == "" || !(f.rho > 0 && f.rho < 1)) {
		return nil, usage(fmt.Errorf("--rho needs --random and --cluster and lies between 0 and 1"), "for example --random study/effect --cluster study --rho 0.6")
	}
	if !(f.level > 50 && f.level < 100) {
		return nil, usage(fmt.Errorf("--level %g is not between 50 and 100", f.level), "for example 95")
	}
	t, err := readTable(path)
	if err != nil {
		return nil, err
	}
	d := &metaData{table: t, opt: synthesis.MetaOptions{Method: synthesis.Method(f.method), Test: synthesis.Test(f.test), Level: f.level / 100}}
	if d.y, d.v, d.rows, err = f.effects(a, t); err != nil {
		return nil, err
	}
	if len(d.rows) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: no row has an effect size", path), Hint: "check --yi and --vi, or the columns of the arms"}
	}
	cols, inter, err := f.moderators(t, d.rows)
	if err != nil {
		return nil, err
	}
	var skip []int
	if d.x, d.names, skip, err = synthesis.Design(len(d.rows), cols, inter); err != nil {
		return nil, dataFault(path, err)
	}
	for i := len(skip) - 1; i >= 0; i-- {
		k := skip[i]
		d.y, d.v, d.rows = slices.Delete(d.y, k, k+1), slices.Delete(d.v, k, k+1), slices.Delete(d.rows, k, k+1)
	}
	return d, nil
}

func (f metaFlags) run(a *app, path string) (*metaOut, error) {
	d, err := f.prepare(a, path)
	if err != nil {
		return nil, err
	}
	out := &metaOut{Excluded: len(d.table.Rows) - len(d.rows), Method: f.method, Measure: f.measure, Test: f.test, Level: f.level, Sigma2: []sigmaOut{}}
	if out.Measure == "" {
		out.Measure = "GEN"
	}
	var cluster []string
	if f.cluster != "" {
		if err := column(d.table, f.cluster, "cluster"); err != nil {
			return nil, err
		}
		for _, r := range d.rows {
			cluster = append(cluster, d.table.Text(r, f.cluster))
		}
	}
	if f.random == "" {
		m, err := synthesis.Analyse(d.y, d.v, d.x, d.names, d.opt)
		if err != nil {
			return nil, dataFault(path, err)
		}
		out.fill(m)
		if cluster == nil || f.robust == "none" {
			return out, nil
		}
		terms, n, err := m.Robust(d.y, d.v, d.x, cluster, synthesis.Sandwich(f.robust))
		if err != nil {
			return nil, dataFault(path, err)
		}
		out.makeRobust(terms, n, f)
		return out, nil
	}
	levels, err := f.levels(d.table, d.rows)
	if err != nil {
		return nil, err
	}
	known := synthesis.Sampling{V: d.v, Rho: f.rho, Cluster: cluster}
	m, err := synthesis.AnalyseMixed(d.y, known, d.x, d.names, synthesis.Random{Levels: levels}, d.opt)
	if err != nil {
		return nil, dataFault(path, err)
	}
	out.fill(&m.Meta)
	for _, s := range m.Sigma2 {
		out.Sigma2 = append(out.Sigma2, sigmaOut{s.Level, s.Groups, report.Full(s.Value)})
	}
	if cluster != nil && f.robust != "none" {
		terms, n, err := m.Robust(cluster, synthesis.Sandwich(f.robust))
		if err != nil {
			return nil, dataFault(path, err)
		}
		out.makeRobust(terms, n, f)
	}
	return out, nil
}

// makeRobust replaces the tests of the coefficients by cluster-robust ones.
func (o *metaOut) makeRobust(terms []synthesis.Term, clusters int, f metaFlags) {
	n := func(v float64) report.Full { return report.Full(v) }
	o.Robust = &robustOut{f.robust, f.cluster, clusters}
	o.Coefficients = nil
	for _, t := range terms {
		o.Coefficients = append(o.Coefficients, coefOut{t.Name, newTerm(t)})
	}
	t := terms[0]
	o.SE, o.Stat, o.P, o.CILow, o.CIHigh = n(t.SE), n(t.Stat), n(t.P), n(t.Low), n(t.High)
}

type robustOut struct {
	Estimator string `json:"estimator"`
	Cluster   string `json:"cluster"`
	Clusters  int    `json:"n_clusters"`
}

// readTable reads a CSV file; faults in it are listed like those of a pack.
func readTable(path string) (*evidence.Table, error) {
	fh, err := os.Open(path)
	if err != nil {
		return nil, readFault(path, err)
	}
	defer fh.Close()
	t, ps := evidence.ReadTable(path, fh)
	if len(ps) > 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s", ps[0]), Hint: fmt.Sprintf("%d problem(s) in the file", len(ps))}
	}
	if len(t.Rows) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:1:1: the file holds no rows", path), Hint: "the first line names the columns, data follow"}
	}
	return t, nil
}

func dataFault(path string, err error) error {
	return &Fault{Code: ExitData, Err: fmt.Errorf("%s: %w", path, err), Hint: "check the columns and the moderators"}
}

// column checks that a column exists.
func column(t *evidence.Table, name, flag string) error {
	if t.Col(name) < 0 {
		return usage(fmt.Errorf("%s has no column %q (for --%s)", t.File, name, flag), "its columns: "+strings.Join(t.Header, ", "))
	}
	return nil
}

// number reads a cell, NaN where it is empty or NA.
func number(t *evidence.Table, row int, col string) (float64, error) {
	v := t.Number(row, col)
	if text := t.Text(row, col); text != "" && text != "NA" && math.IsNaN(v) {
		return v, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %q is not a number", t.File, t.Lines[row], t.Col(col)+1, text), Hint: "leave the cell empty where the value is missing"}
	}
	return v, nil
}

// effects reads or computes the effect sizes; rows lists the table rows used.
func (f metaFlags) effects(a *app, t *evidence.Table) (y, v []float64, rows []int, err error) {
	if f.measure != "" {
		return f.compute(a, t)
	}
	spread, flag := f.vi, "vi"
	if f.sei != "" {
		spread, flag = f.sei, "sei"
	}
	if err := column(t, f.yi, "yi"); err != nil {
		return nil, nil, nil, err
	}
	if err := column(t, spread, flag); err != nil {
		return nil, nil, nil, err
	}
	fmt.Fprintf(a.sys.Stderr, "columns: effect size %s, %s %s\n", f.yi, map[string]string{"vi": "variance", "sei": "standard error"}[flag], spread)
	for r := range t.Rows {
		e, err := number(t, r, f.yi)
		if err != nil {
			return nil, nil, nil, err
		}
		s, err := number(t, r, spread)
		if err != nil {
			return nil, nil, nil, err
		}
		if math.IsNaN(e) || math.IsNaN(s) {
			continue
		}
		if s <= 0 {
			return nil, nil, nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the %s %g is not above zero", t.File, t.Lines[r], t.Col(spread)+1, spread, s), Hint: "a variance or standard error is positive"}
		}
		if flag == "sei" {
			s *= s
		}
		y, v, rows = append(y, e), append(v, s), append(rows, r)
	}
	return y, v, rows, nil
}

// measure is an effect size computed from columns.
type measure struct {
	columns []string // flag names, in the order compute takes them
	compute func(x []float64) (y, v float64, err error)
}

var (
	armColumns    = []string{"n1i", "m1i", "sd1i", "n2i", "m2i", "sd2i"}
	tableColumns  = []string{"ai", "bi", "ci", "di"}
	pairedColumns = []string{"ni", "m1i", "m2i", "sd1i", "sd2i", "ri"}
)

func arms(f func(a, b effect.Group) (float64, float64, error)) measure {
	return measure{armColumns, func(x []float64) (float64, float64, error) {
		return f(effect.Group{N: int(x[0]), Mean: x[1], SD: x[2]}, effect.Group{N: int(x[3]), Mean: x[4], SD: x[5]})
	}}
}

func table(f func(effect.Table) (float64, float64, error)) measure {
	return measure{tableColumns, func(x []float64) (float64, float64, error) {
		return f(effect.Table{A: x[0], B: x[1], C: x[2], D: x[3]})
	}}
}

func paired(f func(effect.Paired) (float64, float64, error)) measure {
	return measure{pairedColumns, func(x []float64) (float64, float64, error) {
		return f(effect.Paired{N: int(x[0]), Mean1: x[1], Mean2: x[2], SD1: x[3], SD2: x[4], R: x[5]})
	}}
}

// measures are the effect sizes by the names metafor uses.
func (f metaFlags) measures() map[string]measure {
	return map[string]measure{
		"SMD": arms(func(a, b effect.Group) (float64, float64, error) { return effect.SMDWith(a, b, effect.Vtype(f.vtype)) }),
		"MD":  arms(effect.MD), "ROM": arms(effect.ROM),
		"OR": table(effect.LogOR), "RR": table(effect.LogRR), "RD": table(effect.RD),
		"ZCOR": {[]string{"ri", "ni"}, func(x []float64) (float64, float64, error) { return effect.ZCOR(x[0], int(x[1])) }},
		"DPPC2": {[]string{"n1i", "m1pre", "m1i", "sd1i", "n2i", "m2pre", "m2i", "sd2i", "ri"}, func(x []float64) (float64, float64, error) {
			return effect.DPPC2(effect.PrePost{N: int(x[0]), Pre: x[1], Post: x[2], SDPre: x[3], Correlation: x[8]}, effect.PrePost{N: int(x[4]), Pre: x[5], Post: x[6], SDPre: x[7], Correlation: x[8]})
		}},
		"MC": paired(effect.MC), "SMCC": paired(effect.SMCC), "SMCR": paired(effect.SMCR), "ROMC": paired(effect.ROMC),
	}
}

const measureNames = "SMD, MD, ROM (two arms); OR, RR, RD (two-by-two tables); ZCOR (correlations); MC, SMCC, SMCR, ROMC (one group twice); DPPC2 (two arms before and after)"

func (f metaFlags) compute(a *app, t *evidence.Table) (y, v []float64, rows []int, err error) {
	m, ok := f.measures()[f.measure]
	if !ok {
		return nil, nil, nil, usage(fmt.Errorf("--measure %q is not known", f.measure), measureNames)
	}
	if !slices.Contains([]string{"LS", "UB", "LS2"}, f.vtype) {
		return nil, nil, nil, usage(fmt.Errorf("--vtype %q is not known", f.vtype), "LS, UB or LS2")
	}
	cols := make([]string, len(m.columns))
	for i, name := range m.columns {
		cols[i] = *f.column(name)
		if err := column(t, cols[i], name); err != nil {
			return nil, nil, nil, err
		}
	}
	fmt.Fprintf(a.sys.Stderr, "columns: %s of %s\n", f.measure, strings.Join(cols, ", "))
	x := make([]float64, len(cols))
	for r := range t.Rows {
		missing := false
		for i, c := range cols {
			if x[i], err = number(t, r, c); err != nil {
				return nil, nil, nil, err
			}
			missing = missing || math.IsNaN(x[i])
		}
		if missing {
			continue
		}
		e, s, err := m.compute(x)
		if err != nil {
			return nil, nil, nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %w", t.File, t.Lines[r], t.Col(cols[0])+1, err), Hint: "check the numbers of this row"}
		}
		y, v, rows = append(y, e), append(v, s), append(rows, r)
	}
	return y, v, rows, nil
}

// column is where the flag that names a column is kept.
func (f *metaFlags) column(name string) *string {
	return map[string]*string{"n1i": &f.n1i, "m1i": &f.m1i, "sd1i": &f.sd1i, "n2i": &f.n2i, "m2i": &f.m2i, "sd2i": &f.sd2i,
		"m1pre": &f.m1pre, "m2pre": &f.m2pre,
		"ai": &f.ai, "bi": &f.bi, "ci": &f.ci, "di": &f.di, "ri": &f.ri, "ni": &f.ni}[name]
}

// moderators turns --mods into columns and interactions.
func (f metaFlags) moderators(t *evidence.Table, rows []int) (cols []synthesis.Column, inter [][2]string, err error) {
	add := func(term string) (string, error) {
		c := synthesis.Column{Name: strings.TrimSuffix(strings.TrimPrefix(term, "factor("), ")"), Factor: strings.HasPrefix(term, "factor(")}
		if slices.ContainsFunc(cols, func(o synthesis.Column) bool { return o.Name == c.Name }) {
			return c.Name, nil
		}
		if err := column(t, c.Name, "mods"); err != nil {
			return "", err
		}
		for _, r := range rows {
			c.Values = append(c.Values, t.Text(r, c.Name))
		}
		cols = append(cols, c)
		return c.Name, nil
	}
	for _, term := range strings.Split(f.mods, ",") {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		l, r, isInter := strings.Cut(term, ":")
		left, err := add(l)
		if err != nil {
			return nil, nil, err
		}
		if isInter {
			right, err := add(r)
			if err != nil {
				return nil, nil, err
			}
			inter = append(inter, [2]string{left, right})
		}
	}
	return cols, inter, nil
}

func (f metaFlags) levels(t *evidence.Table, rows []int) ([]synthesis.Level, error) {
	var cols []synthesis.Column
	for _, name := range strings.Split(f.random, "/") {
		if err := column(t, name, "random"); err != nil {
			return nil, err
		}
		c := synthesis.Column{Name: name}
		for _, r := range rows {
			c.Values = append(c.Values, t.Text(r, name))
		}
		cols = append(cols, c)
	}
	return synthesis.Nested(cols), nil
}

func (o *metaOut) fill(m *synthesis.Meta) {
	n := func(v float64) report.Full { return report.Full(v) }
	t := m.Terms[0]
	o.K, o.Estimate, o.SE, o.Stat, o.P, o.CILow, o.CIHigh = m.K, n(t.Estimate), n(t.SE), n(t.Stat), n(t.P), n(t.Low), n(t.High)
	o.PILow, o.PIHigh, o.Tau2, o.Tau2Low, o.Tau2High = n(m.PredLow), n(m.PredHigh), n(m.Tau2), n(m.Tau2Low), n(m.Tau2High)
	o.I2, o.H2, o.Q, o.QDF, o.QP, o.QM, o.QMDF, o.QMP = n(m.I2), n(m.H2), n(m.Q), m.QDF, n(m.QP), n(m.QM), n(m.QMDF1), n(m.QMP)
	o.LogLik, o.AIC, o.BIC, o.AICc = n(m.LogLik), n(m.AIC), n(m.BIC), n(m.AICc)
	for _, t := range m.Terms {
		o.Coefficients = append(o.Coefficients, coefOut{t.Name, newTerm(t)})
	}
}

func metaText(w io.Writer, o *metaOut) error {
	g := func(v report.Full) string { return fmt.Sprintf("%.4g", float64(v)) }
	fmt.Fprintf(w, "%d effect sizes (%d rows left out), measure %s, method %s, test %s\n\n", o.K, o.Excluded, o.Measure, o.Method, o.Test)
	fmt.Fprintf(w, "%-24s %10s %10s %10s %10s   %g%% interval\n", "", "estimate", "se", o.Test, "p", o.Level)
	for _, c := range o.Coefficients {
		fmt.Fprintf(w, "%-24s %10s %10s %10s %10s   %s to %s\n", c.Name, g(c.Estimate), g(c.SE), g(c.Stat), g(c.P), g(c.CILow), g(c.CIHigh))
	}
	fmt.Fprintf(w, "\nQ = %s, df %d, p %s", g(o.Q), o.QDF, g(o.QP))
	if !math.IsNaN(float64(o.I2)) { // not defined with correlated sampling errors
		fmt.Fprintf(w, "; I² %s %%, H² %s", g(o.I2), g(o.H2))
	}
	fmt.Fprintln(w)
	if len(o.Sigma2) == 0 && o.Method != "EE" && o.Method != "FE" {
		fmt.Fprintf(w, "tau² %s (Q-profile %s to %s)\n", g(o.Tau2), g(o.Tau2Low), g(o.Tau2High))
	}
	if r := o.Robust; r != nil {
		fmt.Fprintf(w, "tests robust to clusters of %s: %s, %d clusters, Satterthwaite degrees of freedom\n", r.Cluster, r.Estimator, r.Clusters)
	}
	for _, s := range o.Sigma2 {
		fmt.Fprintf(w, "sigma² %s: %s (%d groups)\n", s.Level, g(s.Value), s.NLevels)
	}
	if v := float64(o.PILow); !math.IsNaN(v) {
		fmt.Fprintf(w, "prediction interval %s to %s\n", g(o.PILow), g(o.PIHigh))
	}
	if len(o.Coefficients) > 1 {
		fmt.Fprintf(w, "moderators: QM = %s, df %s, p %s\n", g(o.QM), g(o.QMDF), g(o.QMP))
	}
	_, err := fmt.Fprintf(w, "log-likelihood %s, AIC %s, BIC %s, AICc %s\n", g(o.LogLik), g(o.AIC), g(o.BIC), g(o.AICc))
	return err
}
