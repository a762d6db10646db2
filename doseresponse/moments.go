package doseresponse

import (
	"math"

	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
)

// moments is the multivariate method of moments (Jackson, White & Riley 2013,
// 10.1002/bimj.201200152): with e the residuals of the fixed-effect fit and W
// the inverse covariances, sum W_i e_i e_i' has an expectation linear in Psi,
// which is solved for, made symmetric and cut at zero.
func moments(y []float64, known *blocks, x *mat.Dense, q int, o CurveOptions) (*Curve, error) {
	o.Method = "fixed"
	fixed, err := mixedCurve(y, known, x, make([]string, q), synthesis.Random{}, o)
	if err != nil {
		return nil, err
	}
	m := len(known.s)
	w := make([]*mat.SymDense, m)
	for i, s := range known.s {
		var ch mat.Cholesky
		w[i] = mat.NewSymDense(q, nil)
		if !ch.Factorize(s) || ch.InverseTo(w[i]) != nil {
			return nil, synthesis.ErrNotConverged
		}
	}
	obs, expect := mat.NewDense(q, q, nil), mat.NewDense(q, q, nil)
	b := mat.NewDense(q*q, q*q, nil)
	for i := range m {
		e := mat.NewVecDense(q, nil)
		for a := range q {
			e.SetVec(a, y[i*q+a]-fixed.Coef[a])
		}
		var we mat.VecDense
		we.MulVec(w[i], e)
		var outer, wc mat.Dense
		outer.Outer(1, &we, e)
		obs.Add(obs, &outer)
		wc.Mul(w[i], fixed.Cov)
		for a := range q {
			expect.Set(a, a, expect.At(a, a)+1)
		}
		expect.Sub(expect, &wc)
		for j := range m {
			var h mat.Dense // (I - H)_ij
			h.Mul(fixed.Cov, w[j])
			h.Scale(-1, &h)
			if i == j {
				for a := range q {
					h.Set(a, a, h.At(a, a)+1)
				}
			}
			addKronecker(b, w[i], &h)
		}
	}
	var psi mat.VecDense
	rhs := mat.NewVecDense(q*q, nil)
	for c := range q {
		for r := range q {
			rhs.SetVec(c*q+r, obs.At(r, c)-expect.At(r, c))
		}
	}
	if err := psi.SolveVec(b, rhs); err != nil {
		return nil, synthesis.ErrNotConverged
	}
	sym := mat.NewSymDense(q, nil)
	for r := range q {
		for c := range r + 1 {
			sym.SetSym(r, c, (psi.AtVec(c*q+r)+psi.AtVec(r*q+c))/2)
		}
	}
	return fixed.withPsi(y, known, positive(sym), q)
}

// addKronecker adds the matrix of Psi -> W H Psi H' on column-major vectors.
func addKronecker(b *mat.Dense, w mat.Matrix, h *mat.Dense) {
	var wh, k mat.Dense
	wh.Mul(w, h)
	k.Kronecker(h, &wh)
	b.Add(b, &k)
}

// positive sets negative eigenvalues to zero.
func positive(s *mat.SymDense) *mat.SymDense {
	n := s.SymmetricDim()
	var eig mat.EigenSym
	eig.Factorize(s, true)
	var v mat.Dense
	eig.VectorsTo(&v)
	out := mat.NewSymDense(n, nil)
	for k, x := range eig.Values(nil) {
		for i := range n {
			for j := range i + 1 {
				out.SetSym(i, j, out.At(i, j)+math.Max(0, x)*v.At(i, k)*v.At(j, k))
			}
		}
	}
	return out
}

// withPsi is generalised least squares of the trials' coefficients at Psi.
func (c *Curve) withPsi(y []float64, known *blocks, psi *mat.SymDense, q int) (*Curve, error) {
	total := &blocks{}
	for _, s := range known.s {
		v := mat.NewSymDense(q, nil)
		v.AddSym(s.(*mat.SymDense), psi)
		total.add(v)
	}
	x := mat.NewDense(len(y), q, nil)
	for i := range y {
		x.Set(i, i%q, 1)
	}
	o := c.Options
	o.Method, o.Level = "fixed", 0.95
	out, err := mixedCurve(y, total, x, make([]string, q), synthesis.Random{}, o)
	if err != nil {
		return nil, err
	}
	out.Psi, out.Q, out.QDF, out.QP, out.LogLik = psi, c.Q, c.QDF, c.QP, math.NaN()
	return out, nil
}
