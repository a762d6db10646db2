package synthesis

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Level is one random term: the group each row belongs to.
type Level struct {
	Name   string
	Groups []string
}

// Sigma2 is the variance of one random term.
type Sigma2 struct {
	Level  string
	Groups int
	Value  float64
}

// Sampling is the known covariance of the effects: variances V, and within a
// cluster the correlation Rho ("correlated and hierarchical effects",
// Pustejovsky & Tipton 2022, 10.1007/s11121-021-01246-3). Cluster may be nil.
type Sampling struct {
	V       []float64
	Rho     float64
	Cluster []string
}

func (s Sampling) at(i, j int) float64 {
	switch {
	case i == j:
		return s.V[i]
	case s.Rho != 0 && s.Cluster != nil && s.Cluster[i] == s.Cluster[j]:
		return s.Rho * math.Sqrt(s.V[i]*s.V[j])
	}
	return 0
}

// MultiLevel is a fitted multilevel model with nested random terms.
type MultiLevel struct {
	Meta
	Sigma2 []Sigma2

	fit *levelFit
}

// Nested builds the levels of a term such as study/effect: every level is the
// combination of its columns so far, so that effect 1 of study A is not effect
// 1 of study B.
func Nested(cols []Column) []Level {
	out := make([]Level, len(cols))
	for l, c := range cols {
		out[l] = Level{Name: c.Name, Groups: make([]string, len(c.Values))}
		if l > 0 {
			out[l].Name = out[l-1].Name + "/" + c.Name
		}
		for i, v := range c.Values {
			if l > 0 {
				v = out[l-1].Groups[i] + "\x00" + v
			}
			out[l].Groups[i] = v
		}
	}
	return out
}

// AnalyseLevels fits y with a known sampling covariance and one variance a
// random level by ML or REML (Fisher scoring on the exact score; Harville 1977,
// 10.1080/01621459.1977.10480998). Tests are z or t with k-p degrees of
// freedom; tau2 is the sum of the variances.
func AnalyseLevels(y []float64, known Sampling, x *mat.Dense, names []string, levels []Level, o MetaOptions) (*MultiLevel, error) {
	o = o.orDefault()
	k, p := x.Dims()
	v := known.V
	if err := checkData(y, v, k, p); err != nil {
		return nil, err
	}
	if !(known.Rho >= 0 && known.Rho < 1) {
		return nil, &DataError{"the correlation of effects within a cluster lies between 0 and 1"}
	}
	if o.Method != ML && o.Method != REML {
		return nil, &DataError{"multilevel models are fitted by ML or REML"}
	}
	if o.Test != TestZ && o.Test != TestT {
		return nil, &DataError{"multilevel models are tested by z or t"}
	}
	w := &wls{y: mat.NewVecDense(k, y), v: v, x: x}
	if !w.fullRank() {
		return nil, &DataError{"the moderators are linearly dependent: leave one out"}
	}
	f := &levelFit{w: w, known: known, groups: make([][]int, len(levels)), counts: make([]int, len(levels)), restricted: o.Method == REML, sigma: make([]float64, len(levels))}
	for l, lv := range levels {
		at := map[string]int{}
		f.groups[l] = make([]int, k)
		for i, g := range lv.Groups {
			if _, ok := at[g]; !ok {
				at[g] = len(at)
			}
			f.groups[l][i] = at[g]
		}
		f.counts[l] = len(at)
		f.sigma[l] = w.scale() / float64(len(levels)+1)
	}
	if err := f.run(); err != nil {
		return nil, err
	}
	out := &MultiLevel{fit: f, Meta: Meta{K: k, P: p, Options: o, PredLow: math.NaN(), PredHigh: math.NaN(), Tau2Low: math.NaN(), Tau2High: math.NaN()}}
	for l, lv := range levels {
		out.Sigma2 = append(out.Sigma2, Sigma2{lv.Name, f.counts[l], f.sigma[l]})
		out.Tau2 += f.sigma[l]
	}
	out.finish(w, f, names)
	return out, nil
}

func (m *MultiLevel) finish(w *wls, f *levelFit, names []string) {
	m.heterogeneity(w, false)
	if f.known.Rho != 0 { // Q by the full covariance
		g := *f
		if g.at(make([]float64, len(f.sigma))) {
			m.Q = g.rss
			m.QP = distuv.ChiSquared{K: float64(m.QDF)}.Survival(m.Q)
		}
		m.I2, m.H2 = math.NaN(), math.NaN()
	}
	fit := &wlsFit{beta: f.beta, cov: f.cov, rss: f.rss}
	m.terms(fit, names)
	k, p, r := float64(m.K), float64(m.P), float64(len(f.sigma))
	n := k
	m.LogLik = -0.5*k*math.Log(2*math.Pi) - 0.5*f.logDetV - 0.5*f.rss
	if f.restricted {
		n = k - p
		m.LogLik = -0.5*n*math.Log(2*math.Pi) + 0.5*w.logDetXX() - 0.5*f.logDetV - 0.5*f.logDetXVX - 0.5*f.rss
	}
	pars := p + r
	m.AIC = -2*m.LogLik + 2*pars
	m.BIC = -2*m.LogLik + pars*math.Log(n)
	top := math.Max(n, pars+2)
	m.AICc = -2*m.LogLik + 2*pars*top/(top-pars-1)
	if m.P == 1 {
		t := m.Terms[0]
		h := m.critical(t.DF) * math.Sqrt(t.SE*t.SE+m.Tau2)
		m.PredLow, m.PredHigh = t.Estimate-h, t.Estimate+h
	}
	m.QMP = distuv.ChiSquared{K: m.QMDF1}.Survival(m.QM)
	if !math.IsNaN(m.QMDF2) {
		m.QMP = distuv.F{D1: m.QMDF1, D2: m.QMDF2}.Survival(m.QM)
	}
}

// levelFit maximises the (restricted) likelihood in the variances.
type levelFit struct {
	w          *wls
	known      Sampling
	groups     [][]int // level -> row -> group
	counts     []int
	restricted bool
	sigma      []float64

	beta      *mat.VecDense
	cov       *mat.SymDense
	vinv, p   *mat.SymDense
	py        *mat.VecDense
	rss       float64
	logDetV   float64
	logDetXVX float64
}

// at evaluates everything at the variances s; false where V is singular.
func (f *levelFit) at(s []float64) bool {
	k, p := f.w.x.Dims()
	v := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			c := f.known.at(i, j)
			for l := range s {
				if f.groups[l][i] == f.groups[l][j] {
					c += s[l]
				}
			}
			if c != 0 {
				v.SetSym(i, j, c)
			}
		}
	}
	var ch mat.Cholesky
	if !ch.Factorize(v) {
		return false
	}
	f.logDetV = ch.LogDet()
	f.vinv = mat.NewSymDense(k, nil)
	if ch.InverseTo(f.vinv) != nil {
		return false
	}
	var vx mat.Dense
	vx.Mul(f.vinv, f.w.x)
	var xvx mat.Dense
	xvx.Mul(f.w.x.T(), &vx)
	sym := mat.NewSymDense(p, nil)
	for i := range p {
		for j := i; j < p; j++ {
			sym.SetSym(i, j, (xvx.At(i, j)+xvx.At(j, i))/2)
		}
	}
	var cx mat.Cholesky
	if !cx.Factorize(sym) {
		return false
	}
	f.logDetXVX = cx.LogDet()
	f.cov = mat.NewSymDense(p, nil)
	if cx.InverseTo(f.cov) != nil {
		return false
	}
	var vxc mat.Dense
	vxc.Mul(&vx, f.cov)
	f.p = mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			h := f.vinv.At(i, j)
			for a := range p {
				h -= vxc.At(i, a) * vx.At(j, a)
			}
			f.p.SetSym(i, j, h)
		}
	}
	f.py = mat.NewVecDense(k, nil)
	f.py.MulVec(f.p, f.w.y)
	f.rss = mat.Dot(f.w.y, f.py)
	var xvy, b mat.VecDense
	xvy.MulVec(vx.T(), f.w.y)
	b.MulVec(f.cov, &xvy)
	f.beta = &b
	return true
}

func (f *levelFit) objective() float64 {
	l := -0.5*f.logDetV - 0.5*f.rss
	if f.restricted {
		l -= 0.5 * f.logDetXVX
	}
	return l
}

// score and expected information of the variances. The trace term uses P when
// restricted and V^-1 when not.
func (f *levelFit) score() (g []float64, info *mat.SymDense) {
	n := len(f.sigma)
	m := f.vinv
	if f.restricted {
		m = f.p
	}
	k := m.SymmetricDim()
	g = make([]float64, n)
	info = mat.NewSymDense(n, nil)
	for l := range n {
		sums := make([]float64, f.counts[l])
		var tr float64
		for i := range k {
			sums[f.groups[l][i]] += f.py.AtVec(i)
			for j := range k {
				if f.groups[l][i] == f.groups[l][j] {
					tr += m.At(i, j)
				}
			}
		}
		var q float64
		for _, s := range sums {
			q += s * s
		}
		g[l] = 0.5 * (q - tr)
		for o := l; o < n; o++ {
			cross := make([]float64, f.counts[l]*f.counts[o])
			for i := range k {
				for j := range k {
					cross[f.groups[l][i]*f.counts[o]+f.groups[o][j]] += m.At(i, j)
				}
			}
			var s float64
			for _, c := range cross {
				s += c * c
			}
			info.SetSym(l, o, 0.5*s)
		}
	}
	return g, info
}

func (f *levelFit) run() error {
	if !f.at(f.sigma) {
		return ErrNotConverged
	}
	obj := f.objective()
	for range 300 {
		g, info := f.score()
		var idx []int
		top := 0.0
		for l := range f.sigma {
			if f.sigma[l] > 0 || g[l] > 0 {
				idx = append(idx, l)
				top = math.Max(top, math.Abs(g[l])*math.Max(f.sigma[l], 1e-12))
			}
		}
		if len(idx) == 0 || top < 1e-13 {
			return nil
		}
		next, newObj, ok := f.advance(idx, g, info, obj)
		if !ok {
			f.at(f.sigma)
			if top < 1e-6 {
				return nil
			}
			return ErrNotConverged
		}
		change := 0.0
		for l := range next {
			change = math.Max(change, math.Abs(next[l]-f.sigma[l])/(1e-8+next[l]))
		}
		f.sigma, obj = next, newObj
		if change < 1e-12 {
			return nil
		}
	}
	return ErrNotConverged
}

// advance takes the longest of the scoring steps that does not lower the
// likelihood, with variances kept at or above zero.
func (f *levelFit) advance(idx []int, g []float64, info *mat.SymDense, obj float64) ([]float64, float64, bool) {
	n := len(idx)
	a := mat.NewSymDense(n, nil)
	b := mat.NewVecDense(n, nil)
	for r, i := range idx {
		b.SetVec(r, g[i])
		for c := r; c < n; c++ {
			a.SetSym(r, c, info.At(i, idx[c]))
		}
	}
	var ch mat.Cholesky
	var d mat.VecDense
	if !ch.Factorize(a) || ch.SolveVecTo(&d, b) != nil {
		return nil, 0, false
	}
	for step := 1.0; step > 1e-10; step /= 2 {
		next := append([]float64(nil), f.sigma...)
		for r, i := range idx {
			next[i] = math.Max(0, next[i]+step*d.AtVec(r))
		}
		if f.at(next) {
			if o := f.objective(); o >= obj-1e-12*(1+math.Abs(obj)) {
				return next, o, true
			}
		}
	}
	return nil, 0, false
}
