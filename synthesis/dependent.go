package synthesis

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// ClusteredAsymmetry is PET, PEESE and the choice between them for effects that
// depend on one another within clusters: a regression of the effects on their
// standard errors (or variances) with a variance between clusters and one
// within, tested by CR2 (Rodgers & Pustejovsky 2021, 10.1037/met0000300).
type ClusteredAsymmetry struct {
	Slope, PET, PEESE, Chosen Term
	Choice                    string
	Clusters                  int
}

// AsymmetryInClusters fits it; rho is the correlation of sampling errors within
// a cluster.
func AsymmetryInClusters(y, v []float64, cluster []string, rho, level float64) (*ClusteredAsymmetry, error) {
	out := &ClusteredAsymmetry{Choice: "PET"}
	for _, predictor := range []string{"sei", "vi"} {
		w, err := asymmetryData(y, v, predictor)
		if err != nil {
			return nil, err
		}
		rows := make([]string, len(y))
		for i := range rows {
			rows[i] = cluster[i] + "\x00" + strconv.Itoa(i)
		}
		m, err := AnalyseMixed(y, Sampling{V: v, Rho: rho, Cluster: cluster}, mat.NewDense(len(y), 2, w.x), []string{"limit", predictor}, Random{Levels: []Level{{"cluster", cluster}, {"effect", rows}}}, MetaOptions{Level: level})
		if err != nil {
			return nil, err
		}
		terms, n, err := m.Robust(cluster, CR2)
		if err != nil {
			return nil, err
		}
		out.Clusters = n
		if predictor == "sei" {
			out.PET, out.Slope = terms[0], terms[1]
		} else {
			out.PEESE = terms[0]
		}
	}
	out.Chosen = out.PET
	if out.PET.P < 0.1 {
		out.Chosen, out.Choice = out.PEESE, "PEESE"
	}
	return out, nil
}

// BootstrapSelection is the percentile interval of a selection model's mean
// from drawing whole clusters with replacement n times. Samples in which the
// model cannot be fitted are drawn again, at most ten times each; failed counts
// those given up.
func BootstrapSelection(y, v []float64, cluster []string, kind SelectionType, steps []float64, alternative string, level float64, n int, seed uint64) (low, high, se float64, failed int, err error) {
	if _, err := SelectModel(y, v, kind, steps, alternative, level); err != nil {
		return 0, 0, 0, 0, err
	}
	var groups [][]int
	for i, g := range number(cluster) {
		if g == len(groups) {
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	est := make([]float64, n)
	workers := runtime.GOMAXPROCS(0)
	Parallel(workers, func(worker int) {
		for b := worker; b < n; b += workers {
			r := rand.New(rand.NewPCG(seed, uint64(b)))
			est[b] = math.NaN()
			for range 10 {
				var ys, vs []float64
				for range groups {
					for _, i := range groups[r.IntN(len(groups))] {
						ys, vs = append(ys, y[i]), append(vs, v[i])
					}
				}
				if m, err := selectOnce(ys, vs, kind, steps, alternative); err == nil {
					est[b] = m
					break
				}
			}
		}
	})
	kept := slices.DeleteFunc(est, math.IsNaN)
	failed = n - len(kept)
	if len(kept) < n/2 || len(kept) < 20 {
		return 0, 0, 0, failed, &DataError{"the selection model cannot be fitted to most bootstrap samples"}
	}
	slices.Sort(kept)
	var mean, ss float64
	for _, e := range kept {
		mean += e / float64(len(kept))
	}
	for _, e := range kept {
		ss += (e - mean) * (e - mean)
	}
	return Quantile(kept, (1-level)/2), Quantile(kept, (1+level)/2), math.Sqrt(ss / float64(len(kept)-1)), failed, nil
}

// selectOnce is the mean of a selection model from one starting point.
func selectOnce(y, v []float64, kind SelectionType, steps []float64, alternative string) (float64, error) {
	d := newSelectionData(y, v, alternative)
	var w weightFunction
	if kind == StepFunction {
		s, err := newSteps(d, steps)
		if err != nil {
			return 0, err
		}
		w = s
	} else {
		w = newSmooth(d, kind)
	}
	plain, err := Mean(y, v, MetaOptions{Method: DL})
	if err != nil {
		return 0, err
	}
	low, high := w.bounds()
	c := climber{f: func(theta, g []float64) float64 { return d.logLik(w, theta, g) },
		low: append([]float64{math.Inf(-1), 0}, low...), high: append([]float64{math.Inf(1), math.Inf(1)}, high...)}
	start := append([]float64{d.sign * plain.Terms[0].Estimate, plain.Tau2 + 0.01*meanOf(v)}, w.starts()[1]...)
	th, _, ok := c.climb(start)
	if !ok {
		return 0, ErrNotConverged
	}
	return d.sign * th[0], nil
}
