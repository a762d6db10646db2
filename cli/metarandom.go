package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
)

// dataFaultUnlessUsage keeps faults that have their exit code already.
func dataFaultUnlessUsage(path string, err error) error {
	var f *Fault
	if errors.As(err, &f) {
		return err
	}
	return dataFault(path, err)
}

func isNumerical(err error) bool { return errors.Is(err, synthesis.ErrNotConverged) }

// fitMixed is the model with random terms and a known sampling covariance.
// Without --random every row has its own effect: the ordinary tau².
func (f *metaFlags) fitMixed(a *app, d *metaData, out *metaOut, o metaExtras) error {
	random, err := f.randomTerms(d)
	if err != nil {
		return err
	}
	fixed := f.method == "EE" || f.method == "FE"
	if f.random == "" && !fixed {
		rows := make([]string, len(d.rows))
		for i := range rows {
			rows[i] = strconv.Itoa(i)
		}
		random.Levels = []synthesis.Level{{Name: "row", Groups: rows}}
	}
	known, err := f.sampling(a, d)
	if err != nil {
		return err
	}
	m, err := synthesis.AnalyseMixed(d.y, known, d.x, d.names, random, d.opt)
	if err != nil {
		return err
	}
	if o.profile {
		if err := m.Profile(d.opt.Level); err != nil {
			return err
		}
	}
	out.fill(&m.Meta)
	for _, s := range m.Sigma2 {
		so := sigmaOut{Level: s.Level, NLevels: s.Groups, Value: report.Full(s.Value)}
		if o.profile {
			so.Profile = &profileOut{report.Full(s.Low), report.Full(s.High), report.Full(s.LRT), report.Full(s.LRTP)}
		}
		out.Sigma2 = append(out.Sigma2, so)
	}
	for _, g := range m.G {
		out.G = append(out.G, newCovariance(g))
	}
	if f.cluster == "" || f.robust == "none" {
		return nil
	}
	c, err := m.RobustCovariance(d.texts(f.cluster), synthesis.Sandwich(f.robust))
	if err != nil {
		return err
	}
	out.makeRobust(&m.Meta, c, f)
	return nil
}

func newCovariance(g synthesis.Covariance) covarianceOut {
	c := covarianceOut{Outer: g.Name, Struct: string(g.Kind), NGroups: g.Groups, Levels: g.Labels}
	for _, p := range g.Profiles {
		c.Profiles = append(c.Profiles, profiledOut{p.Name, report.Full(p.Value), report.Full(p.Low), report.Full(p.High)})
	}
	for i := range g.Labels {
		c.Tau2 = append(c.Tau2, report.Full(g.G.At(i, i)))
		row := make([]report.Full, len(g.Labels))
		for j := range row {
			row[j] = report.Full(g.Rho(i, j))
		}
		c.Rho = append(c.Rho, row)
	}
	return c
}

// randomTerms reads --random: terms parted by semicolons, each nested columns
// (a/b) or inner|outer with the structure of --struct.
func (f *metaFlags) randomTerms(d *metaData) (r synthesis.Random, err error) {
	for _, term := range strings.Split(f.random, ";") {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		inner, outer, structured := strings.Cut(term, "|")
		if structured {
			s, err := f.structured(d, strings.TrimSpace(inner), strings.TrimSpace(outer))
			if err != nil {
				return r, err
			}
			r.Structured = append(r.Structured, s)
			continue
		}
		var cols []synthesis.Column
		for _, name := range strings.Split(term, "/") {
			name = strings.TrimSpace(name)
			if err := column(d.table, name, "random"); err != nil {
				return r, err
			}
			cols = append(cols, synthesis.Column{Name: name, Values: d.texts(name)})
		}
		r.Levels = append(r.Levels, synthesis.Nested(cols)...)
	}
	return r, nil
}

func (f *metaFlags) structured(d *metaData, inner, outer string) (synthesis.Structured, error) {
	s := synthesis.Structured{Name: outer, Kind: synthesis.Structure(f.structure), Rho: math.NaN()}
	if err := column(d.table, outer, "random"); err != nil {
		return s, err
	}
	s.Outer = d.texts(outer)
	if s.Kind != synthesis.GEN && s.Kind != synthesis.GDIAG {
		if err := column(d.table, inner, "random"); err != nil {
			return s, err
		}
		s.Inner = d.texts(inner)
		return s, nil
	}
	// random slopes: numeric columns, 1 for the intercept
	names := strings.Split(inner, "+")
	s.Z = mat.NewDense(len(d.rows), len(names), nil)
	for j, name := range names {
		name = strings.TrimSpace(name)
		s.Labels = append(s.Labels, name)
		if name != "1" {
			if err := column(d.table, name, "random"); err != nil {
				return s, err
			}
		}
		for i, r := range d.rows {
			v := 1.0
			if name != "1" {
				var err error
				if v, err = number(d.table, r, name); err != nil {
					return s, err
				}
				if math.IsNaN(v) {
					return s, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: a random slope needs a value in every row", d.table.File, d.table.Lines[r], d.table.Col(name)+1), Hint: "leave the row out with --where"}
				}
			}
			s.Z.Set(i, j, v)
		}
	}
	return s, nil
}

// sampling is the known covariance of the sampling errors.
func (f *metaFlags) sampling(a *app, d *metaData) (synthesis.Sampling, error) {
	s := synthesis.Sampling{V: d.v, Rho: f.rho}
	ways := 0
	for _, given := range []bool{f.rho != 0, f.vfile != "", f.sharedControl != ""} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return s, usage(fmt.Errorf("--rho, --v and --shared-control each give the sampling covariance"), "take one of them")
	}
	var err error
	switch {
	case f.rho != 0:
		s.Cluster = d.texts(f.cluster)
	case f.vfile != "":
		s.Full, err = readMatrix(f.vfile, d)
	case f.sharedControl != "":
		s.Full, err = f.sharedCovariance(a, d)
	}
	return s, err
}

// readMatrix reads the covariance of all rows of the table, or of those used,
// and takes the variances from it.
func readMatrix(path string, d *metaData) (*mat.SymDense, error) {
	fh, err := os.Open(path)
	if err != nil {
		return nil, readFault(path, err)
	}
	defer fh.Close()
	recs, err := csv.NewReader(fh).ReadAll()
	if err != nil {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: %w", path, err), Hint: "rows of numbers parted by commas, no header"}
	}
	use := d.rows
	if len(recs) == len(d.rows) {
		use = make([]int, len(d.rows))
		for i := range use {
			use[i] = i
		}
	} else if len(recs) != d.found {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s has %d rows for %d effect sizes", path, len(recs), len(d.rows)), Hint: "one row and one column for each effect size"}
	}
	out := mat.NewSymDense(len(use), nil)
	for i, r := range use {
		for j, c := range use {
			if c >= len(recs[r]) {
				return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the row is too short", path, r+1, len(recs[r])+1), Hint: "the matrix is square"}
			}
			v, err := strconv.ParseFloat(strings.TrimSpace(recs[r][c]), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %q is not a number", path, r+1, c+1, recs[r][c]), Hint: "rows of numbers parted by commas, no header"}
			}
			if j < i && math.Abs(v-out.At(j, i)) > 1e-8*(math.Abs(v)+math.Abs(out.At(j, i))) {
				return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %g differs from %g across the diagonal", path, r+1, c+1, v, out.At(j, i)), Hint: "a covariance matrix is symmetric"}
			}
			if j >= i {
				out.SetSym(i, j, v)
			}
		}
		d.v[i] = out.At(i, i)
	}
	for i, v := range d.v {
		if !(v > 0) {
			return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: the variance %g is not above zero", path, use[i]+1, use[i]+1, v), Hint: "a covariance matrix is positive definite"}
		}
	}
	return out, nil
}

// sharedCovariance is the covariance of effects that share a control arm: the
// variance of that arm's part of the effect (Gleser & Olkin 2009, Handbook of
// Research Synthesis, ch. 19).
func (f *metaFlags) sharedCovariance(a *app, d *metaData) (mat.Symmetric, error) {
	if err := column(d.table, f.sharedControl, "shared-control"); err != nil {
		return nil, err
	}
	m := f.measures()[f.measure]
	known := []string{"MD", "SMD", "ROM", "OR", "RR", "RD"}
	if !slices.Contains(known, f.measure) || len(m.columns) != 6 && len(m.columns) != 4 {
		return nil, usage(fmt.Errorf("--shared-control needs effect sizes computed from arms"), "--measure "+strings.Join(known, ", "))
	}
	k := len(d.rows)
	x := make([][]float64, k)
	for i, r := range d.rows {
		for _, name := range m.columns {
			c, err := f.find(d.table, name)
			if err != nil {
				return nil, err
			}
			v, err := number(d.table, r, c.Column)
			if err != nil {
				return nil, err
			}
			x[i] = append(x[i], v)
		}
	}
	groups := d.texts(f.sharedControl)
	out := mat.NewSymDense(k, nil)
	for i := range k {
		out.SetSym(i, i, d.v[i])
		for j := range i {
			if groups[i] == groups[j] {
				out.SetSym(i, j, f.controlPart(x[i], x[j], d.y[i], d.y[j]))
			}
		}
	}
	fmt.Fprintf(a.sys.Stderr, "effects with the same %s share a control arm; their sampling covariance is its part of the variance\n", f.sharedControl)
	return out, nil
}

// controlPart is the covariance from a shared control arm.
func (f *metaFlags) controlPart(a, b []float64, ya, yb float64) float64 {
	if len(a) == 4 {
		c, d := (a[2]+b[2])/2, (a[3]+b[3])/2
		n := c + d
		switch f.measure {
		case "OR":
			return 1/c + 1/d
		case "RR":
			return 1/c - 1/n
		}
		return c * d / (n * n * n)
	}
	n := (a[3] + b[3]) / 2
	switch f.measure {
	case "MD":
		return a[5] * b[5] / n
	case "ROM":
		return a[5] * b[5] / (n * a[4] * b[4])
	}
	total := (a[0] + a[3] + b[0] + b[3]) / 2
	return 1/n + ya*yb/(2*total)
}
