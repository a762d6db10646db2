package synthesis

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// clustered draws 25 clusters of one to five effects around mu, with a variance
// of 0.02 between and 0.01 within; with chance keep an effect that is not
// significant in the expected direction is reported, the others always.
func clustered(r *rand.Rand, mu, keep float64) (y, v []float64, cluster []string) {
	for c := 0; c < 25; {
		u := mu + math.Sqrt(0.02)*r.NormFloat64()
		vi := 0.01 + 0.08*r.Float64()
		shared := r.NormFloat64()
		n := 0
		for range 1 + r.IntN(5) {
			e := u + math.Sqrt(0.01)*r.NormFloat64() + math.Sqrt(vi)*(math.Sqrt(0.6)*shared+math.Sqrt(0.4)*r.NormFloat64())
			if e/math.Sqrt(vi) < 1.96 && r.Float64() > keep {
				continue
			}
			y, v, cluster = append(y, e), append(v, vi), append(cluster, strconv.Itoa(c))
			n++
		}
		if n > 0 {
			c++
		}
	}
	return y, v, cluster
}

// Coverage and bias of the adjustments for dependent effects, with all effects
// reported and with 40 % of those not significant (long test). The bounds say
// what docs/meta.md says, with room for the error of 120 replicates.
func TestDependentBiasCoverage(t *testing.T) {
	if os.Getenv("MYOAXIS_LONG") == "" {
		t.Skip("set MYOAXIS_LONG=1")
	}
	const mu, reps = 0.3, 120
	for _, keep := range []float64{1, 0.4} {
		type tally struct{ bias, cover, n float64 }
		naive, selection, pet := &tally{}, &tally{}, &tally{}
		note := func(x *tally, e, low, high float64) {
			x.n++
			x.bias += e - mu
			if low <= mu && mu <= high {
				x.cover++
			}
		}
		for rep := range reps {
			y, v, cluster := clustered(rand.New(rand.NewPCG(7, uint64(rep))), mu, keep)
			m, err := Mean(y, v, MetaOptions{})
			if err != nil {
				t.Fatal(err)
			}
			note(naive, m.Terms[0].Estimate, m.Terms[0].Low, m.Terms[0].High)
			if a, err := AsymmetryInClusters(y, v, cluster, 0.6, 0.95); err == nil {
				note(pet, a.Chosen.Estimate, a.Chosen.Low, a.Chosen.High)
			}
			s, err := SelectModel(y, v, StepFunction, []float64{0.025}, "greater", 0.95)
			if err != nil {
				continue
			}
			low, high, _, _, err := BootstrapSelection(y, v, cluster, StepFunction, []float64{0.025}, "greater", 0.95, 200, uint64(rep))
			if err == nil {
				note(selection, s.Estimate, low, high)
			}
		}
		for name, x := range map[string]*tally{"effects as independent": naive, "PET-PEESE, CR2": pet, "step selection, cluster bootstrap": selection} {
			t.Logf("share reported %.1f, %s: bias %+.3f, coverage %.0f %% of %g", keep, name, x.bias/x.n, 100*x.cover/x.n, x.n)
		}
		if selection.cover/selection.n < 0.85 {
			t.Errorf("share reported %g: the selection model covers in %.0f %%", keep, 100*selection.cover/selection.n)
		}
		if keep < 1 && math.Abs(selection.bias/selection.n) > 0.6*naive.bias/naive.n {
			t.Errorf("the selection model leaves %.3f of a bias of %.3f", selection.bias/selection.n, naive.bias/naive.n)
		}
	}
}

// Without dependence to speak of, clusters of one give what the model without
// clusters gives.
func TestAsymmetryInSingletons(t *testing.T) {
	y, v := bcg(t)
	ids := make([]string, len(y))
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	a, err := AsymmetryInClusters(y, v, ids, 0, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	e, err := EggerRandom(y, v, "sei", MetaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(a.Slope.Estimate-e.Slope.Estimate) > 1e-6 || a.Clusters != len(y) {
		t.Errorf("slope %g in %d clusters, %g without", a.Slope.Estimate, a.Clusters, e.Slope.Estimate)
	}
}
