package synthesis

import (
	"os"
	"testing"

	"github.com/myoaxis/myoaxis/internal/conformance"
)

// book counts what is compared with reference results, for docs/conformance.md.
var book conformance.Book

func TestMain(m *testing.M) { os.Exit(book.Main(m, "../docs/conformance.md", "synthesis")) }

// The readers of the reference results.
var (
	oracles = func(t *testing.T) string { t.Helper(); return conformance.Oracles(t) }
	readCSV = func(t *testing.T, path string) []map[string]string { t.Helper(); return conformance.ReadCSV(t, path) }
)
