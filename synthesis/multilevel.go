package synthesis

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Level is one random term with a variance: the group each row belongs to.
type Level struct {
	Name   string
	Groups []string
}

// Structured is a random term "inner | outer": the effects of the inner levels
// vary together within a group of the outer factor with covariance G. For
// random coefficients (GEN, GDIAG) Z holds a covariate a column and Inner is nil.
type Structured struct {
	Name   string // of the outer factor
	Outer  []string
	Inner  []string
	Kind   Structure
	Rho    float64 // CS: the known correlation; NaN to estimate it
	Z      *mat.Dense
	Labels []string // of the columns of Z
}

// Random are the random terms of a model.
type Random struct {
	Levels     []Level
	Structured []Structured
}

// Sigma2 is the variance of one random level. Low and High are its
// profile-likelihood interval where it was asked for, LRT the likelihood-ratio
// test against its absence (the p-value is conservative: the null is on the
// edge).
type Sigma2 struct {
	Level     string
	Groups    int
	Value     float64
	Low, High float64
	LRT, LRTP float64
}

// Covariance is the fitted G of a structured term: its labels, variances
// (tau²) and correlations, row by row below the diagonal.
type Covariance struct {
	Name   string
	Kind   Structure
	Groups int
	Labels []string
	G      *mat.SymDense
	// Profiles are the profile-likelihood intervals of its variances and
	// correlation, where they were asked for; none for unstructured terms.
	Profiles []ProfileInterval
}

// ProfileInterval is the profile-likelihood interval of one parameter.
type ProfileInterval struct {
	Name             string
	Value, Low, High float64
}

// Rho is the correlation of levels a and b.
func (c Covariance) Rho(a, b int) float64 {
	return c.G.At(a, b) / math.Sqrt(c.G.At(a, a)*c.G.At(b, b))
}

// Sampling is the known covariance of the effects: variances V, and either
// within a cluster the correlation Rho ("correlated and hierarchical effects",
// Pustejovsky & Tipton 2022, 10.1007/s11121-021-01246-3), or the whole matrix
// Full, whose diagonal is V.
type Sampling struct {
	V       []float64
	Rho     float64
	Cluster []string
	Full    mat.Symmetric
}

func (s Sampling) at(i, j int) float64 {
	switch {
	case i == j:
		return s.V[i]
	case s.Full != nil:
		return s.Full.At(i, j)
	case s.Rho != 0 && s.Cluster[i] == s.Cluster[j]:
		return s.Rho * math.Sqrt(s.V[i]*s.V[j])
	}
	return 0
}

func (s Sampling) check() error {
	if s.Full == nil {
		if !(s.Rho >= 0 && s.Rho < 1) || s.Rho != 0 && s.Cluster == nil {
			return &DataError{"the correlation of effects within a cluster lies between 0 and 1 and needs clusters"}
		}
		return nil
	}
	if s.Full.SymmetricDim() != len(s.V) {
		return &DataError{fmt.Sprintf("the sampling covariance has %d rows for %d effect sizes", s.Full.SymmetricDim(), len(s.V))}
	}
	return nil
}

// MultiLevel is a fitted model with random terms. For models with structured
// terms tau2 is the sum of the variances of the levels alone.
type MultiLevel struct {
	Meta
	Sigma2 []Sigma2
	G      []Covariance

	fit   *mixed
	theta []float64
	max   float64 // maximum of the likelihood without its constants
}

// Nested builds the levels of a term such as study/effect: every level is the
// combination of its columns so far, so that effect 1 of study A is not effect
// 1 of study B.
func Nested(cols []Column) []Level {
	out := make([]Level, len(cols))
	for l, c := range cols {
		out[l] = Level{Name: c.Name, Groups: slices.Clone(c.Values)}
		if l == 0 {
			continue
		}
		out[l].Name = out[l-1].Name + "/" + c.Name
		for i, v := range c.Values {
			out[l].Groups[i] = out[l-1].Groups[i] + "\x00" + v
		}
	}
	return out
}

// AnalyseMixed fits y with a known sampling covariance and random terms by ML
// or REML (Harville 1977, 10.1080/01621459.1977.10480998), or without random
// terms by weighted least squares (EE, FE). Tests are z or t with k-p degrees
// of freedom.
func AnalyseMixed(y []float64, known Sampling, x *mat.Dense, names []string, r Random, o MetaOptions) (*MultiLevel, error) {
	o = o.orDefault()
	k, p := x.Dims()
	if err := checkData(y, known.V, k, p); err != nil {
		return nil, err
	}
	if err := known.check(); err != nil {
		return nil, err
	}
	fixed := o.Method == EE || o.Method == FE
	if o.Method != ML && o.Method != REML && !(fixed && len(r.Levels)+len(r.Structured) == 0) {
		return nil, &DataError{"models with random terms are fitted by ML or REML"}
	}
	if o.Weights != nil {
		return nil, &DataError{"models with random terms take no weights of one's own"}
	}
	if o.Test != TestZ && o.Test != TestT {
		return nil, &DataError{"models with random terms are tested by z or t"}
	}
	w := newWLS(y, known.V, x)
	if len(independent(w.x, p)) < p {
		return nil, &DataError{"the moderators are linearly dependent: leave one out"}
	}
	terms, err := r.terms(k)
	if err != nil {
		return nil, err
	}
	f, err := newMixed(y, x, known, terms, o.Method == REML)
	if err != nil {
		return nil, err
	}
	out := &MultiLevel{fit: f, Meta: Meta{K: k, P: p, Options: o, PredLow: math.NaN(), PredHigh: math.NaN(), Tau2Low: math.NaN(), Tau2High: math.NaN()}}
	if out.theta, out.max, err = f.run(nil); err != nil {
		return nil, err
	}
	for _, t := range terms {
		if t.kind == ID && t.level == nil {
			out.Sigma2 = append(out.Sigma2, Sigma2{Level: t.name, Groups: t.groups, Value: out.theta[t.first], Low: math.NaN(), High: math.NaN(), LRT: math.NaN(), LRTP: math.NaN()})
			out.Tau2 += out.theta[t.first]
		}
	}
	for i, s := range r.Structured {
		t := terms[len(r.Levels)+i]
		out.G = append(out.G, Covariance{Name: s.Name, Kind: s.Kind, Groups: t.groups, Labels: t.labels(s), G: mat.NewSymDense(t.j, slices.Clone(t.g))})
	}
	out.finish(w, f, names)
	return out, nil
}

// terms compiles the random terms for k rows.
func (r Random) terms(k int) (out []*randomTerm, err error) {
	for _, l := range r.Levels {
		t := &randomTerm{name: l.Name, kind: ID, j: 1, rho: math.NaN()}
		t.group, t.groups = indexed(l.Groups)
		out = append(out, t)
	}
	for _, s := range r.Structured {
		if !slices.Contains(Structures, s.Kind) {
			return nil, &DataError{fmt.Sprintf("the structure %q is not known", s.Kind)}
		}
		t := &randomTerm{name: s.Name, kind: s.Kind, rho: s.Rho}
		t.group, t.groups = indexed(s.Outer)
		if s.Kind == GEN || s.Kind == GDIAG {
			_, t.j = s.Z.Dims()
			for i := range k {
				t.z = append(t.z, s.Z.RawRowView(i)...)
			}
			out = append(out, t)
			continue
		}
		if err := t.inner(s); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func indexed(groups []string) ([]int, int) {
	ids := number(groups)
	n := 0
	for _, i := range ids {
		n = max(n, i+1)
	}
	return ids, n
}

// inner sets the levels of a structured term in their natural order.
func (t *randomTerm) inner(s Structured) error {
	labels := innerLabels(s)
	t.j = len(labels)
	if most := 60; t.j > most {
		return &DataError{fmt.Sprintf("the inner factor of %s has %d levels, at most %d are supported", s.Name, t.j, most)}
	}
	at := map[string]int{}
	for a, l := range labels {
		at[l] = a
		pos := float64(a)
		if s.Kind == CAR {
			var err error
			if pos, err = strconv.ParseFloat(l, 64); err != nil {
				return &DataError{fmt.Sprintf("the structure CAR needs times as inner levels, %q is not a number", l)}
			}
		}
		t.at = append(t.at, pos)
	}
	t.level = make([]int, len(s.Inner))
	for i, v := range s.Inner {
		t.level[i] = at[v]
	}
	return nil
}

func innerLabels(s Structured) []string {
	all := make([]int, len(s.Inner))
	for i := range all {
		all[i] = i
	}
	return Column{Values: s.Inner}.levels(all)
}

func (t *randomTerm) labels(s Structured) []string {
	if s.Inner == nil {
		return s.Labels
	}
	return innerLabels(s)
}

func (m *MultiLevel) finish(w *wls, f *mixed, names []string) {
	m.heterogeneity(w, len(f.terms) == 0)
	correlated := f.known.Rho != 0 || f.known.Full != nil
	if correlated || len(m.G) > 0 {
		m.I2, m.H2 = math.NaN(), math.NaN() // not defined
	}
	if correlated { // Q by the whole sampling covariance
		g := *f
		g.terms, g.beta, g.cov = nil, make([]float64, f.p), make([]float64, f.p*f.p)
		g.v = make([][]float64, len(f.v))
		for b := range g.v {
			g.v[b] = make([]float64, len(f.v[b]))
		}
		g.at(nil, nil)
		m.Q = g.rss
		m.QP = distuv.ChiSquared{K: float64(m.QDF)}.Survival(m.Q)
	}
	fit := &wlsFit{beta: mat.NewVecDense(f.p, slices.Clone(f.beta)), cov: mat.NewSymDense(f.p, slices.Clone(f.cov)), rss: f.rss}
	m.terms(fit, names)
	m.LogLik = f.logLik()
	n := float64(m.K)
	if f.restricted {
		n -= float64(m.P)
	}
	m.criteria(float64(m.P+f.size), n)
	if m.P == 1 && len(m.G) == 0 && f.size > 0 {
		t := m.Terms[0]
		h := m.critical(t.DF) * math.Sqrt(t.SE*t.SE+m.Tau2)
		m.PredLow, m.PredHigh = t.Estimate-h, t.Estimate+h
	}
}

// Profile fills the profile-likelihood intervals of every level's variance with
// the likelihood-ratio test against the model without it, and those of the
// variances and correlations of structured terms.
func (m *MultiLevel) Profile(level float64) error {
	p := &profiler{m: m, crit: distuv.ChiSquared{K: 1}.Quantile(level)}
	l, g := 0, 0
	for _, t := range m.fit.terms {
		if t.kind == ID && t.level == nil {
			s := &m.Sigma2[l]
			l++
			s.LRT = math.Max(0, p.drop(t.first, 0)+p.crit)
			s.LRTP = distuv.ChiSquared{K: 1}.Survival(s.LRT)
			s.Low, s.High = p.positive(t.first, s.Value)
			continue
		}
		c := &m.G[g]
		g++
		for q := range t.params() {
			if i, ok := p.structured(t, q, c.Labels); ok {
				c.Profiles = append(c.Profiles, i)
			}
		}
	}
	m.fit.at(m.theta, nil) // back to the maximum
	return p.failed
}

// profiler finds where the profile likelihood has fallen by its critical value.
type profiler struct {
	m      *MultiLevel
	crit   float64
	failed error
}

// drop is twice the fall of the likelihood with parameter q held at v, less the
// critical value.
func (p *profiler) drop(q int, v float64) float64 {
	_, top, err := p.m.fit.run(map[int]float64{q: v})
	if err != nil {
		p.failed = err
		return math.NaN()
	}
	return 2*(p.m.max-top) - p.crit
}

// positive is the interval of a parameter of zero or more.
func (p *profiler) positive(q int, value float64) (low, high float64) {
	f := func(v float64) float64 { return p.drop(q, v) }
	if at0 := f(0); at0 > 0 {
		low = root(f, 0, value, at0, -p.crit)
	}
	hi := math.Max(2*value, 1e-3*meanOf(p.m.fit.known.V))
	fhi := f(hi)
	for range 60 {
		if !(fhi < 0) {
			break
		}
		hi *= 2
		fhi = f(hi)
	}
	return low, root(f, value, hi, -p.crit, fhi)
}

// structured is the interval of parameter q of a structured term; ok is false
// for those of a Cholesky factor.
func (p *profiler) structured(t *randomTerm, q int, labels []string) (i ProfileInterval, ok bool) {
	at := t.first + q
	value := p.m.theta[at]
	name := func(k int) string {
		if t.kind == CS || t.kind == AR || t.kind == CAR || t.kind == ID {
			return "tau²"
		}
		return "tau² " + labels[k]
	}
	switch {
	case t.kind == UN || t.kind == GEN:
		return i, false
	case t.bounded(q):
		low, high := p.positive(at, value)
		return ProfileInterval{name(q), value, low, high}, true
	case (t.kind == HCS || t.kind == HAR) && q < t.j: // a standard deviation
		low, high := p.positive(at, math.Abs(value))
		return ProfileInterval{name(q), value * value, low * low, high * high}, true
	}
	i = ProfileInterval{"rho", t.correlation(value), t.correlation(math.Inf(-1)), t.correlation(math.Inf(1))}
	f := func(v float64) float64 { return p.drop(at, v) }
	for side, end := range []*float64{&i.Low, &i.High} {
		sign := float64(2*side - 1)
		for step := 0.25; step < 10; step *= 2 {
			v := value + sign*step
			if fv := f(v); fv > 0 {
				*end = t.correlation(root(f, value, v, -p.crit, fv))
				break
			}
		}
	}
	return i, true
}

func meanOf(x []float64) (s float64) {
	for _, v := range x {
		s += v / float64(len(x))
	}
	return s
}
