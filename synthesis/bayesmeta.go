package synthesis

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// TauPrior is the prior density of tau in an ordinary random-effects model:
// "half-normal" and "half-cauchy" with Scale, "half-t" with Scale and DF,
// "uniform" (improper; needs three effects or more).
type TauPrior struct {
	Family    string
	Scale, DF float64
}

// density of tau, up to a constant for the improper uniform prior.
func (p TauPrior) density(t float64) float64 {
	switch p.Family {
	case "half-normal":
		return 2 * distuv.Normal{Mu: 0, Sigma: p.Scale}.Prob(t)
	case "half-cauchy":
		return 2 / (math.Pi * p.Scale * (1 + t*t/(p.Scale*p.Scale)))
	case "half-t":
		return 2 * distuv.StudentsT{Mu: 0, Sigma: p.Scale, Nu: p.DF}.Prob(t)
	}
	return 1
}

func (p TauPrior) check(k int) error {
	switch p.Family {
	case "half-normal", "half-cauchy", "half-t":
		if !(p.Scale > 0) || p.Family == "half-t" && !(p.DF > 0) {
			return &DataError{fmt.Sprintf("the scale of the %s prior must be positive", p.Family)}
		}
	case "uniform":
		if k < 3 {
			return &DataError{"a uniform prior of tau needs three effects or more"}
		}
	default:
		return &DataError{fmt.Sprintf("the prior %q of tau is not known", p.Family)}
	}
	return nil
}

// MuPrior is the prior of the mean: normal, or uniform where SD is 0.
type MuPrior struct{ Mean, SD float64 }

// Summary of a posterior: mean, SD, median and central interval.
type Summary struct{ Mean, SD, Median, Low, High float64 }

// BayesMeta is the posterior of an ordinary random-effects model by
// deterministic quadrature over tau; given tau everything is normal (Röver
// 2020, 10.18637/jss.v093.i06).
type BayesMeta struct {
	Mu, Tau, Next Summary   // mean, heterogeneity SD, true effect of a new study
	Studies       []Summary // shrinkage: mean and SD of each true effect
	ProbPositive  float64
	LogMarginal   float64 // up to the prior's constant where it is improper
	// Bayes factors, NaN where a prior they need is improper: of an effect that
	// may differ from zero against none, and of heterogeneity against none.
	BFEffect, BFTau float64
}

// panels and panelPoints set the composite Gauss–Legendre rule over tau.
const (
	panels      = 48
	panelPoints = 12
)

// tauRule holds nodes of tau with normalised posterior weights.
type tauRule struct{ tau, w []float64 }

// bayesData is the model given tau.
type bayesData struct {
	y, v  []float64
	tau   TauPrior
	mu    MuPrior
	scale float64
	shift float64 // largest log-density, taken off before exponentials
	total float64 // integral of the shifted density
}

// given returns the log of the marginal likelihood of tau and the mean and
// variance of mu given tau.
func (d *bayesData) given(t float64) (l, mean, variance float64) {
	var sw, swy float64
	for i := range d.y {
		w := 1 / (d.v[i] + t*t)
		sw, swy = sw+w, swy+w*d.y[i]
		l += 0.5 * math.Log(w/(2*math.Pi))
	}
	m := swy / sw
	for i := range d.y {
		e := d.y[i] - m
		l -= 0.5 * e * e / (d.v[i] + t*t)
	}
	l += 0.5 * math.Log(2*math.Pi/sw)
	if d.mu.SD == 0 {
		return l, m, 1 / sw
	}
	s2 := d.mu.SD*d.mu.SD + 1/sw
	l -= 0.5*math.Log(2*math.Pi*s2) + 0.5*(m-d.mu.Mean)*(m-d.mu.Mean)/s2
	p := sw + 1/(d.mu.SD*d.mu.SD)
	return l, (swy + d.mu.Mean/(d.mu.SD*d.mu.SD)) / p, 1 / p
}

func (d *bayesData) density(t float64) float64 {
	l, _, _ := d.given(t)
	return d.tau.density(t) * math.Exp(l-d.shift)
}

// panel appends the quadrature between u and v on the scale tau = scale·x/(1-x),
// which takes (0, 1) to all tau.
func (d *bayesData) panel(r *tauRule, u, v float64) {
	x, w := make([]float64, panelPoints), make([]float64, panelPoints)
	quad.Legendre{}.FixedLocations(x, w, u, v)
	for i := range x {
		t := d.scale * x[i] / (1 - x[i])
		r.tau = append(r.tau, t)
		r.w = append(r.w, w[i]*d.scale/((1-x[i])*(1-x[i]))*d.density(t))
	}
}

// rule spreads the quadrature over all tau.
func (d *bayesData) rule() (r tauRule) {
	for p := range panels {
		d.panel(&r, float64(p)/panels, float64(p+1)/panels)
	}
	return r
}

// quantile of tau: the panel that holds it by the sums of whole panels, the
// place within by integrating the panel's part.
func (d *bayesData) quantile(r tauRule, p float64) float64 {
	var below float64
	for k := range panels {
		var whole float64
		for _, w := range r.w[k*panelPoints : (k+1)*panelPoints] {
			whole += w
		}
		if below+whole < p && k < panels-1 {
			below += whole
			continue
		}
		u := float64(k) / panels
		short := func(x float64) float64 {
			var part tauRule
			d.panel(&part, u, x)
			return below + part.sum()/d.total - p
		}
		end := float64(k+1) / panels
		if k == panels-1 {
			end = 1 - 1e-12
		}
		x := root(short, u, end, below-p, below+whole-p)
		return d.scale * x / (1 - x)
	}
	return math.NaN()
}

func (r tauRule) sum() (s float64) {
	for _, w := range r.w {
		s += w
	}
	return s
}

// AnalyseBayes computes the posterior of effects y with known variances v.
func AnalyseBayes(y, v []float64, tau TauPrior, mu MuPrior, level float64) (*BayesMeta, error) {
	if err := checkData(y, v, len(y), 1); err != nil {
		return nil, err
	}
	if err := tau.check(len(y)); err != nil {
		return nil, err
	}
	d := &bayesData{y: y, v: v, tau: tau, mu: mu}
	plain, err := Mean(y, v, MetaOptions{Method: ML})
	if err != nil {
		return nil, err
	}
	d.scale = math.Sqrt(plain.Tau2) + 0.5*math.Sqrt(meanOf(v))
	d.shift, _, _ = d.given(math.Sqrt(plain.Tau2))
	r := d.rule()
	total := r.sum()
	d.total = total
	if !(total > 0) || math.IsInf(total, 0) {
		return nil, ErrNotConverged
	}
	for i := range r.w {
		r.w[i] /= total
	}
	out := &BayesMeta{LogMarginal: d.shift + math.Log(total)}
	a := (1 - level) / 2
	out.tauSummary(d, r, a)
	means, vars := make([]float64, len(r.tau)), make([]float64, len(r.tau))
	next := make([]float64, len(r.tau))
	for i, t := range r.tau {
		_, means[i], vars[i] = d.given(t)
		next[i] = vars[i] + t*t
	}
	out.Mu = mixture(means, vars, r.w, a)
	out.Next = mixture(means, next, r.w, a)
	out.ProbPositive = 1 - mixtureCDF(means, vars, r.w, 0)
	out.factors(d, r, means, vars)
	for i := range y {
		out.Studies = append(out.Studies, d.shrunken(i, r, means, vars))
	}
	return out, nil
}

// factors are the Bayes factors: for the effect by the ratio of its prior to its
// posterior density at zero (Dickey 1971), for tau by the likelihood at zero.
func (b *BayesMeta) factors(d *bayesData, r tauRule, means, vars []float64) {
	b.BFEffect, b.BFTau = math.NaN(), math.NaN()
	if d.mu.SD > 0 {
		var post float64
		for i, w := range r.w {
			post += w * distuv.Normal{Mu: means[i], Sigma: math.Sqrt(vars[i])}.Prob(0)
		}
		b.BFEffect = distuv.Normal{Mu: d.mu.Mean, Sigma: d.mu.SD}.Prob(0) / post
	}
	if d.tau.Family != "uniform" {
		none, _, _ := d.given(0)
		b.BFTau = math.Exp(b.LogMarginal - none)
	}
}

func (b *BayesMeta) tauSummary(d *bayesData, r tauRule, a float64) {
	var m2 float64
	for i, t := range r.tau {
		b.Tau.Mean += r.w[i] * t
		m2 += r.w[i] * t * t
	}
	b.Tau.SD = math.Sqrt(math.Max(0, m2-b.Tau.Mean*b.Tau.Mean))
	q := func(p float64) float64 { return d.quantile(r, p) }
	b.Tau.Median, b.Tau.Low, b.Tau.High = q(0.5), q(a), q(1-a)
}

// mixture summarises normals with weights.
func mixture(means, vars, w []float64, a float64) (s Summary) {
	var m2 float64
	for i := range w {
		s.Mean += w[i] * means[i]
		m2 += w[i] * (vars[i] + means[i]*means[i])
	}
	s.SD = math.Sqrt(math.Max(0, m2-s.Mean*s.Mean))
	q := func(p float64) float64 {
		lo, hi := s.Mean-s.SD, s.Mean+s.SD
		for mixtureCDF(means, vars, w, lo) > p {
			lo -= 2 * (hi - lo)
		}
		for mixtureCDF(means, vars, w, hi) < p {
			hi += 2 * (hi - lo)
		}
		f := func(x float64) float64 { return mixtureCDF(means, vars, w, x) - p }
		return root(f, lo, hi, f(lo), f(hi))
	}
	s.Median, s.Low, s.High = q(0.5), q(a), q(1-a)
	return s
}

func mixtureCDF(means, vars, w []float64, x float64) (p float64) {
	for i := range w {
		if w[i] < 1e-17 {
			continue
		}
		p += w[i] * 0.5 * math.Erfc(-(x-means[i])/math.Sqrt(2*vars[i]))
	}
	return p
}

// shrunken is the posterior of the true effect of study i: mean and SD.
func (d *bayesData) shrunken(i int, r tauRule, means, vars []float64) (s Summary) {
	var m2 float64
	for k, t := range r.tau {
		b := d.v[i] / (d.v[i] + t*t) // pull towards the mean
		m := b*means[k] + (1-b)*d.y[i]
		v := (1-b)*d.v[i] + b*b*vars[k]
		s.Mean += r.w[k] * m
		m2 += r.w[k] * (v + m*m)
	}
	s.SD = math.Sqrt(math.Max(0, m2-s.Mean*s.Mean))
	s.Median, s.Low, s.High = math.NaN(), math.NaN(), math.NaN()
	return s
}
