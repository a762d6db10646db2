package evidence

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxRows is the largest number of data rows accepted in one file of a pack.
// The largest reviews hold some thousands; beyond this a file is refused
// rather than read into memory.
const MaxRows = 250_000

// Table is one CSV file as text, with the line each row started on.
type Table struct {
	File   string
	Header []string
	Rows   [][]string
	Lines  []int
	index  map[string]int
}

// Col returns the position of a column counted from 0, or -1.
func (t *Table) Col(name string) int {
	if i, ok := t.index[name]; ok {
		return i
	}
	return -1
}

// Text returns a cell without surrounding blanks, "" where the column is
// missing.
func (t *Table) Text(row int, col string) string {
	c := t.Col(col)
	if c < 0 || c >= len(t.Rows[row]) {
		return ""
	}
	return strings.TrimSpace(t.Rows[row][c])
}

// Number returns a cell as a finite number, NaN where it is empty or no number.
func (t *Table) Number(row int, col string) float64 {
	v, err := strconv.ParseFloat(t.Text(row, col), 64)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// Count returns a cell as a whole number, 0 where it is empty or no number.
func (t *Table) Count(row int, col string) int {
	v := t.Number(row, col)
	if math.IsNaN(v) || math.Abs(v) > 1e9 {
		return 0
	}
	return int(v)
}

// ReadTable parses CSV text. A byte-order mark, CRLF line ends and a semicolon,
// tab or bar as separator are accepted; text that is not UTF-8, ragged rows,
// repeated column names and files over MaxRows are problems. It returns what
// it could read, so that later checks can go on.
func ReadTable(file string, r io.Reader) (*Table, []Problem) {
	return ReadTableWith(file, r, 0, MaxRows)
}

// NewTable is a table made elsewhere, with the line of every row in its file.
func NewTable(file string, header []string, rows [][]string, lines []int) (*Table, []Problem) {
	t := &Table{File: file, index: map[string]int{}, Rows: rows, Lines: lines}
	return t, t.setHeader(header)
}

// ReadTableWith is ReadTable with a given separator (0 to find it) and bound on
// the rows.
func ReadTableWith(file string, r io.Reader, comma rune, most int) (*Table, []Problem) {
	t := &Table{File: file, index: map[string]int{}}
	fail := func(row, col int, code, msg, hint string) []Problem {
		return []Problem{{Error, code, file, row, col, msg, hint}}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return t, fail(0, 0, "read", err.Error(), "check that the file can be read")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return t, fail(1, 1, "empty", "the file is empty", "the first line must hold the column names")
	}
	if row, col, ok := firstInvalidUTF8(data); !ok {
		return t, fail(row, col, "encoding", "the text is not UTF-8", "save the file as CSV UTF-8")
	}
	cr := csv.NewReader(bytes.NewReader(data))
	if cr.Comma = comma; comma == 0 {
		cr.Comma = Separator(data)
	}
	cr.FieldsPerRecord = -1
	var ps []Problem
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t, append(ps, csvProblem(file, err))
		}
		line, _ := cr.FieldPos(0)
		if t.Header == nil {
			ps = append(ps, t.setHeader(rec)...)
			continue
		}
		if len(rec) == 1 && strings.TrimSpace(rec[0]) == "" {
			continue
		}
		if len(rec) != len(t.Header) {
			ps = append(ps, Problem{Error, "ragged", file, line, len(rec), fmt.Sprintf("the row has %d cells, the header %d", len(rec), len(t.Header)), "quote cells that hold the separator"})
			continue
		}
		if len(t.Rows) == most {
			return t, append(ps, Problem{Error, "too-long", file, line, 1, fmt.Sprintf("more than %d rows", most), "split the file; no evidence base of this kind is that long"})
		}
		t.Rows, t.Lines = append(t.Rows, rec), append(t.Lines, line)
	}
	return t, ps
}

func (t *Table) setHeader(rec []string) (ps []Problem) {
	for i, h := range rec {
		h = strings.TrimSpace(h)
		t.Header = append(t.Header, h)
		if _, dup := t.index[h]; dup {
			ps = append(ps, Problem{Error, "header", t.File, 1, i + 1, fmt.Sprintf("the column %q stands twice", h), "rename or remove one"})
			continue
		}
		t.index[h] = i
	}
	return ps
}

func csvProblem(file string, err error) Problem {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return Problem{Error, "csv", file, pe.Line, pe.Column, "broken CSV: " + pe.Err.Error(), "check the quotes on this line and the one before"}
	}
	return Problem{Error, "csv", file, 0, 0, err.Error(), "check that the file is CSV"}
}

// Separator picks the candidate that occurs most in the header line.
func Separator(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best, n := ',', bytes.Count(line, []byte(","))
	for _, c := range []rune{';', '\t', '|'} {
		if k := bytes.Count(line, []byte(string(c))); k > n {
			best, n = c, k
		}
	}
	return best
}

func firstInvalidUTF8(data []byte) (row, col int, ok bool) {
	if utf8.Valid(data) {
		return 0, 0, true
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return i + 1, 1, false
		}
	}
	return 1, 1, false
}
