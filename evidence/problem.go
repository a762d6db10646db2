package evidence

import (
	"fmt"
	"sort"
	"strings"
)

// Severity ranks a Problem.
type Severity int

// Warning marks something a reader should look at; Error makes the pack unfit
// for use.
const (
	Warning Severity = iota
	Error
)

// Problem is one fault in a pack. Row is the line in the file (the header is
// line 1, 0 means the whole file) and Col the column counted from 1.
type Problem struct {
	Severity Severity
	Code     string // stable short name of the check, e.g. "sd-not-positive"
	File     string
	Row, Col int
	Message  string
	Hint     string
}

// String formats the problem as file:row:column: message (hint).
func (p Problem) String() string {
	msg := p.Message
	if p.Severity == Warning {
		msg = "warning: " + msg
	}
	return fmt.Sprintf("%s:%d:%d: %s (%s)", p.File, p.Row, p.Col, msg, p.Hint)
}

// Errors counts the problems that make a pack unfit for use.
func Errors(ps []Problem) int {
	n := 0
	for _, p := range ps {
		if p.Severity == Error {
			n++
		}
	}
	return n
}

// SortProblems orders problems by file, row, column and code.
func SortProblems(ps []Problem) {
	sort.SliceStable(ps, func(i, j int) bool {
		a, b := ps[i], ps[j]
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c < 0
		}
		if a.Row != b.Row {
			return a.Row < b.Row
		}
		if a.Col != b.Col {
			return a.Col < b.Col
		}
		return a.Code < b.Code
	})
}

// LoadError says that a pack cannot be used; it carries every problem found.
type LoadError struct{ Problems []Problem }

func (e *LoadError) Error() string {
	n := Errors(e.Problems)
	for _, p := range e.Problems {
		if p.Severity == Error {
			return fmt.Sprintf("the evidence has %d error(s), the first: %s", n, p)
		}
	}
	return "the evidence has no errors"
}
