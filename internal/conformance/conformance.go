// Package conformance keeps the book of what the tests compared with reference
// results, and writes it into docs/conformance.md. Only tests import it.
package conformance

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Book counts comparisons by method and data set.
type Book struct {
	mu   sync.Mutex
	rows map[[2]string]*row
}

type row struct {
	n     int
	worst float64
}

// Note enters one comparison; the deviation is relative, absolute below 0.001.
func (b *Book) Note(method, dataset string, got, want float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rows == nil {
		b.rows = map[[2]string]*row{}
	}
	k := [2]string{method, dataset}
	if b.rows[k] == nil {
		b.rows[k] = &row{}
	}
	b.rows[k].n++
	if d := math.Abs(got-want) / math.Max(1e-3, math.Abs(want)); !math.IsNaN(d) {
		b.rows[k].worst = math.Max(b.rows[k].worst, d)
	}
}

// table is the book as Markdown. Deviations are rounded up to a power of ten,
// so that the last digits of another processor do not change the document.
func (b *Book) table() string {
	keys := make([][2]string, 0, len(b.rows))
	total := 0
	for k, r := range b.rows {
		keys = append(keys, k)
		total += r.n
	}
	slices.SortFunc(keys, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	var out strings.Builder
	fmt.Fprintf(&out, "%d values.\n\n| method | data set | values | largest relative deviation |\n|---|---|---|---|\n", total)
	for _, k := range keys {
		r := b.rows[k]
		size := "below 1e-12"
		if r.worst > 1e-12 {
			size = fmt.Sprintf("below 1e%d", int(math.Ceil(math.Log10(r.worst))))
		}
		fmt.Fprintf(&out, "| %s | %s | %d | %s |\n", k[0], k[1], r.n, size)
	}
	return out.String()
}

// stale is the first row of the document that the tests did not reproduce. More
// rows than the document has are no fault: other reference results may be there.
func stale(document, table string) (string, bool) {
	rows := map[string]bool{}
	for _, r := range strings.Split(table, "\n") {
		rows[r] = true
	}
	for _, r := range strings.Split(document, "\n") {
		if strings.HasPrefix(r, "| ") && !rows[r] {
			return r, true
		}
	}
	return "", false
}

// Main runs the tests of a package and then compares its section of the
// document with the book, or rewrites it where MYOAXIS_UPDATE is set. Only whole
// runs that had reference results count.
func (b *Book) Main(m *testing.M, path, section string) int {
	code := m.Run()
	if run := lookup("test.run"); code != 0 || run != "" || lookup("test.fuzz") != "" || testing.Short() || len(b.rows) == 0 {
		return code
	}
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	open, end := "<!-- "+section+" -->\n", "<!-- end of "+section+" -->"
	head, rest, ok := strings.Cut(string(data), open)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		fmt.Printf("%s has no section %s\n", path, section)
		return 1
	}
	if os.Getenv("MYOAXIS_UPDATE") == "" {
		if row, ok := stale(old, b.table()); ok {
			fmt.Printf("%s: the section %s is out of date at %s: run the tests with MYOAXIS_UPDATE=1\n", path, section, row)
			return 1
		}
		return code
	}
	if err := os.WriteFile(path, []byte(head+open+b.table()+end+tail), 0o644); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}
