package effect

import (
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/myoaxis/myoaxis/internal/conformance"
)

// Where the reference results lie beside the checkout, the effect sizes agree
// with metafor's escalc to 1e-9.
func TestSharedOraclesEffectSizes(t *testing.T) {
	dir := conformance.Oracles(t)
	type pair = [2]float64
	got := map[string][]pair{}
	var as, bs []Group
	put := func(name string, y, v float64, err error) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got[name] = append(got[name], pair{y, v})
	}
	num := func(m map[string]string, k string) float64 { v, _ := strconv.ParseFloat(m[k], 64); return v }
	for _, r := range conformance.ReadCSV(t, filepath.Join(dir, "inputs", "dat.normand1999.csv")) {
		a := Group{int(num(r, "n1i")), num(r, "m1i"), num(r, "sd1i")}
		b := Group{int(num(r, "n2i")), num(r, "m2i"), num(r, "sd2i")}
		y, v, err := MD(a, b)
		put("MD", y, v, err)
		y, v, err = ROM(a, b)
		put("ROM", y, v, err)
		as, bs = append(as, a), append(bs, b)
		y, v, err = SMDH(a, b)
		put("SMDH", y, v, err)
		y, v, err = SMD1(a, b)
		put("SMD1", y, v, err)
		y, v, err = LogVR(a, b)
		put("VR", y, v, err)
		for _, vt := range []Vtype{LS, UB, LS2} {
			y, v, err = SMDWith(a, b, vt)
			put("SMD vtype="+string(vt), y, v, err)
		}
	}
	g, gv, err := SMDAverage(as, bs)
	for i := range g {
		put("SMD vtype=AV", g[i], gv[i], err)
	}
	for _, r := range conformance.ReadCSV(t, filepath.Join(dir, "inputs", "dat.bcg.csv")) {
		tb := Table{num(r, "tpos"), num(r, "tneg"), num(r, "cpos"), num(r, "cneg")}
		y, v, err := LogRR(tb)
		put("RR", y, v, err)
		y, v, err = LogOR(tb)
		put("OR", y, v, err)
		y, v, err = RD(tb)
		put("RD", y, v, err)
		y, v, err = Peto(tb)
		put("PETO", y, v, err)
		y, v, err = ArcsineRD(tb)
		put("AS", y, v, err)
	}
	for _, r := range conformance.ReadCSV(t, filepath.Join(dir, "inputs", "morris2008_C.csv")) {
		p := Paired{int(num(r, "ni")), num(r, "m_post"), num(r, "m_pre"), num(r, "sd_post"), num(r, "sd_pre"), num(r, "ri")}
		y, v, err := MC(p)
		put("MC", y, v, err)
		y, v, err = SMCC(p)
		put("SMCC", y, v, err)
		y, v, err = ROMC(p)
		put("ROMC", y, v, err)
		p.SD1 = num(r, "sd_pre")
		y, v, err = SMCR(p)
		put("SMCR", y, v, err)
	}
	options := map[string]string{}
	for _, r := range conformance.ReadCSV(t, filepath.Join(dir, "effect_sizes_options.csv")) {
		options[r["opt"]] = r["options"]
	}
	n := 0
	for _, r := range conformance.ReadCSV(t, filepath.Join(dir, "effect_sizes.csv")) {
		name := r["case"]
		if name == "SMD" {
			name += " " + options[r["opt"]]
		}
		i, err := strconv.Atoi(r["index"])
		if g, ok := got[name]; ok && err == nil && i <= len(g) && r["stable"] == "1" {
			k := 0
			if r["quantity"] == "vi" {
				k = 1
			} else if r["quantity"] != "yi" {
				continue
			}
			want, _ := strconv.ParseFloat(r["value"], 64)
			n++
			book.Note("escalc "+name, r["dataset"], g[i-1][k], want)
			if math.Abs(g[i-1][k]-want) > 1e-9*math.Max(1, math.Abs(want)) {
				t.Errorf("%s %s %d: %.12g, metafor %.12g", name, r["quantity"], i, g[i-1][k], want)
			}
		}
	}
	t.Logf("%d values agree", n)
	if n < 100 {
		t.Errorf("only %d values were compared", n)
	}
}

// The five pre–post–control trials of Morris (2008) give dppc2 = 0.77, 0.80,
// 1.20, 1.05, 0.44 (also in metafor's worked example of that paper).
func TestMorris2008(t *testing.T) {
	trained := []PrePost{{20, 30.6, 38.5, 15.0, 0.47}, {50, 23.5, 26.8, 3.1, 0.64}, {9, 0.5, 0.7, 0.1, 0.77}, {10, 53.4, 75.9, 14.5, 0.89}, {14, 35.6, 36.0, 4.7, 0.44}}
	control := []PrePost{{20, 23.1, 19.7, 13.8, 0.47}, {42, 24.9, 25.3, 4.1, 0.64}, {9, 0.6, 0.6, 0.2, 0.77}, {11, 55.7, 60.7, 17.3, 0.89}, {14, 34.8, 33.4, 3.1, 0.44}}
	for i, want := range []float64{0.77, 0.80, 1.20, 1.05, 0.44} {
		g, v, err := DPPC2(trained[i], control[i])
		if err != nil || math.Abs(g-want) > 0.006 || !(v > 0) {
			t.Errorf("trial %d: %.4f (variance %.3g), printed %.2f, %v", i+1, g, v, want, err)
		}
	}
}
