package synthesis

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// SelectionType names the weight function w(p) of a selection model, with
// metafor's names: steps (Vevea & Hedges 1995, 10.1007/BF02294384), the beta
// density (Citkowicz & Vevea 2017, 10.1037/met0000119), and the one-parameter
// functions of Preston, Ashby & Smyth (2004, 10.1111/j.1541-0420.2004.00240.x):
// exp(-δp²), exp(-δp), 2exp(-δp)/(1+exp(-δp)) and (1-p)^δ.
type SelectionType string

// The weight functions.
const (
	StepFunction SelectionType = "stepfun"
	BetaWeight   SelectionType = "beta"
	HalfNormal   SelectionType = "halfnorm"
	NegExp       SelectionType = "negexp"
	LogisticType SelectionType = "logistic"
	PowerWeight  SelectionType = "power"
)

// SelectionTypes lists the weight functions.
var SelectionTypes = []SelectionType{StepFunction, BetaWeight, HalfNormal, NegExp, LogisticType, PowerWeight}

// SelectionModel is a random-effects model in which the chance of an effect
// being reported depends on its p-value, fitted by ML. For steps, Delta[j] is
// the relative chance above step j (1 below the first).
type SelectionModel struct {
	Type         SelectionType
	Steps        []float64 // of stepfun
	Alternative  string    // greater, less or two.sided
	Estimate, SE float64
	Low, High    float64
	P            float64
	Tau2         float64
	Delta        []float64 // metafor's bound of 100 applies
	LogLik       float64
	LRT, LRTP    float64 // against no selection
	Counts       []int   // effects in each interval of p, for steps
}

// maxDelta bounds the parameters of a weight function.
const maxDelta = 100

// SelectModel fits a selection model to effects with known variances.
func SelectModel(y, v []float64, kind SelectionType, steps []float64, alternative string, level float64) (*SelectionModel, error) {
	if !slices.Contains(SelectionTypes, kind) {
		return nil, &DataError{fmt.Sprintf("the selection model %q is not known", kind)}
	}
	n := 1
	switch kind {
	case BetaWeight:
		n = 2
	case StepFunction:
		n = len(steps)
	}
	if most := 8; n > most {
		return nil, &DataError{fmt.Sprintf("at most %d steps are supported", most)}
	}
	if err := checkData(y, v, len(y), 2+n); err != nil {
		return nil, err
	}
	m := &SelectionModel{Type: kind, Alternative: alternative}
	d := newSelectionData(y, v, alternative)
	var w weightFunction
	if kind == StepFunction {
		s, err := newSteps(d, steps)
		if err != nil {
			return nil, err
		}
		m.Steps, m.Counts, w = steps, s.counts, s
	} else {
		w = newSmooth(d, kind)
	}
	plain, err := Mean(y, v, MetaOptions{Method: ML})
	if err != nil {
		return nil, err
	}
	return m, m.fit(d, w, plain, level)
}

// selectionData are the effects turned so that small p-values lie at high z.
type selectionData struct {
	y, v     []float64
	sd       []float64
	sign     float64
	twoSided bool
}

func newSelectionData(y, v []float64, alternative string) *selectionData {
	d := &selectionData{y: slices.Clone(y), v: v, sign: 1, twoSided: alternative == "two.sided"}
	if alternative == "less" {
		d.sign = -1
	}
	for i := range y {
		d.y[i] *= d.sign
		d.sd = append(d.sd, math.Sqrt(v[i]))
	}
	return d
}

// weightFunction is w(p; δ) with its normalising integral.
type weightFunction interface {
	// prepare computes what all effects share at δ.
	prepare(delta []float64)
	// observed is log w at effect i, and adds its derivatives to g.
	observed(i int, delta, g []float64) float64
	// integral is the chance A of an effect from N(m, s²) on the z scale of
	// effect i being reported, with its derivatives in m, s and δ.
	integral(m, s float64, delta, dDelta []float64) (a, dm, ds float64)
	// bounds and starting values of δ
	bounds() (low, high []float64)
	starts() [][]float64
}

// logLik at theta = (mu, tau², δ), with its gradient.
func (d *selectionData) logLik(w weightFunction, theta, g []float64) (l float64) {
	w.prepare(theta[2:])
	const chunk = 64 // effects; summed in order, whatever the cores
	n := (len(d.y) + chunk - 1) / chunk
	parts := make([]float64, n)
	grads := make([][]float64, n)
	part := func(c int) {
		grads[c] = make([]float64, len(theta))
		room := make([]float64, 2*len(theta))
		for i := c * chunk; i < min(len(d.y), (c+1)*chunk); i++ {
			parts[c] += d.one(w, i, theta, grads[c], room)
		}
	}
	if n == 1 {
		part(0)
	} else {
		Parallel(n, part)
	}
	clear(g)
	for c := range parts {
		l += parts[c]
		for j := range g {
			g[j] += grads[c][j]
		}
	}
	return l
}

// one is the part of effect i, whose gradient is added to g; NaN where the
// chance of being reported is not a positive number. room holds twice the
// parameters.
func (d *selectionData) one(w weightFunction, i int, theta, g, room []float64) float64 {
	mu, tau2, delta := theta[0], theta[1], theta[2:]
	q := len(delta)
	dd, obs := room[:q], room[q:2*q]
	t := d.v[i] + tau2
	e := d.y[i] - mu
	s := math.Sqrt(t) / d.sd[i]
	a, dm, ds := w.integral(mu/d.sd[i], s, delta, dd)
	if !(a > 0) || math.IsInf(a, 0) {
		return math.NaN()
	}
	l := w.observed(i, delta, obs) - 0.5*math.Log(2*math.Pi*t) - 0.5*e*e/t - math.Log(a)
	g[0] += e/t - dm/d.sd[i]/a
	g[1] += -0.5/t + 0.5*e*e/(t*t) - ds/(2*s*d.v[i])/a
	for j := range q {
		g[2+j] += obs[j] - dd[j]/a
	}
	return l
}

func (m *SelectionModel) fit(d *selectionData, w weightFunction, plain *Meta, level float64) error {
	low, high := w.bounds()
	c := climber{f: func(theta, g []float64) float64 { return d.logLik(w, theta, g) },
		low: append([]float64{math.Inf(-1), 0}, low...), high: append([]float64{math.Inf(1), math.Inf(1)}, high...)}
	fail := &FitError{Reason: "the selection model has no maximum that could be reached"}
	var best []float64
	m.LogLik = math.Inf(-1)
	for _, delta := range w.starts() {
		start := append([]float64{d.sign * plain.Terms[0].Estimate, plain.Tau2 + 0.01*meanOf(d.v)}, delta...)
		fail.Starts = append(fail.Starts, slices.Clone(start))
		if th, l, ok := c.climb(start); ok && l > m.LogLik {
			best, m.LogLik = th, l
		}
	}
	if best == nil {
		return fail
	}
	m.Estimate, m.Tau2, m.Delta = d.sign*best[0], best[1], best[2:]
	m.LRT = math.Max(0, 2*(m.LogLik-plain.LogLik))
	m.LRTP = distuv.ChiSquared{K: float64(len(m.Delta))}.Survival(m.LRT)
	m.SE, m.Low, m.High, m.P = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	g := make([]float64, len(best))
	d.logLik(w, best, g)
	var free []int // a weight at its bound is uncertain too; tau² = 0 is held
	for q := range best {
		if q != 1 || best[1] > 0 {
			free = append(free, q)
		}
	}
	if n := len(free); n > 0 {
		h := c.hessian(best, g, free)
		var ch mat.Cholesky
		inv := mat.NewSymDense(n, nil)
		if ch.Factorize(mat.NewSymDense(n, h)) && ch.InverseTo(inv) == nil {
			m.SE = math.Sqrt(inv.At(0, 0))
			h := distuv.UnitNormal.Quantile(0.5+level/2) * m.SE
			m.Low, m.High = m.Estimate-h, m.Estimate+h
			m.P = 2 * UpperTail(math.Abs(m.Estimate/m.SE))
		}
	}
	return nil
}
