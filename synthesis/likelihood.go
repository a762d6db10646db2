package synthesis

import (
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/reported"
	"gonum.org/v1/gonum/integrate/quad"
)

// Row is one result with its cluster and its covariates X (X[0] is usually 1).
type Row struct {
	ID, Cluster string
	X           []float64
	Result      reported.Result
}

// nodes is the number of Gauss–Hermite points of a cohort whose rows are all
// numeric. The integrand is then a normal density times a quadratic, for which
// 4 points are exact.
const nodes = 4

// step is the spacing of the trapezoid rule for cohorts with partial rows, in
// units of the narrowest scale of the integrand. The rule converges like
// exp(-2π²/step²) on integrands of this kind: 0.9 leaves about 3e-11, and so
// does leaving out points where the integrand is below exp(-26) of its top.
// Cohorts whose integrand needs more than maxPoints are cut there.
const (
	step       = 0.9
	negligible = 26
	maxPoints  = 20000
)

var ghX, ghW = func() ([]float64, []float64) {
	x, w := make([]float64, nodes), make([]float64, nodes)
	quad.Hermite{}.FixedLocations(x, w, math.Inf(-1), math.Inf(1))
	for i := range x { // weight exp(-x²) -> standard normal
		x[i] *= math.Sqrt2
		w[i] = math.Log(w[i] / math.Sqrt(math.Pi))
	}
	return x, w
}()

// params are the coefficients and the two variances (between cohorts, between
// outcomes within a cohort).
type params struct {
	beta   []float64
	vb, vw float64
}

// problem is the data grouped by cluster, in order of first appearance. Equal
// rows of a cluster (three outcomes, all "not significant") are kept once with
// their number.
type problem struct {
	clusters [][]counted
	rows     int
	omega    float64
	p        int // number of coefficients
}

// counted is a row that stands n times in its cluster.
type counted struct {
	Row
	n float64
}

func (c counted) equals(r Row) bool {
	a, b := c.Result, r.Result
	return a.Form == b.Form && a.Numeric == b.Numeric && a.Y == b.Y && a.S == b.S && a.C == b.C && a.Weight == b.Weight && a.Mentionable == b.Mentionable &&
		slices.Equal(a.Pieces, b.Pieces) && slices.Equal(c.X, r.X)
}

// logLik is the log-likelihood of the row given that it is mentioned, times its
// number. How many outcomes a trial measured is unknown, so what it left out
// does not count: given the cohort's effect, each row stands for itself.
func (c counted) logLik(m, v, omega float64) reported.Derivs {
	d, g := c.Result.LogLik(m, v, omega), c.Result.LogMention(m, v, omega)
	return reported.Derivs{L: c.n * (d.L - g.L), D1: c.n * (d.D1 - g.D1), D2: c.n * (d.D2 - g.D2), DV: c.n * (d.DV - g.DV)}
}

func newProblem(rows []Row, omega float64) problem {
	at := map[string]int{}
	pr := problem{omega: omega, rows: len(rows)}
	for _, r := range rows {
		k, ok := at[r.Cluster]
		if !ok {
			k = len(pr.clusters)
			at[r.Cluster] = k
			pr.clusters = append(pr.clusters, nil)
		}
		pr.p = len(r.X)
		if i := slices.IndexFunc(pr.clusters[k], func(c counted) bool { return c.equals(r) }); i >= 0 {
			pr.clusters[k][i].n++
			continue
		}
		pr.clusters[k] = append(pr.clusters[k], counted{r, 1})
	}
	return pr
}

// logLik returns the log-likelihood and adds its gradient in
// (beta..., vb, vw) to grad, which is set to zero first. grad may be nil.
func (pr problem) logLik(q params, grad []float64) float64 {
	for i := range grad {
		grad[i] = 0
	}
	var sum float64
	for _, c := range pr.clusters {
		sum += pr.cluster(c, q, grad)
	}
	return sum
}

// sample is the integrand at one quadrature point: the log of weight times
// density, the curvature term of tau_b² and the derivatives of each row.
type sample struct {
	lw, curv float64
	rows     []reported.Derivs
}

func (pr problem) sample(c []counted, mean []float64, u, vw, lw float64) sample {
	s := sample{lw: lw, rows: make([]reported.Derivs, len(c))}
	var d1, d2 float64
	for i := range c {
		d := c[i].logLik(mean[i]+u, vw, pr.omega)
		s.rows[i] = d
		s.lw, d1, d2 = s.lw+d.L, d1+d.D1, d2+d.D2
	}
	s.curv = 0.5 * (d2 + d1*d1)
	return s
}

// samples places the quadrature over the standardised random effect z of one
// cohort and evaluates it.
func (pr problem) samples(c []counted, mean []float64, q params) (out []sample) {
	sb := math.Sqrt(q.vb)
	if sb == 0 {
		return []sample{pr.sample(c, mean, 0, q.vw, 0)}
	}
	mode, scale := pr.mode(c, mean, sb, q.vw)
	if allNumeric(c) && pr.omega == 1 {
		for k := range ghX {
			x := mode + scale*ghX[k]
			out = append(out, pr.sample(c, mean, sb*x, q.vw, ghW[k]+math.Log(scale)-0.5*x*x+0.5*ghX[k]*ghX[k]))
		}
		return out
	}
	info := 1.0
	for i := range c {
		info += c[i].n * q.vb / (c[i].Result.S*c[i].Result.S + q.vw)
	}
	h := step / math.Sqrt(info)
	if pr.omega < 1 { // 1/P(mentioned) has poles near the real line
		h /= 2
	}
	weight := math.Log(h) - 0.5*math.Log(2*math.Pi)
	at := func(x float64) sample { return pr.sample(c, mean, sb*x, q.vw, weight-0.5*x*x) }
	out = append(out, at(mode))
	top := out[0].lw
	for _, dir := range []float64{-h, h} {
		for k := 1.0; len(out) < maxPoints; k++ {
			s := at(mode + dir*k)
			if s.lw < top-negligible {
				break
			}
			out = append(out, s)
		}
	}
	return out
}

func allNumeric(c []counted) bool {
	for i := range c {
		if !c[i].Result.Numeric {
			return false
		}
	}
	return true
}

// cluster integrates the random effect of one cohort.
func (pr problem) cluster(c []counted, q params, grad []float64) float64 {
	mean := make([]float64, len(c))
	for i := range c {
		for k, x := range c[i].X {
			mean[i] += x * q.beta[k]
		}
	}
	ss := pr.samples(c, mean, q)
	top := math.Inf(-1)
	for k := range ss {
		top = math.Max(top, ss[k].lw)
	}
	var sum float64
	for k := range ss {
		ss[k].lw = math.Exp(ss[k].lw - top)
		sum += ss[k].lw
	}
	if grad == nil {
		return math.Log(sum) + top
	}
	for k := range ss {
		w := ss[k].lw / sum
		grad[pr.p] += w * ss[k].curv
		for i, d := range ss[k].rows {
			for j, x := range c[i].X {
				grad[j] += x * w * d.D1
			}
			grad[pr.p+1] += w * d.DV
		}
	}
	return math.Log(sum) + top
}

// mode finds the maximum of -z²/2 + log-likelihood(sb·z) by Newton steps and
// returns it with the curvature scale. The function is log-concave but for the
// selective-mention term, so the curvature is kept at least that of the prior.
func (pr problem) mode(c []counted, mean []float64, sb, vw float64) (z, scale float64) {
	curvature := 1.0
	for range 60 {
		var d1, d2 float64
		for i := range c {
			d := c[i].logLik(mean[i]+sb*z, vw, pr.omega)
			d1, d2 = d1+d.D1, d2+d.D2
		}
		g := -z + sb*d1
		curvature = math.Max(1-sb*sb*d2, 1)
		step := g / curvature
		step = math.Max(-3, math.Min(3, step))
		z += step
		if math.Abs(step) < 1e-3 { // any centre near the mode will do
			break
		}
	}
	return z, 1 / math.Sqrt(curvature)
}
