package calibrate

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the generated documents")

// The generated documents are fresh.
func TestDocuments(t *testing.T) {
	p, m := embedded(t)
	post := mustShipped(t, p, m)
	v, r := ShippedValidation(post), ShippedRules(post)
	if v == nil || r == nil {
		t.Fatal("validation or rules belong to another posterior")
	}
	raw, err := os.ReadFile("sbc.json")
	if err != nil {
		t.Fatal(err)
	}
	var s SBCReport
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	if s.Model != ModelHash() {
		t.Error("the simulation-based calibration was run with another model: myoaxis calibrate --sbc calibrate/sbc.json")
	}
	var table bytes.Buffer
	if err := WriteTable(&table, NewProblem(p, m).Data.Table()); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"model.md": ModelDocument(m, post), "calibration.md": CalibrationDocument(post, v, r, &s), "observations.csv": table.String()} {
		path := filepath.Join("..", "docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != text {
			t.Errorf("docs/%s is out of date: go test ./calibrate -run TestDocuments -update", name)
		}
	}
}
