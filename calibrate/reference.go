package calibrate

import (
	"math"
	"math/rand/v2"
)

// reference is a normal distribution that proposals of a block are made
// around: z' = m + ρ(z-m) + sqrt(1-ρ²)·L·ξ leaves N(m, LL') in place, and the
// ratio of the prior to it enters the acceptance.
type reference struct {
	N     int
	Mean  []float64
	L     [][]float64 // lower triangle
	Beta  [2]float64  // sqrt(1-ρ²): around the prior, around the reference
	Seen  int
	Sum   []float64
	Cross [][]float64
	Known bool
	d     []float64
}

func newReference(n int) *reference {
	r := &reference{N: n, Mean: make([]float64, n), Beta: [2]float64{0.3, 0.5}, d: make([]float64, n)}
	r.forget()
	return r
}

func (r *reference) forget() {
	r.Seen, r.Sum, r.Cross = 0, make([]float64, r.N), make([][]float64, r.N)
	for i := range r.Cross {
		r.Cross[i] = make([]float64, r.N)
	}
}

// propose writes a proposal for lane l and returns the log ratio of prior to
// proposal densities.
func (r *reference) propose(coords []int, cur, prop [][]float64, l int, aroundPrior bool, rng *rand.Rand) float64 {
	if aroundPrior || !r.Known {
		b := r.Beta[0]
		rho := math.Sqrt(1 - b*b)
		for _, c := range coords {
			prop[c][l] = rho*cur[c][l] + b*rng.NormFloat64()
		}
		return 0
	}
	b := r.Beta[1]
	rho := math.Sqrt(1 - b*b)
	for i := range r.d {
		r.d[i] = rng.NormFloat64()
	}
	var ratio float64
	for i := r.N - 1; i >= 0; i-- {
		var s float64
		for j := 0; j <= i; j++ {
			s += r.L[i][j] * r.d[j]
		}
		c := coords[i]
		prop[c][l] = r.Mean[i] + rho*(cur[c][l]-r.Mean[i]) + b*s
	}
	for _, c := range coords {
		ratio += 0.5 * (cur[c][l]*cur[c][l] - prop[c][l]*prop[c][l])
	}
	return ratio + r.half(coords, prop, l) - r.half(coords, cur, l)
}

// half is half the squared Mahalanobis distance from the reference.
func (r *reference) half(coords []int, z [][]float64, l int) float64 {
	var q float64
	for i, c := range coords {
		v := z[c][l] - r.Mean[i]
		for j := range i {
			v -= r.L[i][j] * r.d[j]
		}
		v /= r.L[i][i]
		r.d[i] = v
		q += v * v
	}
	return 0.5 * q
}

// tune moves the step towards an acceptance of 0.3 (Robbins–Monro).
func (r *reference) tune(aroundPrior bool, accept float64, sweep int) {
	k := 1
	if aroundPrior || !r.Known {
		k = 0
	}
	x := math.Log(r.Beta[k]/(1-r.Beta[k])) + 4/math.Sqrt(float64(sweep+10))*(accept-0.3)
	r.Beta[k] = clamp(1/(1+math.Exp(-x)), 0.01, 0.99)
}

// see adds the present state to the moments.
func (r *reference) see(coords []int, z [][]float64, l int) {
	r.Seen++
	for i, c := range coords {
		r.Sum[i] += z[c][l]
		for j := 0; j <= i; j++ {
			r.Cross[i][j] += z[c][l] * z[coords[j]][l]
		}
	}
}

// renew takes the moments as the reference: covariances shrunk by the number of
// states seen, variances wider by 1.4 and by a little of the prior's.
func (r *reference) renew() {
	if r.Seen < 20 {
		return
	}
	n := float64(r.Seen)
	shrink := n / (n + 3*float64(r.N))
	cov := make([][]float64, r.N)
	for i := range cov {
		r.Mean[i] = r.Sum[i] / n
		cov[i] = make([]float64, r.N)
		for j := 0; j <= i; j++ {
			cov[i][j] = 1.4 * (r.Cross[i][j]/n - r.Sum[i]/n*r.Sum[j]/n)
			if j < i {
				cov[i][j] *= shrink
			}
		}
		cov[i][i] += 0.02
	}
	if l, ok := cholesky(cov); ok {
		r.L, r.Known = l, true
	}
	r.forget()
}

func cholesky(a [][]float64) ([][]float64, bool) {
	l := make([][]float64, len(a))
	for i := range a {
		l[i] = make([]float64, len(a))
		for j := 0; j <= i; j++ {
			s := a[i][j]
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			if i == j {
				if !(s > 0) {
					return nil, false
				}
				l[i][i] = math.Sqrt(s)
			} else {
				l[i][j] = s / l[j][j]
			}
		}
	}
	return l, true
}
