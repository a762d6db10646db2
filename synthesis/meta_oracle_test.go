package synthesis

import (
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var optionCase = regexp.MustCompile(`^(\w+)\|(\w+)\|~ (.*)$`)

// Where the reference results lie beside the checkout, every univariate model
// and meta-regression agrees with metafor to 1e-7 relative: coefficients, SE,
// tests, intervals, tau² with its Q-profile interval, I², H², Q, QM,
// log-likelihoods, information criteria, prediction interval.
func TestSharedOraclesUnivariate(t *testing.T) {
	dir := oracles(t)
	checked := 0
	for _, file := range []string{"uni", "metareg"} {
		cases := map[[2]string]map[string]float64{}
		for _, r := range readCSV(t, filepath.Join(dir, file+".csv")) {
			g := optionCase.FindStringSubmatch(r["case"])
			if g == nil || r["stable"] != "1" {
				continue
			}
			key := [2]string{r["dataset"], r["case"]}
			if cases[key] == nil {
				cases[key] = map[string]float64{}
			}
			v, err := strconv.ParseFloat(r["value"], 64)
			if err == nil {
				cases[key][r["quantity"]+"/"+r["index"]] = v
			}
		}
		for key, want := range cases {
			checked += compareCase(t, dir, key[0], key[1], want)
		}
	}
	t.Logf("%d values agree", checked)
	if checked < 3000 {
		t.Errorf("only %d values were compared", checked)
	}
}

func compareCase(t *testing.T, dir, set, name string, want map[string]float64) (n int) {
	g := optionCase.FindStringSubmatch(name)
	method, test, formula := Method(g[1]), Test(g[2]), g[3]
	if !slices.Contains(Methods, method) || strings.Contains(formula, "|") {
		return 0
	}
	rows := readCSV(t, filepath.Join(dir, "inputs", set+".csv"))
	var y, v []float64
	var kept []map[string]string
	for _, r := range rows {
		yi, e1 := strconv.ParseFloat(r["yi"], 64)
		vi, e2 := strconv.ParseFloat(r["vi"], 64)
		if e1 == nil && e2 == nil {
			y, v, kept = append(y, yi), append(v, vi), append(kept, r)
		}
	}
	var cols []Column
	if formula != "1" {
		for _, term := range strings.Split(formula, "+") {
			term = strings.TrimSpace(term)
			c := Column{Name: strings.TrimSuffix(strings.TrimPrefix(term, "factor("), ")"), Factor: strings.HasPrefix(term, "factor(")}
			if _, ok := kept[0][c.Name]; !ok {
				return 0
			}
			for _, r := range kept {
				c.Values = append(c.Values, r[c.Name])
			}
			cols = append(cols, c)
		}
	}
	dm, err := NewDesign(len(y), cols, nil)
	if err != nil {
		t.Errorf("%s %s: %v", set, name, err)
		return 0
	}
	x, names, skip := dm.X, dm.Names, dm.Skip
	for i := len(skip) - 1; i >= 0; i-- {
		y, v = slices.Delete(y, skip[i], skip[i]+1), slices.Delete(v, skip[i], skip[i]+1)
	}
	m, err := Analyse(y, v, x, names, MetaOptions{Method: method, Test: test})
	if err != nil {
		t.Errorf("%s %s: %v", set, name, err)
		return 0
	}
	got := map[string]float64{"k/": float64(m.K), "QE/": m.Q, "QEp/": m.QP, "QM/": m.QM, "QMp/": m.QMP, "tau2/": m.Tau2, "I2/": m.I2, "H2/": m.H2, "pi.lb/": m.PredLow, "pi.ub/": m.PredHigh,
		"QP.tau^2.ci.lb/": m.Tau2Low, "QP.tau^2.ci.ub/": m.Tau2High}
	got["se.tau2/"] = m.SETau2
	weights := newWLS(y, v, x).at(m.Tau2)
	for i, b := range m.BLUPs(y, v, x) {
		id := "/" + strconv.Itoa(i+1)
		got["blup.pred"+id], got["blup.se"+id] = b.Estimate, b.SE
		got["weight"+id] = 100 * weights.w[i] / weights.weight
	}
	suffix := ".ML/"
	if method == REML {
		suffix = ".REML/"
	}
	got["ll"+suffix], got["AIC"+suffix], got["BIC"+suffix], got["AICc"+suffix] = m.LogLik, m.AIC, m.BIC, m.AICc
	for i, term := range m.Terms {
		idx := names[i]
		if a, b, ok := strings.Cut(idx, "="); ok {
			idx = "factor(" + a + ")" + b
		}
		got["beta/"+idx], got["se/"+idx], got["zval/"+idx], got["pval/"+idx], got["ci.lb/"+idx], got["ci.ub/"+idx] = term.Estimate, term.SE, term.Stat, term.P, term.Low, term.High
	}
	for q, w := range want {
		g, ok := got[q]
		if !ok || math.IsNaN(g) {
			continue
		}
		n++
		tol := 1e-7 * math.Max(1e-3, math.Abs(w))
		if strings.HasPrefix(q, "QP.") {
			if math.Abs(w-10*m.Tau2) < 1e-6*w {
				continue // metafor's search ended at its bound, ten times tau²
			}
			tol = 1e-4 // metafor's root finder stops at 1e-4; TestQProfileEnds shows that ours solves the equation
		}
		label := "rma " + g3(method, formula)
		if strings.HasPrefix(q, "QP.") {
			label = "Q-profile interval"
		}
		book.Note(label, set, g, w)
		if math.Abs(g-w) > tol {
			t.Errorf("%s, %s, %s: %.12g, metafor %.12g", set, name, q, g, w)
		}
	}
	return n
}

// g3 names a model in the table of conformance.
func g3(m Method, formula string) string {
	if formula == "1" {
		return string(m)
	}
	return string(m) + " with moderators"
}

// assink reads the data of Assink & Wibbelink (2016) beside the checkout.
func assink(t *testing.T, dir string) (y, v []float64, study, effect Column) {
	study, effect = Column{Name: "study"}, Column{Name: "esid"}
	for _, r := range readCSV(t, filepath.Join(dir, "inputs", "assink2016.csv")) {
		yi, _ := strconv.ParseFloat(r["yi"], 64)
		vi, _ := strconv.ParseFloat(r["vi"], 64)
		y, v = append(y, yi), append(v, vi)
		study.Values, effect.Values = append(study.Values, r["study"]), append(effect.Values, r["esid"])
	}
	return y, v, study, effect
}

// The three-level models of Assink & Wibbelink (2016), with independent and
// with correlated sampling errors, by REML against metafor's rma.mv, and their
// cluster-robust tests against clubSandwich 0.5.8. metafor stops its optimiser
// early: 1e-6 for the variances.
func TestSharedOraclesMultilevel(t *testing.T) {
	dir := oracles(t)
	want := map[string]map[string]float64{}
	for _, file := range []string{"multilevel.csv", "robust.csv"} {
		for _, r := range readCSV(t, filepath.Join(dir, file)) {
			if r["dataset"] != "assink2016" {
				continue
			}
			if want[r["case"]] == nil {
				want[r["case"]] = map[string]float64{}
			}
			want[r["case"]][r["quantity"]+"/"+r["index"]], _ = strconv.ParseFloat(r["value"], 64)
		}
	}
	y, v, study, effect := assink(t, dir)
	dm, err := NewDesign(len(y), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, names := dm.X, dm.Names
	for name, rho := range map[string]float64{"3level": 0, "CHE rho=0.3": 0.3, "CHE rho=0.6": 0.6, "CHE rho=0.8": 0.8} {
		test := TestT
		m, err := AnalyseMixed(y, Sampling{V: v, Rho: rho, Cluster: study.Values}, x, names, Random{Levels: Nested([]Column{study, effect})}, MetaOptions{Method: REML, Test: test})
		if err != nil {
			t.Fatal(err)
		}
		w := want[name]
		check := func(q string, got, tol float64) {
			x, ok := w[q]
			if ok {
				book.Note("rma.mv three levels, robust tests", "assink2016, "+name, got, x)
			}
			if ok && math.Abs(got-x) > tol*math.Abs(x) {
				t.Errorf("%s, %s: %.12g, reference %.12g", name, q, got, x)
			}
		}
		check("sigma2/1", m.Sigma2[0].Value, 2e-6)
		check("sigma2/2", m.Sigma2[1].Value, 2e-6)
		check("beta/intrcpt", m.Terms[0].Estimate, 1e-6)
		check("se/intrcpt", m.Terms[0].SE, 1e-6)
		check("ll.REML/", m.LogLik, 1e-8)
		check("QE/", m.Q, 1e-8)
		for _, kind := range Sandwiches {
			terms, clusters, err := m.Robust(study.Values, kind)
			if err != nil {
				t.Fatal(err)
			}
			w = want[name+"|"+string(kind)]
			if clusters != 17 || len(w) == 0 {
				t.Errorf("%s %s: %d clusters, %d reference values", name, kind, clusters, len(w))
			}
			check("SE/intrcpt", terms[0].SE, 1e-6)
			check("df/intrcpt", terms[0].DF, 1e-6)
			check("p/intrcpt", terms[0].P, 1e-5)
		}
	}
}
