package doseresponse

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// gradient of the effect of dose d against ref in all estimated parameters.
func (c *Curve) gradient(d, ref float64) []float64 {
	a, b := c.Form.Terms(d), c.Form.Terms(ref)
	for i := range a {
		a[i] -= b[i]
	}
	if c.Form.Nonlinear() {
		h := 1e-5 * c.Form.Scale
		up, down := c.Form, c.Form
		up.Scale += h
		down.Scale -= h
		x := (up.Terms(d)[0] - up.Terms(ref)[0] - down.Terms(d)[0] + down.Terms(ref)[0]) / (2 * h)
		a = append(a, c.Coef[0]*x)
	}
	return a
}

// At is the effect of dose d against ref with its standard error, and the SD
// of that effect between trials.
func (c *Curve) At(d, ref float64) (effect, se, tau float64) {
	g := c.gradient(d, ref)
	for i, b := range c.Coef {
		effect += b * g[i]
	}
	if c.Psi != nil {
		tau = math.Sqrt(quadratic(c.Psi, g[:len(c.Coef)]))
	}
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
	g, low := c.gradient(d+h, 0), c.gradient(d-h, 0)
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
	z := distuv.UnitNormal.Quantile(0.5 + c.Options.Level/2)
	dose, low, high = math.NaN(), math.NaN(), math.NaN()
	const n = 4000
	var last, lastGap float64
	open := false
	for i := range n + 1 {
		d := c.Min + (c.Max-c.Min)*float64(i)/n
		e, se, _ := c.At(d, ref)
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

// upperTail is P(Z > z) of a standard normal, exact far out in the tail.
func upperTail(z float64) float64 { return 0.5 * math.Erfc(z/math.Sqrt2) }
