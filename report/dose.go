package report

import (
	"math"

	"github.com/myoaxis/myoaxis/doseresponse"
)

var nan = math.NaN()

// CurvePoint is a dose–response curve at one dose, SD units.
type CurvePoint struct {
	Dose         Num     `json:"dose"`
	Estimate     Num     `json:"estimate"`
	CILow        Num     `json:"ci_low"`
	CIHigh       Num     `json:"ci_high"`
	PILow        Num     `json:"pi_low"`
	PIHigh       Num     `json:"pi_high"`
	Support      Support `json:"support"`
	Extrapolated bool    `json:"extrapolated"`
}

// Support is the evidence at a dose, or at the nearest one studied.
type Support struct {
	Rows    int `json:"rows"`
	Cohorts int `json:"cohorts"`
}

// Coefficient of a dose–response shape.
type Coefficient struct {
	Name     string `json:"name"`
	Estimate Num    `json:"estimate"`
	SE       Num    `json:"se"`
	P        Num    `json:"p"`
	CILow    Num    `json:"ci_low"`
	CIHigh   Num    `json:"ci_high"`
}

// ShapeWeight is the AIC weight of one shape.
type ShapeWeight struct {
	Shape  string `json:"shape"`
	LogLik Num    `json:"loglik"`
	AIC    Num    `json:"aic"`
	Weight Num    `json:"weight"`
}

// DoseView is a dose–response for JSON and HTML.
type DoseView struct {
	By           string        `json:"by"`
	Unit         string        `json:"dose_unit"`
	Label        string        `json:"label"`
	Domain       string        `json:"domain"`
	Evidence     string        `json:"evidence"`
	Shape        string        `json:"shape"`
	Rows         int           `json:"rows"`
	Cohorts      int           `json:"cohorts"`
	WithoutDose  int           `json:"rows_without_this_dose"`
	DoseMin      Num           `json:"dose_min"`
	DoseMax      Num           `json:"dose_max"`
	DoseMean     Num           `json:"dose_mean"`
	DoseSD       Num           `json:"dose_sd"`
	ED50         Num           `json:"ed50"`
	Coefficients []Coefficient `json:"coefficients"`
	Weights      []ShapeWeight `json:"shape_weights"`
	Curve        []CurvePoint  `json:"curve"`
	doses        []doseresponse.Observed
}

// NewDoseView prepares a dose–response for output.
func NewDoseView(r *doseresponse.Result, domain string) DoseView {
	v := DoseView{By: r.Variable.Name, Unit: r.Variable.Unit, Label: r.Variable.Label, Domain: domain, Evidence: "between trials (ecological): trials differ in more than this dose", Shape: string(r.Shape), Rows: r.Rows, Cohorts: r.Cohorts, WithoutDose: r.WithoutDose,
		DoseMin: Num(r.Min), DoseMax: Num(r.Max), DoseMean: Num(r.Mean), DoseSD: Num(r.SD), ED50: Num(nan), Coefficients: []Coefficient{}, doses: r.Doses}
	if r.ED50 > 0 {
		v.ED50 = Num(r.ED50)
	}
	for _, c := range r.Coefficients {
		v.Coefficients = append(v.Coefficients, Coefficient{c.Name, Num(c.Estimate), Num(c.SE), Num(c.P), Num(c.Low), Num(c.High)})
	}
	for _, w := range r.Weights {
		v.Weights = append(v.Weights, ShapeWeight{string(w.Shape), Num(w.LogLik), Num(w.AIC), Num(w.Weight)})
	}
	for _, p := range r.Curve {
		v.Curve = append(v.Curve, CurvePoint{Num(p.Dose), Num(p.Estimate), Num(p.Low), Num(p.High), Num(p.PredLow), Num(p.PredHigh), Support{p.Rows, p.Cohorts}, p.Extrapolated})
	}
	return v
}

// RandomisedView is a trial that randomised the dose.
type RandomisedView struct {
	Study    string              `json:"study"`
	By       string              `json:"by"`
	Evidence string              `json:"evidence"`
	Arms     []RandomisedArmView `json:"arms"`
	Source   string              `json:"source"`
	Locator  string              `json:"locator"`
}

// RandomisedArmView is one of its arms.
type RandomisedArmView struct {
	Arm     string   `json:"arm"`
	Dose    Num      `json:"dose"`
	Results []string `json:"results"`
}

// NewRandomisedViews prepares the trials that randomised a dose.
func NewRandomisedViews(rs []doseresponse.RandomisedDose) []RandomisedView {
	out := []RandomisedView{}
	for _, r := range rs {
		v := RandomisedView{Study: r.Study, By: r.Variable, Evidence: "within the trial (randomised)", Source: r.Source.Source, Locator: r.Source.Locator}
		for _, a := range r.Arms {
			res := a.Results
			if res == nil {
				res = []string{}
			}
			v.Arms = append(v.Arms, RandomisedArmView{a.Label, Num(a.Dose), res})
		}
		out = append(out, v)
	}
	return out
}
