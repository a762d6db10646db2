package evidence

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

//go:embed pack/*.csv pack/datapackage.json pack/CHANGELOG.md pack/CODEBOOK.md
var packFS embed.FS

// Package is the part of a Frictionless data package descriptor that the
// checks use (Data Package v1 specification).
type Package struct {
	Name, Title, Version string
	Resources            []Resource
}

// Resource describes one CSV file of a pack.
type Resource struct {
	Name, Path, Title string
	Schema            struct {
		Fields      []Field
		PrimaryKey  string
		ForeignKeys []struct {
			Fields    string
			Reference struct{ Resource, Fields string }
		}
	}
}

// Field describes one column: its type (string, integer or number) and the
// values it may hold.
type Field struct {
	Name, Type  string
	Constraints struct {
		Required         bool
		Unique           bool
		Enum             []string
		Minimum, Maximum *float64
		ExclusiveMinimum *float64
	}
}

// Codebook returns the schema every pack is checked against: that of the
// embedded pack, so that a user's descriptor cannot loosen a check.
func Codebook() Package {
	var p Package
	data, err := packFS.ReadFile("pack/datapackage.json")
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		panic("evidence: embedded datapackage.json: " + err.Error())
	}
	return p
}

// checkSchema checks types, required cells, value sets and ranges.
func checkSchema(t *Table, res Resource) []Problem {
	var ps []Problem
	if t.Header == nil {
		return nil
	}
	for _, f := range res.Schema.Fields {
		if f.Constraints.Required && t.Col(f.Name) < 0 {
			ps = append(ps, Problem{Error, "missing-column", t.File, 1, 1, fmt.Sprintf("the column %q is missing", f.Name), "add it; see the codebook of the pack"})
		}
	}
	for c, h := range t.Header {
		k := slices.IndexFunc(res.Schema.Fields, func(f Field) bool { return f.Name == h })
		if k < 0 {
			ps = append(ps, Problem{Warning, "unknown-column", t.File, 1, c + 1, fmt.Sprintf("the column %q is not in the codebook", h), "it is kept but not used"})
			continue
		}
		f := res.Schema.Fields[k]
		seen := map[string]int{}
		for r := range t.Rows {
			v := t.Text(r, h)
			if msg, hint, code := f.check(v); msg != "" {
				ps = append(ps, Problem{Error, code, t.File, t.Lines[r], c + 1, h + ": " + msg, hint})
			}
			if f.Constraints.Unique && v != "" {
				if first, dup := seen[v]; dup {
					ps = append(ps, Problem{Error, "duplicate-id", t.File, t.Lines[r], c + 1, fmt.Sprintf("%s: %q stands already on line %d", h, v, first), "give each row its own id, or remove the copy"})
				} else {
					seen[v] = t.Lines[r]
				}
			}
		}
	}
	return ps
}

func (f Field) check(v string) (msg, hint, code string) {
	c := f.Constraints
	if v == "" {
		if c.Required {
			return "the cell is empty", "this column must be filled", "required"
		}
		return "", "", ""
	}
	if len(c.Enum) > 0 && !slices.Contains(c.Enum, v) {
		return fmt.Sprintf("%q is not one of %s", v, strings.Join(c.Enum, ", ")), "use one of the listed values", "enum"
	}
	if f.Type != "number" && f.Type != "integer" {
		return "", "", ""
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Sprintf("%q is not a number", v), numberHint(v), "type"
	}
	if f.Type == "integer" && x != math.Trunc(x) {
		return fmt.Sprintf("%s is not a whole number", v), "counts are whole numbers", "type"
	}
	switch {
	case c.ExclusiveMinimum != nil && x <= *c.ExclusiveMinimum:
		return fmt.Sprintf("%s is not above %g", v, *c.ExclusiveMinimum), rangeHint(f.Name), "range"
	case c.Minimum != nil && x < *c.Minimum:
		return fmt.Sprintf("%s is below %g", v, *c.Minimum), rangeHint(f.Name), "range"
	case c.Maximum != nil && x > *c.Maximum:
		return fmt.Sprintf("%s is above %g", v, *c.Maximum), rangeHint(f.Name), "range"
	}
	return "", "", ""
}

func numberHint(v string) string {
	if strings.Contains(v, ",") {
		return "write a point as decimal mark"
	}
	return "leave the cell empty where the paper prints no number"
}

func rangeHint(col string) string {
	switch {
	case strings.HasPrefix(col, "sd_"), strings.HasPrefix(col, "se"):
		return "a standard deviation or error is positive"
	case strings.HasPrefix(col, "n_"), col == "n":
		return "a group needs at least 2 people"
	case col == "p_value", col == "alpha":
		return "a probability lies between 0 and 1"
	case strings.Contains(col, "weeks"):
		return "weeks, not days or months"
	case strings.Contains(col, "pct"):
		return "percent"
	}
	return "check the unit and the decimal mark"
}
