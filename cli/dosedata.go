package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/dataset"
	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
)

// doseData is a table made ready for a curve.
type doseData struct {
	kind, measure string
	intercept     bool // effects of one dose each
	middle        []float64
	studies       []string // of every dose in middle
	clusters      []string // of every trial
	uncertain     int      // doses that are intervals
	build         func(draw func(low, high float64) float64) ([]doseresponse.Trial, error)
	reports       []synthesis.Row
	notes         []string
}

// doseTable is the table with its doses and studies found.
type doseTable struct {
	*evidence.Table
	low, high []float64
	rows      []int // with a dose and a study
	id        string
}

func (f *doseFlags) readDoses(a *app, t *evidence.Table) (*doseData, error) {
	low, high, err := dataset.Doses(t, f.by)
	var cell *dataset.CellError
	switch {
	case errors.As(err, &cell):
		return nil, &Fault{Code: ExitData, Err: err, Hint: "leave the cell empty where the dose is not known"}
	case err != nil:
		return nil, usage(fmt.Errorf("--by: %w", err), "a column, or an expression such as sets * sessions; its columns: "+strings.Join(t.Header, ", "))
	}
	id, ok := f.role(t, "study", f.id, "id")
	if !ok {
		return nil, column(t, f.id, "id")
	}
	d := doseTable{Table: t, low: low, high: high, id: id}
	missing := 0
	for r := range t.Rows {
		if math.IsNaN(low[r]) {
			missing++
		} else {
			d.rows = append(d.rows, r)
		}
	}
	if len(d.rows) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: no row has a dose", t.File), Hint: "check --by"}
	}
	out, err := f.byKind(d)
	if err != nil {
		return nil, err
	}
	if missing > 0 {
		out.notes = append(out.notes, fmt.Sprintf("%d rows without a dose are left out", missing))
	}
	fmt.Fprintf(a.sys.Stderr, "columns: dose %s, study %s; the file holds %s\n", f.by, id, out.kind)
	return out, nil
}

// role is the column asked for, or where none was asked for, a synonym.
func (f *doseFlags) role(t *evidence.Table, role, asked, flag string) (string, bool) {
	if f.given(flag) {
		return asked, t.Col(asked) >= 0
	}
	r, ok := dataset.Find(t, role, asked)
	return r.Column, ok
}

// byKind finds out what the rows are: arms with means, relative risks against a
// reference row, or effects of one dose each.
func (f *doseFlags) byKind(d doseTable) (*doseData, error) {
	if f.cluster != "" {
		if err := column(d.Table, f.cluster, "cluster"); err != nil {
			return nil, err
		}
	}
	if f.reported != "" {
		return f.readReports(d)
	}
	cases, hasCases := f.role(d.Table, "cases", f.cases, "cases")
	mean, hasMean := f.role(d.Table, "mean", f.mean, "mean")
	sd, hasSD := f.role(d.Table, "sd", f.sd, "sd")
	n, hasN := f.role(d.Table, "n", f.n, "n")
	_, noSE := f.find(d.Table, "sei")
	switch {
	case hasCases && hasN && noSE == nil:
		return f.readRisks(d, cases, n)
	case hasMean && hasSD && hasN || f.arms != "":
		for _, c := range [][2]string{{mean, "mean"}, {sd, "sd"}, {n, "n"}} {
			if err := column(d.Table, c[0], c[1]); err != nil {
				return nil, err
			}
		}
		return f.readArms(d, mean, sd, n)
	}
	return f.readEffects(d)
}

// groups are the rows of every study, in the order of the file.
func (d doseTable) groups(key func(r int) string) (names []string, rows [][]int) {
	at := map[string]int{}
	for _, r := range d.rows {
		k := key(r)
		if _, ok := at[k]; !ok {
			at[k] = len(rows)
			names, rows = append(names, k), append(rows, nil)
		}
		rows[at[k]] = append(rows[at[k]], r)
	}
	return names, rows
}

func (d doseTable) study(r int) string { return d.Text(r, d.id) }

func (d doseTable) dose(r int, draw func(low, high float64) float64) float64 {
	if d.low[r] == d.high[r] {
		return d.low[r]
	}
	return draw(d.low[r], d.high[r])
}

// data is what all kinds share; clusters must not differ within a study.
func (f *doseFlags) data(d doseTable, kind string) (*doseData, error) {
	out := &doseData{kind: kind}
	for _, r := range d.rows {
		out.middle, out.studies = append(out.middle, (d.low[r]+d.high[r])/2), append(out.studies, d.study(r))
		if d.low[r] != d.high[r] {
			out.uncertain++
		}
	}
	if f.cluster == "" {
		return out, nil
	}
	_, rows := d.groups(d.study)
	for _, rs := range rows {
		c := d.Text(rs[0], f.cluster)
		for _, r := range rs {
			if d.Text(r, f.cluster) != c {
				return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the study %s lies in two clusters", d.File, d.Lines[r], d.Col(f.cluster)+1, d.study(r)), Hint: "a cluster holds whole studies"}
			}
		}
		out.clusters = append(out.clusters, c)
	}
	return out, nil
}

// readRisks reads log relative risks with a reference row a study.
func (f *doseFlags) readRisks(d doseTable, cases, n string) (*doseData, error) {
	out, err := f.data(d, "relative risks against a reference dose")
	if err != nil {
		return nil, err
	}
	out.measure = "log relative risk"
	yi, err := f.find(d.Table, "yi")
	if err != nil {
		return nil, err
	}
	se, err := f.find(d.Table, "sei")
	if err != nil {
		return nil, err
	}
	design, ok := f.role(d.Table, "type", f.design, "design")
	if !ok && f.covariance != "indep" {
		return nil, column(d.Table, f.design, "design")
	}
	arms := map[int]doseresponse.Arm{}
	for _, r := range d.rows {
		var arm doseresponse.Arm
		for _, x := range []struct {
			col string
			to  *float64
		}{{yi.Column, &arm.Effect}, {se.Column, &arm.SE}, {cases, &arm.Cases}, {n, &arm.N}} {
			if *x.to, err = number(d.Table, r, x.col); err != nil {
				return nil, err
			}
		}
		if !math.IsNaN(arm.SE) && arm.SE < 0 {
			return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the standard error %g is negative", d.File, d.Lines[r], d.Col(se.Column)+1, arm.SE), Hint: "leave it empty at the reference dose"}
		}
		arms[r] = arm
	}
	names, rows := d.groups(d.study)
	out.build = func(draw func(low, high float64) float64) (trials []doseresponse.Trial, err error) {
		for i, rs := range rows {
			var as []doseresponse.Arm
			for _, r := range rs {
				arm := arms[r]
				arm.Dose = d.dose(r, draw)
				as = append(as, arm)
			}
			t, err := doseresponse.FromRelativeRisks(names[i], doseresponse.Design(d.Text(rs[0], design)), as, f.covariance)
			if err != nil {
				return nil, err
			}
			trials = append(trials, t)
		}
		return trials, nil
	}
	return out, nil
}

// readArms reads arms with mean, SD and size, in sets of one outcome and time.
func (f *doseFlags) readArms(d doseTable, mean, sd, n string) (*doseData, error) {
	for _, c := range []string{f.outcome, f.time, f.meanPre, f.sdPre} {
		if c != "" {
			if err := column(d.Table, c, "outcome, --time, --mean-pre or --sd-pre"); err != nil {
				return nil, err
			}
		}
	}
	set := func(r int) string { return d.Text(r, f.outcome) + "\x00" + d.Text(r, f.time) }
	arms, kept, notes, err := f.keepArms(d, set, mean, sd, n)
	if err != nil {
		return nil, err
	}
	d.rows = kept
	out, err := f.data(d, "arms with means")
	if err != nil {
		return nil, err
	}
	out.measure, out.notes = f.scale, notes
	if f.sdPre != "" && !math.IsNaN(f.corr) {
		out.notes = append(out.notes, fmt.Sprintf("the correlation of before and after is assumed to be %g where the file has none", f.corr))
	}
	names, rows := d.groups(d.study)
	if _, sets := d.groups(func(r int) string { return d.study(r) + "\x00" + set(r) }); len(sets) > len(rows) {
		out.notes = append(out.notes, fmt.Sprintf("sampling errors of two outcomes or times of one study are assumed to be correlated by %g (--rho)", f.rho))
	}
	scale := map[string]doseresponse.Scale{"MD": doseresponse.MD, "MDH": doseresponse.MDH, "SMD": doseresponse.Hedges, "HEDGES": doseresponse.Hedges, "COHEN": doseresponse.Cohen, "GLASS": doseresponse.Glass}[f.scale]
	out.build = func(draw func(low, high float64) float64) (trials []doseresponse.Trial, err error) {
		for i, rs := range rows {
			t, err := f.stack(d, names[i], rs, set, arms, scale, draw)
			if err != nil {
				return nil, err
			}
			trials = append(trials, t)
		}
		return trials, nil
	}
	return out, nil
}

// keepArms reads the arms that have their numbers and another arm beside them
// in their study, outcome and time.
func (f *doseFlags) keepArms(d doseTable, set func(int) string, mean, sd, n string) (arms map[int]doseresponse.Arm, kept []int, notes []string, err error) {
	arms = map[int]doseresponse.Arm{}
	var whole []int
	for _, r := range d.rows {
		arm, ok, err := f.arm(d, r, mean, sd, n)
		if err != nil {
			return nil, nil, nil, err
		}
		if ok {
			arms[r] = arm
			whole = append(whole, r)
		}
	}
	if lost := len(d.rows) - len(whole); lost > 0 {
		notes = append(notes, fmt.Sprintf("%d arms without mean, SD or size are left out", lost))
	}
	d.rows = whole
	_, sets := d.groups(func(r int) string { return d.study(r) + "\x00" + set(r) })
	for _, s := range sets {
		if len(s) > 1 {
			kept = append(kept, s...)
		}
	}
	slices.Sort(kept)
	if len(kept) == 0 {
		return nil, nil, nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: no study has two arms with mean, SD and size", d.File), Hint: "check --id, --mean, --sd and --n"}
	}
	if alone := len(whole) - len(kept); alone > 0 {
		notes = append(notes, fmt.Sprintf("%d arms without another of their study, outcome and time are left out", alone))
	}
	return arms, kept, notes, nil
}

func (f *doseFlags) arm(d doseTable, r int, mean, sd, n string) (arm doseresponse.Arm, ok bool, err error) {
	cells := []struct {
		col string
		to  *float64
	}{{mean, &arm.Effect}, {sd, &arm.SD}, {n, &arm.N}}
	if f.sdPre != "" {
		cells = append(cells, []struct {
			col string
			to  *float64
		}{{f.sdPre, &arm.PreSD}, {f.meanPre, &arm.Pre}}...)
	}
	ok = true
	for _, x := range cells {
		if *x.to, err = number(d.Table, r, x.col); err != nil {
			return arm, false, err
		}
		ok = ok && !math.IsNaN(*x.to)
	}
	arm.R = f.corr
	if ri, err := f.find(d.Table, "ri"); err == nil {
		v, err := number(d.Table, r, ri.Column)
		if err != nil {
			return arm, false, err
		}
		if !math.IsNaN(v) {
			arm.R = v
		}
	}
	if f.sdPre != "" && math.IsNaN(arm.R) {
		return arm, false, usage(fmt.Errorf("changes need the correlation of before and after"), "a column --ri, or --r 0.7 to assume it")
	}
	return arm, ok, nil
}

// stack makes the trial of a study from its sets of arms. Arms at the same dose
// in one set are refused: they are one arm, or differ in something else.
func (f *doseFlags) stack(d doseTable, name string, rs []int, set func(int) string, arms map[int]doseresponse.Arm, scale doseresponse.Scale, draw func(low, high float64) float64) (doseresponse.Trial, error) {
	drawn := map[float64]float64{} // one draw for the same interval throughout the study
	once := func(low, high float64) float64 {
		key := low*1e6 + high
		if _, ok := drawn[key]; !ok {
			drawn[key] = draw(low, high)
		}
		return drawn[key]
	}
	sub := d
	sub.rows = rs
	_, sets := sub.groups(set)
	var ts []doseresponse.Trial
	var sizes []map[float64]float64
	for _, s := range sets {
		var as []doseresponse.Arm
		size := map[float64]float64{}
		for _, r := range s {
			arm := arms[r]
			arm.Dose = d.dose(r, once)
			if _, twice := size[arm.Dose]; twice {
				return doseresponse.Trial{}, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the study %s has two arms at the dose %g", d.File, d.Lines[r], max(1, d.Col(f.by)+1), name, arm.Dose), Hint: "combine the arms, or name their outcome or time with --outcome or --time"}
			}
			size[arm.Dose] = arm.N
			as = append(as, arm)
		}
		t, err := doseresponse.FromMeans(name, as, scale)
		if err != nil {
			return t, err
		}
		ts, sizes = append(ts, t), append(sizes, size)
	}
	return doseresponse.Stack(name, ts, sizes, f.rho)
}

// readEffects reads effects of one dose each.
func (f *doseFlags) readEffects(d doseTable) (*doseData, error) {
	yi, err := f.find(d.Table, "yi")
	if err != nil {
		return nil, err
	}
	spread, err := f.spread(d.Table)
	if err != nil {
		return nil, err
	}
	y, v := map[int]float64{}, map[int]float64{}
	var kept []int
	for _, r := range d.rows {
		e, err := number(d.Table, r, yi.Column)
		if err != nil {
			return nil, err
		}
		s, err := spread.variance(r)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(e) && !math.IsNaN(s) {
			y[r], v[r] = e, s
			kept = append(kept, r)
		}
	}
	lost := len(d.rows) - len(kept)
	d.rows = kept
	out, err := f.data(d, "effects of one dose each")
	if err != nil {
		return nil, err
	}
	if lost > 0 {
		out.notes = append(out.notes, fmt.Sprintf("%d rows without an effect are left out", lost))
	}
	out.measure, out.intercept = yi.Column, !f.origin
	names, rows := d.groups(d.study)
	if len(rows) < len(kept) && f.rho > 0 {
		out.notes = append(out.notes, fmt.Sprintf("sampling errors of effects of one study are assumed to be correlated by %g (--rho)", f.rho))
	}
	ref := math.NaN()
	if f.origin {
		ref = 0
	}
	out.build = func(draw func(low, high float64) float64) (trials []doseresponse.Trial, err error) {
		for i, rs := range rows {
			t := doseresponse.Trial{ID: names[i], S: mat.NewSymDense(len(rs), nil)}
			for k, r := range rs {
				t.Dose, t.Ref, t.Y = append(t.Dose, d.dose(r, draw)), append(t.Ref, ref), append(t.Y, y[r])
				t.S.SetSym(k, k, v[r])
				for j := range k {
					t.S.SetSym(k, j, f.rho*math.Sqrt(v[r]*v[rs[j]]))
				}
			}
			trials = append(trials, t)
		}
		return trials, nil
	}
	return out, nil
}

// readReports reads results in any reported form.
func (f *doseFlags) readReports(d doseTable) (*doseData, error) {
	if err := column(d.Table, f.reported, "reported"); err != nil {
		return nil, err
	}
	if f.robust != "CR2" || f.stages != 1 || f.origin {
		return nil, usage(fmt.Errorf("--reported is fitted by maximum likelihood in one stage with an intercept"), "leave out --robust, --stages and --origin")
	}
	var rows []synthesis.Row
	var kept []int
	forms := map[string]int{}
	for _, r := range d.rows {
		res, ok, err := f.reportedRow(d.Table, r, metaExtras{reported: f.reported, direction: f.direction})
		if err != nil {
			return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %w", d.File, d.Lines[r], d.Col(f.reported)+1, err), Hint: "forms: estimate, p=0.03, p<0.05, ns, direction, unmentioned"}
		}
		if !ok {
			continue
		}
		c := d.study(r)
		if f.cluster != "" {
			c = d.Text(r, f.cluster)
		}
		forms[string(res.Form)]++
		rows, kept = append(rows, synthesis.Row{Cluster: c, Result: res}), append(kept, r)
	}
	d.rows = kept
	if len(kept) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: no row has a result", d.File), Hint: "check --reported, --yi and the sizes"}
	}
	out, err := f.data(d, "results in any reported form")
	if err != nil {
		return nil, err
	}
	var parts []string
	for k, n := range forms {
		parts = append(parts, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(parts)
	out.notes = append(out.notes, "reported as "+strings.Join(parts, ", ")+"; fitted by maximum likelihood, the scale of a nonlinear shape taken as known")
	if out.uncertain > 0 {
		out.notes = append(out.notes, fmt.Sprintf("%d doses are intervals and enter at their middle", out.uncertain))
	}
	out.measure, out.intercept, out.reports = "effect", true, rows
	return out, nil
}
