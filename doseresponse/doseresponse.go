// Package doseresponse relates the effect of training to its dose, with every
// reported form in the same likelihood as pooling. Doses are divided by their
// own spread before fitting, so that a change of unit changes nothing. All of
// it is between-trial evidence except what RandomisedDoses lists.
package doseresponse

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Variable is a dose measure of a contrast.
type Variable struct {
	Name, Unit, Label string
	of                func(c evidence.Contrast) float64
}

// Variables are the dose measures the evidence carries.
var Variables = []Variable{
	{"frequency", "sessions/week", "Sessions a week", func(c evidence.Contrast) float64 { return c.Frequency.Mid() }},
	{"weeks", "weeks", "Length of training", func(c evidence.Contrast) float64 { return c.Weeks }},
	{"load", "% 1RM", "Load", func(c evidence.Contrast) float64 { return c.Pct1RM.Mid() }},
	{"sets", "sets/exercise", "Sets an exercise", func(c evidence.Contrast) float64 { return c.Sets.Mid() }},
	{"minutes", "min/session", "Length of a session", func(c evidence.Contrast) float64 { return c.SessionMin }},
}

// ByName finds a variable.
func ByName(name string) (Variable, bool) {
	for _, v := range Variables {
		if v.Name == name {
			return v, true
		}
	}
	return Variable{}, false
}

// Shape names a curve.
type Shape string

// The shapes; Average weighs all of them by AIC.
const (
	Flat      Shape = "flat"
	Linear    Shape = "linear"
	Quadratic Shape = "quadratic"
	Spline    Shape = "spline"
	Emax      Shape = "emax"
	Average   Shape = "average"
)

// Shapes are what Fit accepts.
var Shapes = []Shape{Linear, Quadratic, Spline, Emax, Average}

// ErrTooFewDoses says that the data hold too few cohorts or doses for a curve.
var ErrTooFewDoses = errors.New("too few cohorts or doses for a dose–response curve")

// Point is the curve at one dose, in SD units. Support counts the rows at this
// dose or nearest to it; Extrapolated marks doses outside those studied.
type Point struct {
	Dose, Estimate    float64
	Low, High         float64
	PredLow, PredHigh float64
	Rows, Cohorts     int
	Extrapolated      bool
}

// Weight is the AIC weight of one shape.
type Weight struct {
	Shape       Shape
	LogLik, AIC float64
	Weight      float64
}

// Coefficient of a fitted shape, on the dose divided by its SD after its mean
// is taken off.
type Coefficient struct {
	Name                    string
	Estimate, SE, Low, High float64
	P                       float64
}

// Result is a fitted dose–response.
type Result struct {
	Variable      Variable
	Shape         Shape
	Rows, Cohorts int
	WithoutDose   int // usable rows that state no such dose
	Min, Max      float64
	Mean, SD      float64
	ED50          float64 // Emax only
	Coefficients  []Coefficient
	Curve         []Point
	Weights       []Weight
	FlatVsBest    float64 // weight of no dose–response at all
	Doses         []Observed
}

// Observed is the dose of one row, for support plots.
type Observed struct {
	ID, Cohort string
	Dose       float64
}

// Fit fits a shape to the pooled observations. at lists the doses of the
// curve; nil spreads 25 over those studied.
func Fit(used []synthesis.Used, v Variable, shape Shape, at []float64, level float64) (*Result, error) {
	r := &Result{Variable: v, Shape: shape}
	var kept []synthesis.Used
	var doses []float64
	for _, u := range used {
		d := v.of(u.Contrast)
		if math.IsNaN(d) {
			r.WithoutDose++
			continue
		}
		kept, doses = append(kept, u), append(doses, d)
		r.Doses = append(r.Doses, Observed{u.Contrast.ID, u.Cohort, d})
	}
	cohorts := map[string]bool{}
	for _, u := range kept {
		cohorts[u.Cohort] = true
	}
	distinct := slices.Clone(doses)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	r.Rows, r.Cohorts = len(kept), len(cohorts)
	if len(cohorts) < 5 || len(distinct) < 3 {
		return nil, fmt.Errorf("%w: %d cohorts, %d different values of %s", ErrTooFewDoses, len(cohorts), len(distinct), v.Name)
	}
	r.Min, r.Max = distinct[0], distinct[len(distinct)-1]
	r.Mean, r.SD = stat.MeanStdDev(doses, nil)
	if at == nil {
		for i := range 25 {
			at = append(at, r.Min+(r.Max-r.Min)*float64(i)/24)
		}
	}
	f := fitter{kept, doses, len(distinct), r, level}
	return r, f.run(shape, at)
}

type fitter struct {
	used     []synthesis.Used
	doses    []float64
	distinct int // different doses
	r        *Result
	level    float64
}

// allowed: curved shapes need more different doses than they have coefficients: with
// three doses a parabola goes through anything.
func (f fitter) allowed(s Shape) bool {
	return s == Flat || s == Linear || f.distinct >= 4
}

// basis gives the covariates of a shape at a dose.
type basis struct {
	names []string
	at    func(d float64) []float64
}

func (f fitter) scaled(d float64) float64 { return (d - f.r.Mean) / f.r.SD }

func (f fitter) basis(s Shape, ed50 float64) basis {
	switch s {
	case Linear:
		return basis{[]string{"intercept", "dose"}, func(d float64) []float64 { return []float64{1, f.scaled(d)} }}
	case Quadratic:
		return basis{[]string{"intercept", "dose", "dose²"}, func(d float64) []float64 { z := f.scaled(d); return []float64{1, z, z * z} }}
	case Spline:
		k := f.knots()
		return basis{[]string{"intercept", "dose", "spline"}, func(d float64) []float64 { return append([]float64{1}, restrictedCubic(f.scaled(d), k[:])...) }}
	case Emax:
		return basis{[]string{"e0", "emax"}, func(d float64) []float64 { return []float64{1, d / (ed50 + d)} }}
	}
	return basis{[]string{"intercept"}, func(float64) []float64 { return []float64{1} }}
}

// knots are the 10th, 50th and 90th centiles of the studied doses (Harrell),
// or their range in thirds where those coincide.
func (f fitter) knots() [3]float64 {
	s := slices.Clone(f.doses)
	slices.Sort(s)
	var k [3]float64
	for i, q := range []float64{0.1, 0.5, 0.9} {
		k[i] = f.scaled(stat.Quantile(q, stat.Empirical, s, nil))
	}
	if k[0] >= k[1] || k[1] >= k[2] {
		lo, hi := f.scaled(f.r.Min), f.scaled(f.r.Max)
		k = [3]float64{lo + 0.1*(hi-lo), lo + 0.5*(hi-lo), lo + 0.9*(hi-lo)}
	}
	return k
}

type fitted struct {
	shape  Shape
	b      basis
	fit    *synthesis.Fit
	params int
	ed50   float64
}

func (f fitter) fit(s Shape, ed50 float64) (fitted, error) {
	b := f.basis(s, ed50)
	rows := synthesis.Intercept(f.used)
	for i := range rows {
		rows[i].X = b.at(f.doses[i])
	}
	fit, err := synthesis.Maximise(rows, 1)
	if err != nil {
		return fitted{}, err
	}
	out := fitted{s, b, fit, len(b.names) + 2, ed50}
	if s == Emax {
		out.params++
	}
	return out, fit.Information()
}

// best is the fit of a shape; for Emax the dose of half effect is profiled
// over multiples of the median dose, which keeps it free of units.
func (f fitter) best(s Shape) (fitted, error) {
	if s != Emax {
		return f.fit(s, 0)
	}
	d := slices.Clone(f.doses)
	sort.Float64s(d)
	med := stat.Quantile(0.5, stat.Empirical, d, nil)
	var top fitted
	var last error
	for _, m := range []float64{0.1, 0.25, 0.5, 1, 2, 4} {
		c, err := f.fit(Emax, m*med)
		if err != nil {
			last = err
			continue
		}
		if top.fit == nil || c.fit.LogLik > top.fit.LogLik {
			top = c
		}
	}
	if top.fit == nil {
		return top, last
	}
	return top, nil
}

func (f fitter) run(shape Shape, at []float64) error {
	var all []fitted
	if shape != Average && !f.allowed(shape) {
		return fmt.Errorf("%w: a %s curve needs four different values of %s, there are %d", ErrTooFewDoses, shape, f.r.Variable.Name, f.distinct)
	}
	for _, s := range []Shape{Flat, Linear, Quadratic, Spline, Emax} {
		if !f.allowed(s) {
			continue
		}
		c, err := f.best(s)
		if err != nil {
			if s == shape {
				return fmt.Errorf("%s: %w", s, err)
			}
			continue
		}
		all = append(all, c)
	}
	f.weigh(all)
	var use []fitted
	var w []float64
	for i, c := range all {
		if shape == Average || c.shape == shape {
			use, w = append(use, c), append(w, f.r.Weights[i].Weight)
		}
	}
	if shape != Average {
		w = []float64{1}
		f.coefficients(use[0])
		f.r.ED50 = use[0].ed50
	}
	for _, d := range at {
		f.r.Curve = append(f.r.Curve, f.point(use, w, d))
	}
	return nil
}

func (f fitter) weigh(all []fitted) {
	var aic []float64
	for _, c := range all {
		aic = append(aic, 2*float64(c.params)-2*c.fit.LogLik)
		f.r.Weights = append(f.r.Weights, Weight{Shape: c.shape, LogLik: c.fit.LogLik, AIC: aic[len(aic)-1]})
	}
	for i, w := range akaike(aic) {
		f.r.Weights[i].Weight = w
		if f.r.Weights[i].Shape == Flat {
			f.r.FlatVsBest = f.r.Weights[i].Weight
		}
	}
}

func (f fitter) quantile(c fitted) float64 {
	df := math.Max(1, float64(f.r.Cohorts-len(c.b.names)))
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.5 + f.level/2)
}

func (f fitter) coefficients(c fitted) {
	t := f.quantile(c)
	df := math.Max(1, float64(f.r.Cohorts-len(c.b.names)))
	for i, n := range c.b.names {
		b, se := c.fit.Beta[i], c.fit.SE[i]
		p := 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(b/se))
		f.r.Coefficients = append(f.r.Coefficients, Coefficient{n, b, se, b - t*se, b + t*se, p})
	}
}

// point averages the shapes at one dose; the variance adds the spread between
// shapes (Burnham & Anderson 2002, eq. 4.9).
func (f fitter) point(use []fitted, w []float64, d float64) Point {
	p := Point{Dose: d, Extrapolated: d < f.r.Min || d > f.r.Max}
	var means, vars, hets []float64
	for i, c := range use {
		m, v := c.fit.At(c.b.at(d))
		means, vars = append(means, m), append(vars, v)
		hets = append(hets, c.fit.TauB*c.fit.TauB+c.fit.TauW*c.fit.TauW)
		p.Estimate += w[i] * m
	}
	var se, spread, t float64
	for i := range use {
		between := (means[i] - p.Estimate) * (means[i] - p.Estimate)
		se += w[i] * math.Sqrt(vars[i]+between)
		spread += w[i] * math.Sqrt(vars[i]+between+hets[i])
		t = math.Max(t, f.quantile(use[i]))
	}
	p.Low, p.High = p.Estimate-t*se, p.Estimate+t*se
	p.PredLow, p.PredHigh = p.Estimate-t*spread, p.Estimate+t*spread
	near := math.Inf(1)
	for _, o := range f.r.Doses {
		near = math.Min(near, math.Abs(o.Dose-d))
	}
	cohorts := map[string]bool{}
	for _, o := range f.r.Doses {
		if math.Abs(o.Dose-d) <= near+1e-9 {
			p.Rows++
			cohorts[o.Cohort] = true
		}
	}
	p.Cohorts = len(cohorts)
	return p
}
