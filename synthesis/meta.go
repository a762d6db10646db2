package synthesis

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Method names an estimator of tau² for effect sizes with known variances.
type Method string

// The estimators: equal (EE) and fixed effects (FE); DerSimonian–Laird,
// Hedges, Hunter–Schmidt and its small-sample form, Sidik–Jonkman, maximum
// likelihood, restricted maximum likelihood, empirical Bayes, Paule–Mandel, and
// the generalised Q statistic with given weights (GENQ: DerSimonian & Kacker
// 2007, 10.1016/j.cct.2006.04.004).
const (
	EE   Method = "EE"
	FE   Method = "FE"
	DL   Method = "DL"
	HE   Method = "HE"
	HS   Method = "HS"
	HSk  Method = "HSk"
	SJ   Method = "SJ"
	ML   Method = "ML"
	REML Method = "REML"
	EB   Method = "EB"
	PM   Method = "PM"
	GENQ Method = "GENQ"
)

// Methods lists the estimators that need nothing but the data.
var Methods = []Method{EE, FE, DL, HE, HS, HSk, SJ, ML, REML, EB, PM}

// Test names the test of coefficients: normal, t with k-p degrees of freedom,
// Knapp–Hartung, and Knapp–Hartung never narrower than the t-test ("adhoc").
type Test string

// The tests.
const (
	TestZ     Test = "z"
	TestT     Test = "t"
	TestKnHa  Test = "knha"
	TestAdhoc Test = "adhoc"
)

// scale is the factor on the variances of the coefficients, from the weighted
// residual sum of squares on left degrees of freedom.
func (t Test) scale(rss, left float64) float64 {
	switch t {
	case TestKnHa:
		return rss / left
	case TestAdhoc:
		return math.Max(1, rss/left)
	}
	return 1
}

// Tests lists the tests.
var Tests = []Test{TestZ, TestT, TestKnHa, TestAdhoc}

// MetaOptions of an ordinary meta-analysis. Zero values: REML, z, 0.95. Weights
// (nil: inverse variances) are the user's own in the coefficients, and in GENQ in
// tau² too; tests are then z or t.
type MetaOptions struct {
	Method  Method
	Test    Test
	Level   float64
	Weights []float64
	// Profile asks for the profile-likelihood interval of tau² (ML and REML),
	// which costs as much as the fit again.
	Profile bool
}

func (o MetaOptions) orDefault() MetaOptions {
	if o.Method == "" {
		o.Method = REML
	}
	if o.Test == "" {
		o.Test = TestZ
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	return o
}

// Term is a coefficient with its test.
type Term struct {
	Name               string
	Estimate, SE, Stat float64
	DF                 float64 // NaN for z
	P, Low, High       float64
}

// Meta is a fitted meta-analysis or meta-regression of effect sizes y with
// known variances v and design X. Formulas: Viechtbauer (2005,
// 10.3102/10769986030003261) for the estimators, Knapp & Hartung (2003,
// 10.1002/sim.1482) for the tests, Viechtbauer (2007, 10.1002/sim.2514) for the
// Q-profile interval. What a quantity does not have is NaN.
type Meta struct {
	K, P              int
	Options           MetaOptions
	Terms             []Term
	Tau2, SETau2      float64
	Tau2Low, Tau2High float64
	I2, H2            float64
	Q, QP             float64
	QDF               int
	QM, QMP           float64 // omnibus test of the moderators (of the intercept where there are none)
	QMDF1, QMDF2      float64
	PredLow, PredHigh float64 // intercept-only models
	LogLik            float64 // restricted for REML
	AIC, BIC, AICc    float64
	Cov               *mat.SymDense
	// The profile-likelihood interval of tau² where asked for; NaN otherwise.
	ProfileLow, ProfileHigh float64
}

// DataError is a fault in the data of a meta-analysis.
type DataError struct{ Message string }

func (e *DataError) Error() string { return e.Message }

// Analyse fits a meta-analysis. names are those of the columns of x, the first
// of which is the intercept where there is one.
func Analyse(y, v []float64, x *mat.Dense, names []string, o MetaOptions) (*Meta, error) {
	o = o.orDefault()
	k, p := x.Dims()
	if err := checkData(y, v, k, p); err != nil {
		return nil, err
	}
	w := newWLS(y, v, x)
	if len(independent(w.x, p)) < p {
		return nil, &DataError{"the moderators are linearly dependent: leave one out"}
	}
	if w.solve(0); math.IsNaN(w.rss) || math.IsInf(w.rss, 0) {
		return nil, &DataError{"the effect sizes and variances span too wide a range to be computed with: check their units"}
	}
	m := &Meta{K: k, P: p, Options: o, PredLow: math.NaN(), PredHigh: math.NaN(), Tau2Low: math.NaN(), Tau2High: math.NaN()}
	if err := o.checkWeights(k); err != nil {
		return nil, err
	}
	w.user = o.Weights
	fixed := o.Method == EE || o.Method == FE
	if !fixed {
		var err error
		if m.Tau2, err = w.tau2(o.Method); err != nil {
			return nil, err
		}
		m.Tau2Low, m.Tau2High = w.qProfile(o.Level)
	}
	m.SETau2 = w.seTau2(o.Method, m.Tau2)
	m.ProfileLow, m.ProfileHigh = math.NaN(), math.NaN()
	if o.Profile && (o.Method == ML || o.Method == REML) {
		m.ProfileLow, m.ProfileHigh = w.profile(m.Tau2, o.Level, o.Method == REML)
	}
	f := w.at(m.Tau2)
	m.heterogeneity(w, fixed)
	m.information(w, f, fixed)
	if o.Weights != nil {
		f = w.userWeighted(m.Tau2)
	}
	m.terms(f, names)
	if p == 1 && !fixed {
		t := m.Terms[0]
		crit := m.critical(t.DF)
		h := crit * math.Sqrt(t.SE*t.SE+m.Tau2)
		m.PredLow, m.PredHigh = t.Estimate-h, t.Estimate+h
	}
	return m, nil
}

func (o MetaOptions) checkWeights(k int) error {
	if o.Weights == nil {
		if o.Method == GENQ {
			return &DataError{"the estimator GENQ needs weights"}
		}
		return nil
	}
	if len(o.Weights) != k {
		return &DataError{fmt.Sprintf("%d weights for %d effect sizes", len(o.Weights), k)}
	}
	for i, w := range o.Weights {
		if !(w > 0) || math.IsInf(w, 0) {
			return &DataError{fmt.Sprintf("the weight %g of effect size %d is not above zero", w, i+1)}
		}
	}
	if o.Test == TestKnHa || o.Test == TestAdhoc {
		return &DataError{"with weights of one's own the test is z or t"}
	}
	return nil
}

func checkData(y, v []float64, k, p int) error {
	if k <= p {
		return &DataError{fmt.Sprintf("%d effect sizes are too few for %d coefficient(s)", k, p)}
	}
	for i := range y {
		if math.IsNaN(y[i]) || math.IsInf(y[i], 0) || !(v[i] > 0) || math.IsInf(v[i], 0) {
			return &DataError{fmt.Sprintf("effect size %d: estimate %g and variance %g cannot be used", i+1, y[i], v[i])}
		}
	}
	return nil
}

func (m *Meta) heterogeneity(w *wls, fixed bool) {
	f := w.at(0)
	m.Q, m.QDF = f.rss, m.K-m.P
	m.QP = distuv.ChiSquared{K: float64(m.QDF)}.Survival(m.Q)
	vt := float64(m.QDF) / f.traceP
	m.I2, m.H2 = 100*m.Tau2/(vt+m.Tau2), m.Tau2/vt+1
	if fixed {
		m.I2, m.H2 = math.Max(0, 100*(m.Q-float64(m.QDF))/m.Q), m.Q/float64(m.QDF)
	}
}

// critical is the two-sided quantile for df degrees of freedom (NaN: normal).
func (m *Meta) critical(df float64) float64 {
	q := 0.5 + m.Options.Level/2
	if math.IsNaN(df) {
		return distuv.UnitNormal.Quantile(q)
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(q)
}

// terms fills the coefficients and the omnibus test.
func (m *Meta) terms(f *wlsFit, names []string) {
	df, left := math.NaN(), float64(m.K-m.P)
	if m.Options.Test != TestZ {
		df = left
	}
	scale := m.Options.Test.scale(f.rss, left)
	m.Cov = mat.NewSymDense(m.P, nil)
	m.Cov.ScaleSym(scale, f.cov)
	crit := m.critical(df)
	for i := range m.P {
		t := Term{Name: names[i], Estimate: f.beta.AtVec(i), SE: math.Sqrt(m.Cov.At(i, i)), DF: df}
		t.Stat = t.Estimate / t.SE
		if math.IsNaN(df) {
			t.P = 2 * UpperTail(math.Abs(t.Stat))
		} else {
			t.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(t.Stat))
		}
		t.Low, t.High = t.Estimate-crit*t.SE, t.Estimate+crit*t.SE
		m.Terms = append(m.Terms, t)
	}
	m.omnibus(f, df, names)
}

// omnibus tests all coefficients but the intercept (with no moderator: the
// intercept) by a Wald test.
func (m *Meta) omnibus(f *wlsFit, df float64, names []string) {
	from := 0
	if m.P > 1 && names[0] == Intercepted {
		from = 1
	}
	n := m.P - from
	b := mat.NewVecDense(n, nil)
	c := mat.NewSymDense(n, nil)
	for i := range n {
		b.SetVec(i, f.beta.AtVec(from+i))
		for j := i; j < n; j++ {
			c.SetSym(i, j, m.Cov.At(from+i, from+j))
		}
	}
	var ch mat.Cholesky
	if !ch.Factorize(c) {
		m.QM, m.QMP = math.NaN(), math.NaN()
		return
	}
	var s mat.VecDense
	if err := ch.SolveVecTo(&s, b); err != nil {
		m.QM, m.QMP = math.NaN(), math.NaN()
		return
	}
	m.QM = mat.Dot(b, &s)
	m.QMDF1, m.QMDF2 = float64(n), df
	if math.IsNaN(df) {
		m.QMP = distuv.ChiSquared{K: float64(n)}.Survival(m.QM)
		return
	}
	m.QM /= float64(n)
	m.QMP = distuv.F{D1: float64(n), D2: df}.Survival(m.QM)
}

// information fills the log-likelihood and the information criteria, those of
// ML for every method but REML.
func (m *Meta) information(w *wls, f *wlsFit, fixed bool) {
	k, p := float64(m.K), float64(m.P)
	pars := p + 1
	if fixed {
		pars = p
	}
	n := k
	m.LogLik = -0.5*k*math.Log(2*math.Pi) - 0.5*f.logVar - 0.5*f.rss
	if m.Options.Method == REML {
		n = k - p
		m.LogLik = -0.5*n*math.Log(2*math.Pi) + 0.5*w.logDetXX() - 0.5*f.logVar - 0.5*f.logDetXWX - 0.5*f.rss
	}
	m.criteria(pars, n)
}

// criteria fills the information criteria for a number of parameters and of
// observations.
func (m *Meta) criteria(pars, n float64) {
	m.AIC = -2*m.LogLik + 2*pars
	m.BIC = -2*m.LogLik + pars*math.Log(n)
	top := math.Max(n, pars+2)
	m.AICc = -2*m.LogLik + 2*pars*top/(top-pars-1)
}

// Intercepted is the name of the intercept in designs and results.
const Intercepted = "intrcpt"
