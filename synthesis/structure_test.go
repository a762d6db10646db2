package synthesis

import (
	"math"
	"testing"

	"github.com/myoaxis/myoaxis/internal/conformance"
	"gonum.org/v1/gonum/mat"
)

// repeated reads the made-up repeated effects with their design, 1 and x.
func repeated(t *testing.T) (rows []map[string]string, y, v []float64, design *mat.Dense) {
	t.Helper()
	rows = conformance.ReadCSV(t, "../testdata/oracle/metafor/repeated.csv")
	y, v = numbersOf(rows, "yi"), numbersOf(rows, "vi")
	design = mat.NewDense(len(y), 2, nil)
	for i, x := range numbersOf(rows, "x") {
		design.SetRow(i, []float64{1, x})
	}
	return rows, y, v, design
}

// Every covariance structure on repeated effects, against metafor 3.8-1 (see
// testdata/oracle/metafor/README.md for the call): intercept, slope, their
// standard errors, restricted log-likelihood.
func TestStructures(t *testing.T) {
	rows, y, v, design := repeated(t)
	study, time := textsOf(rows, "study"), textsOf(rows, "time")
	for kind, want := range map[Structure][5]float64{
		ID:   {0.2195324, 0.2038275, 0.0474914, 0.0439131, -48.805657},
		DIAG: {0.1924794, 0.2236575, 0.0454254, 0.0445796, -46.392463},
		CS:   {0.2577709, 0.1551582, 0.0781286, 0.0283899, -26.229567},
		HCS:  {0.1904325, 0.1678094, 0.0700086, 0.0289517, -23.466519},
		UN:   {0.2051915, 0.1723583, 0.0713441, 0.0283507, -20.824559},
		AR:   {0.2657690, 0.1600400, 0.0788767, 0.0268769, -25.935652},
		HAR:  {0.1907276, 0.1728191, 0.0694904, 0.0274649, -22.715064},
		CAR:  {0.2651014, 0.1561732, 0.0781757, 0.0251166, -27.098100},
		GEN:  {0.2501206, 0.1671766, 0.0823590, 0.0345762, -29.664730},
	} {
		s := Structured{Name: "study", Outer: study, Inner: time, Kind: kind, Rho: math.NaN()}
		if kind == GEN {
			s.Inner, s.Z, s.Labels = nil, design, []string{"1", "x"}
		}
		m, err := AnalyseMixed(y, Sampling{V: v}, design, []string{Intercepted, "x"}, Random{Structured: []Structured{s}}, MetaOptions{})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		got := [5]float64{m.Terms[0].Estimate, m.Terms[1].Estimate, m.Terms[0].SE, m.Terms[1].SE, m.LogLik}
		for i, name := range []string{"intercept", "slope", "se intercept", "se slope"} {
			if math.Abs(got[i]-want[i]) > 1e-5*math.Max(0.1, math.Abs(want[i])) {
				t.Errorf("%s, %s: %.7f, metafor %.7f", kind, name, got[i], want[i])
			}
		}
		if math.Abs(got[4]-want[4]) > 2e-6 || got[4] < want[4]-1e-6 {
			t.Errorf("%s: log-likelihood %.7f, metafor %.7f", kind, got[4], want[4])
		}
	}
}

// The exact gradient of the likelihood in all parameters agrees with its
// differences, for every structure.
func TestMixedGradient(t *testing.T) {
	rows := conformance.ReadCSV(t, "../testdata/oracle/metafor/repeated.csv")
	y, v := numbersOf(rows, "yi"), numbersOf(rows, "vi")
	study, time := textsOf(rows, "study"), textsOf(rows, "time")
	for _, kind := range Structures {
		for _, restricted := range []bool{false, true} {
			s := Structured{Name: "study", Outer: study, Inner: time, Kind: kind, Rho: math.NaN()}
			if kind == GEN || kind == GDIAG {
				s.Inner, s.Z = nil, ones(len(y))
			}
			terms, err := Random{Levels: []Level{{"study", study}}, Structured: []Structured{s}}.terms(len(y))
			if err != nil {
				t.Fatal(err)
			}
			m, err := newMixed(y, ones(len(y)), Sampling{V: v}, terms, restricted)
			if err != nil {
				t.Fatal(err)
			}
			theta := []float64{0.04}
			theta = append(theta, terms[1].starts(0.05, 0.4)...)
			g := make([]float64, m.size)
			m.at(theta, g)
			for q := range theta {
				h := 1e-5 * math.Max(0.1, math.Abs(theta[q]))
				at := append([]float64(nil), theta...)
				at[q] += h
				up := m.at(at, nil)
				at[q] -= 2 * h
				want := (up - m.at(at, nil)) / (2 * h)
				if math.Abs(g[q]-want) > 1e-4*(1+math.Abs(want)) {
					t.Errorf("%s restricted %v, parameter %d: %.7g, differences %.7g", kind, restricted, q, g[q], want)
				}
			}
		}
	}
}

// Robust variance estimation on the same effects, with omega² above zero,
// against robumeta 2.0: robu(yi ~ x, studynum = study, var.eff.size = vi,
// modelweights = W, small = S), rho 0.8; relative tolerance 1e-8.
func TestRVEOnRepeated(t *testing.T) {
	rows, y, v, design := repeated(t)
	for _, c := range []struct {
		weights      Weights
		small        bool
		tau2, omega2 float64
		values       [6]float64
	}{
		{HierarchicalWeights, true, 0.132615497, 0.0305968368, [6]float64{0.21943583, 0.203990453, 0.0777571854, 0.0505935729, 21.1942528, 12.5071098}},
		{HierarchicalWeights, false, 0.132615497, 0.0305968368, [6]float64{0.21943583, 0.203990453, 0.0786813124, 0.0493237986, 23, 23}},
		{CorrelatedWeights, true, 0.15939934, math.NaN(), [6]float64{0.242621427, 0.220222982, 0.0746955325, 0.0512227004, 22.3761663, 13.6115952}},
		{CorrelatedWeights, false, 0.15939934, math.NaN(), [6]float64{0.242621427, 0.220222982, 0.0757912596, 0.050050481, 23, 23}},
	} {
		m, err := AnalyseRVE(y, v, design, []string{Intercepted, "x"}, textsOf(rows, "study"), c.weights, 0.8, c.small, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		a, b := m.Terms[0], m.Terms[1]
		got := append([]float64{m.Tau2}, a.Estimate, b.Estimate, a.SE, b.SE, a.DF, b.DF)
		want := append([]float64{c.tau2}, c.values[:]...)
		if !math.IsNaN(c.omega2) {
			got, want = append(got, m.Omega2), append(want, c.omega2)
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-8*want[i] {
				t.Errorf("%s small %v, value %d: %.10g, robumeta %.10g", c.weights, c.small, i, got[i], want[i])
			}
		}
	}
}

// Profile-likelihood intervals of structured terms against confint of the same
// fits in metafor 3.8-1; 1e-3 relative, the tolerance of its root finder.
func TestStructuredProfiles(t *testing.T) {
	rows, y, v, design := repeated(t)
	for kind, want := range map[Structure]map[string][2]float64{
		CS:  {"tau²": {0.09896977, 0.29451182}, "rho": {0.63641788, 0.93684277}},
		HCS: {"tau² 2": {0.04626400, 0.23856915}, "rho": {0.64852370, 0.94568302}},
	} {
		s := Structured{Name: "study", Outer: textsOf(rows, "study"), Inner: textsOf(rows, "time"), Kind: kind, Rho: math.NaN()}
		m, err := AnalyseMixed(y, Sampling{V: v}, design, []string{Intercepted, "x"}, Random{Structured: []Structured{s}}, MetaOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Profile(0.95); err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, p := range m.G[0].Profiles {
			if w, ok := want[p.Name]; ok {
				found++
				if math.Abs(p.Low-w[0]) > 1e-3*w[0] || math.Abs(p.High-w[1]) > 1e-3*w[1] || !(p.Low < p.Value && p.Value < p.High) {
					t.Errorf("%s %s: %.6g (%.6g to %.6g), metafor %v", kind, p.Name, p.Value, p.Low, p.High, w)
				}
			}
		}
		if found != len(want) {
			t.Errorf("%s: %v", kind, m.G[0].Profiles)
		}
	}
}
