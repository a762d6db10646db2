package doseresponse

import (
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/integrate/quad"
)

// CurvePrior are the priors of a Bayesian curve of one agent. The zero value is
// free of units: the coefficient is normal with ten times the root mean square
// of the effects as SD, tau half-normal with that root mean square as scale,
// and the scale of dose log-normal around the median dose with SD 1 of the
// logarithm (all assumed). ScaleHalfNormal, in the unit of the dose, replaces the
// last by a half-normal prior, as packages have it; the unit of dose matters then.
type CurvePrior struct {
	CoefSD, TauScale, ScaleHalfNormal float64
}

// BayesCurve is the posterior of a one-agent network with a one-coefficient
// shape (linear, emax, exponential, loglinear), by deterministic quadrature over
// tau and the scale of dose; given both everything is normal.
type BayesCurve struct {
	Agent       string
	Shape       Shape
	Prior       CurvePrior
	Coef, Tau   synthesis.Summary
	Scale       synthesis.Summary // NaN for linear
	Probability float64           // that the coefficient is above zero

	level float64
	nodes []bayesNode
}

// bayesNode is one point of the quadrature: its weight, and mean and variance
// of the coefficient there.
type bayesNode struct {
	scale, tau, weight, mean, variance float64
}

// FitBayes computes the posterior.
func FitBayes(trials []NetworkTrial, shape Shape, prior CurvePrior, level float64) (*BayesCurve, error) {
	n := &Network{Shape: shape, Level: level, doses: map[string][]float64{}, perAgent: 1}
	if shape == Quadratic {
		return nil, &synthesis.DataError{Message: "Bayesian curves have one coefficient: linear, emax, exponential or loglinear"}
	}
	if err := n.check(trials); err != nil {
		return nil, err
	}
	if len(n.Agents) != 1 {
		return nil, &synthesis.DataError{Message: fmt.Sprintf("Bayesian curves are for one agent, there are %d", len(n.Agents))}
	}
	d := slices.Sorted(slices.Values(n.doses[n.Agents[0]]))
	median := d[len(d)/2]
	n.Scale = []float64{median}
	y, _, _, _, _ := n.design(trials)
	var size float64
	for _, e := range y {
		size += e * e / float64(len(y))
	}
	size = math.Sqrt(size)
	if prior.CoefSD == 0 {
		prior.CoefSD = 10 * size
	}
	if prior.TauScale == 0 {
		prior.TauScale = size
	}
	if !(prior.CoefSD > 0 && prior.TauScale > 0) {
		return nil, &synthesis.DataError{Message: "all effects are zero: the priors have no scale"}
	}
	b := &BayesCurve{Agent: n.Agents[0], Shape: shape, Prior: prior, level: level}
	b.integrate(n, trials, median)
	if len(b.nodes) == 0 {
		return nil, synthesis.ErrNotConverged
	}
	b.summarise()
	return b, nil
}

// integrate evaluates the posterior on its nodes: Gauss–Legendre in tau, the
// trapezoid rule in the logarithm of the scale.
func (b *BayesCurve) integrate(n *Network, trials []NetworkTrial, median float64) {
	const taus, scales = 60, 240
	x, w := make([]float64, taus), make([]float64, taus)
	quad.Legendre{}.FixedLocations(x, w, 0, 1)
	low, high := math.Log(median)-7, math.Log(median)+7
	if s := b.Prior.ScaleHalfNormal; s > 0 {
		low, high = math.Log(s)-9, math.Log(6*s)
	}
	steps := scales
	if b.Shape == Linear {
		steps = 1
	}
	var logs []float64
	top := math.Inf(-1)
	for k := range steps {
		var prior float64
		scale := median
		if steps > 1 {
			z := low + (high-low)*float64(k)/(scales-1)
			scale = math.Exp(z)
			prior = b.logScalePrior(scale, z, median)
		}
		n.Scale[0] = scale
		stats := newNodeData(n, trials)
		for i := range taus {
			// tau = s·x/(1-x) reaches every value
			s := b.Prior.TauScale / 2
			tau := s * x[i] / (1 - x[i])
			l, mean, variance := stats.at(tau, b.Prior.CoefSD)
			l += prior - 0.5*tau*tau/(b.Prior.TauScale*b.Prior.TauScale) + math.Log(w[i]*s/((1-x[i])*(1-x[i])))
			b.nodes = append(b.nodes, bayesNode{scale: scale, tau: tau, mean: mean, variance: variance})
			logs = append(logs, l)
			top = math.Max(top, l)
		}
	}
	var sum float64
	for i, l := range logs {
		b.nodes[i].weight = math.Exp(l - top)
		sum += b.nodes[i].weight
	}
	kept := b.nodes[:0]
	for _, q := range b.nodes {
		if q.weight /= sum; q.weight > 1e-14 {
			kept = append(kept, q)
		}
	}
	b.nodes = kept
}

// logScalePrior is the log density of the logarithm z of the scale.
func (b *BayesCurve) logScalePrior(scale, z, median float64) float64 {
	if s := b.Prior.ScaleHalfNormal; s > 0 {
		return -0.5*scale*scale/(s*s) + z
	}
	u := (z - math.Log(median)) / ScalePriorSD
	return -0.5 * u * u
}

// nodeData are the contrasts of every trial at one scale.
type nodeData struct {
	y, x [][]float64
	s    [][]float64 // sampling covariance, row-major
}

func newNodeData(n *Network, trials []NetworkTrial) *nodeData {
	d := &nodeData{}
	for _, t := range trials {
		base := n.row(t.Arms[0])[0]
		k := len(t.Arms) - 1
		y, x, s := make([]float64, k), make([]float64, k), make([]float64, k*k)
		for j, a := range t.Arms[1:] {
			y[j], x[j] = a.Effect-t.Arms[0].Effect, n.row(a)[0]-base
			for l := range k {
				s[j*k+l] = t.Arms[0].Var
			}
			s[j*k+j] += a.Var
		}
		d.y, d.x, d.s = append(d.y, y), append(d.x, x), append(d.s, s)
	}
	return d
}

// at is the log of the likelihood at tau with the coefficient integrated out,
// and the coefficient's conditional mean and variance.
func (d *nodeData) at(tau, coefSD float64) (l, mean, variance float64) {
	a := 1 / (coefSD * coefSD)
	var b float64
	for t := range d.y {
		k := len(d.y[t])
		v := slices.Clone(d.s[t])
		for i := range k {
			for j := range k {
				v[i*k+j] += tau * tau / 2
			}
			v[i*k+i] += tau * tau / 2
		}
		xx, xy, yy, logDet := quadraticForms(v, d.x[t], d.y[t])
		a += xx
		b += xy
		l -= 0.5*yy + 0.5*logDet
	}
	return l - 0.5*math.Log(a) + 0.5*b*b/a, b / a, 1 / a
}

// quadraticForms are x'V^-1x, x'V^-1y, y'V^-1y and log|V|, by elimination of the
// rows one after another (V is symmetric and positive definite and lost).
func quadraticForms(v, x, y []float64) (xx, xy, yy, logDet float64) {
	k := len(x)
	x, y = slices.Clone(x), slices.Clone(y)
	for i := range k {
		p := v[i*k+i]
		logDet += math.Log(p)
		xx += x[i] * x[i] / p
		xy += x[i] * y[i] / p
		yy += y[i] * y[i] / p
		for j := i + 1; j < k; j++ {
			f := v[j*k+i] / p
			x[j] -= f * x[i]
			y[j] -= f * y[i]
			for m := i; m < k; m++ {
				v[j*k+m] -= f * v[i*k+m]
			}
		}
	}
	return xx, xy, yy, logDet
}

func (b *BayesCurve) summarise() {
	b.Coef = b.mixture(func(n bayesNode) (float64, float64) { return n.mean, n.variance })
	b.Tau = b.marginal(func(n bayesNode) float64 { return n.tau })
	b.Scale = b.marginal(func(n bayesNode) float64 { return n.scale })
	if b.Shape == Linear {
		nan := math.NaN()
		b.Scale = synthesis.Summary{Mean: nan, SD: nan, Median: nan, Low: nan, High: nan}
	}
	for _, n := range b.nodes {
		b.Probability += n.weight * synthesis.UpperTail(-n.mean/math.Sqrt(n.variance))
	}
}

// At is the posterior of the effect of a dose against dose zero.
func (b *BayesCurve) At(dose float64) synthesis.Summary {
	return b.mixture(func(n bayesNode) (float64, float64) {
		f := Form{Shape: b.Shape, Scale: n.scale}
		d := dose
		if b.Shape == Linear { // the coefficient is per median dose
			d /= n.scale
		}
		x := f.Terms(d)[0]
		return x * n.mean, x * x * n.variance
	})
}

// mixture summarises normals with the weights of the nodes.
func (b *BayesCurve) mixture(of func(bayesNode) (mean, variance float64)) (s synthesis.Summary) {
	means, sds := make([]float64, len(b.nodes)), make([]float64, len(b.nodes))
	var m2 float64
	for i, n := range b.nodes {
		m, v := of(n)
		means[i], sds[i] = m, math.Sqrt(v)
		s.Mean += n.weight * m
		m2 += n.weight * (v + m*m)
	}
	s.SD = math.Sqrt(math.Max(0, m2-s.Mean*s.Mean))
	if s.SD == 0 {
		s.Median, s.Low, s.High = s.Mean, s.Mean, s.Mean
		return s
	}
	quantile := func(p float64) float64 {
		below := func(x float64) (c float64) {
			for i, n := range b.nodes {
				c += n.weight * synthesis.UpperTail((means[i]-x)/sds[i])
			}
			return c
		}
		lo, hi := s.Mean-s.SD, s.Mean+s.SD
		for below(lo) > p {
			lo -= s.SD
		}
		for below(hi) < p {
			hi += s.SD
		}
		for hi-lo > 1e-9*s.SD {
			m := (lo + hi) / 2
			if below(m) < p {
				lo = m
			} else {
				hi = m
			}
		}
		return (lo + hi) / 2
	}
	a := (1 - b.level) / 2
	s.Median, s.Low, s.High = quantile(0.5), quantile(a), quantile(1-a)
	return s
}

// marginal summarises a coordinate of the nodes; quantiles interpolate the
// cumulative weights at the middle of every node's share.
func (b *BayesCurve) marginal(of func(bayesNode) float64) (s synthesis.Summary) {
	type share struct{ x, w float64 }
	total := map[float64]float64{}
	var m2 float64
	for _, n := range b.nodes {
		x := of(n)
		total[x] += n.weight
	}
	shares := make([]share, 0, len(total))
	for x, w := range total {
		shares = append(shares, share{x, w})
	}
	slices.SortFunc(shares, func(a, b share) int {
		if a.x < b.x {
			return -1
		}
		return 1
	})
	for _, q := range shares {
		s.Mean += q.w * q.x
		m2 += q.w * q.x * q.x
	}
	s.SD = math.Sqrt(math.Max(0, m2-s.Mean*s.Mean))
	quantile := func(p float64) float64 {
		var c, lastX, lastC float64
		for _, q := range shares {
			mid := c + q.w/2
			if mid >= p {
				if mid == lastC {
					return q.x
				}
				return lastX + (q.x-lastX)*(p-lastC)/(mid-lastC)
			}
			lastX, lastC = q.x, mid
			c += q.w
		}
		return lastX
	}
	a := (1 - b.level) / 2
	s.Median, s.Low, s.High = quantile(0.5), quantile(a), quantile(1-a)
	return s
}
