package dataset

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/myoaxis/myoaxis/evidence"
)

// ConditionError is a fault in a condition, with the column (from 0) it was
// found at and what can be written there.
type ConditionError struct {
	Text    string
	Pos     int
	Message string
	Hint    string
}

// Error points a caret at the place.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("%s\n  %s\n  %s^", e.Message, e.Text, strings.Repeat(" ", max(0, min(e.Pos, len([]rune(e.Text))))))
}

// Where keeps the rows for which a condition such as
// domain == 'memory' && weeks >= 12 holds. A column whose values are all
// numbers is numeric, any other is text. A missing number compares false with
// everything; columns with odd names are written row["the name"].
func Where(t *evidence.Table, condition string) (*evidence.Table, error) {
	numeric := map[string]bool{}
	env := map[string]any{}
	for _, h := range t.Header {
		numeric[h] = isNumeric(t, h)
		env[h] = ""
		if numeric[h] {
			env[h] = 0.0
		}
	}
	row := map[string]any{}
	env["row"] = row
	p, err := expr.Compile(condition, expr.Env(env), expr.AsBool(), expr.MaxNodes(1000))
	if err != nil {
		return nil, conditionError(condition, err, t.Header)
	}
	out, _ := evidence.NewTable(t.File, t.Header, nil, nil)
	var machine vm.VM
	for r := range t.Rows {
		for _, h := range t.Header {
			text := t.Text(r, h)
			env[h] = text
			if numeric[h] {
				env[h] = math.NaN()
				if v, err := strconv.ParseFloat(text, 64); err == nil {
					env[h] = v
				}
			}
			row[h] = env[h]
		}
		keep, err := machine.Run(p, env)
		if err != nil {
			return nil, conditionError(condition, fmt.Errorf("line %d: %w", t.Lines[r], err), t.Header)
		}
		if keep.(bool) {
			out.Rows, out.Lines = append(out.Rows, t.Rows[r]), append(out.Lines, t.Lines[r])
		}
	}
	return out, nil
}

func isNumeric(t *evidence.Table, col string) bool {
	any := false
	for r := range t.Rows {
		text := t.Text(r, col)
		if Missing(text) {
			continue
		}
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return false
		}
		any = true
	}
	return any
}

func conditionError(text string, err error, header []string) error {
	out := &ConditionError{Text: text, Message: err.Error(), Hint: "columns: " + strings.Join(header, ", ") + "; write == != < <= > >= && || ! in, and text in quotes"}
	if fe, ok := err.(*file.Error); ok {
		out.Pos, out.Message = fe.Column, fe.Message
	} else {
		out.Message, _, _ = strings.Cut(out.Message, "\n")
	}
	return out
}
