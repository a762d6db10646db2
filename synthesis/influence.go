package synthesis

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Influence is what one effect size does to a fit (Viechtbauer & Cheung 2010,
// 10.1002/jrsm.11): NaN where the fit without it does not exist.
type Influence struct {
	RStudent, DFFITS, CookD, CovRatio float64
	Tau2Del, QDel, Hat, Weight        float64 // weight in percent
	Estimate, SE                      float64 // first coefficient without it
}

// MaxRefits bounds the effects where every one is a refit of the rest.
const MaxRefits = 20_000

// Influences computes the diagnostics of every effect size.
func Influences(y, v []float64, x *mat.Dense, names []string, o MetaOptions) ([]Influence, error) {
	o = o.orDefault()
	if len(y) > MaxRefits {
		return nil, &DataError{fmt.Sprintf("leaving out each of %d effects is too much work: at most %d", len(y), MaxRefits)}
	}
	full, err := Analyse(y, v, x, names, o)
	if err != nil {
		return nil, err
	}
	k, p := x.Dims()
	w := newWLS(y, v, x)
	f := w.at(full.Tau2)
	var inv mat.Cholesky
	inv.Factorize(full.Cov)
	out := make([]Influence, k)
	Parallel(k, func(i int) {
		d := Influence{RStudent: math.NaN(), DFFITS: math.NaN(), CookD: math.NaN(), CovRatio: math.NaN(), Tau2Del: math.NaN(), QDel: math.NaN(), Estimate: math.NaN(), SE: math.NaN(), Weight: 100 * f.w[i] / f.weight}
		xi := mat.Row(nil, i, x)
		d.Hat = f.w[i] * quadratic(f.cov, xi)
		if m, del := without(y, v, x, names, o, i); m != nil {
			d.fill(full, m, del, &inv, xi, y[i], v[i], p)
		}
		out[i] = d
	})
	return out, nil
}

// quadratic is x'Ax.
func quadratic(a *mat.SymDense, x []float64) (s float64) {
	for i := range x {
		for j := range x {
			s += x[i] * a.At(i, j) * x[j]
		}
	}
	return s
}

func (d *Influence) fill(full, m *Meta, del *wlsFit, inv *mat.Cholesky, xi []float64, y, v float64, p int) {
	d.Tau2Del, d.QDel, d.Estimate, d.SE = m.Tau2, m.Q, m.Terms[0].Estimate, m.Terms[0].SE
	var pred, predDel float64
	diff := mat.NewVecDense(p, nil)
	for j := range p {
		pred += xi[j] * full.Terms[j].Estimate
		predDel += xi[j] * m.Terms[j].Estimate
		diff.SetVec(j, full.Terms[j].Estimate-m.Terms[j].Estimate)
	}
	d.RStudent = (y - predDel) / math.Sqrt(v+m.Tau2+quadratic(m.Cov, xi))
	d.DFFITS = (pred - predDel) / math.Sqrt(d.Hat*(m.Tau2+v))
	var s mat.VecDense
	if inv.SolveVecTo(&s, diff) == nil {
		d.CookD = mat.Dot(diff, &s)
	}
	d.CovRatio = mat.Det(m.Cov) / mat.Det(full.Cov)
}

// without fits the model without row i; nil where that is not possible.
func without(y, v []float64, x *mat.Dense, names []string, o MetaOptions, i int) (*Meta, *wlsFit) {
	k, p := x.Dims()
	y2, v2 := append(append([]float64(nil), y[:i]...), y[i+1:]...), append(append([]float64(nil), v[:i]...), v[i+1:]...)
	x2 := mat.NewDense(k-1, p, nil)
	for r, j := 0, 0; j < k; j++ {
		if j != i {
			x2.SetRow(r, mat.Row(nil, j, x))
			r++
		}
	}
	m, err := Analyse(y2, v2, x2, names, o)
	if err != nil {
		return nil, nil
	}
	w := newWLS(y2, v2, x2)
	return m, w.at(m.Tau2)
}

// Cumulative fits the first 1, 2, … effects in the order given; entry 0 is the
// first effect alone.
func Cumulative(y, v []float64, o MetaOptions) ([]*Meta, error) {
	o = o.orDefault()
	if err := checkData(y, v, len(y), 1); err != nil {
		return nil, err
	}
	if len(y) > MaxRefits {
		return nil, &DataError{fmt.Sprintf("%d cumulative fits are too many: at most %d", len(y), MaxRefits)}
	}
	out := make([]*Meta, len(y))
	for i := range y {
		m, err := Mean(y[:i+1], v[:i+1], o)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			m.Options = o
			t := &m.Terms[0]
			t.Stat, t.DF = t.Estimate/t.SE, math.NaN()
			h := m.critical(math.NaN()) * t.SE
			t.Low, t.High = t.Estimate-h, t.Estimate+h
		}
		out[i] = m
	}
	return out, nil
}

// Baujat are the coordinates of effect y with variance v in the plot of Baujat
// et al. (2002, 10.1002/sim.1221) for the mean m: its squared Pearson residual,
// and its influence, the squared change of the mean in units of the variance of
// the mean without it.
func (d Influence) Baujat(y, v float64, m *Meta) (x, influence float64) {
	e := y - m.Terms[0].Estimate
	change := (m.Terms[0].Estimate - d.Estimate) / d.SE
	return e * e / (v + m.Tau2), change * change
}
