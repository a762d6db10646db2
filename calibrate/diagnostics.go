package calibrate

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// RHat is the rank-normalised split R-hat, the larger of bulk and tail
// (Vehtari et al. 2021, Bayesian Anal. 16:667). chains[c] holds the draws of
// chain c, all of one length >= 8. A constant quantity gives 1.
func RHat(chains [][]float64) float64 {
	fold := make([][]float64, len(chains))
	m := median(chains)
	for c, x := range chains {
		fold[c] = make([]float64, len(x))
		for i, v := range x {
			fold[c][i] = math.Abs(v - m)
		}
	}
	return math.Max(splitRHat(rankNormal(chains)), splitRHat(rankNormal(fold)))
}

func median(chains [][]float64) float64 {
	all := slices.Concat(chains...)
	slices.Sort(all)
	return all[len(all)/2]
}

// rankNormal replaces values by normal scores of their ranks; ties share one.
func rankNormal(chains [][]float64) [][]float64 {
	type at struct {
		v    float64
		c, i int
	}
	var all []at
	out := make([][]float64, len(chains))
	for c, x := range chains {
		out[c] = make([]float64, len(x))
		for i, v := range x {
			all = append(all, at{v, c, i})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].v < all[j].v })
	n := float64(len(all))
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		rank := float64(i+j+1) / 2
		z := distuv.UnitNormal.Quantile((rank - 0.375) / (n + 0.25))
		for ; i < j; i++ {
			out[all[i].c][all[i].i] = z
		}
	}
	return out
}

func split(chains [][]float64) (out [][]float64) {
	for _, x := range chains {
		h := len(x) / 2
		out = append(out, x[:h], x[len(x)-h:])
	}
	return out
}

func meanVar(x []float64) (m, v float64) {
	for _, a := range x {
		m += a
	}
	m /= float64(len(x))
	for _, a := range x {
		v += (a - m) * (a - m)
	}
	return m, v / float64(len(x)-1)
}

func splitRHat(chains [][]float64) float64 {
	s := split(chains)
	n := float64(len(s[0]))
	means := make([]float64, len(s))
	var w float64
	for c, x := range s {
		m, v := meanVar(x)
		means[c] = m
		w += v / float64(len(s))
	}
	_, b := meanVar(means)
	if w == 0 {
		return 1
	}
	return math.Sqrt(((n-1)/n*w + b) / w)
}

// ESS is the bulk effective sample size: of normal scores, over split chains,
// with Geyer's initial monotone sequence (Vehtari et al. 2021, section 3).
func ESS(chains [][]float64) float64 {
	s := split(rankNormal(chains))
	n, m := len(s[0]), len(s)
	var w float64
	means := make([]float64, m)
	for c, x := range s {
		mu, v := meanVar(x)
		means[c] = mu
		w += v / float64(m)
	}
	total := float64(n * m)
	if w == 0 {
		return total
	}
	_, b := meanVar(means)
	plus := float64(n-1)/float64(n)*w + b
	rho := func(t int) float64 {
		var acov float64
		for c, x := range s {
			var a float64
			for i := 0; i+t < n; i++ {
				a += (x[i] - means[c]) * (x[i+t] - means[c])
			}
			acov += a / float64(n) / float64(m)
		}
		return 1 - (w*float64(n-1)/float64(n)-acov)/plus
	}
	sum, last := 0.0, math.Inf(1)
	for t := 0; t+1 < n; t += 2 {
		pair := rho(t) + rho(t+1)
		if pair < 0 {
			break
		}
		last = math.Min(last, pair)
		sum += last
	}
	tau := math.Max(-1+2*sum, 1/math.Log10(total))
	return total / tau
}

// PSIS smooths the largest of importance weights by a generalised Pareto
// distribution (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25:72). It
// returns normalised weights and the shape k; above 0.7 they are not to be
// trusted.
func PSIS(logRatios []float64) (weights []float64, k float64) {
	n := len(logRatios)
	lw := slices.Clone(logRatios)
	top := slices.Max(lw)
	for i := range lw {
		lw[i] -= top
	}
	tail := min(n/5, int(math.Ceil(3*math.Sqrt(float64(n)))))
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return lw[order[i]] < lw[order[j]] })
	k = math.Inf(-1)
	if tail >= 5 {
		cut := math.Exp(lw[order[n-tail-1]])
		x := make([]float64, tail)
		for i := range x {
			x[i] = math.Exp(lw[order[n-tail+i]]) - cut
		}
		if x[tail-1] > 1e-12 {
			var sigma float64
			k, sigma = fitPareto(x)
			for i := range x {
				q := (float64(i) + 0.5) / float64(tail)
				v := -sigma * math.Log1p(-q)
				if math.Abs(k) > 1e-10 {
					v = sigma * math.Expm1(-k*math.Log1p(-q)) / k
				}
				lw[order[n-tail+i]] = math.Min(math.Log(cut+v), 0)
			}
		}
	}
	weights = make([]float64, n)
	var sum float64
	for i, v := range lw {
		weights[i] = math.Exp(v)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights, k
}

// fitPareto is the estimator of Zhang & Stephens (2009, Technometrics 51:316)
// for sorted exceedances, with the weak prior on k of Vehtari et al.
func fitPareto(x []float64) (k, sigma float64) {
	n := len(x)
	m := 30 + int(math.Sqrt(float64(n)))
	quart := x[int(float64(n)/4+0.5)-1]
	if quart <= 0 {
		quart = x[n-1] / 4
	}
	theta, l := make([]float64, m), make([]float64, m)
	profile := func(b float64) float64 {
		var s float64
		for _, v := range x {
			s += math.Log1p(-b * v)
		}
		return s / float64(n)
	}
	for i := range theta {
		theta[i] = 1/x[n-1] + (1-math.Sqrt(float64(m)/(float64(i)+0.5)))/(3*quart)
		kk := profile(theta[i])
		l[i] = float64(n) * (math.Log(-theta[i]/kk) - kk - 1)
	}
	var b float64
	for i := range theta {
		var s float64
		for j := range l {
			s += math.Exp(l[j] - l[i])
		}
		b += theta[i] / s
	}
	k = profile(b)
	sigma = -k / b
	k = (k*float64(n) + 0.5*10) / (float64(n) + 10)
	return k, sigma
}
