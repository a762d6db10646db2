package synthesis

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// mixed is the Gaussian model y ~ N(Xβ, V), V = S + the random terms, fitted by
// ML or REML over independent blocks of rows. Work and memory are linear in the
// number of blocks.
type mixed struct {
	y, x       []float64 // x row-major, k by p
	k, p       int
	known      Sampling
	terms      []*randomTerm
	restricted bool
	blocks     [][]int // rows that may be correlated
	size       int     // parameters

	// at the last parameters evaluated
	beta, cov      []float64
	v              [][]float64 // covariance of every block, row-major
	rss            float64
	logDetV, logXX float64 // logXX: log det of X'V^-1X
}

// largestBlock bounds the rows that may be correlated with one another: work
// grows with their third power.
const largestBlock = 3000

func newMixed(y []float64, x *mat.Dense, known Sampling, terms []*randomTerm, restricted bool) (*mixed, error) {
	k, p := x.Dims()
	m := &mixed{y: y, k: k, p: p, x: make([]float64, 0, k*p), known: known, terms: terms, restricted: restricted, beta: make([]float64, p), cov: make([]float64, p*p)}
	for i := range k {
		m.x = append(m.x, x.RawRowView(i)...)
	}
	for _, t := range terms {
		t.first = m.size
		m.size += t.params()
	}
	m.blocks = m.connected()
	for _, b := range m.blocks {
		if len(b) > largestBlock {
			return nil, &DataError{fmt.Sprintf("%d effect sizes are all correlated with one another through the random terms or the sampling covariance; at most %d are supported", len(b), largestBlock)}
		}
		m.v = append(m.v, make([]float64, len(b)*len(b)))
	}
	return m, m.checkKnown()
}

// checkKnown says whether the sampling covariance alone is positive definite.
func (m *mixed) checkKnown() error {
	if m.known.Full == nil && m.known.Rho == 0 {
		return nil
	}
	for _, rows := range m.blocks {
		n := len(rows)
		v := make([]float64, n*n)
		for a, i := range rows {
			for c := 0; c <= a; c++ {
				v[a*n+c] = m.known.at(i, rows[c])
			}
		}
		if !cholesky(v, n) {
			return &DataError{fmt.Sprintf("the sampling covariance is not positive definite (among %d effect sizes, the first of them number %d)", n, rows[0]+1)}
		}
	}
	return nil
}

// connected groups the rows that share a group of a random term or a known
// covariance, in the order of their first rows.
func (m *mixed) connected() [][]int {
	parent := make([]int, m.k)
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	join := func(i, j int) {
		a, b := find(i), find(j)
		parent[max(a, b)] = min(a, b)
	}
	first := func(group func(i int) int) {
		at := map[int]int{}
		for i := range m.k {
			if j, ok := at[group(i)]; ok {
				join(j, i)
			} else {
				at[group(i)] = i
			}
		}
	}
	for _, t := range m.terms {
		first(func(i int) int { return t.group[i] })
	}
	if m.known.Rho != 0 {
		ids := number(m.known.Cluster)
		first(func(i int) int { return ids[i] })
	}
	if b, ok := m.known.Full.(Blocked); ok {
		ids := b.Blocks()
		first(func(i int) int { return ids[i] })
	} else if m.known.Full != nil {
		for i := range m.k {
			for j := range i {
				if m.known.Full.At(i, j) != 0 {
					join(i, j)
				}
			}
		}
	}
	at := map[int]int{}
	var out [][]int
	for i := range m.k {
		r := find(i)
		b, ok := at[r]
		if !ok {
			b = len(out)
			at[r] = b
			out = append(out, nil)
		}
		out[b] = append(out[b], i)
	}
	return out
}

// Blocked is a covariance that knows which rows can be correlated: those of the
// same block. It spares the search through all pairs.
type Blocked interface{ Blocks() []int }

// number gives every distinct text an index in order of appearance.
func number(groups []string) []int {
	at := map[string]int{}
	out := make([]int, len(groups))
	for i, g := range groups {
		n, ok := at[g]
		if !ok {
			n = len(at)
			at[g] = n
		}
		out[i] = n
	}
	return out
}

// fill sets the covariance of every block at theta.
func (m *mixed) fill(theta []float64) {
	for _, t := range m.terms {
		t.set(theta)
	}
	for b, rows := range m.blocks {
		n := len(rows)
		v := m.v[b]
		for a, i := range rows {
			for c := 0; c <= a; c++ {
				j := rows[c]
				s := m.known.at(i, j)
				for _, t := range m.terms {
					if t.group[i] == t.group[j] {
						s += t.between(i, j)
					}
				}
				v[a*n+c], v[c*n+a] = s, s
			}
		}
	}
}

// at evaluates the log-likelihood without constants at theta, and its gradient
// where g is not nil. NaN where V is not positive definite.
func (m *mixed) at(theta, g []float64) float64 {
	m.fill(theta)
	p := m.p
	xx, xy := make([]float64, p*p), make([]float64, p)
	factors := make([][]float64, len(m.blocks))
	m.logDetV = 0
	z := []float64{}
	for b, rows := range m.blocks {
		n := len(rows)
		l := append([]float64(nil), m.v[b]...)
		if !cholesky(l, n) {
			return math.NaN()
		}
		factors[b] = l
		m.logDetV += cholLogDet(l, n)
		if cap(z) < n*(p+1) {
			z = make([]float64, n*(p+1))
		}
		z = z[:n*(p+1)] // column after column: L^-1 [X y]
		for a, i := range rows {
			for c := range p {
				z[c*n+a] = m.x[i*p+c]
			}
			z[p*n+a] = m.y[i]
		}
		for c := range p + 1 {
			forward(l, n, z[c*n:c*n+n])
		}
		ys := z[p*n : p*n+n]
		for r := range p {
			xy[r] += inner(z[r*n:r*n+n], ys)
			for c := 0; c <= r; c++ {
				xx[r*p+c] += inner(z[r*n:r*n+n], z[c*n:c*n+n])
			}
		}
	}
	if !cholesky(xx, p) {
		return math.NaN()
	}
	m.logXX = cholLogDet(xx, p)
	cholInverse(xx, p, m.cov)
	copy(m.beta, xy)
	cholSolve(xx, p, m.beta)
	m.residuals(factors, g)
	l := -0.5*m.logDetV - 0.5*m.rss
	if m.restricted {
		l -= 0.5 * m.logXX
	}
	return l
}

func inner(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// residuals computes the residual sum of squares from the residuals, which
// loses no digits, and the gradient: with u = V^-1(y - Xβ), the derivative in
// V is W = (uu' - V^-1 + V^-1 X C X'V^-1)/2, the last term when restricted.
func (m *mixed) residuals(factors [][]float64, g []float64) {
	m.rss = 0
	p := m.p
	clear(g)
	var inv, vx, w []float64
	for b, rows := range m.blocks {
		n := len(rows)
		u := make([]float64, n)
		for a, i := range rows {
			u[a] = m.y[i] - inner(m.x[i*p:i*p+p], m.beta)
		}
		r := append([]float64(nil), u...)
		cholSolve(factors[b], n, u)
		m.rss += inner(r, u)
		if g == nil {
			continue
		}
		inv, w, vx = grow(inv, n*n), grow(w, n*n), grow(vx, n*p)
		cholInverse(factors[b], n, inv)
		if m.restricted {
			m.vinvX(rows, inv, vx)
		}
		for a := range n {
			for c := 0; c <= a; c++ {
				s := u[a]*u[c] - inv[a*n+c]
				if m.restricted {
					for q := range p {
						for o := range p {
							s += vx[a*p+q] * m.cov[q*p+o] * vx[c*p+o]
						}
					}
				}
				w[a*n+c], w[c*n+a] = s/2, s/2
			}
		}
		for _, t := range m.terms {
			t.gradient(rows, w, g)
		}
	}
}

func grow(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	return x[:n]
}

// vinvX is V^-1 X of a block.
func (m *mixed) vinvX(rows []int, inv, dst []float64) {
	n, p := len(rows), m.p
	for a := range n {
		for q := range p {
			var s float64
			for c, j := range rows {
				s += inv[a*n+c] * m.x[j*p+q]
			}
			dst[a*p+q] = s
		}
	}
}

// logLik is the log-likelihood with its constants (metafor's REML constant).
func (m *mixed) logLik() float64 {
	n := float64(m.k)
	l := -0.5*m.logDetV - 0.5*m.rss
	if m.restricted {
		n -= float64(m.p)
		w := wls{y: m.y, x: m.x, p: m.p}
		l += 0.5*w.logDetXX() - 0.5*m.logXX
	}
	return l - 0.5*n*math.Log(2*math.Pi)
}
