package evidence

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEmbeddedPackIsClean(t *testing.T) {
	p, ps := Embedded()
	for _, q := range ps {
		if q.Severity == Error {
			t.Error(q)
		}
	}
	if len(p.Contrasts) == 0 || len(p.Claims) == 0 {
		t.Error("the pack is empty")
	}
	for _, c := range p.Contrasts {
		if c.Loc.Source == "" || c.Loc.Locator == "" {
			t.Errorf("%s has no source or locator", c.ID)
		}
		if c.Domain != c.DomainRaw && c.DomainReason == "" {
			t.Errorf("%s was moved from %s to %s without a reason", c.ID, c.DomainRaw, c.Domain)
		}
	}
}

// rawTables says which table of the pack holds the rows of each raw file.
var rawTables = map[string]string{"trials_contrasts": "contrasts", "trials_arms": "arm_outcomes", "pooled": "pooled", "biomarkers": "biomarkers", "biomarker_pooled": "biomarker_pooled",
	"kinetics": "kinetics", "mechanisms": "claims", "prescriptions": "arms", "strength_dose": "strength_dose", "mediation": "mediation", "existing_models": "models"}

// Every row of the compiled record is in the pack once, or in excluded.csv.
func TestEveryRawRowIsAccountedFor(t *testing.T) {
	p, _ := Embedded()
	seen := map[string]int{}
	for _, table := range append([]string{"excluded"}, values(rawTables)...) {
		tb := p.Tables[table]
		for r := range tb.Rows {
			id := tb.Text(r, "raw_row")
			if id == "" {
				t.Errorf("%s line %d names no raw row", table, tb.Lines[r])
			}
			seen[id]++
		}
	}
	counts := p.Tables["raw_counts"]
	for r := range counts.Rows {
		file, n := counts.Text(r, "file"), counts.Count(r, "rows")
		for i := range n {
			id := file + ":" + itoa(i+2)
			if seen[id] != 1 {
				t.Errorf("raw row %s stands %d times in the pack", id, seen[id])
			}
			delete(seen, id)
		}
	}
	for id := range seen {
		t.Errorf("%s is no raw row", id)
	}
	ex := p.Tables["excluded"]
	for r := range ex.Rows {
		if ex.Text(r, "reason") == "" {
			t.Errorf("excluded.csv line %d gives no reason", ex.Lines[r])
		}
	}
}

// Where the compiled record lies beside the checkout, the committed counts
// are its counts.
func TestRawCountsAgainstTheRecord(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "evidence")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the compiled record is not beside this checkout")
	}
	p, _ := Embedded()
	counts := p.Tables["raw_counts"]
	for r := range counts.Rows {
		f, err := os.Open(filepath.Join(dir, counts.Text(r, "file")+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows)-1 != counts.Count(r, "rows") {
			t.Errorf("%s: %d rows, the pack accounts for %d", counts.Text(r, "file"), len(rows)-1, counts.Count(r, "rows"))
		}
	}
}

func values(m map[string]string) (v []string) {
	for _, x := range m {
		v = append(v, x)
	}
	return v
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

// tiny is a pack of one study that passes.
func tiny() fstest.MapFS {
	desc, _ := packFS.ReadFile("pack/datapackage.json")
	return fstest.MapFS{
		"datapackage.json": {Data: desc},
		"studies.csv":      {Data: []byte("study_id,cohort_id,population,n_total,source,locator\nA,A,healthy,40,10.1/x,Table 2\n")},
		"contrasts.csv": {Data: []byte("obs_id,study_id,kind,comparison,randomised,timing,weeks,instrument,higher_is_better,domain,n_rt,n_control,n_basis,form,direction,effect_type,effect,ci_low,ci_high,orientation,p_value,alpha,source,locator\n" +
			"A-1,A,RT,between,yes,end,12,MoCA,1,global,20,20,printed,estimate_ci,,SMD,0.3,-0.32,0.92,1,,,10.1/x,Table 2\n")},
	}
}

func edit(m fstest.MapFS, file, old, new string) fstest.MapFS {
	m[file] = &fstest.MapFile{Data: []byte(strings.Replace(string(m[file].Data), old, new, 1))}
	return m
}

func TestChecksFindEachFault(t *testing.T) {
	if _, ps := Load(tiny()); len(ps) != 0 {
		t.Fatalf("the tiny pack is not clean: %v", ps)
	}
	for name, c := range map[string]struct {
		fs   fs.FS
		want string // place and part of the message
	}{
		"p above 1":       {edit(tiny(), "contrasts.csv", ",1,,,10.1/x", ",1,1.4,,10.1/x"), "contrasts.csv:2:21: p_value: 1.4 is above 1"},
		"interval":        {edit(tiny(), "contrasts.csv", "0.3,-0.32,0.92", "1.3,-0.32,0.92"), "contrasts.csv:2:17: the interval does not hold the estimate"},
		"interval order":  {edit(tiny(), "contrasts.csv", "0.3,-0.32,0.92", "0.3,0.92,-0.32"), "contrasts.csv:2:18: the lower limit"},
		"n of 1":          {edit(tiny(), "contrasts.csv", "20,20,printed", "1,20,printed"), "contrasts.csv:2:11: n_rt: 1 is below 2"},
		"dangling":        {edit(tiny(), "contrasts.csv", "A-1,A,", "A-1,B,"), `contrasts.csv:2:2: the study "B" is not in studies.csv`},
		"type":            {edit(tiny(), "contrasts.csv", ",0.3,", ",0;3,"), "contrasts.csv:2:17: effect: \"0;3\" is not a number"},
		"value set":       {edit(tiny(), "contrasts.csv", "global", "mood"), "contrasts.csv:2:10: domain"},
		"whole sample":    {edit(tiny(), "contrasts.csv", "20,20,printed", "40,20,printed"), "contrasts.csv:2:11: warning: the arms hold 60"},
		"form incomplete": {edit(tiny(), "contrasts.csv", "0.3,-0.32,0.92", "0.3,,0.92"), "contrasts.csv:2:18: the form estimate_ci needs ci_low"},
		"empty":           {edit(tiny(), "contrasts.csv", string(tiny()["contrasts.csv"].Data), ""), "contrasts.csv:1:1: the file is empty"},
		"latin-1":         {edit(tiny(), "studies.csv", "Table 2", "Tabelle\xfc"), "studies.csv:2:1: the text is not UTF-8"},
		"ragged":          {edit(tiny(), "studies.csv", "Table 2", "Table 2,more"), "studies.csv:2:7: the row has 7 cells"},
		"open quote":      {edit(tiny(), "studies.csv", "Table 2", "\"Table 2"), "studies.csv:"},
		"missing file":    {fstest.MapFS{}, "contrasts.csv:0:0: the file is missing"},
	} {
		_, ps := Load(c.fs)
		found := false
		for _, q := range ps {
			found = found || strings.HasPrefix(q.String(), c.want)
		}
		if !found {
			t.Errorf("%s: want %q, found %v", name, c.want, ps)
		}
	}
}

func TestSpreadsheetFlavours(t *testing.T) {
	m := tiny()
	for f, mf := range m {
		if strings.HasSuffix(f, ".csv") {
			m[f] = &fstest.MapFile{Data: []byte("\xef\xbb\xbf" + strings.ReplaceAll(strings.ReplaceAll(string(mf.Data), ",", ";"), "\n", "\r\n"))}
		}
	}
	p, ps := Load(m)
	if len(ps) != 0 || len(p.Contrasts) != 1 || p.Contrasts[0].CIHigh != 0.92 {
		t.Errorf("%v, %d contrasts", ps, len(p.Contrasts))
	}
}

func TestTwoPacksWithTheSameStudy(t *testing.T) {
	_, ps := LoadAll(Source{"a/", tiny()}, Source{"b/", tiny()})
	found := false
	for _, q := range ps {
		found = found || strings.HasPrefix(q.String(), `b/studies.csv:2:1: study_id "A" is already in a/studies.csv, line 2`)
	}
	if !found {
		t.Errorf("%v", ps)
	}
}

func TestTooLongFileIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("long file")
	}
	_, ps := ReadTable("big.csv", strings.NewReader("a,b\n"+strings.Repeat("1,2\n", 1_000_000)))
	if len(ps) != 1 || ps[0].Code != "too-long" || ps[0].Row != MaxRows+2 {
		t.Errorf("%v", ps)
	}
}

func TestLoadErrorNamesTheFirst(t *testing.T) {
	_, ps := Load(edit(tiny(), "contrasts.csv", "global", "mood"))
	err := error(&LoadError{ps})
	var le *LoadError
	if !errors.As(err, &le) || !strings.Contains(err.Error(), "mood") {
		t.Error(err)
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("\xef\xbb\xbfa;b\r\n\"x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := tiny()
		m["contrasts.csv"] = &fstest.MapFile{Data: data}
		p, ps := Load(m)
		for _, q := range ps {
			_ = q.String()
		}
		_ = p
	})
}
