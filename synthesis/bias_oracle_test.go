package synthesis

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// effectsOf reads the effects of a data set beside the checkout.
func effectsOf(t *testing.T, dir, set string) (y, v []float64) {
	for _, r := range readCSV(t, filepath.Join(dir, "inputs", set+".csv")) {
		yi, e1 := strconv.ParseFloat(r["yi"], 64)
		vi, e2 := strconv.ParseFloat(r["vi"], 64)
		if e1 == nil && e2 == nil {
			y, v = append(y, yi), append(v, vi)
		}
	}
	return y, v
}

// Where the reference results lie beside the checkout: Egger forms, rank test,
// trim and fill, PET, PEESE, and the influence diagnostics against metafor.
func TestSharedOraclesBiasAndInfluence(t *testing.T) {
	dir := oracles(t)
	n := 0
	check := func(where string, got, want float64) {
		n++
		tol := 1e-7
		if strings.Contains(where, "trimfill|REML") {
			tol = 1e-4 // run with metafor's default REML threshold of 1e-5
		}
		part := strings.Split(where, "!")
		book.Note(strings.SplitN(strings.SplitN(part[1], "|", 2)[0], " ", 2)[0], part[0], got, want)
		if math.Abs(got-want) > tol*math.Max(1e-3, math.Abs(want)) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s: %.12g, metafor %.12g", where, got, want)
		}
	}
	cache := map[string]map[string]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, "bias.csv")) {
		if r["stable"] != "1" {
			continue
		}
		want, err := strconv.ParseFloat(r["value"], 64)
		if err != nil {
			continue
		}
		key := r["dataset"] + "!" + r["case"]
		if cache[key] == nil {
			y, v := effectsOf(t, dir, r["dataset"])
			cache[key] = biasValues(t, y, v, r["case"])
		}
		if got, ok := cache[key][r["quantity"]+r["index"]]; ok {
			check(key+" "+r["quantity"], got, want)
		}
	}
	infl := map[string]map[string]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, "influence.csv")) {
		want, err := strconv.ParseFloat(r["value"], 64)
		if err != nil || r["stable"] != "1" {
			continue
		}
		key := r["dataset"] + "!" + r["case"]
		if infl[key] == nil {
			y, v := effectsOf(t, dir, r["dataset"])
			infl[key] = influenceValues(t, y, v, r["case"])
		}
		if got, ok := infl[key][r["quantity"]+"/"+r["index"]]; ok {
			check(key+" "+r["quantity"]+" "+r["index"], got, want)
		}
	}
	t.Logf("%d values compared", n)
	if n < 500 {
		t.Errorf("only %d values were compared", n)
	}
}

func biasValues(t *testing.T, y, v []float64, name string) map[string]float64 {
	out := map[string]float64{}
	part := strings.Split(name, "|")
	switch {
	case part[0] == "regtest":
		var a *Asymmetry
		var err error
		if part[2] == "lm" {
			a, err = Egger(y, v, part[3], 0.95)
		} else {
			a, err = EggerRandom(y, v, part[3], MetaOptions{Method: Method(part[1])})
		}
		if err != nil {
			t.Fatal(err)
		}
		out["zval"], out["pval"], out["est"], out["ci.lb"], out["ci.ub"], out["slope.beta"] = a.Slope.Stat, a.Slope.P, a.Limit.Estimate, a.Limit.Low, a.Limit.High, a.Slope.Estimate
	case part[0] == "ranktest":
		tau, p, err := RankTest(y, v)
		if err != nil {
			t.Fatal(err)
		}
		out["tau"], out["pval"] = tau, p
	case part[0] == "trimfill":
		f, err := TrimAndFill(y, v, part[2], part[3], MetaOptions{Method: Method(part[1])})
		if err != nil {
			t.Fatal(err)
		}
		m := f.Meta.Terms[0]
		out["k0"], out["se.k0"], out["beta"], out["se"], out["ci.lb"], out["ci.ub"], out["tau2"], out["QE"] = float64(f.K0), f.SEK0, m.Estimate, m.SE, m.Low, m.High, f.Meta.Tau2, f.Meta.Q
	}
	return out
}

func influenceValues(t *testing.T, y, v []float64, name string) map[string]float64 {
	out := map[string]float64{}
	x := ones(len(y))
	switch name {
	case "influence":
		d, err := Influences(y, v, x, []string{Intercepted}, MetaOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range d {
			id := "/" + strconv.Itoa(i+1)
			out["rstudent"+id], out["dffits"+id], out["cook.d"+id], out["cov.r"+id] = q.RStudent, q.DFFITS, q.CookD, q.CovRatio
			out["tau2.del"+id], out["QE.del"+id], out["hat"+id], out["weight"+id] = q.Tau2Del, q.QDel, q.Hat, q.Weight
		}
	case "baujat":
		m, err := Mean(y, v, MetaOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := Influences(y, v, x, []string{Intercepted}, MetaOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range d {
			id := "/" + strconv.Itoa(i+1)
			out["x"+id], out["y"+id] = q.Baujat(y[i], v[i], m)
		}
	case "leave1out":
		for i := range y {
			m, _ := without(y, v, x, []string{Intercepted}, MetaOptions{}.orDefault(), i)
			id := "/" + strconv.Itoa(i+1)
			out["estimate"+id], out["se"+id], out["tau2"+id], out["Q"+id], out["I2"+id], out["pval"+id] = m.Terms[0].Estimate, m.Terms[0].SE, m.Tau2, m.Q, m.I2, m.Terms[0].P
		}
	case "cumul":
		ms, err := Cumulative(y, v, MetaOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range ms {
			id := "/" + strconv.Itoa(i+1)
			out["estimate"+id], out["se"+id], out["tau2"+id] = m.Terms[0].Estimate, m.Terms[0].SE, m.Tau2
		}
	}
	return out
}

// The selection models against metafor's selmodel, whose optimiser stops at
// 1e-10 of the log-likelihood: ours may not be worse, and the estimates agree to
// 1e-3 where no parameter is at a bound, 0 or 100.
func TestSharedOraclesSelection(t *testing.T) {
	dir := oracles(t)
	want := map[string]map[string]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, "selmodel.csv")) {
		p := strings.Split(r["case"], "|")
		if len(p) < 4 {
			continue
		}
		key := r["dataset"] + "|" + r["case"]
		if want[key] == nil {
			want[key] = map[string]float64{}
		}
		if v, err := strconv.ParseFloat(r["value"], 64); err == nil {
			want[key][r["quantity"]+r["index"]] = v
		}
	}
	n := 0
	for key, w := range want {
		p := strings.Split(key, "|")
		y, v := effectsOf(t, dir, p[0])
		var steps []float64
		for _, s := range strings.Fields(strings.ReplaceAll(p[3], "/", " ")) {
			x, _ := strconv.ParseFloat(s, 64)
			steps = append(steps, x)
		}
		m, err := SelectModel(y, v, SelectionType(p[2]), steps, p[4], 0.95)
		if err != nil {
			t.Logf("%s: %v", key, err)
			continue
		}
		n++
		book.Note("log-likelihood of selmodel "+p[2], p[0], m.LogLik, w["ll"])
		short := 1e-6
		if p[2] != "stepfun" { // metafor's integrals are good to 5e-5 (checked at its estimates by adaptive quadrature at 1e-11)
			short = 5e-5
		}
		if m.LogLik > w["ll"]+3 { // a likelihood far above would be a fault of the integral
			t.Errorf("%s: log-likelihood %.9g is far above metafor's %.9g", key, m.LogLik, w["ll"])
		}
		if m.LogLik < w["ll"]-short {
			t.Errorf("%s: log-likelihood %.9g is below metafor's %.9g", key, m.LogLik, w["ll"])
		}
		bound := false
		for q, x := range w {
			bound = bound || strings.HasPrefix(q, "delta") && (x > 99 || x < 1e-4)
		}
		if !bound && math.Abs(m.LogLik-w["ll"]) < 1e-5 {
			if math.Abs(m.Estimate-w["beta"]) > 1e-3*math.Abs(w["beta"]) || math.Abs(m.SE-w["se"]) > 1e-2*w["se"] {
				t.Errorf("%s: %.6g (%.4g), metafor %.6g (%.4g)", key, m.Estimate, m.SE, w["beta"], w["se"])
			}
		}
	}
	if n < 45 {
		t.Errorf("only %d models were compared", n)
	}
	t.Logf("%d models compared", n)
}
