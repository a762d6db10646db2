package cli

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/dataset"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/mat"
)

// tableFlags say how a user's table is read.
type tableFlags struct {
	where, delimiter, sheet string
}

func (f *tableFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.where, "where", "", `keep the rows for which a condition holds, for example "domain == 'memory' && weeks >= 12"`)
	fl.StringVar(&f.delimiter, "delimiter", "", "separator of a CSV file: a character, or tab (default: found out)")
	fl.StringVar(&f.sheet, "sheet", "", "sheet of an XLSX workbook (default: the first)")
}

// read reads a CSV file or workbook, picks rows and says what it assumed.
func (f tableFlags) read(a *app, path string) (*evidence.Table, error) {
	o := dataset.Options{Sheet: f.sheet}
	switch r := []rune(f.delimiter); {
	case f.delimiter == "tab" || f.delimiter == `\t`:
		o.Comma = '\t'
	case len(r) == 1 && r[0] != '"' && r[0] != '\n' && r[0] != '\r':
		o.Comma = r[0]
	case len(r) != 0:
		return nil, usage(fmt.Errorf("--delimiter %q is not one character", f.delimiter), `for example ";" or tab`)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, readFault(path, err)
	}
	t, notes, ps := dataset.Read(path, data, o)
	if len(ps) > 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s", ps[0]), Hint: fmt.Sprintf("%d problem(s) in the file", len(ps))}
	}
	if len(t.Rows) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:1:1: the file holds no rows", path), Hint: "the first line names the columns, data follow"}
	}
	for _, n := range notes {
		fmt.Fprintln(a.sys.Stderr, n)
	}
	if f.where == "" {
		return t, nil
	}
	kept, err := dataset.Where(t, f.where)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(a.sys.Stderr, "--where keeps %d of %d rows\n", len(kept.Rows), len(t.Rows))
	if len(kept.Rows) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: no row has %s", path, f.where), Hint: "check the condition"}
	}
	return kept, nil
}

// metaFlags name the columns and the model.
type metaFlags struct {
	tableFlags
	columns                     map[string]*string // of effect sizes, by flag name
	given                       func(flag string) bool
	measure, vtype              string
	method, test, mods          string
	random, structure           string
	cluster, robust, vfile, rve string
	sharedControl, weights      string
	level, rho, corr            float64
}

// newMetaFlags holds the defaults, which a subcommand without the flag keeps.
func newMetaFlags() *metaFlags {
	return &metaFlags{method: "REML", test: "z", robust: "CR2", columns: map[string]*string{}, corr: math.NaN()}
}

// effectColumns are the flags that name columns of effect sizes.
var effectColumns = [][2]string{{"yi", "the effect size"}, {"vi", "its variance"}, {"sei", "its standard error, instead of --vi"}, {"ci-low", "the lower end of its interval, instead of --vi"}, {"ci-high", "the upper end of its interval"},
	{"n1i", "size of the first arm"}, {"m1i", "mean of the first arm, or after"}, {"sd1i", "SD of the first arm, or after (SMCR: the SD to standardise by)"}, {"n2i", "size of the second arm"}, {"m2i", "mean of the second arm, or before"}, {"sd2i", "SD of the second arm, or before"},
	{"ti", "t statistic (SMD)"}, {"fi", "F statistic with one numerator degree of freedom (SMD, with --diri)"}, {"pi", "two-sided p of a t-test (SMD, with --diri)"}, {"diri", "direction of an F or p: +1 or -1"},
	{"ai", "events, first group"}, {"bi", "non-events, first group"}, {"ci", "events, second group"}, {"di", "non-events, second group"},
	{"m1pre", "mean of the first arm before (DPPC2; sd1i is then the SD before)"}, {"m2pre", "mean of the second arm before"}, {"sd1pre", "SD of the first arm before (MDC, SMDC)"}, {"sd2pre", "SD of the second arm before"}, {"ri", "correlation (of before and after)"}, {"ni", "size of one group"}}

// addEffects adds the flags that say where the effect sizes are.
func (f *metaFlags) addEffects(c *cobra.Command) {
	fl := c.Flags()
	for _, x := range effectColumns {
		f.columns[x[0]] = fl.String(x[0], x[0], "column: "+x[1])
	}
	f.given = func(flag string) bool { return fl.Changed(flag) }
	fl.StringVar(&f.vtype, "vtype", "LS", "variance of SMD: LS, UB, LS2 or AV")
	fl.StringVar(&f.measure, "measure", "", "compute the effect size: "+measureNames)
	fl.Float64Var(&f.corr, "r", math.NaN(), "correlation of before and after where no column --ri holds it (assumed, and said so)")
	fl.Float64Var(&f.level, "level", 95, "confidence level in percent")
	f.tableFlags.add(c)
}

// addModel adds the choice of the random-effects model. A subcommand takes only
// the flags it heeds.
func (f *metaFlags) addModel(c *cobra.Command) {
	c.Flags().StringVar(&f.method, "method", f.method, "EE, FE, DL, HE, HS, HSk, SJ, ML, REML, EB, PM, or GENQ with --weights")
	c.Flags().StringVar(&f.test, "test", f.test, "z, t, knha or adhoc")
}

func (f *metaFlags) addModerators(c *cobra.Command) {
	c.Flags().StringVar(&f.mods, "mods", "", "moderators, parted by commas; a:b is an interaction, factor(a) treats numbers as levels")
}

// addWeights adds weights of the user's own.
func (f *metaFlags) addWeights(c *cobra.Command) {
	c.Flags().StringVar(&f.weights, "weights", "", "column of weights of your own for the coefficients (and for tau² with --method GENQ)")
}

// addClusters adds random terms, known covariances and cluster-robust tests.
func (f *metaFlags) addClusters(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.random, "random", "", "random terms parted by semicolons: nested study/effect, or inner|outer with --struct, for example outcome|study")
	fl.StringVar(&f.structure, "struct", "CS", "covariance of inner|outer terms: ID, DIAG, CS, HCS, UN, AR, HAR, CAR; GEN or GDIAG for random slopes of the inner columns")
	fl.StringVar(&f.cluster, "cluster", "", "column of the clusters: robust tests with Satterthwaite degrees of freedom")
	fl.StringVar(&f.robust, "robust", f.robust, "with --cluster: CR0, CR1, CR1p, CR1S, CR2, CR3, or none")
	fl.Float64Var(&f.rho, "rho", 0, "correlation of sampling errors within a cluster (with --cluster)")
	fl.StringVar(&f.vfile, "v", "", "CSV file with the whole covariance matrix of the sampling errors: k rows of k numbers, no header")
	fl.StringVar(&f.rve, "rve", "", "robust variance estimation with working weights: corr (uses --rho, default 0.8) or hier (with --cluster)")
	fl.StringVar(&f.sharedControl, "shared-control", "", "column that is the same for effects sharing a control arm: their sampling covariance is computed (MD, SMD, ROM, OR, RR, RD)")
}

// check refuses values that are not known.
func (f *metaFlags) check() error {
	if !slices.Contains(synthesis.Methods, synthesis.Method(f.method)) && f.method != "GENQ" {
		return usage(fmt.Errorf("--method %q is not known", f.method), "EE, FE, DL, HE, HS, HSk, SJ, ML, REML, EB, PM, or GENQ with --weights")
	}
	if f.method == "GENQ" && f.weights == "" {
		return usage(fmt.Errorf("--method GENQ needs --weights"), "for example myoaxis meta effects.csv --method GENQ --weights n")
	}
	if !slices.Contains(synthesis.Tests, synthesis.Test(f.test)) {
		return usage(fmt.Errorf("--test %q is not known", f.test), "z, t, knha or adhoc")
	}
	if f.structure != "" && !slices.Contains(synthesis.Structures, synthesis.Structure(f.structure)) {
		return usage(fmt.Errorf("--struct %q is not known", f.structure), "ID, DIAG, CS, HCS, UN, AR, HAR, CAR, GEN or GDIAG")
	}
	if f.weights != "" && f.cluster != "" {
		return usage(fmt.Errorf("--weights and --cluster cannot be combined: robust tests know the model's weights only"), "leave out one of them")
	}
	if f.rve != "" && (f.rve != "corr" && f.rve != "hier" || f.cluster == "") {
		return usage(fmt.Errorf("--rve is corr or hier and needs --cluster"), "for example --rve corr --rho 0.8 --cluster study")
	}
	if f.rho != 0 && (f.cluster == "" || f.random == "" && f.rve == "" || !(f.rho > 0 && f.rho < 1)) {
		return usage(fmt.Errorf("--rho needs --random and --cluster and lies between 0 and 1"), "for example --random study/effect --cluster study --rho 0.6")
	}
	if !math.IsNaN(f.corr) && !(f.corr > -1 && f.corr < 1) {
		return usage(fmt.Errorf("--r %g is no correlation", f.corr), "between -1 and 1, for example 0.7")
	}
	return f.checkTests()
}

// checkTests refuses robust estimators and levels that are not known.
func (f *metaFlags) checkTests() error {
	if f.robust != "none" && !slices.Contains(synthesis.Sandwiches, synthesis.Sandwich(f.robust)) {
		return usage(fmt.Errorf("--robust %q is not known", f.robust), "CR0, CR1, CR1p, CR1S, CR2, CR3 or none")
	}
	if !(f.level > 50 && f.level < 100) {
		return usage(fmt.Errorf("--level %g is not between 50 and 100", f.level), "for example 95")
	}
	return nil
}

// metaData is a table made ready for a fit.
type metaData struct {
	table   *evidence.Table
	found   int // rows of the table before any was left out
	y, v    []float64
	rows    []int // of the table
	x       *mat.Dense
	names   []string
	dropped []string
	opt     synthesis.MetaOptions
}

// prepare checks the flags and reads the table.
func (f *metaFlags) prepare(a *app, path string) (*metaData, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	t, err := f.read(a, path)
	if err != nil {
		return nil, err
	}
	d := &metaData{table: t, found: len(t.Rows), opt: synthesis.MetaOptions{Method: synthesis.Method(f.method), Test: synthesis.Test(f.test), Level: f.level / 100}}
	if d.y, d.v, d.rows, err = f.effects(a, t); err != nil {
		return nil, err
	}
	if len(d.rows) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: no row has an effect size", path), Hint: "check --yi and --vi, or the columns of the arms"}
	}
	if err := f.design(a, d, path); err != nil || f.weights == "" {
		return d, err
	}
	if err := column(t, f.weights, "weights"); err != nil {
		return nil, err
	}
	for _, r := range d.rows {
		w, err := number(t, r, f.weights)
		if err != nil {
			return nil, err
		}
		if !(w > 0) {
			return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the weight %s is not above zero", t.File, t.Lines[r], t.Col(f.weights)+1, t.Text(r, f.weights)), Hint: "leave the row out with --where"}
		}
		d.opt.Weights = append(d.opt.Weights, w)
	}
	return d, nil
}

// design builds the design of the rows and leaves out those without moderators.
func (f *metaFlags) design(a *app, d *metaData, path string) error {
	cols, inter, err := f.moderators(d.table, d.rows)
	if err != nil {
		return err
	}
	m, err := synthesis.NewDesign(len(d.rows), cols, inter)
	if err != nil {
		return dataFault(path, err)
	}
	d.x, d.names, d.dropped = m.X, m.Names, m.Dropped
	skip := map[int]bool{}
	for _, k := range m.Skip {
		skip[k] = true
	}
	n := 0
	for k := range d.rows {
		if !skip[k] {
			d.y[n], d.v[n], d.rows[n] = d.y[k], d.v[k], d.rows[k]
			n++
		}
	}
	d.y, d.v, d.rows = d.y[:n], d.v[:n], d.rows[:n]
	if len(d.dropped) > 0 {
		fmt.Fprintf(a.sys.Stderr, "left out, a combination of the moderators before: %s\n", strings.Join(d.dropped, ", "))
	}
	return nil
}

// texts are the cells of a column for the rows of the fit.
func (d *metaData) texts(col string) []string {
	out := make([]string, len(d.rows))
	for i, r := range d.rows {
		out[i] = d.table.Text(r, col)
	}
	return out
}

// dataFault gives a fault of the numbers its exit code.
func dataFault(path string, err error) error {
	f := &Fault{Code: ExitData, Err: fmt.Errorf("%s: %w", path, err), Hint: "check the columns and the moderators"}
	if isNumerical(err) {
		f.Code, f.Hint = ExitNumerical, "try another --method, fewer random terms, or fewer moderators"
	}
	return f
}

// column checks that a column exists.
func column(t *evidence.Table, name, flag string) error {
	if t.Col(name) < 0 {
		return usage(fmt.Errorf("%s has no column %q (for --%s)", t.File, name, flag), "its columns: "+strings.Join(t.Header, ", "))
	}
	return nil
}

// number reads a cell, NaN where it holds no value.
func number(t *evidence.Table, row int, col string) (float64, error) {
	v := t.Number(row, col)
	if text := t.Text(row, col); math.IsNaN(v) && !dataset.Missing(text) {
		return v, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %q is not a number", t.File, t.Lines[row], t.Col(col)+1, text), Hint: "leave the cell empty where the value is missing"}
	}
	return v, nil
}

// find is the column of a role; a name that was asked for must be there.
func (f *metaFlags) find(t *evidence.Table, role string) (dataset.Role, error) {
	asked := *f.columns[role]
	if !f.given(role) {
		if r, ok := dataset.Find(t, role, asked); ok {
			return r, nil
		}
	}
	return dataset.Role{Column: asked}, column(t, asked, role)
}

// moderators turns --mods into columns and interactions.
func (f *metaFlags) moderators(t *evidence.Table, rows []int) (cols []synthesis.Column, inter [][2]string, err error) {
	add := func(term string) (string, error) {
		c := synthesis.Column{Name: strings.TrimSuffix(strings.TrimPrefix(term, "factor("), ")"), Factor: strings.HasPrefix(term, "factor(")}
		if slices.ContainsFunc(cols, func(o synthesis.Column) bool { return o.Name == c.Name }) {
			return c.Name, nil
		}
		if err := column(t, c.Name, "mods"); err != nil {
			return "", err
		}
		for _, r := range rows {
			text := t.Text(r, c.Name)
			if dataset.Missing(text) {
				text = ""
			}
			c.Values = append(c.Values, text)
		}
		cols = append(cols, c)
		return c.Name, nil
	}
	for _, term := range strings.Split(f.mods, ",") {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		l, r, isInter := strings.Cut(term, ":")
		left, err := add(strings.TrimSpace(l))
		if err != nil {
			return nil, nil, err
		}
		if isInter {
			right, err := add(strings.TrimSpace(r))
			if err != nil {
				return nil, nil, err
			}
			inter = append(inter, [2]string{left, right})
		}
	}
	return cols, inter, nil
}
