package synthesis

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Sandwich names a cluster-robust covariance estimator.
type Sandwich string

// CR0 is the plain sandwich; CR1, CR1p and CR1S multiply it by J/(J-1),
// J/(J-p) and J(n-1)/((J-1)(n-p)) for J clusters; CR2 is the bias-reduced
// linearisation and CR3 the jackknife-like form (Bell & McCaffrey 2002;
// Pustejovsky & Tipton 2018, 10.1080/07350015.2016.1247004).
const (
	CR0  Sandwich = "CR0"
	CR1  Sandwich = "CR1"
	CR1p Sandwich = "CR1p"
	CR1S Sandwich = "CR1S"
	CR2  Sandwich = "CR2"
	CR3  Sandwich = "CR3"
)

// Sandwiches lists the cluster-robust estimators.
var Sandwiches = []Sandwich{CR0, CR1, CR1p, CR1S, CR2, CR3}

// scale is the factor on the plain sandwich for j clusters, n rows and p
// coefficients.
func (s Sandwich) scale(j, n, p float64) float64 {
	switch s {
	case CR1:
		return j / (j - 1)
	case CR1p:
		return j / (j - p)
	case CR1S:
		return j * (n - 1) / ((j - 1) * (n - p))
	}
	return 1
}

// working is what a robust covariance needs of a fit: design, residuals,
// working covariance and its inverse by rows, and the model-based covariance.
type working struct {
	x     *mat.Dense
	resid []float64
	phi   func(i, j int) float64
	cov   *mat.SymDense // (X'Φ^-1X)^-1
}

// RobustCovariance is the cluster-robust covariance of an ordinary fit.
func (m *Meta) RobustCovariance(y, v []float64, x *mat.Dense, cluster []string, kind Sandwich) (*RobustCovariance, error) {
	f := newWLS(y, v, x).at(m.Tau2)
	return working{x, f.resid, func(i, j int) float64 {
		if i == j {
			return v[i] + m.Tau2
		}
		return 0
	}, f.cov}.covariance(cluster, kind)
}

// Robust tests the coefficients of a fit with random terms by a cluster-robust
// covariance with Satterthwaite degrees of freedom; clusters must hold all rows
// that the model lets vary together.
func (m *MultiLevel) Robust(cluster []string, kind Sandwich) ([]Term, int, error) {
	c, err := m.RobustCovariance(cluster, kind)
	if err != nil {
		return nil, 0, err
	}
	return m.TestRobust(c), c.Clusters, nil
}

// RobustCovariance is the cluster-robust covariance of the coefficients, which
// also gives the degrees of freedom of any combination of them.
func (m *MultiLevel) RobustCovariance(cluster []string, kind Sandwich) (*RobustCovariance, error) {
	f := m.fit
	resid := make([]float64, m.K)
	for i := range resid {
		resid[i] = f.y[i] - inner(f.x[i*f.p:(i+1)*f.p], f.beta)
	}
	place := make([][2]int, m.K) // block, position in it
	for b, rows := range f.blocks {
		for a, i := range rows {
			place[i] = [2]int{b, a}
			if cluster[i] != cluster[rows[0]] {
				return nil, &DataError{"the clusters cut through a random term: cluster by its highest level"}
			}
		}
	}
	phi := func(i, j int) float64 {
		p, q := place[i], place[j]
		if p[0] != q[0] {
			return 0
		}
		return f.v[p[0]][p[1]*len(f.blocks[p[0]])+q[1]]
	}
	model := mat.NewSymDense(f.p, slices.Clone(f.cov))
	return working{mat.NewDense(f.k, f.p, f.x), resid, phi, model}.covariance(cluster, kind)
}

// RobustCovariance is a cluster-robust covariance.
type RobustCovariance struct {
	Cov      *mat.SymDense
	Clusters int

	w      working
	blocks []block
}

// DF are the Satterthwaite degrees of freedom of a combination c of the
// coefficients.
func (r *RobustCovariance) DF(c []float64) float64 { return r.w.satterthwaite(r.blocks, c) }

// block is one cluster: its rows and what the sandwich is made of.
type block struct {
	rows []int
	awx  *mat.Dense // A_j' Φ_j^-1 X_j
}

func (m *Meta) robust(w working, cluster []string, kind Sandwich) ([]Term, int, error) {
	c, err := w.covariance(cluster, kind)
	if err != nil {
		return nil, 0, err
	}
	return m.TestRobust(c), c.Clusters, nil
}

// TestRobust tests every coefficient of a fit with its robust covariance.
func (m *Meta) TestRobust(r *RobustCovariance) []Term {
	terms := make([]Term, m.P)
	for c := range m.P {
		one := make([]float64, m.P)
		one[c] = 1
		t := Term{Name: m.Terms[c].Name, Estimate: m.Terms[c].Estimate, SE: math.Sqrt(r.Cov.At(c, c)), DF: r.DF(one)}
		terms[c] = t.tested(m.Options.Level)
	}
	return terms
}

// tested fills the test and interval of a term from its SE and degrees of
// freedom: NaN where one cluster alone carries it and there are none to speak of.
func (t Term) tested(level float64) Term {
	t.Stat, t.P, t.Low, t.High = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if !(t.DF > 1e-6) || !(t.SE > 0) {
		return t
	}
	t.Stat = t.Estimate / t.SE
	d := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: t.DF}
	t.P = 2 * d.Survival(math.Abs(t.Stat))
	h := d.Quantile(0.5+level/2) * t.SE
	t.Low, t.High = t.Estimate-h, t.Estimate+h
	return t
}

// covariance is the sandwich of the clusters.
func (w working) covariance(cluster []string, kind Sandwich) (*RobustCovariance, error) {
	blocks, err := w.blocks(cluster, kind)
	if err != nil {
		return nil, err
	}
	_, p := w.x.Dims()
	j := float64(len(blocks))
	if j < 2 {
		return nil, &DataError{fmt.Sprintf("robust tests need 2 clusters or more, there are %g", j)}
	}
	meat := mat.NewSymDense(p, nil)
	for _, b := range blocks {
		s := mat.NewVecDense(p, nil)
		for r, i := range b.rows {
			for c := range p {
				s.SetVec(c, s.AtVec(c)+b.awx.At(r, c)*w.resid[i])
			}
		}
		meat.SymRankOne(meat, 1, s)
	}
	var half, vr mat.Dense
	half.Mul(w.cov, meat)
	vr.Mul(&half, w.cov)
	scale := kind.scale(j, float64(len(w.resid)), float64(p))
	if !(scale > 0) || math.IsInf(scale, 0) {
		return nil, &DataError{fmt.Sprintf("%s needs more clusters than coefficients, there are %g", kind, j)}
	}
	out := &RobustCovariance{Cov: mat.NewSymDense(p, nil), Clusters: len(blocks), w: w, blocks: blocks}
	for a := range p {
		for b := range a + 1 {
			out.Cov.SetSym(a, b, scale*(vr.At(a, b)+vr.At(b, a))/2)
		}
	}
	return out, nil
}

// blocks groups the rows and computes A_j'Φ_j^-1 X_j, with A_j the identity but
// for CR2.
func (w working) blocks(cluster []string, kind Sandwich) ([]block, error) {
	at := map[string]int{}
	var out []block
	for i, c := range cluster {
		k, ok := at[c]
		if !ok {
			k = len(out)
			at[c] = k
			out = append(out, block{})
		}
		out[k].rows = append(out[k].rows, i)
	}
	_, p := w.x.Dims()
	for k := range out {
		rows := out[k].rows
		n := len(rows)
		phi := mat.NewSymDense(n, nil)
		x := mat.NewDense(n, p, nil)
		for a, i := range rows {
			x.SetRow(a, mat.Row(nil, i, w.x))
			for b := a; b < n; b++ {
				phi.SetSym(a, b, w.phi(i, rows[b]))
			}
		}
		var ch mat.Cholesky
		if !ch.Factorize(phi) {
			return nil, &DataError{"the working covariance of a cluster is singular"}
		}
		var wx mat.Dense
		if err := ch.SolveTo(&wx, x); err != nil {
			return nil, ErrNotConverged
		}
		out[k].awx = &wx
		if kind == CR2 || kind == CR3 {
			adjust := adjustment
			if kind == CR3 {
				adjust = jackknife
			}
			a, err := adjust(phi, x, w.cov, &ch)
			if err != nil {
				return nil, err
			}
			var adj mat.Dense
			adj.Mul(a.T(), &wx)
			out[k].awx = &adj
		}
	}
	return out, nil
}

// adjustment is A = D'(D(Φ - XMX')D')^(+1/2)D with Φ = D'D.
func adjustment(phi *mat.SymDense, x *mat.Dense, m *mat.SymDense, ch *mat.Cholesky) (*mat.Dense, error) {
	n := phi.SymmetricDim()
	var u mat.TriDense
	ch.UTo(&u) // Φ = U'U, so D = U
	var xm, xmx, inner, tmp, b mat.Dense
	xm.Mul(x, m)
	xmx.Mul(&xm, x.T())
	inner.Sub(phi, &xmx)
	tmp.Mul(&u, &inner)
	b.Mul(&tmp, u.T())
	sym := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sym.SetSym(i, j, (b.At(i, j)+b.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return nil, ErrNotConverged
	}
	values := eig.Values(nil)
	var vec mat.Dense
	eig.VectorsTo(&vec)
	top := 0.0
	for _, v := range values {
		top = math.Max(top, v)
	}
	root := mat.NewDense(n, n, nil)
	for k, v := range values {
		if v <= 1e-12*top {
			continue
		}
		for i := range n {
			for j := range n {
				root.Set(i, j, root.At(i, j)+vec.At(i, k)*vec.At(j, k)/math.Sqrt(v))
			}
		}
	}
	var left, a mat.Dense
	left.Mul(u.T(), root)
	a.Mul(&left, &u)
	return &a, nil
}

// jackknife is A = (I - XMX'Φ^-1)^-1.
func jackknife(phi *mat.SymDense, x *mat.Dense, m *mat.SymDense, ch *mat.Cholesky) (*mat.Dense, error) {
	n := phi.SymmetricDim()
	var wx, h, a mat.Dense
	if err := ch.SolveTo(&wx, x); err != nil {
		return nil, ErrNotConverged
	}
	var xm mat.Dense
	xm.Mul(x, m)
	h.Mul(&xm, wx.T())
	for i := range n {
		for j := range n {
			d := -h.At(i, j)
			if i == j {
				d++
			}
			h.Set(i, j, d)
		}
	}
	var lu mat.LU
	if lu.Factorize(&h); lu.Cond() > 1e10 || a.Inverse(&h) != nil {
		return nil, &DataError{"CR3 does not exist: a coefficient depends on one cluster alone"}
	}
	return &a, nil
}

// satterthwaite are the degrees of freedom of the combination c of the
// coefficients under the working covariance: (trace P)²/(sum of P²),
// P_jk = g_j'Φg_k.
func (w working) satterthwaite(blocks []block, c []float64) float64 {
	_, p := w.x.Dims()
	mc := mat.NewVecDense(p, nil)
	mc.MulVec(w.cov, mat.NewVecDense(p, c))
	own := make([]float64, len(blocks))           // a_j'Φ_j a_j
	through := make([]*mat.VecDense, len(blocks)) // X_j'a_j
	for k, b := range blocks {
		a := make([]float64, len(b.rows))
		for r := range b.rows {
			for i := range p {
				a[r] += b.awx.At(r, i) * mc.AtVec(i)
			}
		}
		t := mat.NewVecDense(p, nil)
		for r, i := range b.rows {
			for q := range p {
				t.SetVec(q, t.AtVec(q)+w.x.At(i, q)*a[r])
			}
			for s, j := range b.rows {
				own[k] += a[r] * a[s] * w.phi(i, j)
			}
		}
		through[k] = t
	}
	// P_jk = own_j [j=k] - t_j'Mt_k
	var trace, squares float64
	if len(through) <= 2000 {
		for j := range through {
			var mt mat.VecDense
			mt.MulVec(w.cov, through[j])
			for k := range through {
				v := -mat.Dot(through[k], &mt)
				if j == k {
					v += own[j]
					trace += v
				}
				squares += v * v
			}
		}
		return trace * trace / squares
	}
	// for very many clusters the sum of squares over all pairs comes from
	// T = sum of tt', which is linear in their number but loses digits where
	// few of them carry the coefficient
	sum := mat.NewSymDense(p, nil)
	for j, t := range through {
		sum.SymRankOne(sum, 1, t)
		var mt mat.VecDense
		mt.MulVec(w.cov, t)
		d := mat.Dot(t, &mt)
		trace += own[j] - d
		squares += own[j]*own[j] - 2*own[j]*d
	}
	var mt, mtmt mat.Dense
	mt.Mul(w.cov, sum)
	mtmt.Mul(&mt, &mt)
	squares += mat.Trace(&mtmt)
	return trace * trace / squares
}
