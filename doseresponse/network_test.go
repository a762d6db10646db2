package doseresponse

import (
	"math"
	"path/filepath"
	"testing"
)

// readNetwork reads a network beside the checkout: counts (r of n) as log odds,
// or means with standard errors.
func readNetwork(t *testing.T, dir, file string, unit float64) (out []NetworkTrial) {
	for _, r := range readCSV(t, filepath.Join(dir, "inputs", file)) {
		a := NetworkArm{Agent: r["agent"], Dose: num(r["dose"]) * unit}
		if e := num(r["r"]); !math.IsNaN(e) {
			n := num(r["n"])
			if e == 0 || e == n {
				e, n = e+0.5, n+1
			}
			a.Effect, a.Var = math.Log(e/(n-e)), 1/e+1/(n-e)
		} else {
			a.Effect, a.Var = num(r["y"]), num(r["se"])*num(r["se"])
		}
		if len(out) == 0 || out[len(out)-1].ID != r["studyID"] {
			out = append(out, NetworkTrial{ID: r["studyID"]})
		}
		last := &out[len(out)-1]
		last.Arms = append(last.Arms, a)
	}
	return out
}

// The Emax network of triptans against the posterior of MBNMAdose 0.5.0 by
// JAGS. The priors differ (theirs are in the unit of dose), the likelihood is
// binomial there and normal on the log odds here: agents whose data fix their
// curve agree within one posterior SD.
func TestSharedOraclesNetwork(t *testing.T) {
	dir := oracles(t)
	n, err := FitNetwork(readNetwork(t, dir, "mbnma_triptans.csv", 1), Emax, "reml", 0.95)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, "mbnma_jags.csv")) {
		if r["dataset"] == "triptans" {
			want[r["quantity"]] = [2]float64{num(r["q50"]), num(r["sd"])}
		}
	}
	// agents are numbered with placebo first, then in order of appearance
	t.Logf("agents %v, scale %.3g, emax %.3g, tau %.3g", n.Agents, n.Scale, n.Coef, math.Sqrt(n.Tau2))
	if got := math.Sqrt(n.Tau2); math.Abs(got-want["sd"][0]) > 2*want["sd"][1] {
		t.Errorf("tau %.3f, JAGS %.3f", got, want["sd"][0])
	}
	for _, c := range []struct{ agent, id string }{{"eletriptan", "[2]"}, {"rizatriptan", "[6]"}} {
		tm := n.Terms(c.agent)
		e, s := want["emax"+c.id], want["ed50"+c.id]
		if math.Abs(tm[0].Estimate-e[0]) > e[1] || math.Abs(tm[1].Estimate-s[0]) > s[1] {
			t.Errorf("%s: emax %.3f, ED50 %.3f; JAGS %v %v", c.agent, tm[0].Estimate, tm[1].Estimate, e, s)
		}
	}
}

// The unit of dose cannot matter: the data on which a package's default prior
// gave an ED50 of 107 or of 115,706 MET-minutes.
func TestNetworkUnit(t *testing.T) {
	dir := oracles(t)
	for _, shape := range []Shape{Linear, Quadratic, Emax, Exponential, LogLinear} {
		a, err := FitNetwork(readNetwork(t, dir, "mbnma_synthetic_metmin.csv", 1), shape, "reml", 0.95)
		if err != nil {
			t.Fatal(err)
		}
		b, err := FitNetwork(readNetwork(t, dir, "mbnma_synthetic_metmin.csv", 1e-3), shape, "reml", 0.95)
		if err != nil {
			t.Fatal(err)
		}
		e, se := a.At("RT", 1000)
		e2, se2 := b.At("RT", 1)
		if math.Abs(e-e2) > 1e-5*math.Abs(e) || math.Abs(se-se2) > 1e-4*se {
			t.Errorf("%s: %.7g (%.5g), in thousands %.7g (%.5g)", shape, e, se, e2, se2)
		}
		t.Logf("%s: %.3f (%.3f) at 1000, scale %.4g", shape, e, se, a.Scale)
	}
}

// A network of one agent against control without heterogeneity is the plain
// curve.
func TestNetworkOfOneAgent(t *testing.T) {
	var net []NetworkTrial
	var trials []Trial
	for i := range 6 {
		var arms []Arm
		nt := NetworkTrial{ID: string(rune('a' + i))}
		for _, d := range []float64{0, 1, 2 + float64(i%2)} {
			a := Arm{Dose: d, Effect: 1 + 0.4*d + 0.1*math.Sin(float64(5*i)+d), SD: 1, N: 30}
			arms = append(arms, a)
			nt.Arms = append(nt.Arms, NetworkArm{Agent: "rt", Dose: d, Effect: a.Effect, Var: 1.0 / 30})
		}
		tr, err := FromMeans(nt.ID, arms, MDH)
		if err != nil {
			t.Fatal(err)
		}
		net, trials = append(net, nt), append(trials, tr)
	}
	n, err := FitNetwork(net, Quadratic, "fixed", 0.95)
	if err != nil {
		t.Fatal(err)
	}
	c, err := FitCurve(trials, Form{Shape: Quadratic}, CurveOptions{Method: "fixed"})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []float64{0.5, 2, 3} {
		e, se := n.At("rt", d)
		e2, se2, _ := c.At(d, 0)
		if math.Abs(e-e2) > 1e-9 || math.Abs(se-se2) > 1e-9 {
			t.Errorf("at %g: %g (%g), curve %g (%g)", d, e, se, e2, se2)
		}
	}
}

// The posterior of the Emax curve by quadrature against MBNMAdose 0.5.0 by JAGS
// (3 chains of 20,000) under its priors, within 3 Monte-Carlo standard errors:
// ED50 half-normal with SD 100 in the unit of the dose (its default), in
// MET-minutes and in thousands of them, and with SD 2000.
func TestSharedOraclesBayesCurve(t *testing.T) {
	dir := oracles(t)
	want := map[string]map[string][2]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, "mbnma_jags.csv")) {
		if want[r["case"]] == nil {
			want[r["case"]] = map[string][2]float64{}
		}
		want[r["case"]][r["quantity"]] = [2]float64{num(r["mean"]), num(r["mcse"])}
	}
	for name, c := range map[string]struct{ unit, sd float64 }{"dose in MET-min/wk, default prior": {1, 100}, "dose in 1000 MET-min/wk, default prior": {1e-3, 100}, "dose in MET-min/wk, ED50 prior sd 2000": {1, 2000}} {
		trials := readNetwork(t, dir, "mbnma_synthetic_metmin.csv", c.unit)
		for i := range trials {
			for j := range trials[i].Arms { // SDs are 4 in every arm: standardised
				trials[i].Arms[j].Effect /= 4
				trials[i].Arms[j].Var /= 16
			}
		}
		b, err := FitBayes(trials, Emax, CurvePrior{CoefSD: 100, TauScale: 20, ScaleHalfNormal: c.sd}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		for q, got := range map[string]float64{"ed50[2]": b.Scale.Mean, "emax[2]": b.Coef.Mean, "sd": b.Tau.Mean} {
			w := want[name][q]
			book.Note("Bayesian Emax curve (within 3 Monte-Carlo standard errors)", "synthetic RT", got, w[0])
			if math.Abs(got-w[0]) > 3*w[1] {
				t.Errorf("%s, %s: %.6g, JAGS %.6g with error %.2g", name, q, got, w[0], w[1])
			}
		}
	}
}

// With the priors that are free of units, the unit of dose cannot matter.
func TestBayesCurveUnit(t *testing.T) {
	var one, big []NetworkTrial
	for i := range 12 {
		d := 1 + float64(i%4)
		effect := 0.8*d/(2+d) + 0.1*math.Sin(float64(3*i))
		one = append(one, NetworkTrial{ID: string(rune('a' + i)), Arms: []NetworkArm{{"", 0, 0, 0.03}, {"rt", d, effect, 0.03}}})
		big = append(big, NetworkTrial{ID: string(rune('a' + i)), Arms: []NetworkArm{{"", 0, 0, 0.03}, {"rt", 1000 * d, effect, 0.03}}})
	}
	for _, shape := range []Shape{Linear, Emax, Exponential, LogLinear} {
		a, err := FitBayes(one, shape, CurvePrior{}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		b, err := FitBayes(big, shape, CurvePrior{}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		p, q := a.At(2), b.At(2000)
		for i, x := range [][2]float64{{p.Mean, q.Mean}, {p.SD, q.SD}, {p.Low, q.Low}, {a.Tau.Mean, b.Tau.Mean}, {1000 * a.Scale.Median, b.Scale.Median}} {
			if math.Abs(x[0]-x[1]) > 1e-6*math.Abs(x[0]) {
				t.Errorf("%s, value %d: %.9g, in thousandths %.9g", shape, i, x[0], x[1])
			}
		}
		if !(p.Low < p.Mean && p.Mean < p.High) {
			t.Errorf("%s: %+v", shape, p)
		}
	}
}
