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

// Design builds a design matrix with an intercept: a numeric moderator is a
// column, any other a factor with one column a level but the first in
// alphabetical order (numeric levels in numeric order). Interactions are
// written a:b. skip lists the rows with a missing value, which are left out.
func Design(n int, cols []Column, interactions [][2]string) (x *mat.Dense, names []string, skip []int, err error) {
	for i := range n {
		for _, c := range cols {
			if strings.TrimSpace(c.Values[i]) == "" || c.Values[i] == "NA" {
				skip = append(skip, i)
				break
			}
		}
	}
	keep := make([]int, 0, n)
	for i := range n {
		if !slices.Contains(skip, i) {
			keep = append(keep, i)
		}
	}
	if len(keep) == 0 {
		return nil, nil, skip, &DataError{"no row has all the moderators"}
	}
	ones := make([]float64, len(keep))
	for i := range ones {
		ones[i] = 1
	}
	names = []string{Intercepted}
	blocks := [][]float64{ones}
	byName := map[string][]int{} // moderator -> its columns
	for _, c := range cols {
		b, bn := c.expand(keep)
		if len(b) == 0 {
			return nil, nil, skip, &DataError{fmt.Sprintf("the moderator %s has one value only", c.Name)}
		}
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
	x = mat.NewDense(len(keep), len(blocks), nil)
	for j, b := range blocks {
		x.SetCol(j, b)
	}
	return x, names, skip, nil
}

// expand turns a moderator into its columns.
func (c Column) expand(keep []int) (cols [][]float64, names []string) {
	numeric := !c.Factor
	vals := make([]float64, len(keep))
	for i, k := range keep {
		v, err := strconv.ParseFloat(strings.TrimSpace(c.Values[k]), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			numeric = false
			break
		}
		vals[i] = v
	}
	if numeric {
		if slices.Max(vals) == slices.Min(vals) {
			return nil, nil
		}
		return [][]float64{vals}, []string{c.Name}
	}
	for _, l := range c.levels(keep)[1:] {
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
	for _, k := range keep {
		if !slices.Contains(l, c.Values[k]) {
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
