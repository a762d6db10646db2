package synthesis

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Asymmetry is a regression of effects on their standard error (or variance):
// the slope tests funnel asymmetry, the limit is the effect at zero.
type Asymmetry struct {
	Model     string // "lm": weighted least squares with a free scale; "rma": the random-effects model
	Predictor string // "sei" or "vi"
	Slope     Term
	Limit     Term
}

// Egger regresses effects on sei or vi by weighted least squares with
// multiplicative error (Egger et al. 1997, 10.1136/bmj.315.7109.629). On sei
// the limit is PET, on vi PEESE (Stanley & Doucouliagos 2014, 10.1002/jrsm.1095).
func Egger(y, v []float64, predictor string, level float64) (*Asymmetry, error) {
	w, err := asymmetryData(y, v, predictor)
	if err != nil {
		return nil, err
	}
	f := w.at(0)
	df := float64(len(y) - 2)
	scale := f.rss / df
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
	term := func(i int, name string) Term {
		e := Term{Name: name, Estimate: f.beta.AtVec(i), SE: math.Sqrt(scale * f.cov.At(i, i)), DF: df}
		e.Stat = e.Estimate / e.SE
		e.P = 2 * t.Survival(math.Abs(e.Stat))
		h := t.Quantile(0.5+level/2) * e.SE
		e.Low, e.High = e.Estimate-h, e.Estimate+h
		return e
	}
	return &Asymmetry{"lm", predictor, term(1, predictor), term(0, "limit")}, nil
}

// EggerRandom is the same regression in the random-effects model (Sterne &
// Egger 2005).
func EggerRandom(y, v []float64, predictor string, o MetaOptions) (*Asymmetry, error) {
	w, err := asymmetryData(y, v, predictor)
	if err != nil {
		return nil, err
	}
	m, err := Analyse(y, v, mat.NewDense(len(y), 2, w.x), []string{Intercepted, predictor}, o)
	if err != nil {
		return nil, err
	}
	return &Asymmetry{"rma", predictor, m.Terms[1], m.Terms[0]}, nil
}

func asymmetryData(y, v []float64, predictor string) (*wls, error) {
	if err := checkData(y, v, len(y), 2); err != nil {
		return nil, err
	}
	x := mat.NewDense(len(y), 2, nil)
	for i := range y {
		p := v[i]
		if predictor == "sei" {
			p = math.Sqrt(v[i])
		}
		x.SetRow(i, []float64{1, p})
	}
	w := newWLS(y, v, x)
	if len(independent(w.x, 2)) < 2 {
		return nil, &DataError{"all effects have the same precision: asymmetry cannot be tested"}
	}
	return w, nil
}

// RankTest is Kendall's tau between standardised effects and variances (Begg &
// Mazumdar 1994, 10.2307/2533446): exact without ties below 50 effects, else
// the normal approximation with tie correction.
func RankTest(y, v []float64) (tau, p float64, err error) {
	if err := checkData(y, v, len(y), 1); err != nil {
		return 0, 0, err
	}
	var sw, swy float64
	for i := range y {
		sw, swy = sw+1/v[i], swy+y[i]/v[i]
	}
	star := make([]float64, len(y))
	for i := range y {
		star[i] = (y[i] - swy/sw) / math.Sqrt(v[i]-1/sw)
	}
	return kendall(star, v)
}

// kendallS is the number of concordant less that of discordant pairs, by the
// merge sort of Knight (1966, 10.1080/01621459.1966.10480879).
func kendallS(a, b []float64) float64 {
	n := len(a)
	ix := make([]int, n)
	for i := range ix {
		ix[i] = i
	}
	slices.SortFunc(ix, func(i, j int) int {
		if c := compare(a[i], a[j]); c != 0 {
			return c
		}
		return compare(b[i], b[j])
	})
	pairs := func(c int) float64 { return float64(c) * float64(c-1) / 2 }
	var tiedA, tiedBoth, tiedB float64
	order := make([]float64, n)
	runA, runBoth := 1, 1
	for k, i := range ix {
		order[k] = b[i]
		if k == 0 {
			continue
		}
		last := ix[k-1]
		if a[i] != a[last] {
			tiedA += pairs(runA)
			runA = 0
		}
		if a[i] != a[last] || b[i] != b[last] {
			tiedBoth += pairs(runBoth)
			runBoth = 0
		}
		runA++
		runBoth++
	}
	tiedA, tiedBoth = tiedA+pairs(runA), tiedBoth+pairs(runBoth)
	swaps := mergeSwaps(order, make([]float64, n))
	run := 1
	for k := 1; k < n; k++ {
		if order[k] != order[k-1] {
			tiedB += pairs(run)
			run = 0
		}
		run++
	}
	return pairs(n) - tiedA - (tiedB + pairs(run)) + tiedBoth - 2*swaps
}

// mergeSwaps sorts x and counts the exchanges of neighbours that takes.
func mergeSwaps(x, room []float64) (swaps float64) {
	n := len(x)
	if n < 2 {
		return 0
	}
	m := n / 2
	swaps = mergeSwaps(x[:m], room) + mergeSwaps(x[m:], room)
	copy(room[:n], x)
	i, j := 0, m
	for k := range x {
		if j == n || i < m && room[i] <= room[j] {
			x[k] = room[i]
			i++
		} else {
			x[k] = room[j]
			swaps += float64(m - i)
			j++
		}
	}
	return swaps
}

func kendall(a, b []float64) (tau, p float64, err error) {
	n := len(a)
	s := kendallS(a, b)
	ta, tb := ties(a), ties(b)
	pairs := float64(n*(n-1)) / 2
	lost := func(t []float64) (x float64) {
		for _, c := range t {
			x += c * (c - 1) / 2
		}
		return x
	}
	tau = s / math.Sqrt((pairs-lost(ta))*(pairs-lost(tb)))
	if len(ta) == 0 && len(tb) == 0 && n < 50 {
		return tau, kendallExact(n, s), nil
	}
	N := float64(n)
	sum := func(t []float64, f func(c float64) float64) (x float64) {
		for _, c := range t {
			x += f(c)
		}
		return x
	}
	v0 := N * (N - 1) * (2*N + 5)
	vt := func(c float64) float64 { return c * (c - 1) * (2*c + 5) }
	one := func(c float64) float64 { return c * (c - 1) }
	two := func(c float64) float64 { return c * (c - 1) * (c - 2) }
	va := (v0-sum(ta, vt)-sum(tb, vt))/18 + sum(ta, one)*sum(tb, one)/(2*N*(N-1)) + sum(ta, two)*sum(tb, two)/(9*N*(N-1)*(N-2))
	return tau, math.Min(1, 2*UpperTail(math.Abs(s)/math.Sqrt(va))), nil
}

// ties are the sizes of groups of equal values.
func ties(x []float64) (out []float64) {
	s := slices.Clone(x)
	slices.Sort(s)
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] == s[i] {
			j++
		}
		if j-i > 1 {
			out = append(out, float64(j-i))
		}
		i = j
	}
	return out
}

// kendallExact is the two-sided p of the statistic s among all orders of n,
// counted by inversions.
func kendallExact(n int, s float64) float64 {
	count := []float64{1} // probability of each number of inversions
	for k := 2; k <= n; k++ {
		next := make([]float64, len(count)+k-1)
		for i, c := range count {
			for j := range k {
				next[i+j] += c / float64(k)
			}
		}
		count = next
	}
	concordant := (s + float64(n*(n-1))/2) / 2
	var upper, lower float64
	for i, c := range count {
		if float64(i) >= concordant-1e-9 {
			upper += c
		}
		if float64(i) <= concordant+1e-9 {
			lower += c
		}
	}
	return math.Min(1, 2*math.Min(upper, lower))
}

// Filled is the result of trim and fill.
type Filled struct {
	Estimator, Side string // L0, R0 or Q0; left or right
	K0              int
	SEK0            float64
	Meta            *Meta
	Y, V            []float64 // filled effects
}

// TrimAndFill estimates and fills missing effects (Duval & Tweedie 2000,
// 10.1111/j.0006-341X.2000.00455.x). side "" is chosen by the slope of the
// random-effects Egger regression: left where it is not negative.
func TrimAndFill(y, v []float64, estimator, side string, o MetaOptions) (*Filled, error) {
	o = o.orDefault()
	if err := checkData(y, v, len(y), 2); err != nil {
		return nil, err
	}
	if side == "" {
		e, err := EggerRandom(y, v, "sei", o)
		if err != nil {
			return nil, err
		}
		side = "left"
		if e.Slope.Estimate < 0 {
			side = "right"
		}
	}
	k := len(y)
	flip := 1.0
	if side == "right" {
		flip = -1
	}
	ix := make([]int, k)
	for i := range ix {
		ix[i] = i
	}
	slices.SortStableFunc(ix, func(a, b int) int { return compare(flip*y[a], flip*y[b]) })
	ys, vs := make([]float64, k), make([]float64, k)
	for i, j := range ix {
		ys[i], vs[i] = flip*y[j], v[j]
	}
	out := &Filled{Estimator: estimator, Side: side}
	beta, last := 0.0, -1
	for range 100 {
		if out.K0 == last || k-out.K0 < 1 {
			break
		}
		last = out.K0
		w := interceptOnly(ys[:k-out.K0], vs[:k-out.K0])
		var q quick
		if w.quick(&q, o); !q.ok {
			return nil, ErrNotConverged
		}
		beta = q.beta[0]
		out.K0, out.SEK0 = missingEffects(ys, beta, estimator)
		if out.K0 < 0 {
			return nil, &DataError{fmt.Sprintf("the estimator %s does not exist for these effects: nearly all lie on one side", estimator)}
		}
		out.K0 = min(out.K0, k-2)
	}
	fy, fv := slices.Clone(y), slices.Clone(v)
	for i := k - out.K0; i < k; i++ {
		out.Y, out.V = append(out.Y, flip*(2*beta-ys[i])), append(out.V, vs[i])
	}
	var err error
	out.Meta, err = Mean(append(fy, out.Y...), append(fv, out.V...), o)
	return out, err
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Mean is an intercept-only analysis.
func Mean(y, v []float64, o MetaOptions) (*Meta, error) {
	x := mat.NewDense(len(y), 1, nil)
	for i := range y {
		x.Set(i, 0, 1)
	}
	if len(y) == 1 { // trim and fill may trim down to one effect
		return &Meta{K: 1, Terms: []Term{{Estimate: y[0], SE: math.Sqrt(v[0])}}}, nil
	}
	return Analyse(y, v, x, []string{Intercepted}, o)
}

// missingEffects is the estimate k0 with its standard error from effects
// sorted in ascending order; -1 where it does not exist.
func missingEffects(ys []float64, beta float64, estimator string) (int, float64) {
	k := len(ys)
	ord := make([]int, k)
	for i := range ord {
		ord[i] = i
	}
	slices.SortStableFunc(ord, func(a, b int) int { return compare(math.Abs(ys[a]-beta), math.Abs(ys[b]-beta)) })
	var sr, worst float64
	for r, i := range ord {
		switch d := ys[i] - beta; {
		case d > 0:
			sr += float64(r + 1)
		case d < 0:
			worst = math.Max(worst, float64(r+1))
		}
	}
	n := float64(k)
	var k0, se float64
	spread := func(q float64) float64 {
		return (n*(n+1)*(2*n+1) + 10*q*q*q + 27*q*q + 17*q - 18*n*q*q - 18*n*q + 6*n*n*q) / 24
	}
	switch estimator {
	case "R0":
		k0 = n - worst - 1
		se = math.Sqrt(2*math.Max(0, k0) + 2)
	case "Q0":
		k0 = n - 0.5 - math.Sqrt(2*n*n-4*sr+0.25)
		se = 2 * math.Sqrt(spread(k0)) / math.Sqrt((n-0.5)*(n-0.5)-k0*(2*n-k0-1))
	default:
		k0 = (4*sr - n*(n+1)) / (2*n - 1)
		se = 4 * math.Sqrt(spread(k0)) / (2*n - 1)
	}
	if math.IsNaN(k0) {
		return -1, se
	}
	return int(math.RoundToEven(math.Max(0, k0))), math.Max(0, se)
}
