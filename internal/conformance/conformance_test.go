package conformance

import "testing"

// A documented row that is not reproduced is stale; more rows are not.
func TestStale(t *testing.T) {
	var b Book
	b.Note("m", "d", 1, 1)
	document := b.table()
	b.Note("m", "other", 1, 1)
	if row, bad := stale(document, b.table()); bad {
		t.Errorf("a further row made %q stale", row)
	}
	b.Note("m", "d", 1.1, 1)
	if _, bad := stale(document, b.table()); !bad {
		t.Error("a deviation of 0.1 went unnoticed")
	}
}
