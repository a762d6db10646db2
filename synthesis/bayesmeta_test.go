package synthesis

import (
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Where the reference results lie beside the checkout: adaptive quadrature in
// R at 1e-12 to 1e-7, bayesmeta (grid tolerance 5e-4) to 2e-3.
func TestSharedOraclesBayes(t *testing.T) {
	dir := oracles(t)
	exact := map[string]bool{}
	for _, r := range readCSV(t, filepath.Join(dir, "bayes_options.csv")) {
		exact[r["opt"]] = strings.HasPrefix(r["options"], "adaptive quadrature")
	}
	n := 0
	cache := map[string]map[string]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, "bayes.csv")) {
		p := strings.Split(r["case"], "|mu ")
		var prior TauPrior
		switch f := strings.Fields(p[0]); f[0] {
		case "half-normal", "half-cauchy":
			s, _ := strconv.ParseFloat(f[1], 64)
			prior = TauPrior{Family: f[0], Scale: s}
		case "uniform":
			prior = TauPrior{Family: "uniform"}
		default:
			continue
		}
		mu := MuPrior{}
		if p[1] == "N(0,1)" {
			mu.SD = 1
		}
		key := r["dataset"] + r["case"]
		if cache[key] == nil {
			y, v := effectsOf(t, dir, r["dataset"])
			b, err := AnalyseBayes(y, v, prior, mu, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			c := map[string]float64{"mu mean": b.Mu.Mean, "mu sd": b.Mu.SD, "tau mean": b.Tau.Mean, "tau sd": b.Tau.SD, "mean mu": b.Mu.Mean, "sd mu": b.Mu.SD, "mean tau": b.Tau.Mean, "sd tau": b.Tau.SD,
				"median tau": b.Tau.Median, "median mu": b.Mu.Median, "mean theta": b.Next.Mean, "sd theta": b.Next.SD, "median theta": b.Next.Median,
				"mu quantile/0.025": b.Mu.Low, "mu quantile/0.975": b.Mu.High, "tau quantile/0.025": b.Tau.Low, "tau quantile/0.975": b.Tau.High, "mu cdf at 0": 1 - b.ProbPositive}
			for i, s := range b.Studies {
				c["shrinkage mean/"+strconv.Itoa(i+1)], c["shrinkage sd/"+strconv.Itoa(i+1)] = s.Mean, s.SD
			}
			cache[key] = c
		}
		q := r["quantity"]
		if r["index"] != "" {
			q += "/" + r["index"]
		}
		got, ok := cache[key][q]
		if !ok {
			continue
		}
		want, _ := strconv.ParseFloat(r["value"], 64)
		tol := 2e-3
		if exact[r["opt"]] {
			tol = 1e-7
		}
		n++
		slack := tol * math.Max(0.1, math.Abs(want))
		if !exact[r["opt"]] && strings.Contains(q, "quantile") {
			// bayesmeta approximates the mixture over tau on a coarse grid, which
			// shows in the tails; ours is the 1e-12 quadrature's
			sd, _, _ := strings.Cut(q, " ")
			slack = math.Max(slack, 0.01*cache[key][sd+" sd"])
		}
		source := "Bayes, bayesmeta"
		if exact[r["opt"]] {
			source = "Bayes, adaptive quadrature"
		}
		book.Note(source, r["dataset"], got, want)
		if math.Abs(got-want) > slack {
			t.Errorf("%s, %s (opt %s): %.10g, reference %.10g", key, q, r["opt"], got, want)
		}
	}
	t.Logf("%d values compared", n)
	if n < 300 {
		t.Errorf("only %d values were compared", n)
	}
}

// Laws: a sharp prior at no heterogeneity gives the equal-effects answer; a
// rescaling of effects with its priors changes nothing; a half-t with many
// degrees of freedom is a half-normal.
func TestBayesLaws(t *testing.T) {
	y, v := bcg(t)
	ee, _ := Mean(y, v, MetaOptions{Method: EE})
	b, err := AnalyseBayes(y, v, TauPrior{Family: "half-normal", Scale: 1e-4}, MuPrior{}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(b.Mu.Mean-ee.Terms[0].Estimate) > 1e-4 || math.Abs(b.Mu.SD-ee.Terms[0].SE) > 1e-4 {
		t.Errorf("%+v, equal effects %g %g", b.Mu, ee.Terms[0].Estimate, ee.Terms[0].SE)
	}
	a, _ := AnalyseBayes(y, v, TauPrior{Family: "half-cauchy", Scale: 0.3}, MuPrior{0, 1}, 0.95)
	y2, v2 := make([]float64, len(y)), make([]float64, len(y))
	for i := range y {
		y2[i], v2[i] = 1000*y[i], 1e6*v[i]
	}
	c, _ := AnalyseBayes(y2, v2, TauPrior{Family: "half-cauchy", Scale: 300}, MuPrior{0, 1000}, 0.95)
	if math.Abs(c.Mu.Mean/1000-a.Mu.Mean) > 1e-9 || math.Abs(c.Tau.High/1000-a.Tau.High) > 1e-7 {
		t.Errorf("%+v, rescaled %+v", a.Mu, c.Mu)
	}
	ht, _ := AnalyseBayes(y, v, TauPrior{Family: "half-t", Scale: 0.5, DF: 1e7}, MuPrior{}, 0.95)
	hn, _ := AnalyseBayes(y, v, TauPrior{Family: "half-normal", Scale: 0.5}, MuPrior{}, 0.95)
	if math.Abs(ht.Tau.Mean-hn.Tau.Mean) > 1e-5 {
		t.Errorf("half-t %g, half-normal %g", ht.Tau.Mean, hn.Tau.Mean)
	}
	var de *DataError
	if _, err := AnalyseBayes(y[:2], v[:2], TauPrior{Family: "uniform"}, MuPrior{}, 0.95); !errors.As(err, &de) {
		t.Errorf("a uniform prior with two effects: %v", err)
	}
}
