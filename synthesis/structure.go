package synthesis

import (
	"math"
	"slices"
)

// Structure names the covariance G of the inner effects of a random term
// "inner | outer", with metafor's names.
type Structure string

// One variance (ID), one variance a level (DIAG), compound symmetry with one
// variance (CS) or one a level (HCS), unstructured (UN), first-order
// autoregression with one variance (AR) or one a level (HAR), the same over
// unequal distances (CAR), random coefficients with an unstructured (GEN) or
// diagonal (GDIAG) covariance.
const (
	ID    Structure = "ID"
	DIAG  Structure = "DIAG"
	CS    Structure = "CS"
	HCS   Structure = "HCS"
	UN    Structure = "UN"
	AR    Structure = "AR"
	HAR   Structure = "HAR"
	CAR   Structure = "CAR"
	GEN   Structure = "GEN"
	GDIAG Structure = "GDIAG"
)

// Structures lists what a term "inner | outer" may be.
var Structures = []Structure{ID, DIAG, CS, HCS, UN, AR, HAR, CAR, GEN, GDIAG}

// randomTerm adds z_i'Gz_j to the covariance of rows i and j of one group.
type randomTerm struct {
	name   string
	group  []int
	groups int
	kind   Structure
	j      int       // size of G
	level  []int     // the level of each row; nil where z holds
	z      []float64 // k by j, random coefficients
	at     []float64 // position of each level (AR, CAR)
	rho    float64   // CS with a known correlation (NaN: estimated)
	first  int       // of its parameters in theta

	g  []float64   // j by j
	dg [][]float64 // its derivatives
}

func (t *randomTerm) params() int {
	j := t.j
	switch t.kind {
	case ID:
		return 1
	case DIAG, GDIAG:
		return j
	case CS:
		if !math.IsNaN(t.rho) || j == 1 {
			return 1
		}
		return 2
	case AR, CAR:
		return 2
	case HCS, HAR:
		return j + 1
	}
	return j * (j + 1) / 2 // unstructured: its Cholesky factor
}

// bounded says whether parameter q is a variance, kept at or above zero.
// Standard deviations, factors and transformed correlations are free.
func (t *randomTerm) bounded(q int) bool {
	switch t.kind {
	case ID, DIAG, GDIAG:
		return true
	case CS, AR, CAR:
		return q == 0
	}
	return false
}

// correlation maps a free parameter into the range of the structure.
func (t *randomTerm) correlation(x float64) float64 {
	if !math.IsNaN(t.rho) {
		return t.rho
	}
	low := -1.0
	switch t.kind {
	case CS, HCS:
		low = -1 / math.Max(1, float64(t.j-1))
	case CAR:
		low = 0
	}
	return low + (1-low)*(1+math.Tanh(x))/2
}

// build writes G at the term's own parameters.
func (t *randomTerm) build(th, g []float64) {
	j := t.j
	clear(g)
	switch t.kind {
	case ID, DIAG, GDIAG:
		for a := range j {
			g[a*j+a] = th[min(a, len(th)-1)]
		}
	case UN, GEN:
		l := make([]float64, j*j)
		for a, n := 0, 0; a < j; a++ {
			for b := 0; b <= a; b++ {
				l[a*j+b] = th[n]
				n++
			}
		}
		for a := range j {
			for b := range j {
				g[a*j+b] = inner(l[a*j:a*j+min(a, b)+1], l[b*j:b*j+min(a, b)+1])
			}
		}
	default:
		t.buildCorrelated(th, g)
	}
}

func (t *randomTerm) buildCorrelated(th, g []float64) {
	j := t.j
	r := 0.0
	if n := len(th); n > 1 || !math.IsNaN(t.rho) {
		r = t.correlation(th[n-1])
	}
	for a := range j {
		for b := range j {
			v := th[0]
			if t.kind == HCS || t.kind == HAR {
				v = th[a] * th[b]
			}
			if a != b {
				if t.kind == CS || t.kind == HCS {
					v *= r
				} else {
					v *= math.Pow(r, math.Abs(t.at[a]-t.at[b]))
				}
			}
			g[a*j+b] = v
		}
	}
}

// set evaluates G and its derivatives at theta. Derivatives are central
// differences, exact for the structures that are polynomials of degree two.
func (t *randomTerm) set(theta []float64) {
	n := t.params()
	th := theta[t.first : t.first+n]
	if t.g == nil {
		t.g = make([]float64, t.j*t.j)
		t.dg = make([][]float64, n)
		for q := range t.dg {
			t.dg[q] = make([]float64, t.j*t.j)
		}
	}
	t.build(th, t.g)
	if t.kind == ID {
		return
	}
	up, low := slices.Clone(th), make([]float64, t.j*t.j)
	for q := range n {
		h := 1e-5 * math.Max(1e-3, math.Abs(th[q]))
		up[q] = th[q] + h
		t.build(up, t.dg[q])
		up[q] = th[q] - h
		t.build(up, low)
		up[q] = th[q]
		for i := range low {
			t.dg[q][i] = (t.dg[q][i] - low[i]) / (2 * h)
		}
	}
}

// between is the covariance of rows i and j of one group.
func (t *randomTerm) between(i, j int) float64 {
	if t.kind == ID && t.j == 1 {
		return t.g[0]
	}
	if t.level != nil {
		return t.g[t.level[i]*t.j+t.level[j]]
	}
	var s float64
	for a := range t.j {
		za := t.z[i*t.j+a]
		for b := range t.j {
			s += za * t.g[a*t.j+b] * t.z[j*t.j+b]
		}
	}
	return s
}

// gradient adds the derivatives in the term's parameters for a block with
// weights w.
func (t *randomTerm) gradient(rows []int, w, g []float64) {
	n, j := len(rows), t.j
	m := make([]float64, j*j) // sum of w z z' over pairs of one group
	for a, i := range rows {
		for b, k := range rows {
			if t.group[i] != t.group[k] {
				continue
			}
			x := w[a*n+b]
			switch {
			case j == 1 && t.z == nil:
				m[0] += x
			case t.level != nil:
				m[t.level[i]*j+t.level[k]] += x
			default:
				for q := range j {
					for o := range j {
						m[q*j+o] += x * t.z[i*j+q] * t.z[k*j+o]
					}
				}
			}
		}
	}
	if t.kind == ID {
		for a := range j {
			g[t.first] += m[a*j+a]
		}
		return
	}
	for q := range t.dg {
		g[t.first+q] += inner(t.dg[q], m)
	}
}

// starts are the term's starting values for a variance of the size given.
func (t *randomTerm) starts(v, corr float64) []float64 {
	th := make([]float64, t.params())
	j := t.j
	switch t.kind {
	case ID, DIAG, GDIAG:
		for q := range th {
			th[q] = v
		}
	case CS, AR, CAR:
		th[0] = v
		if len(th) > 1 {
			th[1] = corr
		}
	case HCS, HAR:
		for q := range j {
			th[q] = math.Sqrt(v)
		}
		th[j] = corr
	default:
		for a, n := 0, 0; a < j; a++ {
			for b := 0; b <= a; b++ {
				if a == b {
					th[n] = math.Sqrt(v) / t.columnScale(a)
				}
				n++
			}
		}
		if corr != 0 && j > 1 {
			th[1] = corr * th[0] * t.columnScale(0) / t.columnScale(1)
		}
	}
	return th
}

// columnScale is the root mean square of a column of z, so that random slopes
// start at the same size whatever the unit of their covariate.
func (t *randomTerm) columnScale(a int) float64 {
	if t.z == nil {
		return 1
	}
	var s float64
	n := len(t.z) / t.j
	for i := range n {
		s += t.z[i*t.j+a] * t.z[i*t.j+a]
	}
	if s == 0 {
		return 1
	}
	return math.Sqrt(s / float64(n))
}
