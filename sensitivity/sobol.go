package sensitivity

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/samplemv"
)

// SobolIndices are the shares of the variance of each output: First[o][f] by
// factor f alone, Total[o][f] by f with all its interactions.
type SobolIndices struct {
	First, Total [][]Index
	Evaluations  int
}

// Sobol estimates first-order and total indices from N·(factors + 2) model
// runs, with the estimators of Jansen (1999) in the design of Saltelli et al.
// (2010) on scrambled Halton points, and bootstrap intervals over its rows.
func Sobol(ctx context.Context, factors []Factor, f Evaluate, set Settings) (*SobolIndices, error) {
	set, err := set.orDefault(512)
	if err != nil {
		return nil, err
	}
	d := len(factors)
	if d == 0 {
		return nil, ErrNoFactors
	}
	points := design(factors, set)
	y, err := f(ctx, points)
	if err != nil {
		return nil, err
	}
	if err := finite(y); err != nil {
		return nil, err
	}
	n := set.N
	rng := rand.New(rand.NewPCG(set.Seed, 0x50b01))
	res := &SobolIndices{Evaluations: len(points)}
	for o := range y[0] {
		first, total := make([]Index, d), make([]Index, d)
		for k := range factors {
			at := func(block, i int) float64 { return y[block*n+i][o] }
			first[k] = bootstrap(n, set, rng, func(draw []int) float64 {
				var s float64
				for _, i := range draw {
					e := at(1, i) - at(2+k, i)
					s += e * e
				}
				return 1 - s/float64(2*n)/variance(draw, at)
			})
			total[k] = bootstrap(n, set, rng, func(draw []int) float64 {
				var s float64
				for _, i := range draw {
					e := at(0, i) - at(2+k, i)
					s += e * e
				}
				return s / float64(2*n) / variance(draw, at)
			})
		}
		res.First, res.Total = append(res.First, first), append(res.Total, total)
	}
	return res, nil
}

// variance over both sample matrices.
func variance(draw []int, at func(block, i int) float64) float64 {
	var sum, sq float64
	for _, i := range draw {
		for b := range 2 {
			sum += at(b, i)
		}
	}
	mean := sum / float64(2*len(draw))
	for _, i := range draw {
		for b := range 2 {
			e := at(b, i) - mean
			sq += e * e
		}
	}
	return sq / float64(2*len(draw))
}

// design holds the matrices A, B and, for each factor, A with its column from
// B, one below the other.
func design(factors []Factor, set Settings) [][]float64 {
	n, d := set.N, len(factors)
	u := newBatch(n, 2*d)
	samplemv.Halton{Kind: samplemv.Owen, Q: unitCube{2 * d}, Src: rand.NewPCG(set.Seed, 0x4a17)}.Sample(u)
	value := func(i, k int, fromB bool) float64 {
		c := k
		if fromB {
			c += d
		}
		return factors[k].Quantile(u.At(i, c))
	}
	var out [][]float64
	for block := range d + 2 {
		for i := range n {
			row := make([]float64, d)
			for k := range row {
				row[k] = value(i, k, block == 1 || block == k+2)
			}
			out = append(out, row)
		}
	}
	return out
}
