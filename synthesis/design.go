package synthesis

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Column is one moderator as text, a value a row.
type Column struct {
	Name   string
	Values []string
	// Factor treats numbers as levels too.
	Factor bool
}

// Design is a design matrix: a numeric moderator is a column, any other a
// factor with one column a level but the first in alphabetical order (numeric
// levels in numeric order). Skip lists the rows with a missing value, which
// are left out; Dropped the columns left out because they are linear
// combinations of those before them.
type Design struct {
	X       *mat.Dense
	Names   []string
	Skip    []int
	Dropped []string
}

// MaxColumns bounds the columns of a design: a factor with more levels is a
// random term.
const MaxColumns = 500

// NewDesign builds the design of n rows with an intercept, moderators and
// interactions, written a:b.
func NewDesign(n int, cols []Column, interactions [][2]string) (*Design, error) {
	d := &Design{}
	keep := make([]int, 0, n)
	for i := range n {
		if slices.ContainsFunc(cols, func(c Column) bool { return strings.TrimSpace(c.Values[i]) == "" || c.Values[i] == "NA" }) {
			d.Skip = append(d.Skip, i)
		} else {
			keep = append(keep, i)
		}
	}
	if len(keep) == 0 {
		return d, &DataError{"no row has all the moderators"}
	}
	ones := make([]float64, len(keep))
	for i := range ones {
		ones[i] = 1
	}
	names := []string{Intercepted}
	blocks := [][]float64{ones}
	byName := map[string][]int{} // moderator -> its columns
	for _, c := range cols {
		if n := c.width(keep); n > MaxColumns {
			return d, &DataError{fmt.Sprintf("the moderator %s has %d levels, at most %d are supported: use it as a random term", c.Name, n, MaxColumns)}
		}
		b, bn := c.expand(keep)
		for k := range b {
			byName[c.Name] = append(byName[c.Name], len(blocks))
			blocks, names = append(blocks, b[k]), append(names, bn[k])
		}
	}
	for _, in := range interactions {
		for _, a := range byName[in[0]] {
			for _, b := range byName[in[1]] {
				v := make([]float64, len(keep))
				for i := range v {
					v[i] = blocks[a][i] * blocks[b][i]
				}
				blocks, names = append(blocks, v), append(names, names[a]+":"+names[b])
			}
		}
	}
	if len(blocks) > MaxColumns {
		return d, &DataError{fmt.Sprintf("the moderators make %d columns, at most %d are supported", len(blocks), MaxColumns)}
	}
	flat := make([]float64, 0, len(keep)*len(blocks))
	for i := range keep {
		for _, b := range blocks {
			flat = append(flat, b[i])
		}
	}
	used := independent(flat, len(blocks))
	d.X = mat.NewDense(len(keep), len(used), nil)
	for j, b := range blocks {
		if k := slices.Index(used, j); k >= 0 {
			d.X.SetCol(k, b)
			d.Names = append(d.Names, names[j])
		} else {
			d.Dropped = append(d.Dropped, names[j])
		}
	}
	return d, nil
}

// width is the number of columns of a moderator.
func (c Column) width(keep []int) int {
	if _, ok := c.numbers(keep); ok {
		return 1
	}
	levels := map[string]bool{}
	for _, k := range keep {
		levels[c.Values[k]] = true
	}
	return len(levels) - 1
}

// numbers are the values where all are numbers and the moderator is no factor.
func (c Column) numbers(keep []int) ([]float64, bool) {
	vals := make([]float64, len(keep))
	for i, k := range keep {
		v, err := strconv.ParseFloat(strings.TrimSpace(c.Values[k]), 64)
		if c.Factor || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, false
		}
		vals[i] = v
	}
	return vals, true
}

// expand turns a moderator into its columns.
func (c Column) expand(keep []int) (cols [][]float64, names []string) {
	if vals, ok := c.numbers(keep); ok {
		return [][]float64{vals}, []string{c.Name}
	}
	levels := c.levels(keep)
	if len(levels) == 1 { // a constant: dropped beside the intercept, and named so
		one := make([]float64, len(keep))
		for i := range one {
			one[i] = 1
		}
		return [][]float64{one}, []string{c.Name + "=" + levels[0]}
	}
	for _, l := range levels[1:] {
		v := make([]float64, len(keep))
		for i, k := range keep {
			if c.Values[k] == l {
				v[i] = 1
			}
		}
		cols, names = append(cols, v), append(names, c.Name+"="+l)
	}
	return cols, names
}

func (c Column) levels(keep []int) []string {
	var l []string
	seen := map[string]bool{}
	for _, k := range keep {
		if !seen[c.Values[k]] {
			seen[c.Values[k]] = true
			l = append(l, c.Values[k])
		}
	}
	slices.SortFunc(l, func(a, b string) int {
		x, ex := strconv.ParseFloat(a, 64)
		y, ey := strconv.ParseFloat(b, 64)
		if ex == nil && ey == nil {
			if x < y {
				return -1
			}
			return 1
		}
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	})
	return l
}
