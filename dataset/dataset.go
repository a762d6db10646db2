// Package dataset reads a user's own table of results: CSV with any separator
// and decimal sign, or a sheet of a workbook; finds which column plays which
// role; and keeps the rows a condition picks. It does no I/O of its own.
package dataset

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
)

// MaxRows is the largest number of rows read.
const MaxRows = 2_000_000

// Options of reading. The zero value finds out.
type Options struct {
	Comma rune   // separator of a CSV file; 0 to find it
	Sheet string // of a workbook; "" for the first
}

var zipHead = []byte("PK\x03\x04")

// Read parses the bytes of a file. Notes say what was assumed about it.
func Read(name string, data []byte, o Options) (t *evidence.Table, notes []string, ps []evidence.Problem) {
	if bytes.HasPrefix(data, zipHead) {
		return readWorkbook(name, data, o.Sheet)
	}
	comma := o.Comma
	if comma == 0 {
		comma = evidence.Separator(data)
	}
	t, ps = evidence.ReadTableWith(name, bytes.NewReader(data), comma, MaxRows)
	if comma != ',' && len(ps) == 0 && decimalCommas(t) {
		notes = append(notes, "numbers are read with a decimal comma")
	}
	return t, notes, ps
}

var (
	withComma = regexp.MustCompile(`^\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*$`)
	withPoint = regexp.MustCompile(`^\s*[-+]?\d*\.\d+([eE][-+]?\d+)?\s*$`)
)

// decimalCommas turns decimal commas into points where the table has some and
// no number with a point.
func decimalCommas(t *evidence.Table) bool {
	found := false
	for _, r := range t.Rows {
		for _, c := range r {
			if withPoint.MatchString(c) {
				return false
			}
			found = found || withComma.MatchString(c)
		}
	}
	if !found {
		return false
	}
	for _, r := range t.Rows {
		for i, c := range r {
			if withComma.MatchString(c) {
				r[i] = strings.Replace(c, ",", ".", 1)
			}
		}
	}
	return true
}

// problem is one error of a file.
func problem(name string, row, col int, msg, hint string) []evidence.Problem {
	return []evidence.Problem{{Severity: evidence.Error, Code: "workbook", File: name, Row: row, Col: col, Message: msg, Hint: hint}}
}

// Missing says whether a cell holds no value: empty, NA, or the marks
// spreadsheets leave.
func Missing(text string) bool {
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "", "NA", "N/A", "NAN", "NULL", ".", "#N/A", "#DIV/0!", "#VALUE!":
		return true
	}
	return false
}

// Role is a column found for a purpose.
type Role struct {
	Column  string
	Guessed bool
}

// synonyms are column names commonly used for a role, in order of preference,
// compared without case, blanks, dots and underscores.
var synonyms = map[string][]string{
	"yi":    {"yi", "y", "g", "hedgesg", "smd", "d", "cohensd", "es", "effectsize", "effect", "te", "logrr", "lnrr", "logor", "estimate", "md"},
	"vi":    {"vi", "v", "var", "variance", "vg", "vd", "vary"},
	"sei":   {"sei", "se", "sete", "stderr", "standarderror", "seg", "sed", "sey"},
	"n1i":   {"n1i", "n1", "nt", "nrt", "nexp", "ntreat", "ntreatment", "nint", "nintervention", "ne"},
	"m1i":   {"m1i", "m1", "mt", "mrt", "mexp", "mean1", "meant", "meantreatment", "meanint", "meane"},
	"sd1i":  {"sd1i", "sd1", "sdt", "sdrt", "sdexp", "sdtreatment", "sdint", "sde"},
	"n2i":   {"n2i", "n2", "nc", "ncon", "ncontrol", "nctrl"},
	"m2i":   {"m2i", "m2", "mc", "mcon", "mean2", "meanc", "meancontrol", "meanctrl"},
	"sd2i":  {"sd2i", "sd2", "sdc", "sdcon", "sdcontrol", "sdctrl"},
	"study": {"study", "studyid", "trial", "trialid", "id", "cohort", "author"},
	"dose":  {"dose", "dosei", "x"},
	"n":     {"n", "ni", "nobs", "total", "size"},
	"mean":  {"mean", "m", "mi", "y", "yi"},
	"sd":    {"sd", "sdi", "s"},
	"cases": {"cases", "events", "r"},
	"type":  {"type", "design"},
}

var noise = strings.NewReplacer(" ", "", "_", "", ".", "", "-", "", "'", "")

// Find is the column of a role: the name asked for where the table has it,
// otherwise one of its synonyms.
func Find(t *evidence.Table, role, asked string) (Role, bool) {
	if t.Col(asked) >= 0 {
		return Role{Column: asked}, true
	}
	plain := map[string]string{}
	for _, h := range t.Header {
		k := strings.ToLower(noise.Replace(h))
		if _, ok := plain[k]; !ok {
			plain[k] = h
		}
	}
	for _, s := range synonyms[role] {
		if h, ok := plain[s]; ok {
			return Role{h, true}, true
		}
	}
	return Role{}, false
}

// String tells the role of a column.
func (r Role) String() string {
	if r.Guessed {
		return fmt.Sprintf("%s (guessed)", r.Column)
	}
	return r.Column
}
