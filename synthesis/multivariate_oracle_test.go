package synthesis

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// wanted are the reference values of one file by data set and case.
func wanted(t *testing.T, dir, file string) map[[2]string]map[string]float64 {
	t.Helper()
	out := map[[2]string]map[string]float64{}
	for _, r := range readCSV(t, filepath.Join(dir, file)) {
		key := [2]string{r["dataset"], r["case"]}
		if out[key] == nil {
			out[key] = map[string]float64{}
		}
		if v, err := strconv.ParseFloat(r["value"], 64); err == nil {
			out[key][r["quantity"]+"/"+r["index"]] = v
		}
	}
	return out
}

func numbersOf(rows []map[string]string, col string) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i], _ = strconv.ParseFloat(r[col], 64)
	}
	return out
}

func textsOf(rows []map[string]string, col string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r[col]
	}
	return out
}

// indicators is a design with one column a level and no intercept.
func indicators(values []string) (*mat.Dense, []string) {
	levels := slices.Compact(slices.Sorted(slices.Values(values)))
	x := mat.NewDense(len(values), len(levels), nil)
	for i, v := range values {
		x.Set(i, slices.Index(levels, v), 1)
	}
	return x, levels
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	first, _, _ := strings.Cut(what, " ")
	book.Note(strings.TrimPrefix(t.Name(), "TestSharedOracles"), first, got, want)
	if !(math.Abs(got-want) <= tol*math.Max(1e-3, math.Abs(want))) {
		t.Errorf("%s: %.12g, reference %.12g", what, got, want)
	}
}

// The bivariate models of Berkey et al. (1998) and Kalaian & Raudenbush (1996)
// with UN, CS and HCS, against metafor's rma.mv. Its optimiser stops early:
// the log-likelihood must not be below metafor's, coefficients agree to 1e-5.
func TestSharedOraclesBivariate(t *testing.T) {
	dir := oracles(t)
	want := wanted(t, dir, "multilevel.csv")
	rows := readCSV(t, filepath.Join(dir, "inputs", "berkey1998.csv"))
	y, vi, trial, outcome := numbersOf(rows, "yi"), numbersOf(rows, "vi"), textsOf(rows, "trial"), textsOf(rows, "outcome")
	full := mat.NewSymDense(len(y), nil)
	for i := range y {
		full.SetSym(i, i, vi[i])
		for j := range i {
			if trial[i] == trial[j] {
				c, _ := strconv.ParseFloat(rows[j]["v2i"], 64)
				full.SetSym(i, j, c)
			}
		}
	}
	x, levels := indicators(outcome)
	for _, kind := range []Structure{UN, CS, HCS} {
		for _, method := range []Method{REML, ML} {
			w := want[[2]string{"berkey1998", fmt.Sprintf("bivariate|%s|%s", kind, method)}]
			m, err := AnalyseMixed(y, Sampling{V: vi, Full: full}, x, levels, Random{Structured: []Structured{{Name: "trial", Outer: trial, Inner: outcome, Kind: kind, Rho: math.NaN()}}}, MetaOptions{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			compareMixed(t, fmt.Sprintf("berkey %s %s", kind, method), m, levels, "outcome", w)
		}
	}
	rows = readCSV(t, filepath.Join(dir, "inputs", "kalaian1996.csv"))
	y, vi, outcome = numbersOf(rows, "yi"), numbersOf(rows, "vi"), textsOf(rows, "outcome")
	study := textsOf(rows, "study")
	x, levels = indicators(outcome)
	m, err := AnalyseMixed(y, Sampling{V: vi, Rho: 0.66, Cluster: study}, x, levels, Random{Structured: []Structured{{Name: "study", Outer: study, Inner: outcome, Kind: UN, Rho: math.NaN()}}}, MetaOptions{Method: REML})
	if err != nil {
		t.Fatal(err)
	}
	compareMixed(t, "kalaian UN", m, levels, "outcome", want[[2]string{"kalaian1996", "bivariate UN"}])
}

func compareMixed(t *testing.T, name string, m *MultiLevel, levels []string, prefix string, w map[string]float64) {
	t.Helper()
	if len(w) == 0 {
		t.Fatalf("%s: no reference values", name)
	}
	ll := w["ll."+string(m.Options.Method)+"/"]
	if m.LogLik < ll-1e-9*math.Abs(ll) {
		t.Errorf("%s: log-likelihood %.12g is below %.12g", name, m.LogLik, ll)
	}
	near(t, name+" log-likelihood", m.LogLik, ll, 1e-8)
	for i, l := range levels {
		near(t, name+" beta "+l, m.Terms[i].Estimate, w["beta/"+prefix+l], 2e-6)
		near(t, name+" se "+l, m.Terms[i].SE, w["se/"+prefix+l], 1e-5)
	}
	if q, ok := w["QE/"]; ok {
		near(t, name+" QE", m.Q, q, 1e-8)
	}
	near(t, name+" QM", m.QM, w["QM/"], 2e-5)
	near(t, name+" AICc", m.AICc, w["AICc."+string(m.Options.Method)+"/"], 1e-8)
	if len(m.G) > 0 {
		if one, ok := w["tau2/"]; ok {
			near(t, name+" tau2", m.G[0].G.At(0, 0), one, 1e-4)
		} else {
			near(t, name+" tau2 1", m.G[0].G.At(0, 0), w["tau2/1"], 1e-4)
			near(t, name+" tau2 2", m.G[0].G.At(1, 1), w["tau2/2"], 1e-4)
		}
		if r, ok := w["rho/"]; ok {
			near(t, name+" rho", m.G[0].Rho(0, 1), r, 1e-4)
		}
	}
}

// The network of Senn et al. (2013): multi-arm trials share an arm, and effects
// of one trial are correlated by 1/2.
func TestSharedOraclesNetwork(t *testing.T) {
	dir := oracles(t)
	want := wanted(t, dir, "multilevel.csv")
	rows := readCSV(t, filepath.Join(dir, "inputs", "senn2013_wide.csv"))
	y, vi, study := numbersOf(rows, "yi"), numbersOf(rows, "vi"), textsOf(rows, "study")
	k := len(y)
	full := mat.NewSymDense(k, nil)
	vw := want[[2]string{"senn2013", "NMA V"}]
	comp := make([]string, k)
	for i := range k {
		comp[i] = strconv.Itoa(i)
		for j := range k {
			full.SetSym(i, j, vw[fmt.Sprintf("V[%d,]/%d", i+1, j+1)])
		}
	}
	treatments := []string{"acarbose", "benfluorex", "metformin", "miglitol", "pioglitazone", "rosiglitazone", "sitagliptin", "sulfonylurea", "vildagliptin"}
	x := mat.NewDense(k, len(treatments), nil)
	for c, name := range treatments {
		x.SetCol(c, numbersOf(rows, name))
	}
	for name, r := range map[string]Random{
		"NMA consistency FE": {},
		"NMA consistency RE": {Structured: []Structured{{Name: "study", Outer: study, Inner: comp, Kind: CS, Rho: 0.5}}},
	} {
		w := want[[2]string{"senn2013", name}]
		method := REML
		if len(r.Structured) == 0 {
			method = FE
		}
		m, err := AnalyseMixed(y, Sampling{V: vi, Full: full}, x, treatments, r, MetaOptions{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		for i, tr := range treatments {
			near(t, name+" "+tr, m.Terms[i].Estimate, w["beta/"+tr], 1e-6)
			near(t, name+" se "+tr, m.Terms[i].SE, w["se/"+tr], 1e-6)
		}
		if tau, ok := w["tau2/"]; ok && len(r.Structured) > 0 {
			near(t, name+" tau2", m.G[0].G.At(0, 0), tau, 1e-5)
			if ll := w["ll.REML/"]; m.LogLik < ll-1e-9*math.Abs(ll) {
				t.Errorf("%s: log-likelihood %.12g is below %.12g", name, m.LogLik, ll)
			}
		}
		near(t, name+" QE", m.Q, w["QE/"], 1e-8)
	}
}

// Robust variance estimation against robumeta 2.0: correlated weights from the
// reference results; hierarchical weights from a run of robu(yi ~ year,
// modelweights = "HIER") on the data of Assink & Wibbelink (2016).
func TestSharedOraclesRVE(t *testing.T) {
	dir := oracles(t)
	want := wanted(t, dir, "robust.csv")
	y, v, study, _ := assink(t, dir)
	one := mat.NewDense(len(y), 1, nil)
	for i := range y {
		one.Set(i, 0, 1)
	}
	for _, rho := range []float64{0.5, 0.8} {
		w := want[[2]string{"assink2016", fmt.Sprintf("robu|CORR|%g|small|~1", rho)}]
		m, err := AnalyseRVE(y, v, one, []string{Intercepted}, study.Values, CorrelatedWeights, rho, true, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		for q, got := range map[string]float64{"b.r": m.Terms[0].Estimate, "SE": m.Terms[0].SE, "t": m.Terms[0].Stat, "dfs": m.Terms[0].DF, "prob": m.Terms[0].P, "CI.L": m.Terms[0].Low, "CI.U": m.Terms[0].High, "tau.sq": m.Tau2} {
			near(t, "CORR "+q, got, w[q+"/"], 1e-7)
		}
	}
	x := mat.NewDense(len(y), 2, nil)
	for i, r := range readCSV(t, filepath.Join(dir, "inputs", "assink2016.csv")) {
		year, _ := strconv.ParseFloat(strings.TrimSpace(r["year"]), 64)
		x.SetRow(i, []float64{1, year})
	}
	for small, ref := range map[bool][]float64{
		true:  {0.51665073780107, 0.1234639508823, 8.518478725053, 0.0284404691270, 5.595367420775},
		false: {0.51665073780107, 0.10439914531116, 15, 0.02366450586937, 15},
	} {
		m, err := AnalyseRVE(y, v, x, []string{Intercepted, "year"}, study.Values, HierarchicalWeights, 0, small, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "HIER tau2", m.Tau2, 0.170593932230944, 1e-10)
		for i, got := range []float64{m.Terms[0].Estimate, m.Terms[0].SE, m.Terms[0].DF, m.Terms[1].SE, m.Terms[1].DF} {
			near(t, fmt.Sprintf("HIER small=%v value %d", small, i), got, ref[i], 1e-9)
		}
	}
}

// The cluster-robust test of a factor (HTZ) against clubSandwich's Wald_test, and
// the meta-regression it belongs to.
func TestSharedOraclesWald(t *testing.T) {
	dir := oracles(t)
	rows := readCSV(t, filepath.Join(dir, "inputs", "assink2016.csv"))
	y, v, study, effect := assink(t, dir)
	d, err := NewDesign(len(y), []Column{{Name: "deltype", Values: textsOf(rows, "deltype")}, {Name: "year", Values: textsOf(rows, "year")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	robust := wanted(t, dir, "robust.csv")
	for _, rho := range []float64{0.3, 0.6, 0.8} {
		name := fmt.Sprintf("CHE rho=%g ~deltype+year", rho)
		m, err := AnalyseMixed(y, Sampling{V: v, Rho: rho, Cluster: study.Values}, d.X, d.Names, Random{Levels: Nested([]Column{study, effect})}, MetaOptions{Method: REML, Test: TestT})
		if err != nil {
			t.Fatal(err)
		}
		c, err := m.RobustCovariance(study.Values, CR2)
		if err != nil {
			t.Fatal(err)
		}
		var beta []float64
		for _, term := range m.Terms {
			beta = append(beta, term.Estimate)
		}
		w, got := robust[[2]string{"assink2016", name}], c.Wald(beta, []int{1, 2})
		near(t, name+" F", got.F, w["Fstat/"], 2e-5)
		near(t, name+" df", got.DF2, w["df_denom/"], 2e-5)
		near(t, name+" p", got.P, w["p_val/"], 2e-5)
		for _, kind := range Sandwiches {
			terms, _, err := m.Robust(study.Values, kind)
			if kind == CR3 && err != nil { // one study alone carries a level: CR3 is undefined, the reference's is rounding
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			w := robust[[2]string{"assink2016", name + "|" + string(kind)}]
			for i, n := range []string{"intrcpt", "deltypegeneral", "deltypeovert", "year"} {
				for q, x := range map[string]float64{"SE": terms[i].SE, "df": terms[i].DF} {
					if ref, ok := w[q+"/"+n]; ok {
						near(t, name+" "+string(kind)+" "+q+" "+n, x, ref, 2e-5)
					}
				}
			}
		}
	}
}
