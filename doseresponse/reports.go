package doseresponse

import (
	"fmt"
	"math"

	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
)

// FitReports fits a form with an intercept to results in any reported form, by
// the likelihood of package reported with one variance between clusters and
// one within. Rows hold the results and clusters; their covariates are set
// here from the doses. The scale of a nonlinear form is profiled on a grid and
// then taken as known.
func FitReports(rows []synthesis.Row, doses []float64, form Form, level float64) (*Curve, error) {
	form.Intercept = true
	if form.Nonlinear() && form.Scale == 0 {
		return profileReports(rows, doses, form, level)
	}
	if len(rows) <= len(form.Names())+1 {
		return nil, fmt.Errorf("%w: %d results for %d coefficients", ErrTooFewDoses, len(rows), len(form.Names()))
	}
	// doses are divided by their largest while fitting
	trial := Trial{Y: make([]float64, len(rows))}
	for i, d := range doses {
		if !(d >= 0) || math.IsInf(d, 0) {
			return nil, &ArmError{rows[i].Cluster, fmt.Sprintf("the dose %g is not a number of zero or more", d)}
		}
		trial.Dose, trial.Ref = append(trial.Dose, d), append(trial.Ref, math.NaN())
	}
	unit := form.unit([]Trial{trial})
	x := form.contrast(trial, unit)
	in := make([]synthesis.Row, len(rows))
	for i, r := range rows {
		r.X = x.RawRowView(i)
		in[i] = r
	}
	fit, err := synthesis.Maximise(in, 1)
	if err != nil {
		return nil, err
	}
	if err := fit.Information(); err != nil {
		return nil, err
	}
	c := &Curve{Form: form, Options: CurveOptions{Method: "ml", Stages: 1, Level: level}, LogLik: fit.LogLik, Tau2: fit.TauB*fit.TauB + fit.TauW*fit.TauW, study: fit.TauB * fit.TauB, Q: math.NaN(), QP: math.NaN()}
	c.Cov = mat.NewSymDense(len(unit), nil)
	c.Cov.CopySym(fit.Cov)
	rescaleSym(c.Cov, unit, -1)
	for j, u := range unit {
		c.Coef = append(c.Coef, fit.Beta[j]/u)
	}
	df := math.Max(1, float64(fit.Clusters-len(unit)))
	c.df = func([]float64) float64 { return df }
	c.describe([]Trial{trial})
	c.Trials = fit.Clusters
	c.AIC = 2*float64(len(unit)+2) - 2*fit.LogLik
	c.terms()
	return c, nil
}

// profileReports takes the best of a grid of scales of dose.
func profileReports(rows []synthesis.Row, doses []float64, form Form, level float64) (*Curve, error) {
	largest := 0.0
	for _, d := range doses {
		largest = math.Max(largest, d)
	}
	var best *Curve
	var last error
	for _, m := range []float64{0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5} {
		form.Scale, form.ScaleKnown = m*largest, true
		c, err := FitReports(rows, doses, form, level)
		if err != nil {
			last = err
		} else if best == nil || c.LogLik > best.LogLik {
			best = c
		}
	}
	if best == nil {
		return nil, last
	}
	best.AIC += 2
	return best, nil
}
