package synthesis

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Permuted is a permutation test: for a model without moderators the signs of
// the effects are flipped, otherwise the rows of the design are permuted
// (Higgins & Thompson 2004, 10.1002/sim.1752). Exact tests run through all
// distinct arrangements; sampled ones count the observed one among them.
type Permuted struct {
	Exact        bool
	Arrangements int
	P            []float64 // of every coefficient, two-sided
	QMP          float64   // of the omnibus test; NaN without moderators
}

// Permute runs the test with at most limit arrangements.
func Permute(y, v []float64, x *mat.Dense, names []string, o MetaOptions, limit int, seed uint64) (*Permuted, error) {
	o = o.orDefault()
	if limit < 1 {
		return nil, &DataError{"a permutation test needs one arrangement or more"}
	}
	if _, err := Analyse(y, v, x, names, o); err != nil {
		return nil, err
	}
	k, p := x.Dims()
	t := &permutation{y: y, v: v, x: x, o: o}
	var all int
	var arrange func(n int, r *rand.Rand) []int
	out := &Permuted{QMP: math.NaN()}
	if p == 1 {
		out.Exact = k < 62 && 1<<k <= limit
		all = 1 << min(k, 61)
		arrange = t.signs
	} else {
		classes := rowClasses(x)
		n := arrangements(classes)
		out.Exact = n.IsInt64() && n.Int64() <= int64(limit) && n.Int64()*int64(k) <= 1e8 // numbers held at once
		if out.Exact {
			all = int(n.Int64())
			t.orders = distinctOrders(classes, all)
		}
		arrange = t.order
	}
	out.Arrangements = all
	if !out.Exact {
		out.Arrangements = limit
	}
	t.run(out, arrange, seed)
	return out, nil
}

type permutation struct {
	y, v   []float64
	x      *mat.Dense
	o      MetaOptions
	orders [][]int32
}

// signs flips the sign of every effect whose bit is set in n, or at random.
func (t *permutation) signs(n int, r *rand.Rand) []int {
	out := make([]int, len(t.y))
	for i := range out {
		out[i] = 1
		if r != nil && r.IntN(2) == 1 || r == nil && n>>i&1 == 1 {
			out[i] = -1
		}
	}
	return out
}

func (t *permutation) order(n int, r *rand.Rand) []int {
	if r != nil {
		return r.Perm(len(t.y))
	}
	out := make([]int, len(t.y))
	for i, o := range t.orders[n] {
		out[i] = int(o)
	}
	return out
}

func (t *permutation) run(out *Permuted, arrange func(int, *rand.Rand) []int, seed uint64) {
	k, p := t.x.Dims()
	observed := newWLS(t.y, t.v, t.x)
	var obs quick
	observed.quick(&obs, t.o)
	workers := runtime.GOMAXPROCS(0)
	counts := make([][]int, workers)
	Parallel(workers, func(worker int) {
		w := room(k, p)
		copy(w.v, t.v)
		c := make([]int, p+1)
		var q quick
		for n := worker; n < out.Arrangements; n += workers {
			var r *rand.Rand
			if !out.Exact {
				r = rand.New(rand.NewPCG(seed, uint64(n)))
			}
			for i, a := range arrange(n, r) {
				if p == 1 {
					w.y[i], w.x[i] = float64(a)*t.y[i], t.x.At(i, 0)
				} else {
					w.y[i] = t.y[i]
					copy(w.x[i*p:], t.x.RawRowView(a))
				}
			}
			w.quick(&q, t.o)
			t.count(c, &q, &obs)
		}
		counts[worker] = c
	})
	total := make([]int, p+1)
	for _, c := range counts {
		for i := range c {
			total[i] += c[i]
		}
	}
	share := func(n int) float64 {
		if out.Exact {
			return float64(n) / float64(out.Arrangements)
		}
		return float64(n+1) / float64(out.Arrangements+1)
	}
	for i := range p {
		out.P = append(out.P, share(total[i]))
	}
	if p > 1 {
		out.QMP = share(total[p])
	}
}

// count adds what is as extreme as observed, with room for rounding. A fit
// that does not exist counts as extreme: the test errs towards caution.
func (t *permutation) count(c []int, q, obs *quick) {
	for i := range obs.beta {
		if !q.ok || math.Abs(q.beta[i]/q.se[i]) >= math.Abs(obs.beta[i]/obs.se[i])-1e-8 {
			c[i]++
		}
	}
	if !q.ok || q.qm >= obs.qm-1e-8 {
		c[len(c)-1]++
	}
}

// rowClasses numbers the distinct rows of x.
func rowClasses(x *mat.Dense) []int {
	k, _ := x.Dims()
	keys := make([]string, k)
	for i := range keys {
		keys[i] = fmt.Sprint(x.RawRowView(i))
	}
	return number(keys)
}

// arrangements counts the distinct orders of the classes.
func arrangements(classes []int) *big.Int {
	n := new(big.Int).MulRange(1, int64(len(classes)))
	count := map[int]int64{}
	for _, c := range classes {
		count[c]++
	}
	for _, c := range count {
		n.Quo(n, new(big.Int).MulRange(1, c))
	}
	return n
}

// distinctOrders lists all n of them as orders of rows: the class sequences in
// lexicographic order, each class dealing out its rows in turn.
func distinctOrders(classes []int, n int) [][]int32 {
	seq := slices.Clone(classes)
	slices.Sort(seq)
	rows := map[int][]int32{}
	for i, c := range classes {
		rows[c] = append(rows[c], int32(i))
	}
	out := make([][]int32, 0, n)
	for {
		used := map[int]int{}
		order := make([]int32, len(seq))
		for i, c := range seq {
			order[i] = rows[c][used[c]]
			used[c]++
		}
		out = append(out, order)
		i := len(seq) - 2
		for i >= 0 && seq[i] >= seq[i+1] {
			i--
		}
		if i < 0 {
			return out
		}
		j := len(seq) - 1
		for seq[j] <= seq[i] {
			j--
		}
		seq[i], seq[j] = seq[j], seq[i]
		slices.Reverse(seq[i+1:])
	}
}

// Quantile of sorted values by linear interpolation (R's type 7); NaN of none.
func Quantile(x []float64, p float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	h := p * float64(len(x)-1)
	i := int(h)
	if i+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[i] + (h-float64(i))*(x[i+1]-x[i])
}

// Subset is the fit of one subset of K effects.
type Subset struct {
	K                     int
	Estimate, Tau2, Q, I2 float64
	in                    []uint64 // a bit an effect
}

// Has says whether effect i is in the subset.
func (s Subset) Has(i int) bool { return s.in[i/64]>>(i%64)&1 == 1 }

func newSubset(k int, rows []int, q *quick) Subset {
	s := Subset{len(rows), q.beta[0], q.tau2, q.q, q.i2, make([]uint64, (k+63)/64)}
	for _, i := range rows {
		s.in[i/64] |= 1 << (i % 64)
	}
	return s
}

// MaxGosh bounds the effects times the subsets of Gosh.
const MaxGosh = 4_000_000_000

// Gosh fits the mean of all subsets of the effects where there are at most
// limit of them, otherwise of limit subsets drawn at random, each effect in
// with probability 1/2 (graphical display of study heterogeneity: Olkin,
// Dahabreh & Trikalinos 2012, 10.1002/jrsm.1053).
func Gosh(y, v []float64, o MetaOptions, limit int, seed uint64) (subsets []Subset, all bool, err error) {
	o = o.orDefault()
	k := len(y)
	if err := checkData(y, v, k, 1); err != nil {
		return nil, false, err
	}
	if limit < 1 || limit > MaxGosh/k {
		return nil, false, &DataError{fmt.Sprintf("%d subsets of %d effects are none or too many: at most %d", limit, k, MaxGosh/k)}
	}
	all = k < 62 && 1<<k-1 <= limit
	n := limit
	if all {
		n = 1<<k - 1
	}
	out := make([]Subset, n)
	one := mat.NewDense(k, 1, nil)
	for i := range k {
		one.Set(i, 0, 1)
	}
	workers := runtime.GOMAXPROCS(0)
	Parallel(workers, func(worker int) {
		w := room(k, 1)
		var q quick
		for s := worker; s < n; s += workers {
			rows := drawSubset(k, s+1, all, seed)
			w.take(y, v, one, rows)
			w.quick(&q, o)
			out[s] = newSubset(k, rows, &q)
		}
	})
	return out, all, nil
}

// drawSubset is the subset of the bits of n, or one drawn with seed and n.
func drawSubset(k, n int, all bool, seed uint64) []int {
	if all {
		rows := make([]int, 0, bits.OnesCount(uint(n)))
		for i := range k {
			if n>>i&1 == 1 {
				rows = append(rows, i)
			}
		}
		return rows
	}
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	var rows []int
	for len(rows) == 0 {
		for i := range k {
			if r.IntN(2) == 1 {
				rows = append(rows, i)
			}
		}
	}
	return rows
}

// Boot holds the estimates of a nonparametric bootstrap of the effects, or of
// whole clusters of them.
type Boot struct {
	Estimates, Tau2 []float64
}

// Bootstrap refits the mean n times to effects drawn with replacement. With
// clusters (nil: every effect alone) whole clusters are drawn.
func Bootstrap(y, v []float64, cluster []string, o MetaOptions, n int, seed uint64) (*Boot, error) {
	o = o.orDefault()
	k := len(y)
	if err := checkData(y, v, k, 1); err != nil {
		return nil, err
	}
	groups := make([][]int, 0, k)
	if cluster == nil {
		for i := range k {
			groups = append(groups, []int{i})
		}
	} else {
		for i, g := range number(cluster) {
			if g == len(groups) {
				groups = append(groups, nil)
			}
			groups[g] = append(groups[g], i)
		}
	}
	out := &Boot{make([]float64, n), make([]float64, n)}
	workers := runtime.GOMAXPROCS(0)
	Parallel(workers, func(worker int) {
		w := room(k, 1)
		var q quick
		for b := worker; b < n; b += workers {
			r := rand.New(rand.NewPCG(seed, uint64(b)))
			w.y, w.v, w.x = w.y[:0], w.v[:0], w.x[:0]
			for range groups {
				for _, i := range groups[r.IntN(len(groups))] {
					w.y, w.v, w.x = append(w.y, y[i]), append(w.v, v[i]), append(w.x, 1)
				}
			}
			w.w, w.resid = grow(w.w, len(w.y)), grow(w.resid, len(w.y))
			w.quick(&q, o)
			out.Estimates[b], out.Tau2[b] = q.beta[0], q.tau2
		}
	})
	return out, nil
}
