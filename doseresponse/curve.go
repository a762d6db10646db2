package doseresponse

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// CurveOptions say how trials are put together. Method is fixed, ml, reml
// (default) or mm (two stages only); Stages 1 (default) or 2. Level is 0.95 by
// default.
//
// Robust asks for a cluster-robust covariance (one stage, shapes that are
// linear in their coefficients); Clusters names the cluster of every trial
// (nil: the trial).
type CurveOptions struct {
	Method   string
	Stages   int
	Level    float64
	Robust   synthesis.Sandwich
	Clusters []string
}

func (o CurveOptions) orDefault() CurveOptions {
	if o.Method == "" {
		o.Method = "reml"
	}
	if o.Stages == 0 {
		o.Stages = 1
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	return o
}

// Curve is a fitted dose–response of contrasts against the reference dose, with
// coefficients that vary between trials with covariance Psi.
type Curve struct {
	Form           Form
	Options        CurveOptions
	Coef           []float64
	Cov            *mat.SymDense // of the coefficients; for nonlinear forms the last row is the scale
	Psi            *mat.SymDense // nil for fixed effects
	Within         *mat.SymDense // the same between outcomes of a trial (diagonal); nil without
	Tau2           float64       // with an intercept: variance of the effects at any dose
	LogLik         float64
	Q, QP          float64 // heterogeneity (two stages: of the trials' coefficients)
	QDF            int
	Trials, Points int
	Min, Max       float64 // doses studied
	Spread         float64 // SD of the doses
	AIC            float64 // of the ML fit
	Terms          []synthesis.Term

	study float64                          // the part of Tau2 between studies
	df    func(gradient []float64) float64 // of a robust covariance
}

// FitCurve fits one form to trials. Nonlinear forms estimate their scale by
// profile likelihood.
func FitCurve(trials []Trial, form Form, o CurveOptions) (*Curve, error) {
	o = o.orDefault()
	if err := checkTrials(trials, form.Intercept); err != nil {
		return nil, err
	}
	if o.Robust != "" && (form.Nonlinear() || o.Stages == 2) {
		return nil, &synthesis.DataError{Message: "robust tests of a curve need one stage and a shape that is linear in its coefficients"}
	}
	if form.Intercept && o.Stages == 2 {
		return nil, &synthesis.DataError{Message: "effects of one dose each are fitted in one stage"}
	}
	if form.Nonlinear() && form.Scale == 0 {
		s, err := profileScale(trials, form, o)
		if err != nil {
			return nil, err
		}
		form.Scale = s
	}
	c, err := fitForm(trials, form, o)
	if err != nil {
		return nil, err
	}
	if form.Nonlinear() {
		if err := c.withScale(trials); err != nil {
			return nil, err
		}
	}
	c.describe(trials)
	return c, c.aic(trials)
}

func checkTrials(trials []Trial, intercept bool) error {
	if len(trials) == 0 {
		return fmt.Errorf("%w: there are no trials", ErrTooFewDoses)
	}
	for _, t := range trials {
		for i := range t.Dose {
			for _, d := range []float64{t.Ref[i], t.Dose[i]} {
				if intercept && math.IsNaN(t.Ref[i]) && d != t.Dose[i] {
					continue
				}
				if !(d >= 0) || math.IsInf(d, 0) {
					return &ArmError{t.ID, fmt.Sprintf("the dose %g is not a number of zero or more", d)}
				}
			}
			if math.IsNaN(t.Y[i]) || math.IsInf(t.Y[i], 0) {
				return &ArmError{t.ID, fmt.Sprintf("the effect at dose %g is missing", t.Dose[i])}
			}
		}
	}
	return nil
}

// describe fills what is told of the doses.
func (c *Curve) describe(trials []Trial) {
	var d []float64
	for _, t := range trials {
		d = append(d, t.Dose...)
		for _, r := range t.Ref {
			if !math.IsNaN(r) {
				d = append(d, r)
			}
		}
		c.Points += len(t.Y)
	}
	c.Trials, c.Min, c.Max, c.Spread = len(trials), slices.Min(d), slices.Max(d), stat.StdDev(d, nil)
}

// contrast are the covariates of the contrasts of a trial, divided by scale.
func (f Form) contrast(t Trial, scale []float64) *mat.Dense {
	x := mat.NewDense(len(t.Y), len(f.Names()), nil)
	for i, d := range t.Dose {
		row := f.Terms(d)
		if r := t.Ref[i]; !math.IsNaN(r) {
			for j, x := range f.Terms(r) {
				row[j] -= x
			}
		}
		for j := range row {
			row[j] /= scale[j]
		}
		x.SetRow(i, row)
	}
	return x
}

// unit is the root mean square of each covariate, by which it is divided
// while fitting: the unit of dose cannot matter.
func (f Form) unit(trials []Trial) []float64 {
	ones := make([]float64, len(f.Names()))
	for i := range ones {
		ones[i] = 1
	}
	out := make([]float64, len(ones))
	n := 0.0
	for _, t := range trials {
		x := f.contrast(t, ones)
		for i := range t.Y {
			for j := range out {
				out[j] += x.At(i, j) * x.At(i, j)
			}
		}
		n += float64(len(t.Y))
	}
	for j := range out {
		out[j] = math.Sqrt(out[j] / n)
		if out[j] == 0 {
			out[j] = 1
		}
	}
	return out
}

// fitForm fits a form whose constants are known.
func fitForm(trials []Trial, form Form, o CurveOptions) (*Curve, error) {
	unit := form.unit(trials)
	var c *Curve
	var err error
	switch {
	case o.Stages == 2:
		c, err = twoStage(trials, form, unit, o)
	case o.Method == "mm":
		return nil, &synthesis.DataError{Message: "the method of moments needs two stages"}
	default:
		c, err = oneStage(trials, form, unit, o)
	}
	if err != nil {
		return nil, err
	}
	c.Form, c.Options = form, o
	rescaleSym(c.Cov, unit, -1)
	if c.Psi != nil {
		rescaleSym(c.Psi, unit, -1)
	}
	if c.Within != nil {
		rescaleSym(c.Within, unit, -1)
	}
	if scaled := c.df; scaled != nil {
		c.df = func(g []float64) float64 {
			in := make([]float64, len(g))
			for j := range g {
				in[j] = g[j] / unit[j]
			}
			return scaled(in)
		}
	}
	for j, u := range unit {
		c.Coef[j] /= u
		if o.Stages == 2 { // the density of coefficients in their own unit
			n := float64(len(trials))
			if o.Method == "reml" {
				n--
			}
			c.LogLik += n * math.Log(u)
		}
	}
	return c, nil
}

func rescaleSym(m *mat.SymDense, unit []float64, power float64) {
	for i := range unit {
		for j := range i + 1 {
			m.SetSym(i, j, m.At(i, j)*math.Pow(unit[i]*unit[j], power))
		}
	}
}

// blocks is a covariance of independent trials.
type blocks struct {
	trial, place []int
	s            []mat.Symmetric
}

func (b *blocks) add(s mat.Symmetric) {
	n := s.SymmetricDim()
	for i := range n {
		b.trial, b.place = append(b.trial, len(b.s)), append(b.place, i)
	}
	b.s = append(b.s, s)
}

// At is the covariance of rows i and j.
func (b *blocks) At(i, j int) float64 {
	if b.trial[i] != b.trial[j] {
		return 0
	}
	return b.s[b.trial[i]].At(b.place[i], b.place[j])
}

// Dims, T and SymmetricDim make a symmetric matrix of it.
func (b *blocks) Dims() (r, c int)  { return len(b.trial), len(b.trial) }
func (b *blocks) T() mat.Matrix     { return b }
func (b *blocks) SymmetricDim() int { return len(b.trial) }

// Blocks are the trials of the rows.
func (b *blocks) Blocks() []int { return b.trial }

func (b *blocks) sampling() synthesis.Sampling {
	v := make([]float64, len(b.trial))
	for i := range v {
		v[i] = b.At(i, i)
	}
	return synthesis.Sampling{V: v, Full: b}
}

var methods = map[string]synthesis.Method{"fixed": synthesis.FE, "ml": synthesis.ML, "reml": synthesis.REML}

// oneStage is the mixed model of all contrasts with random coefficients
// (Crippa et al. 2019, 10.1177/0962280218773122).
func oneStage(trials []Trial, form Form, unit []float64, o CurveOptions) (*Curve, error) {
	var y, flat []float64
	var outer, sets, cluster []string
	known := &blocks{}
	names := form.Names()
	several := false
	for i, t := range trials {
		y = append(y, t.Y...)
		known.add(t.S)
		flat = append(flat, form.contrast(t, unit).RawMatrix().Data...)
		for j := range t.Y {
			id, set := fmt.Sprint(i), 0
			if t.Set != nil {
				set = t.Set[j]
				several = several || set > 0
			}
			outer, sets = append(outer, id), append(sets, fmt.Sprintf("%s/%d", id, set))
			if form.Intercept { // every effect alone
				sets[len(sets)-1] = fmt.Sprintf("%s/%d", id, j)
				several = several || j > 0
			}
			if o.Clusters != nil {
				id = o.Clusters[i]
			}
			cluster = append(cluster, id)
		}
	}
	x := mat.NewDense(len(y), len(names), flat)
	r := randomCoefficients(form, x, outer, sets, several, names, o)
	c, m, err := mixedModel(y, known, x, names, r, o)
	if err != nil || o.Robust == "" {
		return c, err
	}
	robust, err := m.RobustCovariance(cluster, o.Robust)
	if err != nil {
		return nil, err
	}
	c.Cov, c.df = robust.Cov, robust.DF
	return c, nil
}

// randomCoefficients: the coefficients vary between trials, and where a trial
// has several outcomes or times, between those too. With an intercept the
// effects vary at every dose alike.
func randomCoefficients(form Form, x *mat.Dense, outer, sets []string, several bool, names []string, o CurveOptions) (r synthesis.Random) {
	switch {
	case o.Method == "fixed":
	case form.Intercept:
		r.Levels = []synthesis.Level{{Name: "study", Groups: outer}}
		if several {
			r.Levels = append(r.Levels, synthesis.Level{Name: "study/effect", Groups: sets})
		}
	default:
		r.Structured = []synthesis.Structured{{Name: "trial", Outer: outer, Kind: synthesis.GEN, Z: x, Labels: names, Rho: math.NaN()}}
		if several {
			r.Structured = append(r.Structured, synthesis.Structured{Name: "outcome", Outer: sets, Kind: synthesis.GDIAG, Z: x, Labels: names, Rho: math.NaN()})
		}
	}
	return r
}

func mixedModel(y []float64, known *blocks, x *mat.Dense, names []string, r synthesis.Random, o CurveOptions) (*Curve, *synthesis.MultiLevel, error) {
	m, err := synthesis.AnalyseMixed(y, known.sampling(), x, names, r, synthesis.MetaOptions{Method: methods[o.Method], Level: o.Level})
	if err != nil {
		return nil, nil, err
	}
	c := &Curve{LogLik: m.LogLik, Cov: m.Cov, Q: m.Q, QDF: m.QDF, QP: m.QP, Tau2: m.Tau2}
	for _, t := range m.Terms {
		c.Coef = append(c.Coef, t.Estimate)
	}
	if len(m.Sigma2) > 0 {
		c.study = m.Sigma2[0].Value
	}
	if len(m.G) > 0 {
		c.Psi = m.G[0].G
	}
	if len(m.G) > 1 {
		c.Within = m.G[1].G
	}
	return c, m, nil
}

func mixedCurve(y []float64, known *blocks, x *mat.Dense, names []string, r synthesis.Random, o CurveOptions) (*Curve, error) {
	c, _, err := mixedModel(y, known, x, names, r, o)
	return c, err
}

// twoStage fits every trial by generalised least squares and combines the
// coefficients by multivariate meta-analysis.
func twoStage(trials []Trial, form Form, unit []float64, o CurveOptions) (*Curve, error) {
	names := form.Names()
	q := len(names)
	var y []float64
	known := &blocks{}
	var outer, inner []string
	for i, t := range trials {
		b, cov, err := stageOne(t, form, unit)
		if err != nil {
			return nil, err
		}
		y = append(y, b...)
		known.add(cov)
		for _, n := range names {
			outer, inner = append(outer, fmt.Sprint(i)), append(inner, n)
		}
	}
	x := mat.NewDense(len(y), q, nil)
	for i := range y {
		x.Set(i, i%q, 1)
	}
	if o.Method == "mm" {
		return moments(y, known, x, q, o)
	}
	var r synthesis.Random
	if o.Method != "fixed" {
		r.Structured = []synthesis.Structured{{Name: "trial", Outer: outer, Inner: inner, Kind: synthesis.UN, Rho: math.NaN()}}
		if q > 1 { // the engine orders inner levels by name; random coefficients keep ours
			r.Structured[0] = synthesis.Structured{Name: "trial", Outer: outer, Kind: synthesis.GEN, Z: x, Labels: names, Rho: math.NaN()}
		}
	}
	return mixedCurve(y, known, x, names, r, o)
}

// stageOne are the coefficients of one trial.
func stageOne(t Trial, form Form, unit []float64) ([]float64, *mat.SymDense, error) {
	x := form.contrast(t, unit)
	n, q := x.Dims()
	fail := &ArmError{t.ID, fmt.Sprintf("%d contrasts cannot carry the %d coefficients of a %s curve: use one stage", n, q, form.Shape)}
	if n < q {
		return nil, nil, fail
	}
	var ch, cx mat.Cholesky
	if !ch.Factorize(t.S) {
		return nil, nil, &ArmError{t.ID, "the covariance of its contrasts is not positive definite"}
	}
	var wx, xwx mat.Dense
	if ch.SolveTo(&wx, x) != nil {
		return nil, nil, fail
	}
	xwx.Mul(x.T(), &wx)
	sym := mat.NewSymDense(q, nil)
	for i := range q {
		for j := range i + 1 {
			sym.SetSym(i, j, (xwx.At(i, j)+xwx.At(j, i))/2)
		}
	}
	if !cx.Factorize(sym) || cx.Cond() > 1e13 {
		return nil, nil, fail
	}
	cov := mat.NewSymDense(q, nil)
	if cx.InverseTo(cov) != nil {
		return nil, nil, fail
	}
	var xwy, b mat.VecDense
	xwy.MulVec(wx.T(), mat.NewVecDense(n, t.Y))
	b.MulVec(cov, &xwy)
	return b.RawVector().Data, cov, nil
}

// aic refits by ML where needed: REML likelihoods of different designs cannot
// be compared.
func (c *Curve) aic(trials []Trial) error {
	l := c.LogLik
	if c.Options.Method != "ml" && c.Options.Method != "fixed" || c.Options.Stages != 1 {
		o := c.Options
		o.Method, o.Stages, o.Robust = "ml", 1, ""
		if c.Options.Method == "fixed" {
			o.Method = "fixed"
		}
		m, err := fitForm(trials, c.Form, o)
		if err != nil {
			if errors.Is(err, synthesis.ErrNotConverged) {
				c.AIC = math.NaN()
				return nil
			}
			return err
		}
		l = m.LogLik
	}
	q := float64(len(c.Form.Names()))
	n := q
	if c.Psi != nil {
		n += q * (q + 1) / 2
	}
	if c.Within != nil {
		n += q
	}
	if c.Form.Intercept {
		n += 2
	}
	if c.Form.Nonlinear() {
		n++
	}
	c.AIC = -2*l + 2*n
	c.terms()
	return nil
}

func (c *Curve) terms() {
	names, est := c.Form.Names(), slices.Clone(c.Coef)
	if c.Form.Nonlinear() {
		label := "ED50"
		if c.Form.Shape == LogLinear {
			label = "scale"
		}
		names, est = append(names, label), append(est, c.Form.Scale)
	}
	for i, n := range names {
		one := make([]float64, len(names))
		one[i] = 1
		z, df := c.critical(one)
		t := synthesis.Term{Name: n, Estimate: est[i], SE: math.Sqrt(c.Cov.At(i, i)), DF: df}
		t.Stat = t.Estimate / t.SE
		t.P = 2 * synthesis.UpperTail(math.Abs(t.Stat))
		if !math.IsNaN(df) {
			t.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(t.Stat))
		}
		t.Low, t.High = t.Estimate-z*t.SE, t.Estimate+z*t.SE
		c.Terms = append(c.Terms, t)
	}
}
