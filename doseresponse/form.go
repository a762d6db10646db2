package doseresponse

import (
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/synthesis"
)

// More shapes of a curve through the reference dose: one that levels off
// exponentially, and one linear in the logarithm of one plus the dose over a
// scale. Like Emax they have a scale of dose that is estimated.
const (
	Exponential Shape = "exponential"
	LogLinear   Shape = "loglinear"
)

// CurveShapes are the shapes of a curve fitted to trials.
var CurveShapes = []Shape{Linear, Quadratic, Spline, Emax, Exponential, LogLinear}

// Form is a shape with its constants: the knots of a spline, or the scale of
// dose of a nonlinear shape (ED50 for Emax and Exponential).
//
// With Intercept the effects are those of one dose each, not against a
// reference dose, and may differ from zero at dose zero.
type Form struct {
	Shape     Shape
	Knots     []float64
	Scale     float64
	Intercept bool
	// ScaleKnown takes the scale as given, without uncertainty.
	ScaleKnown bool
}

// Nonlinear says whether the form has an estimated scale.
func (f Form) Nonlinear() bool {
	return !f.ScaleKnown && (f.Shape == Emax || f.Shape == Exponential || f.Shape == LogLinear)
}

// Names are those of the coefficients.
func (f Form) Names() []string {
	if f.Intercept {
		f.Intercept = false
		return append([]string{"intercept"}, f.Names()...)
	}
	switch f.Shape {
	case Flat:
		return nil
	case Quadratic:
		return []string{"dose", "dose²"}
	case Spline:
		out := []string{"dose"}
		for i := range len(f.Knots) - 2 {
			out = append(out, fmt.Sprintf("spline %d", i+1))
		}
		return out
	case Emax, Exponential:
		return []string{"emax"}
	case LogLinear:
		return []string{"slope"}
	}
	return []string{"dose"}
}

// Terms are the covariates at a dose.
func (f Form) Terms(d float64) []float64 {
	if f.Intercept {
		f.Intercept = false
		return append([]float64{1}, f.Terms(d)...)
	}
	switch f.Shape {
	case Flat:
		return nil
	case Quadratic:
		return []float64{d, d * d}
	case Spline:
		return restrictedCubic(d, f.Knots)
	case Emax:
		return []float64{d / (f.Scale + d)}
	case Exponential:
		return []float64{-math.Expm1(-math.Ln2 * d / f.Scale)}
	case LogLinear:
		return []float64{math.Log1p(d / f.Scale)}
	}
	return []float64{d}
}

// restrictedCubic is the dose and Harrell's non-linear terms of a cubic spline
// that is linear beyond its outer knots (Harrell, Regression Modeling
// Strategies, 2.4.5; terms divided by the squared range of the knots).
func restrictedCubic(x float64, k []float64) []float64 {
	n := len(k)
	cube := func(t float64) float64 { u := math.Max(x-t, 0); return u * u * u }
	last, before := k[n-1], k[n-2]
	norm := (last - k[0]) * (last - k[0])
	out := []float64{x}
	for j := range n - 2 {
		out = append(out, (cube(k[j])-cube(before)*(last-k[j])/(last-before)+cube(last)*(before-k[j])/(last-before))/norm)
	}
	return out
}

// harrell are the default quantiles of the knots (Harrell, table 2.3).
var harrell = map[int][]float64{3: {0.1, 0.5, 0.9}, 4: {0.05, 0.35, 0.65, 0.95}, 5: {0.05, 0.275, 0.5, 0.725, 0.95}, 6: {0.05, 0.23, 0.41, 0.59, 0.77, 0.95}, 7: {0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975}}

// HarrellKnots are n knots (3 to 7) at Harrell's quantiles of the doses, which
// must be different there.
func HarrellKnots(doses []float64, n int) ([]float64, error) {
	q, ok := harrell[n]
	if !ok {
		return nil, fmt.Errorf("a spline has 3 to 7 knots, not %d", n)
	}
	s := slices.Clone(doses)
	slices.Sort(s)
	out := make([]float64, n)
	for i, p := range q {
		out[i] = synthesis.Quantile(s, p)
	}
	for i := 1; i < n; i++ {
		if !(out[i] > out[i-1]) {
			return nil, fmt.Errorf("%d knots at Harrell's quantiles of these doses coincide (%g): give --knots", n, out)
		}
	}
	return out, nil
}
