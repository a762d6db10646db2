package synthesis

import (
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// The exact permutation tests of metafor's permutest.
func TestSharedOraclesPermutation(t *testing.T) {
	dir := oracles(t)
	want := wanted(t, dir, "permutation.csv")
	for set, name := range map[string]string{"bcg_RR": "intercept exact 2^13 sign flips", "normand_MD": "intercept exact 2^9"} {
		y, v := effectsOf(t, dir, set)
		p, err := Permute(y, v, ones(len(y)), []string{Intercepted}, MetaOptions{}, 10000, 1)
		if err != nil || !p.Exact {
			t.Fatal(err)
		}
		near(t, set, p.P[0], want[[2]string{set, name}]["pval/"], 1e-12)
	}
	rows := readCSV(t, filepath.Join(dir, "inputs", "bcg_RR.csv"))
	y, v := numbersOf(rows, "yi"), numbersOf(rows, "vi")
	x := ones(len(y)).Grow(0, 1).(*mat.Dense)
	for i, r := range rows {
		if r["alloc"] == "random" {
			x.Set(i, 1, 1)
		}
	}
	p, err := Permute(y, v, x, []string{Intercepted, "random"}, MetaOptions{}, 2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := want[[2]string{"bcg_RR", "~I(alloc==random) exact"}]
	near(t, "intercept", p.P[0], w["pval/intrcpt"], 1e-12)
	near(t, "slope", p.P[1], w[`pval/I(alloc == "random")TRUE`], 1e-12)
	near(t, "QM", p.QMP, w["QMp/"], 1e-12)
}

// Sampled permutations agree with all of them within their sampling error, and
// do not depend on the number of cores.
func TestSampledPermutation(t *testing.T) {
	y, v := bcg(t)
	x := ones(len(y))
	exact, err := Permute(y, v, x, []string{Intercepted}, MetaOptions{Method: DL}, 10000, 1)
	if err != nil {
		t.Fatal(err)
	}
	sampled, err := Permute(y, v, x, []string{Intercepted}, MetaOptions{Method: DL}, 8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if sampled.Exact || math.Abs(sampled.P[0]-exact.P[0]) > 4*math.Sqrt(exact.P[0]/8000) {
		t.Errorf("sampled %v, exact %v", sampled, exact)
	}
}

// The quantiles over all subsets of metafor's gosh.
func TestSharedOraclesGosh(t *testing.T) {
	dir := oracles(t)
	n := 0
	for key, w := range wanted(t, dir, "influence.csv") {
		method, ok := strings.CutPrefix(key[1], "gosh|")
		if !ok {
			continue
		}
		y, v := effectsOf(t, dir, key[0])
		subsets, all, err := Gosh(y, v, MetaOptions{Method: Method(method)}, 10000, 1)
		if err != nil || !all {
			t.Fatal(err)
		}
		cols := map[string][]float64{}
		for _, s := range subsets {
			for q, x := range map[string]float64{"k": float64(s.K), "estimate": s.Estimate, "QE": s.Q, "I2": s.I2, "tau2": s.Tau2} {
				cols[q] = append(cols[q], x)
			}
		}
		for q, x := range w {
			part := strings.Split(strings.TrimSuffix(q, "/"), "/")
			kind, name, _ := strings.Cut(part[0], ".")
			col := cols[name]
			if col == nil {
				continue
			}
			got := stat.Mean(col, nil)
			if kind == "quant" {
				p, _ := strconv.ParseFloat(part[1], 64)
				slices.Sort(col)
				got = Quantile(col, p)
			}
			n++
			book.Note("gosh "+method, key[0], got, x)
			if math.Abs(got-x) > 1e-7*math.Max(1e-3, math.Abs(x)) {
				t.Errorf("%v %s: %.10g, metafor %.10g", key, q, got, x)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d values compared", n)
	}
}

// Bootstrap: the spread of the means approaches the standard error of an
// equal-precision mean, and whole clusters spread wider than single effects
// that repeat one another.
func TestBootstrap(t *testing.T) {
	var y, v []float64
	var cluster []string
	for i := range 40 {
		for range 3 {
			y, v, cluster = append(y, math.Sin(float64(i))), append(v, 0.01), append(cluster, strconv.Itoa(i))
		}
	}
	alone, err := Bootstrap(y, v, nil, MetaOptions{Method: DL}, 4000, 1)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Bootstrap(y, v, cluster, MetaOptions{Method: DL}, 4000, 1)
	if err != nil {
		t.Fatal(err)
	}
	ratio := stat.StdDev(whole.Estimates, nil) / stat.StdDev(alone.Estimates, nil)
	if math.Abs(ratio-math.Sqrt(3)) > 0.1 {
		t.Errorf("ratio %.3f, want sqrt(3)", ratio)
	}
}
