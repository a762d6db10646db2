package dataset

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/myoaxis/myoaxis/evidence"
)

var rangeText = regexp.MustCompile(`^\s*([0-9.]+)\s*(?:-|–|to)\s*([0-9.]+)\s*$`)

// span reads a number or a range such as 2-3; NaN where the cell is missing.
func span(text string) (low, high float64, ok bool) {
	if Missing(text) {
		return math.NaN(), math.NaN(), true
	}
	if v, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
		return v, v, true
	}
	m := rangeText.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, false
	}
	low, e1 := strconv.ParseFloat(m[1], 64)
	high, e2 := strconv.ParseFloat(m[2], 64)
	return low, high, e1 == nil && e2 == nil && low <= high
}

// Doses are the doses of every row as intervals: of a column, or of an
// expression over columns such as sets * sessions + 0.5 * helper_sets, which
// must grow with each of them. A missing dose is NaN. The problem, if any, names
// the cell.
func Doses(t *evidence.Table, by string) (low, high []float64, err error) {
	low, high = make([]float64, len(t.Rows)), make([]float64, len(t.Rows))
	if t.Col(by) >= 0 {
		for r := range t.Rows {
			var ok bool
			if low[r], high[r], ok = span(t.Text(r, by)); !ok {
				return nil, nil, badDose(t, r, by)
			}
		}
		return low, high, nil
	}
	env := map[string]any{}
	usable := map[string]bool{}
	for _, h := range t.Header {
		if usable[h] = isSpans(t, h); usable[h] {
			env[h] = 0.0
		} else {
			env[h] = ""
		}
	}
	p, cerr := expr.Compile(by, expr.Env(env), expr.AsFloat64(), expr.MaxNodes(1000))
	if cerr != nil {
		return nil, nil, conditionError(by, cerr, t.Header)
	}
	var machine vm.VM
	for r := range t.Rows {
		for side, out := range [][]float64{low, high} {
			for h := range usable {
				if usable[h] {
					l, u, _ := span(t.Text(r, h))
					env[h] = l
					if side == 1 {
						env[h] = u
					}
				}
			}
			v, err := machine.Run(p, env)
			if err != nil {
				return nil, nil, conditionError(by, fmt.Errorf("line %d: %w", t.Lines[r], err), t.Header)
			}
			out[r] = v.(float64)
		}
		if low[r] > high[r] {
			return nil, nil, &ConditionError{Text: by, Message: fmt.Sprintf("line %d: the dose falls from %g to %g as its parts grow", t.Lines[r], low[r], high[r]), Hint: "a dose grows with each of its parts"}
		}
	}
	return low, high, nil
}

// CellError is a cell that holds no dose.
type CellError struct{ Message string }

func (e *CellError) Error() string { return e.Message }

func badDose(t *evidence.Table, r int, col string) error {
	return &CellError{fmt.Sprintf("%s:%d:%d: %q is no dose (a number, or a range such as 2-3)", t.File, t.Lines[r], t.Col(col)+1, t.Text(r, col))}
}

// isSpans says whether a column holds numbers or ranges only, and some.
func isSpans(t *evidence.Table, col string) bool {
	some := false
	for r := range t.Rows {
		l, _, ok := span(t.Text(r, col))
		if !ok {
			return false
		}
		some = some || !math.IsNaN(l)
	}
	return some
}
