package evidence

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// openRows reads an open data set; the test is skipped where it is not beside
// the checkout.
func openRows(t *testing.T, file string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", "open", file))
	if err != nil {
		t.Skip("the open data sets are not beside the checkout")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, h := range rows[0] {
			m[h] = r[i]
		}
		out = append(out, m)
	}
	return out
}

// logChange is the mean and SD over people of log(post/pre); repeated tests are
// averaged.
func logChange(rows []map[string]string, value string, keep func(map[string]string) bool) (n int, mean, sd float64) {
	type key struct{ who, when string }
	sum, count := map[key]float64{}, map[key]float64{}
	var people []string
	for _, r := range rows {
		v, err := strconv.ParseFloat(r[value], 64)
		if err != nil || !keep(r) {
			continue
		}
		k := key{r["participant"], r["time"]}
		sum[k] += v
		count[k]++
		if !slices.Contains(people, k.who) {
			people = append(people, k.who)
		}
	}
	var g []float64
	for _, who := range people {
		a, b := key{who, "pre"}, key{who, "post"}
		if count[a] > 0 && count[b] > 0 {
			g = append(g, math.Log(sum[b]/count[b]/(sum[a]/count[a])))
		}
	}
	for _, v := range g {
		mean += v / float64(len(g))
	}
	for _, v := range g {
		sd += (v - mean) * (v - mean)
	}
	return len(g), mean, math.Sqrt(sd / float64(len(g)-1))
}

// The rows of muscle_outcomes.csv from open data are what the data say.
func TestOpenDataRows(t *testing.T) {
	p, _ := Embedded()
	find := func(id string) MuscleOutcome {
		return p.Muscle[slices.IndexFunc(p.Muscle, func(o MuscleOutcome) bool { return o.ID == id })]
	}
	check := func(id string, n int, mean, sd float64) {
		o := find(id)
		if o.N != n || math.Abs(o.ChangeLog-mean) > 1e-4 || math.Abs(o.Spread-sd) > 1e-4 {
			t.Errorf("%s: pack %d, %g (%g); data %d, %g (%g)", id, o.N, o.ChangeLog, o.Spread, n, mean, sd)
		}
	}
	strength := openRows(t, "rt_volume_1v3sets_hammarstrom2020/data.csv")
	for _, ex := range []string{"legpress", "legext"} {
		for sets, n := range map[string]string{"single": "1", "multiple": "3"} {
			k, m, s := logChange(strength, "load", func(r map[string]string) bool {
				return r["include"] == "incl" && r["exercise"] == ex && r["sets"] == sets
			})
			check("muscle-"+ex+"-"+n, k, m, s)
		}
	}
	dxa := openRows(t, "rt_volume_1v3sets_hammarstrom2020/dxa.csv")
	for sets, n := range map[string]string{"single": "1", "multiple": "3"} {
		for _, r := range dxa {
			r["leg"] = r[map[string]string{"L": "lean.left_leg", "R": "lean.right_leg"}[r[sets]]]
		}
		k, m, s := logChange(dxa, "leg", func(r map[string]string) bool { return r["include"] == "incl" })
		check("muscle-dxa-"+n, k, m, s)
	}
	load := openRows(t, "rt_load_10rm_30rm_ofsteng/data.csv")
	for _, ex := range []string{"benchpress", "bicepscurl", "legpress"} {
		for group, rm := range map[string]string{"RM10": "10RM", "RM30": "30RM"} {
			k, m, s := logChange(load, "load", func(r map[string]string) bool { return r["exercise"] == ex && r["group"] == group })
			check("muscle-"+rm+"-"+ex, k, m, s)
		}
	}
}
