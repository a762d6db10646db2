package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/dataset"
	"github.com/myoaxis/myoaxis/effect"
	"github.com/myoaxis/myoaxis/evidence"
	"gonum.org/v1/gonum/stat/distuv"
)

// effects reads or computes the effect sizes; rows lists the table rows used.
func (f *metaFlags) effects(a *app, t *evidence.Table) (y, v []float64, rows []int, err error) {
	if f.measure != "" {
		return f.compute(a, t)
	}
	est, err := f.find(t, "yi")
	if err != nil {
		return nil, nil, nil, err
	}
	spread, err := f.spread(t)
	if err != nil {
		return nil, nil, nil, err
	}
	fmt.Fprintf(a.sys.Stderr, "columns: effect size %s, %s\n", est, spread.label)
	for r := range t.Rows {
		e, err := number(t, r, est.Column)
		if err != nil {
			return nil, nil, nil, err
		}
		s, err := spread.variance(r)
		if err != nil {
			return nil, nil, nil, err
		}
		if math.IsNaN(e) || math.IsNaN(s) {
			continue
		}
		y, v, rows = append(y, e), append(v, s), append(rows, r)
	}
	return y, v, rows, nil
}

// spreadOf says where the variance of an effect comes from.
type spreadOf struct {
	label    string
	variance func(row int) (float64, error)
}

// spread takes the columns that were asked for, otherwise the first there is
// of a variance, a standard error and an interval.
func (f *metaFlags) spread(t *evidence.Table) (spreadOf, error) {
	positive := func(col, what string, r int) (float64, error) {
		s, err := number(t, r, col)
		if err == nil && s <= 0 {
			err = &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the %s %g is not above zero", t.File, t.Lines[r], t.Col(col)+1, col, s), Hint: "a " + what + " is positive"}
		}
		return s, err
	}
	of := func(role, what string, power float64) spreadOf {
		c, _ := f.find(t, role)
		return spreadOf{what + " " + c.String(), func(r int) (float64, error) {
			s, err := positive(c.Column, what, r)
			return math.Pow(s, power), err
		}}
	}
	if f.given("ci-low") || f.given("ci-high") {
		return f.fromInterval(t)
	}
	_, noV := f.find(t, "vi")
	_, noSE := f.find(t, "sei")
	switch {
	case f.given("sei") && noSE != nil:
		return spreadOf{}, noSE
	case f.given("sei"):
		return of("sei", "standard error", 2), nil
	case noV == nil:
		return of("vi", "variance", 1), nil
	case !f.given("vi") && noSE == nil:
		return of("sei", "standard error", 2), nil
	}
	return spreadOf{}, noV
}

// fromInterval takes the standard error from a 95 % interval.
func (f *metaFlags) fromInterval(t *evidence.Table) (spreadOf, error) {
	low, high := *f.columns["ci-low"], *f.columns["ci-high"]
	if err := column(t, low, "ci-low"); err != nil {
		return spreadOf{}, err
	}
	if err := column(t, high, "ci-high"); err != nil {
		return spreadOf{}, err
	}
	z := distuv.UnitNormal.Quantile(0.975)
	return spreadOf{fmt.Sprintf("95 %% interval %s to %s", low, high), func(r int) (float64, error) {
		l, err := number(t, r, low)
		if err != nil {
			return 0, err
		}
		h, err := number(t, r, high)
		if err != nil {
			return 0, err
		}
		if h <= l {
			return 0, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the interval %g to %g is empty", t.File, t.Lines[r], t.Col(low)+1, l, h), Hint: "the lower end comes first"}
		}
		s := (h - l) / (2 * z)
		return s * s, nil
	}}, nil
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
	changeColumns = []string{"n1i", "m1pre", "m1i", "sd1pre", "sd1i", "n2i", "m2pre", "m2i", "sd2pre", "sd2i", "ri"}
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

// change compares changes from before to after, their SDs made from r.
func change(f func(a, b effect.Group) (float64, float64, error)) measure {
	return measure{changeColumns, func(x []float64) (float64, float64, error) {
		s1, err := effect.ChangeSD(x[3], x[4], x[10])
		if err != nil {
			return 0, 0, err
		}
		s2, err := effect.ChangeSD(x[8], x[9], x[10])
		if err != nil {
			return 0, 0, err
		}
		return f(effect.Group{N: int(x[0]), Mean: x[2] - x[1], SD: s1}, effect.Group{N: int(x[5]), Mean: x[7] - x[6], SD: s2})
	}}
}

// measures are the effect sizes by the names metafor uses, where it has one.
func (f *metaFlags) measures() map[string]measure {
	smd := func(a, b effect.Group) (float64, float64, error) { return effect.SMDWith(a, b, effect.Vtype(f.vtype)) }
	m := map[string]measure{
		"SMD": arms(smd), "MD": arms(effect.MD), "ROM": arms(effect.ROM), "SMDH": arms(effect.SMDH), "SMD1": arms(effect.SMD1), "VR": arms(effect.LogVR),
		"MDC": change(effect.MD), "SMDC": change(smd),
		"OR": table(effect.LogOR), "RR": table(effect.LogRR), "RD": table(effect.RD), "PETO": table(effect.Peto), "AS": table(effect.ArcsineRD),
		"ZCOR": {[]string{"ri", "ni"}, func(x []float64) (float64, float64, error) { return effect.ZCOR(x[0], int(x[1])) }},
		"DPPC2": {[]string{"n1i", "m1pre", "m1i", "sd1i", "n2i", "m2pre", "m2i", "sd2i", "ri"}, func(x []float64) (float64, float64, error) {
			return effect.DPPC2(effect.PrePost{N: int(x[0]), Pre: x[1], Post: x[2], SDPre: x[3], Correlation: x[8]}, effect.PrePost{N: int(x[4]), Pre: x[5], Post: x[6], SDPre: x[7], Correlation: x[8]})
		}},
		"MC": paired(effect.MC), "SMCC": paired(effect.SMCC), "SMCR": paired(effect.SMCR), "ROMC": paired(effect.ROMC),
	}
	switch {
	case f.given("ti"):
		m["SMD"] = measure{[]string{"ti", "n1i", "n2i"}, func(x []float64) (float64, float64, error) { return effect.SMDFromT(x[0], int(x[1]), int(x[2])) }}
	case f.given("fi"):
		m["SMD"] = measure{[]string{"fi", "diri", "n1i", "n2i"}, func(x []float64) (float64, float64, error) {
			return effect.SMDFromF(x[0], x[1], int(x[2]), int(x[3]))
		}}
	case f.given("pi"):
		m["SMD"] = measure{[]string{"pi", "diri", "n1i", "n2i"}, func(x []float64) (float64, float64, error) {
			return effect.SMDFromP(x[0], x[1], int(x[2]), int(x[3]))
		}}
	}
	return m
}

const measureNames = "SMD, MD, ROM (two arms), SMDH, SMD1, VR (the same), SMD from --ti, --fi or --pi; MDC, SMDC (two arms, changes with an SD made from r); OR, RR, RD, PETO, AS (two-by-two tables); ZCOR (correlations); MC, SMCC, SMCR, ROMC (one group twice); DPPC2 (two arms before and after)"

func (f *metaFlags) compute(a *app, t *evidence.Table) (y, v []float64, rows []int, err error) {
	m, ok := f.measures()[f.measure]
	if !ok {
		return nil, nil, nil, usage(fmt.Errorf("--measure %q is not known", f.measure), measureNames)
	}
	if !slices.Contains([]string{"LS", "UB", "LS2", "AV"}, f.vtype) {
		return nil, nil, nil, usage(fmt.Errorf("--vtype %q is not known", f.vtype), "LS, UB, LS2 or AV")
	}
	cols, err := f.roles(a, t, m)
	if err != nil {
		return nil, nil, nil, err
	}
	var first, second []effect.Group
	x := make([]float64, len(cols))
	for r := range t.Rows {
		ok, err := f.cells(t, r, m, cols, x)
		if err != nil {
			return nil, nil, nil, err
		}
		if !ok {
			continue
		}
		e, s, err := m.compute(x)
		if err != nil {
			return nil, nil, nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %w", t.File, t.Lines[r], max(1, t.Col(cols[0].Column)+1), err), Hint: "check the numbers of this row"}
		}
		y, v, rows = append(y, e), append(v, s), append(rows, r)
		if f.vtype == "AV" && f.measure == "SMD" && len(x) == 6 {
			first, second = append(first, effect.Group{N: int(x[0]), Mean: x[1], SD: x[2]}), append(second, effect.Group{N: int(x[3]), Mean: x[4], SD: x[5]})
		}
	}
	if len(first) > 0 {
		y, v, err = effect.SMDAverage(first, second)
	}
	f.warnShared(a, t, rows)
	return y, v, rows, err
}

// roles finds the columns of a measure; a missing column of the correlation is
// replaced by --r.
func (f *metaFlags) roles(a *app, t *evidence.Table, m measure) (cols []dataset.Role, err error) {
	var names []string
	for _, name := range m.columns {
		c, err := f.find(t, name)
		if err != nil {
			if name != "ri" || math.IsNaN(f.corr) {
				return nil, err
			}
			c = dataset.Role{}
			fmt.Fprintf(a.sys.Stderr, "the correlation of before and after is assumed to be %g in every row\n", f.corr)
		} else {
			names = append(names, c.String())
		}
		cols = append(cols, c)
	}
	fmt.Fprintf(a.sys.Stderr, "columns: %s of %s\n", f.measure, strings.Join(names, ", "))
	return cols, nil
}

// cells reads the numbers of a row; ok is false where one is missing. Sizes
// must be whole numbers.
func (f *metaFlags) cells(t *evidence.Table, r int, m measure, cols []dataset.Role, x []float64) (ok bool, err error) {
	ok = true
	for i, c := range cols {
		x[i] = f.corr
		if c.Column != "" {
			if x[i], err = number(t, r, c.Column); err != nil {
				return false, err
			}
			if m.columns[i] == "ri" && math.IsNaN(x[i]) {
				x[i] = f.corr
			}
		}
		if math.IsNaN(x[i]) {
			ok = false
		}
		if strings.HasPrefix(m.columns[i], "n") && !math.IsNaN(x[i]) && (x[i] != math.Trunc(x[i]) || math.Abs(x[i]) > 1e9) {
			return false, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the size %g is not a whole number", t.File, t.Lines[r], t.Col(c.Column)+1, x[i]), Hint: "count persons"}
		}
	}
	return ok, nil
}

// warnShared tells of a unit-of-analysis error: the same control arm beside
// two treated arms enters its persons twice.
func (f *metaFlags) warnShared(a *app, t *evidence.Table, rows []int) {
	if f.sharedControl != "" {
		return
	}
	var cols []string
	for _, name := range []string{"n2i", "m2i", "sd2i", "ci", "di"} {
		if c, err := f.find(t, name); err == nil {
			cols = append(cols, c.Column)
		}
	}
	study, ok := dataset.Find(t, "study", "study")
	if len(cols) < 2 || !ok {
		return
	}
	seen := map[string]int{}
	for _, r := range rows {
		key := t.Text(r, study.Column)
		for _, c := range cols {
			key += "\x00" + t.Text(r, c)
		}
		if first, twice := seen[key]; twice {
			fmt.Fprintf(a.sys.Stderr, "warning: lines %d and %d of %s have the same control arm, whose persons are counted twice (--shared-control %s computes their covariance)\n", t.Lines[first], t.Lines[r], t.Text(r, study.Column), study.Column)
			return
		}
		seen[key] = r
	}
}
