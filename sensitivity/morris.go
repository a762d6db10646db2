package sensitivity

import (
	"context"
	"math"
	"math/rand/v2"
)

// MorrisEffects are, for each output and factor, the mean of the elementary
// effects (Mu), of their sizes (MuStar) and their standard deviation (Sigma),
// per unit of probability of the factor.
type MorrisEffects struct {
	Mu, MuStar, Sigma [][]Index
	Evaluations       int
}

// levels of the grid of Morris' design.
const levels = 4

// Morris screens factors by N trajectories of single steps over a grid of four
// levels (Morris 1991; Campolongo, Cariboni & Saltelli 2007), with bootstrap
// intervals over trajectories.
func Morris(ctx context.Context, factors []Factor, f Evaluate, set Settings) (*MorrisEffects, error) {
	set, err := set.orDefault(20)
	if err != nil {
		return nil, err
	}
	d := len(factors)
	if d == 0 {
		return nil, ErrNoFactors
	}
	rng := rand.New(rand.NewPCG(set.Seed, 0x304415))
	const delta = levels / (2.0 * (levels - 1))
	var points [][]float64
	order := make([][]int, set.N)
	sign := make([][]float64, set.N)
	for t := range set.N {
		u := make([]float64, d)
		sign[t] = make([]float64, d)
		for k := range u {
			u[k] = float64(rng.IntN(levels/2)) / (levels - 1)
			sign[t][k] = 1
			if rng.IntN(2) == 1 {
				u[k] += delta
				sign[t][k] = -1
			}
		}
		order[t] = rng.Perm(d)
		points = append(points, at(factors, u))
		for _, k := range order[t] {
			u[k] += sign[t][k] * delta
			points = append(points, at(factors, u))
		}
	}
	y, err := f(ctx, points)
	if err != nil {
		return nil, err
	}
	if err := finite(y); err != nil {
		return nil, err
	}
	res := &MorrisEffects{Evaluations: len(points)}
	for o := range y[0] {
		effects := make([][]float64, d)
		for t := range set.N {
			for step, k := range order[t] {
				row := t*(d+1) + step
				effects[k] = append(effects[k], (y[row+1][o]-y[row][o])/(sign[t][k]*delta))
			}
		}
		var mu, star, sigma []Index
		for k := range factors {
			e := effects[k]
			mean := func(draw []int, f func(float64) float64) float64 {
				var s float64
				for _, i := range draw {
					s += f(e[i])
				}
				return s / float64(len(draw))
			}
			same := func(v float64) float64 { return v }
			mu = append(mu, bootstrap(set.N, set, rng, func(draw []int) float64 { return mean(draw, same) }))
			star = append(star, bootstrap(set.N, set, rng, func(draw []int) float64 { return mean(draw, math.Abs) }))
			sigma = append(sigma, bootstrap(set.N, set, rng, func(draw []int) float64 {
				m := mean(draw, same)
				return math.Sqrt(mean(draw, func(v float64) float64 { return (v - m) * (v - m) }) * float64(len(draw)) / float64(len(draw)-1))
			}))
		}
		res.Mu, res.MuStar, res.Sigma = append(res.Mu, mu), append(res.MuStar, star), append(res.Sigma, sigma)
	}
	return res, nil
}

// at maps a point of the grid to values; its ends stay inside (0, 1).
func at(factors []Factor, u []float64) []float64 {
	out := make([]float64, len(u))
	for k, v := range u {
		out[k] = factors[k].Quantile(0.005 + 0.99*v)
	}
	return out
}
