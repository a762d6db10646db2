package synthesis

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// WaldTest is an F test of several coefficients.
type WaldTest struct{ F, DF1, DF2, P float64 }

// Wald tests that the coefficients at the positions given are all zero, with
// the approximate Hotelling T² of Tipton & Pustejovsky (2015,
// 10.3102/1076998615606099; "HTZ"): the robust covariance, scaled by its
// expectation under the working model, is matched to a Wishart distribution by
// its total variance. NaN where the degrees of freedom do not suffice.
func (r *RobustCovariance) Wald(beta []float64, positions []int) WaldTest {
	q := len(positions)
	_, p := r.w.x.Dims()
	mc := mat.NewDense(p, q, nil) // M C'
	b := mat.NewVecDense(q, nil)
	cov := mat.NewSymDense(q, nil)
	for k, c := range positions {
		b.SetVec(k, beta[c])
		for i := range p {
			mc.Set(i, k, r.w.cov.At(i, c))
		}
		for l := range k + 1 {
			cov.SetSym(k, l, r.Cov.At(c, positions[l]))
		}
	}
	nan := WaldTest{math.NaN(), float64(q), math.NaN(), math.NaN()}
	var ch mat.Cholesky
	var s mat.VecDense
	if !ch.Factorize(cov) || ch.SolveVecTo(&s, b) != nil {
		return nan
	}
	own, through := r.parts(mc)
	root, ok := r.scaling(own, through, q)
	if !ok {
		return nan
	}
	eta := float64(q*(q+1)) / r.totalVariance(own, through, root, q)
	f := (eta - float64(q) + 1) / (eta * float64(q)) * mat.Dot(b, &s)
	df2 := eta - float64(q) + 1
	if !(df2 > 0) {
		return nan
	}
	return WaldTest{f, float64(q), df2, distuv.F{D1: float64(q), D2: df2}.Survival(f)}
}

// parts are, for every cluster j with a_j = A_j'Φ_j^-1 X_j M C', a_j'Φ_j a_j and
// X_j'a_j.
func (r *RobustCovariance) parts(mc *mat.Dense) (own, through []*mat.Dense) {
	for _, b := range r.blocks {
		n := len(b.rows)
		var a mat.Dense
		a.Mul(b.awx, mc)
		phi := mat.NewDense(n, n, nil)
		_, p := r.w.x.Dims()
		x := mat.NewDense(n, p, nil)
		for i, row := range b.rows {
			x.SetRow(i, mat.Row(nil, row, r.w.x))
			for j, other := range b.rows {
				phi.Set(i, j, r.w.phi(row, other))
			}
		}
		var pa, o, t mat.Dense
		pa.Mul(phi, &a)
		o.Mul(a.T(), &pa)
		t.Mul(x.T(), &a)
		own, through = append(own, &o), append(through, &t)
	}
	return own, through
}

// cross is the covariance of the scores of clusters j and k.
func (r *RobustCovariance) cross(own, through []*mat.Dense, j, k int) *mat.Dense {
	var mt, out mat.Dense
	mt.Mul(r.w.cov, through[k])
	out.Mul(through[j].T(), &mt)
	out.Scale(-1, &out)
	if j == k {
		out.Add(&out, own[j])
	}
	return &out
}

// scaling is the inverse root of the expected covariance.
func (r *RobustCovariance) scaling(own, through []*mat.Dense, q int) (*mat.Dense, bool) {
	sum := mat.NewDense(q, q, nil)
	for j := range own {
		sum.Add(sum, r.cross(own, through, j, j))
	}
	sym := mat.NewSymDense(q, nil)
	for i := range q {
		for j := range i + 1 {
			sym.SetSym(i, j, (sum.At(i, j)+sum.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return nil, false
	}
	var v mat.Dense
	eig.VectorsTo(&v)
	out := mat.NewDense(q, q, nil)
	for k, x := range eig.Values(nil) {
		if !(x > 0) {
			return nil, false
		}
		for i := range q {
			for j := range q {
				out.Set(i, j, out.At(i, j)+v.At(i, k)*v.At(j, k)/math.Sqrt(x))
			}
		}
	}
	return out, true
}

// totalVariance is the sum over s and t of Var(T_st) of the scaled covariance T.
func (r *RobustCovariance) totalVariance(own, through []*mat.Dense, root *mat.Dense, q int) (total float64) {
	for j := range own {
		for k := range own {
			var half, p mat.Dense
			half.Mul(root, r.cross(own, through, j, k))
			p.Mul(&half, root)
			for s := range q {
				for t := range q {
					total += p.At(s, s)*p.At(t, t) + p.At(s, t)*p.At(t, s)
				}
			}
		}
	}
	return total
}
