package effect

import (
	"os"
	"testing"

	"github.com/myoaxis/myoaxis/internal/conformance"
)

// book counts what is compared with reference results, for docs/conformance.md.
var book conformance.Book

func TestMain(m *testing.M) { os.Exit(book.Main(m, "../docs/conformance.md", "effect")) }
