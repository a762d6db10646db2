package sbml

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
)

// TimeCourse is the settings file of a case of the SBML Test Suite.
type TimeCourse struct {
	Start, Duration       float64
	Steps                 int
	Variables             []string
	Absolute, Relative    float64
	Amount, Concentration []string
}

// ReadSettings reads a settings file of the SBML Test Suite.
func ReadSettings(file string, data []byte) (*TimeCourse, error) {
	s := &TimeCourse{}
	given := map[string]bool{}
	for i, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		key, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !ok || value == "" {
			continue
		}
		bad := func() error {
			return &Problem{File: file, Line: i + 1, Col: 1, Element: key, Message: fmt.Sprintf("%q is not a number", value), Kind: ErrInvalid}
		}
		number := func(to *float64) error {
			v, err := parseFloat(value)
			if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
				return bad()
			}
			*to = v
			return nil
		}
		var list []string
		for _, f := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			list = append(list, f)
		}
		var err error
		key = strings.TrimSpace(key)
		given[key] = true
		switch key {
		case "start":
			err = number(&s.Start)
		case "duration":
			err = number(&s.Duration)
		case "steps":
			if s.Steps, err = strconv.Atoi(value); err != nil {
				err = bad()
			}
		case "absolute":
			err = number(&s.Absolute)
		case "relative":
			err = number(&s.Relative)
		case "variables":
			s.Variables = list
		case "amount":
			s.Amount = list
		case "concentration":
			s.Concentration = list
		}
		if err != nil {
			return nil, err
		}
	}
	return s, s.check(file, given)
}

// maxRows and maxValues bound a result.
const maxRows, maxValues = 10_000_000, 50_000_000

func (s *TimeCourse) check(file string, given map[string]bool) error {
	fail := func(kind error, key, msg string) error {
		return &Problem{File: file, Line: 1, Col: 1, Element: key, Message: msg, Kind: kind}
	}
	for _, k := range []string{"start", "duration", "steps", "variables"} {
		if !given[k] {
			return fail(ErrUnsupported, k, "it is not set: this is no time course")
		}
	}
	switch {
	case s.Duration < 0:
		return fail(ErrInvalid, "duration", "it is negative")
	case s.Start < 0:
		return fail(ErrInvalid, "start", "it is negative")
	case s.Steps < 1 || s.Steps > maxRows:
		return fail(ErrInvalid, "steps", "it is not between 1 and "+strconv.Itoa(maxRows))
	case given["absolute"] && !(s.Absolute > 0), given["relative"] && !(s.Relative > 0):
		return fail(ErrInvalid, "absolute and relative", "a tolerance is not positive")
	}
	return nil
}

// Times are the output times.
func (s *TimeCourse) Times() []float64 {
	out := make([]float64, s.Steps+1)
	for i := range out {
		out[i] = s.Start + s.Duration*float64(i)/float64(s.Steps)
	}
	return out
}

// Tolerances of the solver, well below those of the comparison.
func (s *TimeCourse) Tolerances() (rel, abs float64) {
	rel, abs = 1e-8, 1e-12
	if s.Relative > 0 {
		rel = min(rel, s.Relative*1e-3)
	}
	if s.Absolute > 0 {
		abs = min(abs, s.Absolute*1e-5)
	}
	return rel, abs
}

// columns finds the outputs of the variables.
func (b *Built) columns(s *TimeCourse) ([]int, error) {
	var out []int
	for _, v := range s.Variables {
		name := v
		if slices.Contains(s.Concentration, v) {
			name = "[" + v + "]"
		}
		c := b.Output(name)
		if c < 0 {
			return nil, &Problem{Line: 1, Col: 1, Element: v, Message: "the model has no such variable", Kind: ErrInvalid}
		}
		out = append(out, c)
	}
	return out, nil
}

// Result is a table of a time course: Values[i] belong to Times[i].
type Result struct {
	Names  []string
	Times  []float64
	Values [][]float64
	Stats  ode.Stats
	// Broken is the first time at which a constraint did not hold, NaN where
	// all did.
	Broken float64
}

// Run simulates a time course.
func (b *Built) Run(ctx context.Context, s *TimeCourse) (*Result, error) {
	rel, abs := s.Tolerances()
	return b.RunWith(ctx, s, kinetics.Settings{Settings: ode.Settings{RTol: rel, ATol: abs}, Seed: 1})
}

// RunWith simulates a time course with settings of one's own.
func (b *Built) RunWith(ctx context.Context, s *TimeCourse, set kinetics.Settings) (*Result, error) {
	cols, err := b.columns(s)
	if err != nil {
		return nil, err
	}
	if n := (s.Steps + 1) * len(cols); n > maxValues {
		return nil, &Problem{Line: 1, Col: 1, Message: fmt.Sprintf("%d values are more than a result holds (%d): ask for fewer steps or variables", n, maxValues), Kind: ErrUnsupported}
	}
	r := &Result{Names: s.Variables, Times: s.Times(), Broken: math.NaN()}
	task := kinetics.Task{T1: s.Start + s.Duration, Times: r.Times}
	r.Stats, err = b.Sys.Simulate(ctx, task, set, func(_ int, t float64, v []float64) error {
		row := make([]float64, len(cols))
		for k, c := range cols {
			row[k] = v[c]
		}
		r.Values = append(r.Values, row)
		for _, c := range b.Constraints {
			if v[c] == 0 && math.IsNaN(r.Broken) {
				r.Broken = t
			}
		}
		return nil
	})
	return r, err
}

// CSV writes a result in the form of the SBML Test Suite.
func (r *Result) CSV() []byte {
	out := []byte("time")
	for _, n := range r.Names {
		out = append(append(out, ','), n...)
	}
	out = append(out, '\n')
	number := func(v float64) {
		switch {
		case math.IsInf(v, 1):
			out = append(out, "INF"...)
		case math.IsInf(v, -1):
			out = append(out, "-INF"...)
		default:
			out = strconv.AppendFloat(out, v, 'g', -1, 64)
		}
	}
	for i, row := range r.Values {
		number(r.Times[i])
		for _, v := range row {
			out = append(out, ',')
			number(v)
		}
		out = append(out, '\n')
	}
	return out
}

// readResults reads an expected result; columns by name.
func readResults(data []byte) (names []string, rows [][]float64, err error) {
	r := csv.NewReader(strings.NewReader(string(data)))
	r.TrimLeadingSpace = true
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		return nil, nil, fmt.Errorf("the expected results cannot be read: %w", err)
	}
	for _, n := range all[0] {
		names = append(names, strings.TrimSpace(n))
	}
	for _, rec := range all[1:] {
		row := make([]float64, len(rec))
		for i, f := range rec {
			if row[i], err = parseExpected(f); err != nil {
				return nil, nil, fmt.Errorf("the expected results hold %q: %w", f, err)
			}
		}
		rows = append(rows, row)
	}
	return names, rows, nil
}

func parseExpected(s string) (float64, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "inf", "infinity":
		return math.Inf(1), nil
	case "-inf", "-infinity":
		return math.Inf(-1), nil
	case "nan":
		return math.NaN(), nil
	}
	return parseFloat(s)
}

// compare tells where a result leaves the tolerance of a case: |expected - got|
// ≤ absolute + relative·|expected|.
func compare(s *TimeCourse, r *Result, names []string, rows [][]float64) error {
	if len(rows) != len(r.Values) {
		return fmt.Errorf("%d rows, expected %d", len(r.Values), len(rows))
	}
	for k, name := range r.Names {
		c := slices.Index(names[1:], name) + 1 // the first column is the time
		if c < 1 {
			return fmt.Errorf("the expected results have no column %s", name)
		}
		for i, row := range rows {
			want, got := row[c], r.Values[i][k]
			if want == got || math.IsNaN(want) && math.IsNaN(got) {
				continue
			}
			if d := math.Abs(want - got); !(d <= s.Absolute+s.Relative*math.Abs(want)) {
				return fmt.Errorf("%s at time %g: %g, expected %g", name, r.Times[i], got, want)
			}
		}
	}
	return nil
}

// Outcome of one file of a case.
type Outcome string

// Outcomes: Unsupported is a typed refusal, Failed anything wrong.
const (
	Passed      Outcome = "pass"
	Failed      Outcome = "fail"
	Unsupported Outcome = "unsupported"
)

// CaseResult is the outcome of one file.
type CaseResult struct {
	Case    string
	Level   string // "l3v2"
	Tags    []string
	Outcome Outcome
	Detail  string
}

// OutcomesCSV is the table of outcomes, as in docs/sbml-conformance.csv.
func OutcomesCSV(results []CaseResult) []byte {
	out := []byte("case,level,outcome,detail\n")
	for _, r := range results {
		out = fmt.Appendf(out, "%s,%s,%s,%q\n", r.Case, r.Level, r.Outcome, strings.Split(r.Detail, "\n")[0])
	}
	return out
}

// Cases lists the cases of a directory of the test suite: the folders that
// hold a -settings.txt.
func Cases(dir fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if _, err := fs.Stat(dir, path.Join(e.Name(), e.Name()+"-settings.txt")); err == nil {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// RunCase runs the level and version files of a case, all where none is named.
func RunCase(ctx context.Context, dir fs.FS, id string, levels ...string) (out []CaseResult) {
	files, _ := fs.Glob(dir, path.Join(id, id+"-sbml-l*.xml"))
	slices.Sort(files)
	tags := caseTags(dir, id)
	for _, f := range files {
		level := strings.TrimSuffix(strings.TrimPrefix(path.Base(f), id+"-sbml-"), ".xml")
		if len(levels) > 0 && !slices.Contains(levels, level) {
			continue
		}
		r := CaseResult{Case: id, Level: level, Tags: tags, Outcome: Passed}
		if err := runFile(ctx, dir, id, f); err != nil {
			r.Outcome, r.Detail = Failed, err.Error()
			if errors.Is(err, ErrUnsupported) {
				r.Outcome = Unsupported
			}
		}
		out = append(out, r)
	}
	return out
}

func runFile(ctx context.Context, dir fs.FS, id, file string) error {
	read := func(suffix string) ([]byte, error) { return fs.ReadFile(dir, path.Join(id, id+suffix)) }
	text, err := read("-settings.txt")
	if err != nil {
		return err
	}
	s, err := ReadSettings(id+"-settings.txt", text)
	if err != nil {
		return err
	}
	if s.Absolute == 0 || s.Relative == 0 {
		return &Problem{File: id + "-settings.txt", Line: 1, Col: 1, Message: "without tolerances this is no deterministic time course", Kind: ErrUnsupported}
	}
	b, err := Load(dir, file)
	if err != nil {
		return err
	}
	r, err := b.Run(ctx, s)
	if err != nil {
		return err
	}
	expected, err := read("-results.csv")
	if err != nil {
		return err
	}
	names, rows, err := readResults(expected)
	if err != nil {
		return err
	}
	return compare(s, r, names, rows)
}

// Load reads, checks, flattens and builds a model; other files it names are
// read from the same file system.
func Load(dir fs.FS, file string) (*Built, error) {
	data, err := fs.ReadFile(dir, file)
	if err != nil {
		return nil, err
	}
	doc, err := Read(path.Base(file), data)
	if err != nil {
		return nil, err
	}
	flat, err := doc.Flat(func(source string) ([]byte, error) {
		return fs.ReadFile(dir, path.Join(path.Dir(file), source))
	})
	if err != nil {
		return nil, InFile(err, path.Base(file))
	}
	b, err := Build(flat)
	return b, InFile(err, path.Base(file))
}

// caseTags reads the tags in the head of a case's description.
func caseTags(dir fs.FS, id string) (out []string) {
	text, err := fs.ReadFile(dir, path.Join(id, id+"-model.m"))
	if err != nil {
		return nil
	}
	for _, line := range strings.Split(string(text), "\n") {
		key, value, ok := strings.Cut(line, ":")
		if k := strings.TrimSpace(key); ok && (k == "componentTags" || k == "testTags") {
			for _, t := range strings.Split(value, ",") {
				if t = strings.TrimSpace(t); t != "" {
					out = append(out, t)
				}
			}
		}
		if ok && strings.TrimSpace(key) == "packagesPresent" {
			break
		}
	}
	return out
}
