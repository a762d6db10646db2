package conformance

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
)

// Oracles is the folder of the reference results; a test that needs them is
// skipped where they are not beside the checkout.
func Oracles(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "oracles")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the reference results are not beside this checkout")
	}
	return dir
}

// ReadCSV reads a table as one map of columns a row.
func ReadCSV(t testing.TB, path string) (out []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	recs, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs[1:] {
		m := map[string]string{}
		for i, h := range recs[0] {
			m[h] = r[i]
		}
		out = append(out, m)
	}
	return out
}
