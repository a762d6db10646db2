package ode

import (
	"math"
	"slices"
)

// lu factorises W = shift·M - J. The order of elimination and the fill are
// found once from the pattern (minimum degree); the numeric part runs over
// that fill without row exchanges. A pivot that is small against its row sends
// this factorisation to a dense one with partial pivoting.
type lu struct {
	n         int
	order     []int // order[k] = variable eliminated k-th
	place     []int // inverse of order
	rowStart  []int // filled matrix by rows, in elimination order
	cols      []int
	diag      []int // index of the diagonal in each row
	vals      []float64
	slot      []int // place of each Jacobian entry in vals
	mass      []MassEntry
	massSlot  []int // place of each entry of M in vals
	pattern   [][2]int
	first     int       // entries of the pattern that belong to the first block
	coupling  [][2]int  // the others: rows of further blocks, columns of the first
	couplings []float64 // their values
	blocks    int
	work      []float64
	dense     []float64
	pivot     []int
	usesDense bool
}

func newLU(p Problem) *lu {
	n := p.N / (1 + p.Blocks)
	first := len(p.Pattern)
	var coupling [][2]int
	if p.Blocks > 0 {
		for first = 0; first < len(p.Pattern) && p.Pattern[first][0] < n; first++ {
		}
		coupling = p.Pattern[first:]
		p.Pattern = p.Pattern[:first]
	}
	mass := p.Mass
	if mass == nil {
		for i := range n {
			mass = append(mass, MassEntry{i, i, 1})
		}
	}
	pattern := append([][2]int(nil), p.Pattern...)
	for _, e := range mass {
		pattern = append(pattern, [2]int{e.Row, e.Col})
	}
	adj := make([]map[int]bool, n)
	for i := range adj {
		adj[i] = map[int]bool{}
	}
	for _, p := range pattern {
		if p[0] != p[1] {
			adj[p[0]][p[1]], adj[p[1]][p[0]] = true, true
		}
	}
	f := &lu{n: n, order: make([]int, 0, n), place: make([]int, n), work: make([]float64, n), mass: mass, pattern: p.Pattern, first: first, coupling: coupling, couplings: make([]float64, len(coupling)), blocks: p.Blocks}
	f.minimumDegree(adj)
	f.symbolic(pattern)
	f.slot, f.massSlot = f.slot[:len(p.Pattern)], f.slot[len(p.Pattern):]
	return f
}

// minimumDegree picks the variable with the fewest neighbours, eliminates it
// and joins its neighbours; ties go to the smaller index.
func (f *lu) minimumDegree(adj []map[int]bool) {
	gone := make([]bool, f.n)
	for k := range f.n {
		best := -1
		for v := range f.n {
			if !gone[v] && (best < 0 || len(adj[v]) < len(adj[best])) {
				best = v
			}
		}
		gone[best] = true
		f.order = append(f.order, best)
		f.place[best] = k
		for a := range adj[best] {
			delete(adj[a], best)
			for b := range adj[best] {
				if a != b {
					adj[a][b] = true
				}
			}
		}
	}
}

// symbolic finds the fill row by row: row i takes over the part right of the
// diagonal of every earlier row it is reduced by.
func (f *lu) symbolic(pattern [][2]int) {
	rows := make([]map[int]bool, f.n)
	for i := range rows {
		rows[i] = map[int]bool{i: true}
	}
	for _, p := range pattern {
		rows[f.place[p[0]]][f.place[p[1]]] = true
	}
	f.rowStart = make([]int, f.n+1)
	f.diag = make([]int, f.n)
	sorted := make([][]int, f.n)
	for i := range f.n {
		for j := range i {
			if !rows[i][j] {
				continue
			}
			for _, c := range sorted[j] {
				if c > j {
					rows[i][c] = true
				}
			}
		}
		for c := range rows[i] {
			sorted[i] = append(sorted[i], c)
		}
		slices.Sort(sorted[i])
		f.rowStart[i] = len(f.cols)
		for _, c := range sorted[i] {
			if c == i {
				f.diag[i] = len(f.cols)
			}
			f.cols = append(f.cols, c)
		}
	}
	f.rowStart[f.n] = len(f.cols)
	f.vals = make([]float64, len(f.cols))
	f.slot = make([]int, len(pattern))
	for k, p := range pattern {
		i := f.place[p[0]]
		row := f.cols[f.rowStart[i]:f.rowStart[i+1]]
		at, _ := slices.BinarySearch(row, f.place[p[1]])
		f.slot[k] = f.rowStart[i] + at
	}
}

// exchanged is 1 where the factorisation made last needed row exchanges.
func (f *lu) exchanged() int {
	if f.usesDense {
		return 1
	}
	return 0
}

// factorise prepares W = shift·M - J from the Jacobian values.
func (f *lu) factorise(shift float64, jac []float64) bool {
	f.usesDense = false
	copy(f.couplings, jac[f.first:])
	jac = jac[:f.first]
	f.fill(shift, jac)
	for i := range f.n {
		lo, hi := f.rowStart[i], f.rowStart[i+1]
		scale := 0.0
		for k := lo; k < hi; k++ {
			f.work[f.cols[k]] = f.vals[k]
			scale = max(scale, math.Abs(f.vals[k]))
		}
		for k := lo; k < f.diag[i]; k++ {
			j := f.cols[k]
			m := f.work[j] / f.vals[f.diag[j]]
			f.work[j] = m
			if m == 0 {
				continue
			}
			for q := f.diag[j] + 1; q < f.rowStart[j+1]; q++ {
				f.work[f.cols[q]] -= m * f.vals[q]
			}
		}
		for k := lo; k < hi; k++ {
			f.vals[k] = f.work[f.cols[k]]
		}
		if d := math.Abs(f.vals[f.diag[i]]); !(d > 1e-10*scale) || math.IsInf(d, 0) {
			return f.factoriseDense(shift, jac)
		}
	}
	return true
}

func (f *lu) fill(shift float64, jac []float64) {
	clear(f.vals)
	for k, v := range jac {
		f.vals[f.slot[k]] -= v
	}
	for k, e := range f.mass {
		f.vals[f.massSlot[k]] += shift * e.V
	}
}

// factoriseDense is LU with partial pivoting (Golub & Van Loan, alg. 3.4.1).
func (f *lu) factoriseDense(shift float64, jac []float64) bool {
	n := f.n
	if f.dense == nil {
		f.dense, f.pivot = make([]float64, n*n), make([]int, n)
	}
	clear(f.dense)
	for k, p := range f.pattern {
		f.dense[p[0]*n+p[1]] -= jac[k]
	}
	for _, e := range f.mass {
		f.dense[e.Row*n+e.Col] += shift * e.V
	}
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(f.dense[i*n+k]) > math.Abs(f.dense[p*n+k]) {
				p = i
			}
		}
		f.pivot[k] = p
		d := f.dense[p*n+k]
		if d == 0 || math.IsNaN(d) || math.IsInf(d, 0) {
			return false
		}
		if p != k {
			for j := range n {
				f.dense[p*n+j], f.dense[k*n+j] = f.dense[k*n+j], f.dense[p*n+j]
			}
		}
		for i := k + 1; i < n; i++ {
			m := f.dense[i*n+k] / d
			f.dense[i*n+k] = m
			if m != 0 {
				for j := k + 1; j < n; j++ {
					f.dense[i*n+j] -= m * f.dense[k*n+j]
				}
			}
		}
	}
	f.usesDense = true
	return true
}

// solve overwrites b with the solution of W x = b; with sensitivity blocks W is
// block lower triangular.
func (f *lu) solve(b []float64) {
	f.solveBlock(b[:f.n])
	for k, c := range f.coupling {
		b[c[0]] += f.couplings[k] * b[c[1]]
	}
	for k := 1; k <= f.blocks; k++ {
		f.solveBlock(b[k*f.n : (k+1)*f.n])
	}
}

func (f *lu) solveBlock(b []float64) {
	if f.usesDense {
		f.solveDense(b)
		return
	}
	x := f.work
	for i := range f.n {
		s := b[f.order[i]]
		for k := f.rowStart[i]; k < f.diag[i]; k++ {
			s -= f.vals[k] * x[f.cols[k]]
		}
		x[i] = s
	}
	for i := f.n - 1; i >= 0; i-- {
		s := x[i]
		for k := f.diag[i] + 1; k < f.rowStart[i+1]; k++ {
			s -= f.vals[k] * x[f.cols[k]]
		}
		x[i] = s / f.vals[f.diag[i]]
	}
	for i := range f.n {
		b[f.order[i]] = x[i]
	}
}

func (f *lu) solveDense(b []float64) {
	n := f.n
	for k := range n {
		if p := f.pivot[k]; p != k {
			b[k], b[p] = b[p], b[k]
		}
	}
	for i := range n {
		for j := range i {
			b[i] -= f.dense[i*n+j] * b[j]
		}
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			b[i] -= f.dense[i*n+j] * b[j]
		}
		b[i] /= f.dense[i*n+i]
	}
}
