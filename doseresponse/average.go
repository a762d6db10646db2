package doseresponse

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Weighted is a curve with its AIC weight among the shapes that could be
// fitted (Burnham & Anderson 2002, 6.4.5).
type Weighted struct {
	*Curve
	Weight float64
}

// FitShapes fits every form; those the data cannot carry are left out with the
// reason.
func FitShapes(trials []Trial, forms []Form, o CurveOptions) (fits []Weighted, left []string, err error) {
	for _, f := range forms {
		c, err := FitCurve(trials, f, o)
		var data *synthesis.DataError
		var arm *ArmError
		if errors.Is(err, ErrTooFewDoses) || errors.Is(err, synthesis.ErrNotConverged) || errors.As(err, &data) || errors.As(err, &arm) || err == nil && math.IsNaN(c.AIC) {
			reason := "its likelihood could not be compared"
			if err != nil {
				reason = err.Error()
			}
			left = append(left, fmt.Sprintf("%s: %s", f.Shape, reason))
			continue
		}
		if err != nil {
			return nil, left, err
		}
		fits = append(fits, Weighted{Curve: c})
	}
	if len(fits) == 0 {
		return nil, left, fmt.Errorf("%w: no shape could be fitted (%v)", ErrTooFewDoses, left)
	}
	return Weigh(fits), left, nil
}

// Weigh sets the AIC weights of curves fitted to the same results.
func Weigh(fits []Weighted) []Weighted {
	var aic []float64
	for _, f := range fits {
		aic = append(aic, f.AIC)
	}
	for i, w := range akaike(aic) {
		fits[i].Weight = w
	}
	return fits
}

// akaike are the weights of models by their AIC.
func akaike(aic []float64) []float64 {
	best, sum := math.Inf(1), 0.0
	for _, a := range aic {
		best = math.Min(best, a)
	}
	out := make([]float64, len(aic))
	for i, a := range aic {
		out[i] = math.Exp(-(a - best) / 2)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// NormalQuantile is the two-sided quantile of a level.
func NormalQuantile(level float64) float64 { return distuv.UnitNormal.Quantile(0.5 + level/2) }

// AverageAt is the weighted effect of dose d against ref; its standard error
// adds the spread between the shapes.
func AverageAt(fits []Weighted, d, ref float64) (effect, se, tau float64) {
	for _, f := range fits {
		e, _, _ := f.At(d, ref)
		effect += f.Weight * e
	}
	for _, f := range fits {
		e, s, t := f.At(d, ref)
		se += f.Weight * math.Sqrt(s*s+(e-effect)*(e-effect))
		tau += f.Weight * t
	}
	return effect, se, tau
}

// Imputations is the number of draws for doses that are intervals.
const Imputations = 20

// FitUncertain fits a form where some doses are intervals: doses are drawn
// uniformly within them, the fits combined by Rubin's rules (1987), and the
// share of the variance that comes from the doses is told. build makes the
// trials from a source of draws; draws share the knots and scale of the fit at
// the middle doses.
func FitUncertain(build func(draw func(low, high float64) float64) ([]Trial, error), form Form, o CurveOptions, seed uint64) (*Curve, float64, error) {
	trials, err := build(func(low, high float64) float64 { return (low + high) / 2 })
	if err != nil {
		return nil, 0, err
	}
	middle, err := FitCurve(trials, form, o)
	if err != nil {
		return nil, 0, err
	}
	q := len(middle.Terms)
	var estimates [][]float64
	within := mat.NewSymDense(q, nil)
	for m := range Imputations {
		r := rand.New(rand.NewPCG(seed, uint64(m)))
		trials, err := build(func(low, high float64) float64 { return low + (high-low)*r.Float64() })
		if err != nil {
			return nil, 0, err
		}
		c, err := FitCurve(trials, form, o)
		if err != nil {
			return nil, 0, err
		}
		var b []float64
		for _, t := range c.Terms {
			b = append(b, t.Estimate)
		}
		estimates = append(estimates, b)
		for i := range q {
			for j := range i + 1 {
				within.SetSym(i, j, within.At(i, j)+c.Cov.At(i, j)/Imputations)
			}
		}
	}
	return middle, middle.combine(estimates, within), nil
}

// combine sets the coefficients to the mean over the draws, with covariance
// W + (1 + 1/M)B, and returns the largest share that B has in a variance.
func (c *Curve) combine(estimates [][]float64, within *mat.SymDense) (share float64) {
	q, m := len(c.Terms), float64(len(estimates))
	mean := make([]float64, q)
	for _, e := range estimates {
		for i := range q {
			mean[i] += e[i] / m
		}
	}
	for i := range q {
		for j := range i + 1 {
			var b float64
			for _, e := range estimates {
				b += (e[i] - mean[i]) * (e[j] - mean[j]) / (m - 1)
			}
			total := within.At(i, j) + (1+1/m)*b
			if i == j && total > 0 {
				share = math.Max(share, (1+1/m)*b/total)
			}
			within.SetSym(i, j, total)
		}
	}
	copy(c.Coef, mean[:len(c.Coef)])
	if c.Form.Nonlinear() {
		c.Form.Scale = mean[q-1]
	}
	c.Cov, c.Terms = within, nil
	c.terms()
	return share
}

// NormalP is the two-sided p of a z statistic.
func NormalP(z float64) float64 { return 2 * synthesis.UpperTail(math.Abs(z)) }
