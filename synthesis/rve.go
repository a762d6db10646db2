package synthesis

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Weights names the working weights of robust variance estimation.
type Weights string

// CorrelatedWeights treat the effects of a study as equally precise and
// correlated by rho; HierarchicalWeights treat them as independent with a
// variance between studies and one within.
const (
	CorrelatedWeights   Weights = "CORR"
	HierarchicalWeights Weights = "HIER"
)

// RVE is a robust meta-regression with the weights of Hedges, Tipton & Johnson
// (2010, 10.1002/jrsm.5): tau² by the method of moments, omega² (within
// studies) for hierarchical weights.
type RVE struct {
	Terms        []Term
	Studies, K   int
	Tau2, Omega2 float64 // Omega2 is NaN for correlated weights
	Rho          float64
}

// AnalyseRVE fits a robust meta-regression. small asks for the bias-reduced
// covariance with Satterthwaite degrees of freedom (Tipton 2015,
// 10.1037/met0000011), otherwise the sandwich times m/(m-p) with m-p degrees of
// freedom, m the number of studies.
func AnalyseRVE(y, v []float64, x *mat.Dense, names, study []string, weights Weights, rho float64, small bool, level float64) (*RVE, error) {
	k, p := x.Dims()
	if err := checkData(y, v, k, p); err != nil {
		return nil, err
	}
	if weights == CorrelatedWeights && !(rho >= 0 && rho <= 1) {
		return nil, &DataError{"the correlation of effects within a study lies between 0 and 1"}
	}
	r := &rve{w: newWLS(y, v, x), ids: number(study)}
	if len(independent(r.w.x, p)) < p {
		return nil, &DataError{"the moderators are linearly dependent: leave one out"}
	}
	r.group()
	if len(r.rows) <= p {
		return nil, &DataError{"robust variance estimation needs more studies than coefficients"}
	}
	out := &RVE{Studies: len(r.rows), K: k, Omega2: math.NaN(), Rho: rho}
	if weights == HierarchicalWeights {
		out.Rho = math.NaN()
		out.Tau2, out.Omega2 = r.hierarchical()
	} else {
		out.Tau2 = r.correlated(rho)
	}
	f := r.w
	f.weighted()
	phi := func(i, j int) float64 {
		if i == j {
			return 1 / f.w[i]
		}
		return 0
	}
	m := &Meta{P: p, Options: MetaOptions{Level: level}}
	for i, n := range names {
		m.Terms = append(m.Terms, Term{Name: n, Estimate: f.beta[i]})
	}
	kind := CR2
	if !small {
		kind = CR0
	}
	terms, _, err := m.robust(working{x, f.resid, phi, mat.NewSymDense(p, f.cov)}, study, kind)
	if err != nil {
		return nil, err
	}
	if !small {
		rescale(terms, float64(len(r.rows)), float64(p), level)
	}
	out.Terms = terms
	return out, nil
}

// rescale turns the plain sandwich into its large-sample form.
func rescale(terms []Term, m, p, level float64) {
	for i, t := range terms {
		t.SE, t.DF = t.SE*math.Sqrt(m/(m-p)), m-p
		terms[i] = t.tested(level)
	}
}

type rve struct {
	w    *wls
	ids  []int
	rows [][]int // of every study
}

func (r *rve) group() {
	for i, g := range r.ids {
		if g == len(r.rows) {
			r.rows = append(r.rows, nil)
		}
		r.rows[g] = append(r.rows[g], i)
	}
}

// sums adds f's contribution of every pair of rows within a study to X'FX.
func (r *rve) sums(f func(i, j int) float64) *mat.Dense {
	p := r.w.p
	out := mat.NewDense(p, p, nil)
	for _, rows := range r.rows {
		for _, i := range rows {
			for _, j := range rows {
				c := f(i, j)
				if c == 0 {
					continue
				}
				for a := range p {
					for b := range p {
						out.Set(a, b, out.At(a, b)+c*r.w.x[i*p+a]*r.w.x[j*p+b])
					}
				}
			}
		}
	}
	return out
}

func diagonal(g func(i int) float64) func(i, j int) float64 {
	return func(i, j int) float64 {
		if i == j {
			return g(i)
		}
		return 0
	}
}

// correlated estimates tau² and leaves the final weights: the expectation of
// the residual sum of squares with weights 1/(k_j mean v_j) under correlation
// rho (Hedges, Tipton & Johnson 2010, eq. 15).
func (r *rve) correlated(rho float64) float64 {
	w := r.w
	mean, size := make([]float64, len(w.y)), make([]float64, len(w.y))
	var kw float64
	for _, rows := range r.rows {
		var s float64
		for _, i := range rows {
			s += w.v[i] / float64(len(rows))
		}
		for _, i := range rows {
			mean[i], size[i] = s, float64(len(rows))
			w.w[i] = 1 / (size[i] * s)
		}
		kw += 1 / s
	}
	w.weighted()
	cov := mat.NewSymDense(w.p, w.cov)
	trace := func(m *mat.Dense) float64 {
		var t mat.Dense
		t.Mul(cov, m)
		return mat.Trace(&t)
	}
	own := trace(r.sums(diagonal(func(i int) float64 { return w.w[i] / size[i] })))
	all := trace(r.sums(func(i, _ int) float64 { return w.w[i] / size[i] }))
	between := trace(r.sums(func(i, _ int) float64 { return w.w[i] * w.w[i] }))
	tau2 := math.Max(0, (w.rss-float64(len(r.rows))+(1-rho)*own+rho*all)/(kw-between))
	for i := range w.w {
		w.w[i] = 1 / (size[i] * (mean[i] + tau2))
	}
	return tau2
}

// hierarchical estimates tau² and omega² from two quadratic forms of the
// residuals e at weights 1/v: e'We, and the squared sums of e by study. Each
// has expectation tr(H'AHΣ), H = I - X(X'WX)^-1X'W, linear in the variances.
func (r *rve) hierarchical() (tau2, omega2 float64) {
	w := r.w
	w.solve(0)
	cov := mat.NewSymDense(w.p, append([]float64(nil), w.cov...))
	inv := append([]float64(nil), w.w...)
	mul := func(ms ...mat.Matrix) float64 {
		t := mat.DenseCopyOf(ms[0])
		for _, m := range ms[1:] {
			var n mat.Dense
			n.Mul(t, m)
			t = &n
		}
		return mat.Trace(t)
	}
	n := func(i int) float64 { return float64(len(r.rows[r.ids[i]])) }
	var q1, squares, sumV float64
	for _, rows := range r.rows {
		var s float64
		for _, i := range rows {
			s += w.resid[i]
			sumV += w.v[i]
		}
		q1 += s * s
		squares += float64(len(rows) * len(rows))
	}
	q2 := w.rss
	k := float64(len(w.y))
	xjx := r.sums(func(_, _ int) float64 { return 1 })
	xwjwx := r.sums(func(i, j int) float64 { return inv[i] * inv[j] })
	xwwx := r.sums(diagonal(func(i int) float64 { return inv[i] * inv[i] }))
	xwx := r.sums(diagonal(func(i int) float64 { return inv[i] }))
	xjwx := r.sums(func(_, j int) float64 { return inv[j] })
	xjjwx := r.sums(func(_, j int) float64 { return n(j) * inv[j] })
	// A = J: coefficients of tau² (Σ = J), omega² (Σ = I), constant (Σ = V)
	a1 := squares - 2*mul(cov, xjjwx) + mul(cov, xjx, cov, xwjwx)
	b1 := k - 2*mul(cov, xjwx) + mul(cov, xjx, cov, xwwx)
	c1 := sumV - mul(cov, xjx)
	// A = W
	var sumW float64
	for _, x := range inv {
		sumW += x
	}
	a2 := sumW - mul(cov, xwjwx)
	b2 := sumW - mul(cov, xwwx)
	c2 := k - mul(cov, xwx)
	omega2 = math.Max(0, (a2*(q1-c1)-a1*(q2-c2))/(b1*a2-b2*a1))
	tau2 = math.Max(0, (q2-c2)/a2-omega2*(b2/a2))
	for i := range w.w {
		w.w[i] = 1 / (w.v[i] + tau2 + omega2)
	}
	return tau2, omega2
}
