package synthesis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// trialSet is a data set for the battery: effects in studies with a numeric
// moderator (a dose) and a factor.
type trialSet struct {
	y, v  []float64
	dose  []float64
	kind  []string
	study []string
}

func batteryTrials() trialSet {
	var s trialSet
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 24 {
		v := 0.02 + 0.1*r.Float64()
		d := 1 + 3*r.Float64()
		k := []string{"bands", "machine", "mixed"}[r.IntN(3)]
		s.y = append(s.y, 0.2+0.08*d+0.2*r.NormFloat64()+math.Sqrt(v)*r.NormFloat64())
		s.v, s.dose, s.kind, s.study = append(s.v, v), append(s.dose, d), append(s.kind, k), append(s.study, "s"+strconv.Itoa(i/2))
	}
	return s
}

// outcome of an estimator: quantities in the unit of y, those in its square,
// those without a unit; signed ones turn with the sign of y, slopes are per
// unit of dose.
type outcome struct {
	signed, unsigned, squared, pure, slope []float64
}

type estimator struct {
	name string
	fit  func(s trialSet) (outcome, error)
	// oneSided estimators look for effects in one direction: a flip of the sign
	// flips that too, through flipped.
	flipped func(s trialSet) (outcome, error)
}

func design(t *testing.T, s trialSet, mods bool) (*mat.Dense, []string) {
	t.Helper()
	var cols []Column
	if mods {
		d := Column{Name: "dose"}
		for _, x := range s.dose {
			d.Values = append(d.Values, strconv.FormatFloat(x, 'g', 17, 64))
		}
		cols = []Column{d, {Name: "kind", Values: s.kind}}
	}
	m, err := NewDesign(len(s.y), cols, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.X, m.Names
}

// battery are the estimators the laws are tried on.
func battery(t *testing.T) (out []estimator) {
	plain := func(m *Meta, mods bool) outcome {
		o := outcome{squared: []float64{m.Tau2, m.Tau2Low, m.Tau2High}, pure: []float64{m.Q, m.QP, m.I2, m.QMP}}
		o.signed, o.unsigned = []float64{m.Terms[0].Estimate}, []float64{m.Terms[0].SE}
		if mods {
			o.slope = []float64{m.Terms[1].Estimate}
			o.pure = append(o.pure, m.Terms[1].P)
		}
		return o
	}
	for _, method := range Methods {
		for _, test := range Tests {
			for _, mods := range []bool{false, true} {
				out = append(out, estimator{name: fmt.Sprintf("%s %s moderators %v", method, test, mods), fit: func(s trialSet) (outcome, error) {
					x, names := design(t, s, mods)
					m, err := Analyse(s.y, s.v, x, names, MetaOptions{Method: method, Test: test})
					if err != nil {
						return outcome{}, err
					}
					return plain(m, mods), nil
				}})
			}
		}
	}
	for _, method := range []Method{ML, REML} {
		for _, rho := range []float64{0, 0.6} {
			out = append(out, estimator{name: fmt.Sprintf("three levels %s rho %g, CR2", method, rho), fit: func(s trialSet) (outcome, error) {
				x, names := design(t, s, true)
				rows := make([]string, len(s.y))
				for i := range rows {
					rows[i] = fmt.Sprint(s.study[i], s.dose[i])
				}
				m, err := AnalyseMixed(s.y, Sampling{V: s.v, Rho: rho, Cluster: s.study}, x, names, Random{Levels: []Level{{"study", s.study}, {"effect", rows}}}, MetaOptions{Method: method})
				if err != nil {
					return outcome{}, err
				}
				o := plain(&m.Meta, true)
				o.squared, o.pure = []float64{m.Sigma2[0].Value, m.Sigma2[1].Value}, []float64{m.Q, m.QMP}
				terms, _, err := m.Robust(s.study, CR2)
				if err != nil {
					return outcome{}, err
				}
				o.unsigned = append(o.unsigned, terms[0].SE)
				o.pure = append(o.pure, terms[1].DF, terms[1].P)
				return o, nil
			}})
		}
	}
	for _, w := range []Weights{CorrelatedWeights, HierarchicalWeights} {
		out = append(out, estimator{name: "RVE " + string(w), fit: func(s trialSet) (outcome, error) {
			x, names := design(t, s, true)
			m, err := AnalyseRVE(s.y, s.v, x, names, s.study, w, 0.8, true, 0.95)
			if err != nil {
				return outcome{}, err
			}
			return outcome{signed: []float64{m.Terms[0].Estimate}, unsigned: []float64{m.Terms[0].SE}, squared: []float64{m.Tau2}, slope: []float64{m.Terms[1].Estimate}, pure: []float64{m.Terms[1].DF, m.Terms[1].P}}, nil
		}})
	}
	for _, kind := range SelectionTypes {
		sel := func(alternative string) func(s trialSet) (outcome, error) {
			return func(s trialSet) (outcome, error) {
				m, err := SelectModel(s.y, s.v, kind, []float64{0.025}, alternative, 0.95)
				if err != nil {
					return outcome{}, err
				}
				return outcome{signed: []float64{m.Estimate}, squared: []float64{m.Tau2}, pure: []float64{m.LRT}}, nil
			}
		}
		out = append(out, estimator{name: "selection " + string(kind), fit: sel("greater"), flipped: sel("less")})
	}
	for _, e := range []string{"L0", "R0", "Q0"} {
		out = append(out, estimator{name: "trim and fill " + e, fit: func(s trialSet) (outcome, error) {
			f, err := TrimAndFill(s.y, s.v, e, "", MetaOptions{})
			if err != nil {
				return outcome{}, err
			}
			return outcome{signed: []float64{f.Meta.Terms[0].Estimate}, squared: []float64{f.Meta.Tau2}, pure: []float64{float64(f.K0)}}, nil
		}})
	}
	out = append(out, estimator{name: "PET-PEESE", fit: func(s trialSet) (outcome, error) {
		m, err := PETPEESE(s.y, s.v, 0.95)
		return outcome{signed: []float64{m.Estimate}, unsigned: []float64{m.SE}, pure: []float64{m.P}}, err
	}}, estimator{name: "rank test", fit: func(s trialSet) (outcome, error) {
		_, p, err := RankTest(s.y, s.v)
		return outcome{pure: []float64{p}}, err
	}})
	for _, prior := range []TauPrior{{Family: "half-normal", Scale: 0.5}, {Family: "half-cauchy", Scale: 0.5}, {Family: "half-t", Scale: 0.5, DF: 4}, {Family: "uniform"}} {
		out = append(out, estimator{name: "Bayes " + prior.Family, fit: func(s trialSet) (outcome, error) {
			p := prior
			p.Scale *= unitOf(s) // a prior in the unit of the effects
			b, err := AnalyseBayes(s.y, s.v, p, MuPrior{}, 0.95)
			if err != nil {
				return outcome{}, err
			}
			return outcome{signed: []float64{b.Mu.Mean}, unsigned: []float64{b.Mu.SD, b.Tau.Mean, b.Tau.Median}}, nil
		}})
	}
	return out
}

// unitOf is the unit the effects of the battery's trialSet are in.
func unitOf(s trialSet) float64 {
	base := batteryTrials()
	return math.Sqrt(meanOf(s.v) / meanOf(base.v))
}

// The laws: permuting the rows, renaming levels, flipping the sign of the
// effects, and changing the unit of the effects or of the dose by 1000 change
// no estimator's answer beyond what they must.
func TestMetamorphicBattery(t *testing.T) {
	base := batteryTrials()
	order := rand.New(rand.NewPCG(9, 9)).Perm(len(base.y))
	changed := map[string]trialSet{"permuted": pick(base, order), "renamed": base, "flipped": base, "thousandfold effects": base, "thousandfold dose": base}
	ren := base
	ren.kind, ren.study = nil, nil
	for i := range base.y {
		ren.kind = append(ren.kind, "a kind of "+base.kind[i])
		ren.study = append(ren.study, "trial \""+base.study[i]+"\"")
	}
	changed["renamed"] = ren
	scaled := func(y, v, dose float64) trialSet {
		s := base
		s.y, s.v, s.dose = nil, nil, nil
		for i := range base.y {
			s.y, s.v, s.dose = append(s.y, y*base.y[i]), append(s.v, v*base.v[i]), append(s.dose, dose*base.dose[i])
		}
		return s
	}
	changed["flipped"] = scaled(-1, 1, 1)
	changed["thousandfold effects"] = scaled(1000, 1e6, 1)
	changed["thousandfold dose"] = scaled(1, 1, 1000)
	tried := 0
	for _, e := range battery(t) {
		want, err := e.fit(base)
		refused := err != nil
		if refused {
			t.Logf("%s: %v", e.name, err)
		}
		for law, s := range changed {
			fit := e.fit
			if law == "flipped" && e.flipped != nil {
				fit = e.flipped
			}
			got, err := fit(s)
			if refused {
				if err == nil {
					t.Errorf("%s, %s: an answer where there was none", e.name, law)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", e.name, law, err)
				continue
			}
			unit, sign, dose := 1.0, 1.0, 1.0
			switch law {
			case "flipped":
				sign = -1
			case "thousandfold effects":
				unit = 1000
			case "thousandfold dose":
				dose = 1000
			}
			for part, f := range map[string]float64{"signed": sign * unit, "unsigned": unit, "squared": unit * unit, "pure": 1, "slope": sign * unit / dose} {
				g, w := got.part(part), want.part(part)
				for i := range w {
					tried++
					if math.Abs(g[i]-f*w[i]) > 2e-5*(math.Abs(f*w[i])+1e-3*math.Abs(f)) {
						t.Errorf("%s, %s, %s %d: %.9g, want %.9g", e.name, law, part, i, g[i], f*w[i])
					}
				}
			}
		}
	}
	t.Logf("%d comparisons", tried)
}

func (o outcome) part(name string) []float64 {
	return map[string][]float64{"signed": o.signed, "unsigned": o.unsigned, "squared": o.squared, "pure": o.pure, "slope": o.slope}[name]
}

func pick(s trialSet, order []int) (out trialSet) {
	for _, i := range order {
		out.y, out.v, out.dose = append(out.y, s.y[i]), append(out.v, s.v[i]), append(out.dose, s.dose[i])
		out.kind, out.study = append(out.kind, s.kind[i]), append(out.study, s.study[i])
	}
	return out
}

// A row written twice with half its weight each (twice the variance) is the row
// itself, wherever both copies share all true effects: in fixed-effect models,
// in random-effects models by study, and in cluster-robust tests.
func TestHalfWeightTwice(t *testing.T) {
	s := batteryTrials()
	twice := pick(s, append(order(len(s.y)), 5))
	twice.v[5] *= 2
	twice.v[len(twice.v)-1] *= 2
	for _, method := range []Method{FE, ML, REML} {
		var got []outcome
		for _, d := range []trialSet{s, twice} {
			x, names := design(t, d, true)
			r := Random{Levels: []Level{{"study", d.study}}}
			if method == FE {
				r = Random{}
			}
			m, err := AnalyseMixed(d.y, Sampling{V: d.v}, x, names, r, MetaOptions{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			terms, _, err := m.Robust(d.study, CR0)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, outcome{signed: []float64{m.Terms[0].Estimate, m.Terms[1].Estimate, m.Terms[1].SE, m.Tau2, terms[1].SE}})
		}
		for i, w := range got[0].signed {
			if math.Abs(got[1].signed[i]-w) > 1e-7*(1e-3+math.Abs(w)) {
				t.Errorf("%s, value %d: %.10g, twice with half weight %.10g", method, i, w, got[1].signed[i])
			}
		}
	}
}

func order(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
