package dataset

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/xuri/excelize/v2"
)

func table(t *testing.T, text string) *evidence.Table {
	t.Helper()
	tab, _, ps := Read("t.csv", []byte(text), Options{})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	return tab
}

// The same table reads alike with any separator, decimal sign and file type.
func TestReadAlike(t *testing.T) {
	want := table(t, "study,yi,vi\nA,0.5,0.04\nB,-1.25,0.1\n")
	for name, text := range map[string]string{"semicolons and decimal commas": "study;yi;vi\nA;0,5;0,04\nB;-1,25;0,1\n", "tabs": "study\tyi\tvi\nA\t0.5\t0.04\nB\t-1.25\t0.1\n", "bars": "study|yi|vi\r\nA|0.5|0.04\r\nB|-1.25|0.1\r\n"} {
		got := table(t, text)
		for r := range want.Rows {
			for _, h := range want.Header {
				if got.Text(r, h) != want.Text(r, h) {
					t.Errorf("%s: row %d, %s: %q, want %q", name, r, h, got.Text(r, h), want.Text(r, h))
				}
			}
		}
	}
	f := excelize.NewFile()
	for i, row := range [][]any{{"study", "yi", "vi"}, {"A", 0.5, 0.04}, {}, {"B", -1.25, 0.1}} {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := f.SetSheetRow("Sheet1", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.NewSheet("other"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, notes, ps := Read("t.xlsx", b.Bytes(), Options{})
	if len(ps) > 0 || len(notes) != 1 || len(got.Rows) != 2 || got.Number(1, "yi") != -1.25 || got.Lines[1] != 4 {
		t.Errorf("workbook: %v %v %v", got, notes, ps)
	}
	if _, _, ps := Read("t.xlsx", b.Bytes(), Options{Sheet: "none"}); len(ps) != 1 || !strings.Contains(ps[0].Hint, "Sheet1, other") {
		t.Errorf("a sheet that is not there: %v", ps)
	}
	if _, _, ps := Read("t.xlsx", []byte("PK\x03\x04 broken"), Options{}); len(ps) != 1 {
		t.Errorf("a broken workbook: %v", ps)
	}
}

func TestWhere(t *testing.T) {
	tab := table(t, "domain,weeks,the name\nmemory,12,a\nmemory,,b\nspeed,24,c\n")
	for condition, want := range map[string]int{"domain == 'memory' && weeks >= 12": 1, "weeks > 0": 2, "!(weeks >= 0)": 1, "domain in ['speed', 'memory']": 3, `row["the name"] == "c"`: 1, "domain == 'x'": 0} {
		got, err := Where(tab, condition)
		if err != nil || len(got.Rows) != want {
			t.Errorf("%s keeps %v, want %d (%v)", condition, got, want, err)
		}
	}
	var bad *ConditionError
	for _, condition := range []string{"domain ==", "nothing > 1", "weeks", "domain > 3", "weeks / 0"} {
		if _, err := Where(tab, condition); !errors.As(err, &bad) {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

func TestDoses(t *testing.T) {
	tab := table(t, "sets,sessions,note\n3,2-3,x\n2,,y\n1,2,z\n")
	low, high, err := Doses(tab, "sets * sessions")
	if err != nil || low[0] != 6 || high[0] != 9 || !math.IsNaN(low[1]) || low[2] != 2 {
		t.Errorf("%v %v %v", low, high, err)
	}
	low, high, err = Doses(tab, "sessions")
	if err != nil || low[0] != 2 || high[0] != 3 {
		t.Errorf("%v %v %v", low, high, err)
	}
	var bad *ConditionError
	if _, _, err := Doses(tab, "10 - sessions"); !errors.As(err, &bad) {
		t.Errorf("a falling dose: %v", err)
	}
	var cell *CellError
	if _, _, err := Doses(tab, "note"); !errors.As(err, &cell) {
		t.Errorf("a dose in words: %v", err)
	}
}

func TestFind(t *testing.T) {
	tab := table(t, "Study ID,Hedges g,SE,N_t\nA,1,1,1\n")
	for role, want := range map[string]string{"yi": "Hedges g", "sei": "SE", "n1i": "N_t", "study": "Study ID"} {
		if r, ok := Find(tab, role, role); !ok || r.Column != want || !r.Guessed {
			t.Errorf("%s: %v", role, r)
		}
	}
	if _, ok := Find(tab, "vi", "vi"); ok {
		t.Error("a variance was found where there is none")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a;b\n1,5;2\n"), "a > 1")
	f.Add([]byte("a,b\n1,x\n"), "b == 'x' || a in [1, 2]")
	f.Add([]byte("PK\x03\x04"), "true")
	f.Fuzz(func(t *testing.T, data []byte, condition string) {
		if len(data) > 5000 || len(condition) > 200 {
			return
		}
		tab, _, ps := Read("f", data, Options{})
		if len(ps) > 0 {
			return
		}
		if _, err := Where(tab, condition); err != nil {
			_ = err.Error()
		}
		if _, _, err := Doses(tab, condition); err != nil {
			_ = err.Error()
		}
		for _, role := range []string{"yi", "n1i"} {
			Find(tab, role, role)
		}
	})
}
