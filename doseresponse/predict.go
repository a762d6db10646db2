package doseresponse

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// gradient of the effect of dose d against ref in all estimated parameters.
func (c *Curve) gradient(d, ref float64) []float64 {
	a := c.Form.Terms(d)
	if !math.IsNaN(ref) {
		for i, x := range c.Form.Terms(ref) {
			a[i] -= x
		}
	}
	if c.Form.Nonlinear() {
		h := 1e-5 * c.Form.Scale
		up, down := c.Form, c.Form
		up.Scale += h
		down.Scale -= h
		last := len(c.Coef) - 1
		x := (up.Terms(d)[last] - down.Terms(d)[last]) / (2 * h)
		if !math.IsNaN(ref) {
			x -= (up.Terms(ref)[last] - down.Terms(ref)[last]) / (2 * h)
		}
		a = append(a, c.Coef[last]*x)
	}
	return a
}

// critical is the two-sided quantile for a combination of the parameters: t
// with Satterthwaite degrees of freedom where the covariance is robust.
func (c *Curve) critical(g []float64) (q, df float64) {
	p := 0.5 + c.Options.Level/2
	if c.df == nil {
		return distuv.UnitNormal.Quantile(p), math.NaN()
	}
	df = c.df(g)
	if !(df > 0) { // the combination is zero: nothing to test
		return 0, math.NaN()
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p), df
}

// Interval is the confidence interval of the effect of dose d against ref (NaN:
// the effect itself, with an intercept) and its prediction interval for a new
// trial.
func (c *Curve) Interval(d, ref float64) (low, high, predLow, predHigh float64) {
	e, se, tau := c.At(d, ref)
	q, _ := c.critical(c.gradient(d, ref))
	h, p := q*se, q*math.Hypot(se, tau)
	return e - h, e + h, e - p, e + p
}

// At is the effect of dose d against ref with its standard error, and the SD
// of that effect between trials.
func (c *Curve) At(d, ref float64) (effect, se, tau float64) {
	g := c.gradient(d, ref)
	for i, b := range c.Coef {
		effect += b * g[i]
	}
	tau2 := c.Tau2
	for _, psi := range []*mat.SymDense{c.Psi, c.Within} {
		if psi != nil {
			tau2 += quadratic(psi, g[:len(c.Coef)])
		}
	}
	tau = math.Sqrt(tau2)
	return effect, math.Sqrt(quadratic(c.Cov, g)), tau
}

func quadratic(m mat.Symmetric, x []float64) (s float64) {
	for i := range x {
		for j := range x {
			s += x[i] * m.At(i, j) * x[j]
		}
	}
	return math.Max(0, s)
}

// Slope is the derivative of the curve at dose d with its standard error.
func (c *Curve) Slope(d float64) (slope, se float64) {
	h := 1e-4 * c.Spread
	g, low := c.gradient(d+h, math.NaN()), c.gradient(d-h, math.NaN())
	for i := range g {
		g[i] = (g[i] - low[i]) / (2 * h)
	}
	for i, b := range c.Coef {
		slope += b * g[i]
	}
	return slope, math.Sqrt(quadratic(c.Cov, g))
}

// Peak is the dose of the largest effect (or, where sign is negative, of the
// smallest) among the doses studied; inside says whether the curve turns there.
func (c *Curve) Peak(ref, sign float64) (dose float64, inside bool) {
	const n = 2000
	best := math.Inf(-1)
	at := func(d float64) float64 { e, _, _ := c.At(d, ref); return sign * e }
	step := (c.Max - c.Min) / n
	k := 0
	for i := range n + 1 {
		if e := at(c.Min + step*float64(i)); e > best {
			best, k = e, i
		}
	}
	dose = c.Min + step*float64(k)
	if k == 0 || k == n {
		return dose, false
	}
	a, b := dose-step, dose+step
	for range 100 {
		x, y := a+(b-a)/3, b-(b-a)/3
		if at(x) < at(y) {
			a = x
		} else {
			b = y
		}
	}
	return (a + b) / 2, true
}

// DoseOf is the lowest studied dose with the effect wanted, with the interval
// of doses whose effect is not significantly different from it (Fieller): the
// ends are NaN where they lie outside the doses studied.
func (c *Curve) DoseOf(effect, ref float64) (dose, low, high float64) {
	dose, low, high = math.NaN(), math.NaN(), math.NaN()
	const n = 4000
	var last, lastGap float64
	open := false
	for i := range n + 1 {
		d := c.Min + (c.Max-c.Min)*float64(i)/n
		e, se, _ := c.At(d, ref)
		z, _ := c.critical(c.gradient(d, ref))
		gap := e - effect
		if i > 0 && math.IsNaN(dose) && gap*lastGap <= 0 {
			dose = last + (d-last)*lastGap/(lastGap-gap)
			if lastGap == gap {
				dose = d
			}
		}
		within := math.Abs(gap) <= z*se
		if within && !open && math.IsNaN(low) && i > 0 {
			low = d
		}
		if !within && open {
			high = last
			if !math.IsNaN(dose) {
				return dose, low, high
			}
			low, high = math.NaN(), math.NaN()
		}
		open, last, lastGap = within, d, gap
	}
	return dose, low, high
}
