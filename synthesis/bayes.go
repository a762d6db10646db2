package synthesis

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Prior of the pooled effect and of both heterogeneity SDs. The zero value
// stands for the defaults: effect ~ N(0, 1), taus ~ half-normal(0.5), both
// weakly informative on the SMD scale (assumed).
type Prior struct{ EffectSD, TauScale float64 }

func (p Prior) orDefault() Prior {
	if p.EffectSD == 0 {
		p.EffectSD = 1
	}
	if p.TauScale == 0 {
		p.TauScale = 0.5
	}
	return p
}

// Posterior of the pooled effect by deterministic quadrature.
type Posterior struct {
	Mean, SD           float64
	Low, High          float64 // central credible interval
	PredLow, PredHigh  float64 // of the true effect in a new cohort and outcome
	TauBMean, TauWMean float64
	ProbPositive       float64
	ProbNextPositive   float64
	LogEvidence        float64
}

const (
	tauPoints = 9   // Gauss–Legendre points per tau
	muPoints  = 121 // grid of the effect
)

// Bayes computes the posterior of the effect of an intercept-only model. Taus
// are integrated by Gauss–Legendre over four prior scales, the effect on a
// grid of nine standard errors around the fit.
func Bayes(f *Fit, prior Prior, level float64) Posterior {
	prior = prior.orDefault()
	tx, tw := make([]float64, tauPoints), make([]float64, tauPoints)
	quad.Legendre{}.FixedLocations(tx, tw, 0, 4*prior.TauScale)
	half := 9 * f.SE[0]
	mu := make([]float64, muPoints)
	for i := range mu {
		mu[i] = f.Beta[0] - half + 2*half*float64(i)/(muPoints-1)
	}
	type cell struct {
		tb, tw, lw float64
		ll         []float64
	}
	cells := make([]cell, tauPoints*tauPoints)
	halfNormal := func(t float64) float64 {
		return distuv.Normal{Mu: 0, Sigma: prior.TauScale}.LogProb(t) + math.Ln2
	}
	at := make([]float64, len(cells)) // log-weight of each pair of taus at the fitted effect
	Parallel(len(cells), func(i int) {
		a, b := i/tauPoints, i%tauPoints
		c := cell{tb: tx[a], tw: tx[b]}
		c.lw = math.Log(tw[a]*tw[b]) + halfNormal(c.tb) + halfNormal(c.tw)
		at[i] = c.lw + f.pr.logLik(params{f.Beta, c.tb * c.tb, c.tw * c.tw}, nil)
		cells[i] = c
	})
	keep := slices.Max(at) - negligible
	Parallel(len(cells), func(i int) {
		if at[i] > keep {
			cells[i].ll = make([]float64, muPoints)
			f.pr.profileMu(cells[i].tb*cells[i].tb, cells[i].tw*cells[i].tw, mu, cells[i].ll)
		}
	})
	cells = slices.DeleteFunc(cells, func(c cell) bool { return c.ll == nil })
	mp := distuv.Normal{Mu: 0, Sigma: prior.EffectSD}
	maxL := math.Inf(-1)
	for _, c := range cells {
		for i := range mu {
			c.ll[i] += c.lw + mp.LogProb(mu[i])
			maxL = math.Max(maxL, c.ll[i])
		}
	}
	var p Posterior
	marg := make([]float64, muPoints)
	var total float64
	for _, c := range cells {
		var w float64
		for i := range mu {
			e := math.Exp(c.ll[i] - maxL)
			marg[i] += e
			w += e
		}
		total += w
		p.TauBMean += w * c.tb
		p.TauWMean += w * c.tw
	}
	p.TauBMean, p.TauWMean = p.TauBMean/total, p.TauWMean/total
	step := mu[1] - mu[0]
	p.LogEvidence = maxL + math.Log(total*step)
	for i := range mu {
		marg[i] /= total
		p.Mean += marg[i] * mu[i]
	}
	for i := range mu {
		p.SD += marg[i] * (mu[i] - p.Mean) * (mu[i] - p.Mean)
	}
	p.SD = math.Sqrt(p.SD)
	a := (1 - level) / 2
	p.Low, p.High = gridQuantile(mu, marg, a), gridQuantile(mu, marg, 1-a)
	p.ProbPositive = 1 - gridCDF(mu, marg, 0)
	next := func(x float64) float64 { // predictive distribution function
		var s float64
		for _, c := range cells {
			sd := math.Hypot(c.tb, c.tw)
			for i := range mu {
				if w := math.Exp(c.ll[i]-maxL) / total; w > 1e-9 {
					s += w * 0.5 * math.Erfc(-(x-mu[i])/(sd*math.Sqrt2))
				}
			}
		}
		return s
	}
	p.PredLow, p.PredHigh = bisect(next, a), bisect(next, 1-a)
	p.ProbNextPositive = 1 - next(0)
	return p
}

// profileMu evaluates the log-likelihood over a grid of the effect. It is
// smooth in the effect, so it is computed at a sixth of the points and filled
// in by cubic interpolation.
func (pr problem) profileMu(vb, vw float64, mu, out []float64) {
	const stride = 6
	var cx, cy []float64
	for i := 0; i < len(mu); i += stride {
		cx = append(cx, mu[i])
		cy = append(cy, pr.logLik(params{[]float64{mu[i]}, vb, vw}, nil))
	}
	for i, x := range mu {
		k := i / stride
		k = max(1, min(k, len(cx)-3))
		out[i] = lagrange4(cx[k-1:k+3], cy[k-1:k+3], x)
	}
}

func lagrange4(x, y []float64, at float64) (s float64) {
	for i := range 4 {
		w := 1.0
		for j := range 4 {
			if i != j {
				w *= (at - x[j]) / (x[i] - x[j])
			}
		}
		s += w * y[i]
	}
	return s
}

// gridCDF is the distribution function of mass on an even grid, each point
// spread evenly over its cell.
func gridCDF(x, mass []float64, at float64) float64 {
	h := x[1] - x[0]
	var s float64
	for i := range x {
		s += mass[i] * math.Max(0, math.Min(1, (at-x[i])/h+0.5))
	}
	return s
}

func gridQuantile(x, mass []float64, q float64) float64 {
	return bisect(func(at float64) float64 { return gridCDF(x, mass, at) }, q)
}

func bisect(f func(float64) float64, q float64) float64 {
	lo, hi := -20.0, 20.0
	for range 60 {
		m := (lo + hi) / 2
		if f(m) < q {
			lo = m
		} else {
			hi = m
		}
	}
	return (lo + hi) / 2
}
