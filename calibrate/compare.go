package calibrate

import (
	"math"
	"slices"
)

// Rival is a statistical model of one class of observations that knows no
// biology; it shares spreads, selective mention and likelihood with the axis.
type Rival string

// The rivals: a mean a domain; a dose–response on weekly volume, linear, as a
// restricted cubic spline and as Emax; no effect.
const (
	RandomEffects Rival = "random effects"
	LinearDose    Rival = "linear in dose"
	SplineDose    Rival = "spline in dose"
	EmaxDose      Rival = "Emax in dose"
	NoEffect      Rival = "no effect"
)

// Rivals in the order reports list them.
var Rivals = []Rival{RandomEffects, LinearDose, SplineDose, EmaxDose, NoEffect}

// rivalTarget is a rival against observations.
type rivalTarget struct {
	kind   Rival
	class  Class
	space  Space
	obs    []Observation
	cs     []cluster
	units  []unit
	of     []int
	domain []int // coordinate of an observation's domain
	dose   []float64
	knots  []float64
	at     struct{ mean, spread, slope, bend, half, tau, outcome, mention int }
	rows   []report
	groups []string
	skip   []bool
}

// rivalKnots of the spline, sessions of reference volume a week: fixed, so that
// a new pack meets the same curve.
var rivalKnots = []float64{1, 2, 3.5}

// rivalQuantities are the groups with means of their own.
func rivalQuantities(class Class) (out []string) {
	if class == Cognition {
		return []string{"memory.gain", "executive.gain", "speed.gain", "visuospatial.gain", "global.gain"}
	}
	for _, name := range markerNames {
		if q := markers[name].chronic; q != "" {
			out = append(out, q)
		}
	}
	return out
}

func newRival(kind Rival, class Class, all []Observation) *rivalTarget {
	t := &rivalTarget{kind: kind, class: class, knots: rivalKnots, groups: rivalQuantities(class)}
	for _, o := range all {
		if o.Class == class {
			t.obs = append(t.obs, o)
		}
	}
	add := func(c Coord) int {
		c.Param = -1
		if c.Block == "" {
			c.Block = "mean"
		}
		t.space.Coords = append(t.space.Coords, c)
		return len(t.space.Coords) - 1
	}
	t.at.mean = add(Coord{Name: "mean", Kind: normal, Spread: 0.5})
	t.at.spread = add(Coord{Name: "tau.domain", Kind: halfNormal, Spread: 0.2})
	for _, d := range t.groups {
		add(Coord{Name: "domain." + d, Kind: normal, Spread: 1})
	}
	t.at.slope = add(Coord{Name: "slope", Kind: normal, Spread: 0.2})
	t.at.bend = add(Coord{Name: "bend", Kind: normal, Spread: 0.2})
	t.at.half = add(Coord{Name: "ed50", Kind: logNormal, Value: 1.2, Spread: 0.6})
	for _, c := range likelihoodCoords {
		add(c)
	}
	t.at.tau, t.at.outcome, t.at.mention = t.space.mustIndex("tau.cognition"), t.space.mustIndex("tau.outcome"), t.space.mustIndex("mention")
	if class == Chronic {
		t.at.tau, t.at.outcome = t.space.mustIndex("tau.chronic"), t.space.mustIndex("tau.sample")
	}
	t.cs, t.units, t.of = makeClusters(t.obs, t.space)
	t.skip = make([]bool, len(t.cs))
	for _, o := range t.obs {
		per, _ := o.Dose.at(0.5)
		t.dose = append(t.dose, per)
		t.domain = append(t.domain, 2+slices.Index(t.groups, o.Quantity))
	}
	return t
}

func (t *rivalTarget) spaceOf() Space      { return t.space }
func (t *rivalTarget) clusters() int       { return len(t.cs) }
func (t *rivalTarget) moduleOf(int) int    { return 0 }
func (t *rivalTarget) observations() int   { return len(t.obs) }
func (t *rivalTarget) latents() bool       { return false }
func (t *rivalTarget) clusterOf(i int) int { return t.of[i] }

func (t *rivalTarget) moduleDeps() []deps {
	d := deps{likCoords: []int{t.at.tau, t.at.outcome}}
	if t.class == Cognition {
		d.likCoords = append(d.likCoords, t.at.mention)
	}
	if t.kind == NoEffect {
		return []deps{d}
	}
	d.coords = []int{t.at.mean, t.at.spread}
	for i := range t.groups {
		d.coords = append(d.coords, 2+i)
	}
	switch t.kind {
	case LinearDose:
		d.coords = append(d.coords, t.at.slope)
	case SplineDose:
		d.coords = append(d.coords, t.at.slope, t.at.bend)
	case EmaxDose:
		d.coords = append(d.coords, t.at.half)
	}
	return []deps{d}
}

func (t *rivalTarget) predict(_ int, s state, pred [][]float64) {
	v := func(c, l int) float64 { return t.space.Coords[c].Transform(s.z[c][l]) }
	for i := range t.obs {
		for l := range pred[i] {
			if t.kind == NoEffect {
				pred[i][l] = 0
				continue
			}
			m := v(t.at.mean, l) + v(t.at.spread, l)*v(t.domain[i], l)
			x := t.dose[i]
			switch t.kind {
			case LinearDose:
				m += v(t.at.slope, l) * (x - 2)
			case SplineDose:
				m += v(t.at.slope, l)*(x-2) + v(t.at.bend, l)*rcs(x, t.knots)
			case EmaxDose: // the mean is the effect at two sessions a week
				h := v(t.at.half, l)
				m *= x / (x + h) * (2 + h) / 2
			}
			pred[i][l] = m
		}
	}
}

// rcs is the second basis function of a restricted cubic spline with three
// knots (Harrell 2001, Regression Modeling Strategies, 2.4.4).
func rcs(x float64, k []float64) float64 {
	cube := func(v float64) float64 { return math.Pow(math.Max(v, 0), 3) }
	d := k[2] - k[0]
	return (cube(x-k[0]) - cube(x-k[1])*(k[2]-k[0])/(k[2]-k[1]) + cube(x-k[2])*(k[1]-k[0])/(k[2]-k[1])) / (d * d)
}

func (t *rivalTarget) spreads(s state, l int) spreads {
	v := func(c int) float64 { return t.space.Coords[c].Transform(s.z[c][l]) }
	if t.class != Cognition {
		return spreads{v(t.at.tau), v(t.at.outcome), 1}
	}
	return spreads{v(t.at.tau), v(t.at.outcome), v(t.at.mention)}
}

func (t *rivalTarget) logLik(c int, s state, pred [][]float64, out []float64) {
	for l := range out {
		if out[l] = 0; t.skip[c] {
			continue
		}
		t.rows = t.rows[:0]
		for _, i := range t.cs[c].rows {
			t.rows = append(t.rows, report{&t.obs[i].Result, pred[i][l]})
		}
		out[l] = t.spreads(s, l).logLik(t.rows)
	}
}
