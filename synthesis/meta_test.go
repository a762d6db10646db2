package synthesis

import (
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// bcg reads the BCG trials as log risk ratios.
func bcg(t *testing.T) (y, v []float64) {
	t.Helper()
	fh, err := os.Open("../testdata/oracle/metafor/bcg_counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer fh.Close()
	recs, err := csv.NewReader(fh).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs[1:] {
		var n [4]float64
		for k := range n {
			n[k], _ = strconv.ParseFloat(r[k], 64)
		}
		y = append(y, math.Log(n[0]/(n[0]+n[1]))-math.Log(n[2]/(n[2]+n[3])))
		v = append(v, 1/n[0]-1/(n[0]+n[1])+1/n[2]-1/(n[2]+n[3]))
	}
	return y, v
}

func ones(k int) *mat.Dense {
	d := make([]float64, k)
	for i := range d {
		d[i] = 1
	}
	return mat.NewDense(k, 1, d)
}

// R 4.2.2, metafor 3.8-1, rma(yi, vi, method="REML", test="knha").
func TestREMLKnappHartungAgainstMetafor(t *testing.T) {
	y, v := bcg(t)
	m, err := Analyse(y, v, ones(len(y)), []string{Intercepted}, MetaOptions{Method: REML, Test: TestKnHa})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]float64{
		"beta": {m.Terms[0].Estimate, -0.71453234215813943}, "se": {m.Terms[0].SE, 0.18079174409284787}, "p": {m.Terms[0].P, 0.0019200150960572916},
		"ci.lb": {m.Terms[0].Low, -1.1084437136855509}, "tau2": {m.Tau2, 0.3132432581364808}, "I2": {m.I2, 92.221384521268945}, "H2": {m.H2, 12.855758235309162},
		"QE": {m.Q, 152.23300808237326}, "pi.lb": {m.PredLow, -1.9960168341962023},
	} {
		if math.Abs(c[0]-c[1]) > 1e-8*math.Abs(c[1]) {
			t.Errorf("%s: %.14g, metafor %.14g", name, c[0], c[1])
		}
	}
}

// The ends of the Q-profile interval give Q its chi² quantiles, and Paule–
// Mandel gives it its degrees of freedom.
func TestQProfileEnds(t *testing.T) {
	y, v := bcg(t)
	w := interceptOnly(y, v)
	lo, hi := w.qProfile(0.95)
	c := distuv.ChiSquared{K: float64(len(y) - 1)}
	for _, x := range [][2]float64{{lo, c.Quantile(0.975)}, {hi, c.Quantile(0.025)}, {w.generalisedQ(12), 12}} {
		if q := w.at(x[0]).rss; math.Abs(q-x[1]) > 1e-9 {
			t.Errorf("Q(%g) = %.12g, want %.12g", x[0], q, x[1])
		}
	}
}

// Sign, order and scale change nothing that they should not.
func TestMetaInvariance(t *testing.T) {
	y, v := bcg(t)
	r := rand.New(rand.NewPCG(4, 4))
	perm := r.Perm(len(y))
	for _, method := range Methods {
		a, err := Analyse(y, v, ones(len(y)), []string{Intercepted}, MetaOptions{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		y2, v2 := make([]float64, len(y)), make([]float64, len(y))
		for i, k := range perm {
			y2[i], v2[i] = -1000*y[k], 1e6*v[k]
		}
		b, err := Analyse(y2, v2, ones(len(y)), []string{Intercepted}, MetaOptions{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(b.Terms[0].Estimate/-1000-a.Terms[0].Estimate) > 1e-9 || math.Abs(b.Tau2/1e6-a.Tau2) > 1e-9 || math.Abs(a.Terms[0].P-b.Terms[0].P) > 1e-9*a.Terms[0].P {
			t.Errorf("%s: %g %g, rescaled %g %g", method, a.Terms[0].Estimate, a.Tau2, b.Terms[0].Estimate, b.Tau2)
		}
	}
}

// With one effect a study the two levels share the variance of the univariate
// model; with ML the multilevel fit is that of the partial-report model on
// full reports.
func TestLevelsAgainstOtherRoutes(t *testing.T) {
	rows := numericRows(77, 20)
	var y, v []float64
	study, id := Column{Name: "study"}, Column{Name: "id"}
	for _, r := range rows {
		y, v = append(y, r.Result.Y), append(v, r.Result.S*r.Result.S)
		study.Values, id.Values = append(study.Values, r.Cluster), append(id.Values, r.ID)
	}
	m, err := AnalyseMixed(y, Sampling{V: v}, ones(len(y)), []string{Intercepted}, Random{Levels: Nested([]Column{study, id})}, MetaOptions{Method: ML})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Maximise(rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(m.LogLik-f.LogLik) > 1e-9 || math.Abs(m.Terms[0].Estimate-f.Beta[0]) > 1e-7 || math.Abs(m.Sigma2[0].Value-f.TauB*f.TauB) > 1e-6 {
		t.Errorf("dense %v %v %v, quadrature %v %v %v", m.LogLik, m.Terms[0].Estimate, m.Sigma2, f.LogLik, f.Beta, f.TauB*f.TauB)
	}
	yb, vb := bcg(t)
	one := Column{Name: "trial"}
	for i := range yb {
		one.Values = append(one.Values, strconv.Itoa(i))
	}
	a, err := AnalyseMixed(yb, Sampling{V: vb}, ones(len(yb)), []string{Intercepted}, Random{Levels: Nested([]Column{one})}, MetaOptions{Method: REML})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Analyse(yb, vb, ones(len(yb)), []string{Intercepted}, MetaOptions{Method: REML})
	if math.Abs(a.Tau2-b.Tau2) > 1e-9 || math.Abs(a.LogLik-b.LogLik) > 1e-10 {
		t.Errorf("one level: %g %g, univariate %g %g", a.Tau2, a.LogLik, b.Tau2, b.LogLik)
	}
}

// With one effect a cluster the sandwich has closed forms: CR0 is sum(w²e²)
// over (sum w)², CR2 divides each e² by 1-h; clusters that cut a random term
// are refused.
func TestRobustClosedForms(t *testing.T) {
	y, v := bcg(t)
	m, err := Analyse(y, v, ones(len(y)), []string{Intercepted}, MetaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	id := make([]string, len(y))
	var sw float64
	for i := range y {
		id[i] = strconv.Itoa(i)
		sw += 1 / (v[i] + m.Tau2)
	}
	var cr0, cr2 float64
	for i := range y {
		w, e := 1/(v[i]+m.Tau2), y[i]-m.Terms[0].Estimate
		cr0 += w * w * e * e / (sw * sw)
		cr2 += w * w * e * e / (1 - w/sw) / (sw * sw)
	}
	for kind, want := range map[Sandwich]float64{CR0: cr0, CR1: cr0 * 13 / 12, CR2: cr2} {
		c, err := m.RobustCovariance(y, v, ones(len(y)), id, kind)
		if err != nil || c.Clusters != 13 {
			t.Fatal(err)
		}
		terms := m.TestRobust(c)
		if math.Abs(terms[0].SE-math.Sqrt(want)) > 1e-12 || !(terms[0].DF > 3 && terms[0].DF <= 12) {
			t.Errorf("%s: %g, closed form %g, df %g", kind, terms[0].SE, math.Sqrt(want), terms[0].DF)
		}
	}
	half := make([]string, len(y))
	one := Column{Name: "all"}
	for i := range y {
		half[i] = strconv.Itoa(i % 2)
		one.Values = append(one.Values, strconv.Itoa(i/4))
	}
	l, err := AnalyseMixed(y, Sampling{V: v}, ones(len(y)), []string{Intercepted}, Random{Levels: Nested([]Column{one})}, MetaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var de *DataError
	if _, _, err := l.Robust(half, CR2); l.Sigma2[0].Value > 0 && !errors.As(err, &de) {
		t.Errorf("clusters that cut a random term: %v", err)
	}
}

func TestDesign(t *testing.T) {
	kinds := []string{"b", "a", "a", "c", "b", "c", "a", "b"}
	d, err := NewDesign(8, []Column{{Name: "dose", Values: []string{"1", "2", "", "4", "5", "7", "9", "6"}}, {Name: "kind", Values: kinds}}, [][2]string{{"dose", "kind"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "[intrcpt dose kind=b kind=c dose:kind=b dose:kind=c]"
	if len(d.Skip) != 1 || d.Skip[0] != 2 || want != "["+join(d.Names)+"]" || len(d.Dropped) > 0 {
		t.Errorf("%v, skipped %v, dropped %v", d.Names, d.Skip, d.Dropped)
	}
	if r, _ := d.X.Dims(); r != 7 || d.X.At(3, 4) != 5 {
		t.Errorf("%v", mat.Formatted(d.X))
	}
	// a constant and a repeated moderator are dropped and named
	d, err = NewDesign(8, []Column{{Name: "k", Values: []string{"a", "a", "a", "a", "a", "a", "a", "a"}}, {Name: "kind", Values: kinds}, {Name: "same", Values: kinds}}, nil)
	if err != nil || join(d.Names) != "intrcpt kind=b kind=c" || join(d.Dropped) != "k=a same=b same=c" {
		t.Errorf("%v, dropped %v, %v", d.Names, d.Dropped, err)
	}
	var many []string
	for i := range 1000 {
		many = append(many, "x"+strconv.Itoa(i))
	}
	var de *DataError
	if _, err := NewDesign(1000, []Column{{Name: "id", Values: many}}, nil); !errors.As(err, &de) {
		t.Errorf("a factor of 1000 levels: %v", err)
	}
}

func join(s []string) (out string) {
	for i, x := range s {
		if i > 0 {
			out += " "
		}
		out += x
	}
	return out
}

func TestBadMetaData(t *testing.T) {
	for _, c := range [][2][]float64{{{1}, {1}}, {{1, 2, math.NaN()}, {1, 1, 1}}, {{1, 2, 3}, {1, 0, 1}}, {{1, 2, 3}, {1, -1, 1}}} {
		var de *DataError
		if _, err := Analyse(c[0], c[1], ones(len(c[0])), []string{Intercepted}, MetaOptions{}); !errors.As(err, &de) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// A p-value far out in the tail is small, not zero.
func TestTinyP(t *testing.T) {
	m, err := Mean([]float64{2, 2.1, 1.9}, []float64{0.01, 0.01, 0.01}, MetaOptions{Method: EE})
	if err != nil {
		t.Fatal(err)
	}
	if p := m.Terms[0].P; !(p > 0 && p < 1e-200) {
		t.Errorf("p = %g at z = %g", p, m.Terms[0].Stat)
	}
}

// Weights of the user's own, GENQ and the profile-likelihood interval of tau² on
// the BCG trials. Reference: metafor 3.8-1, rma(yi, vi, weights=1:13,
// method="GENQ"), rma(yi, vi, mods=~ablat, weights=1:13), confint(rma(yi, vi),
// type="PL"), on log relative risks; relative tolerance 1e-8, the interval 1e-4
// (metafor's root finder).
func TestWeightsAndProfile(t *testing.T) {
	y, v := bcg(t)
	w := make([]float64, len(y))
	for i := range w {
		w[i] = float64(i + 1)
	}
	m, err := Mean(y, v, MetaOptions{Method: GENQ, Weights: w})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]float64{{m.Terms[0].Estimate, -0.52165809210254}, {m.Terms[0].SE, 0.22589878089160}, {m.Tau2, 0.36945689228951}, {m.Q, 152.23300808237329}} {
		if math.Abs(p[0]-p[1]) > 1e-8*math.Abs(p[1]) {
			t.Errorf("GENQ: %.12g, metafor %.12g", p[0], p[1])
		}
	}
	if m, err = Mean(y, v, MetaOptions{Profile: true}); err != nil {
		t.Fatal(err)
	}
	if math.Abs(m.ProfileLow-0.11523939965773) > 1e-4 || math.Abs(m.ProfileHigh-0.96466642923923) > 1e-4 {
		t.Errorf("profile interval %.7g to %.7g", m.ProfileLow, m.ProfileHigh)
	}
	// the inverse variances as weights change nothing
	for i := range w {
		w[i] = 1 / (v[i] + m.Tau2)
	}
	same, err := Mean(y, v, MetaOptions{Weights: w})
	if err != nil || math.Abs(same.Terms[0].Estimate-m.Terms[0].Estimate) > 1e-12 || math.Abs(same.Terms[0].SE-m.Terms[0].SE) > 1e-12 {
		t.Errorf("%v against %v, %v", same, m, err)
	}
	var de *DataError
	for _, o := range []MetaOptions{{Method: GENQ}, {Weights: w[:3]}, {Weights: append([]float64{-1}, w[1:]...)}, {Weights: w, Test: TestKnHa}} {
		if _, err := Mean(y, v, o); !errors.As(err, &de) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
