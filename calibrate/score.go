package calibrate

import (
	"math"
	"math/rand/v2"

	"github.com/myoaxis/myoaxis/reported"
)

// scorer is a target that can say how probable values of single rows were.
type scorer interface {
	target
	unitsOf() []unit
	row(i int) *Observation
	// predictive returns the components of row i's predictive distribution in
	// lane l: weights and means, the SD, and the probability of mention.
	predictive(i int, s state, pred [][]float64, l int) mixture
	clusterOf(i int) int
}

// mixture of two normal distributions of one estimate, before it is selected
// by being mentioned.
type mixture struct {
	share      [2]float64
	mean, sd   [2]float64
	mention    float64
	components int
}

// cdf is the probability that a mentioned estimate lies below y.
func (m mixture) cdf(r *reported.Result, y float64) float64 {
	cut := r.C * r.S
	below := func(x float64) (p float64) {
		for k := range m.components {
			p += m.share[k] * phi((x-m.mean[k])/m.sd[k])
		}
		return p
	}
	low := below(-cut)
	quiet := below(cut) - low
	loss := (1 - m.mention) * (below(math.Min(math.Max(y, -cut), cut)) - low)
	return clamp((below(y)-loss)/(1-(1-m.mention)*quiet), 0, 1)
}

func (t *fitTarget) unitsOf() []unit        { return t.units }
func (t *fitTarget) row(i int) *Observation { return &t.obs[i] }

func (t *fitTarget) predictive(i int, s state, pred [][]float64, l int) mixture {
	o := &t.obs[i]
	cl := &t.cs[t.of[i]]
	sp := t.spreadsAt(cl.class, s, l)
	base := o.Result.S*o.Result.S + sp.within*sp.within
	m := mixture{components: 1, mention: 1}
	if o.Result.Mentionable {
		m.mention = sp.mention
	}
	m.share[0], m.mean[0], m.sd[0] = 1, t.seen(o, s, l, pred[i][l]), math.Sqrt(base+sp.between*sp.between)
	if cl.share >= 0 {
		p := phi(s.z[cl.share][l])
		m.components, m.share[0], m.share[1] = 2, p, 1-p
		m.mean[1], m.sd[1] = t.seen(o, s, l, 0), math.Sqrt(base)
	}
	return m
}

func (t *rivalTarget) unitsOf() []unit        { return t.units }
func (t *rivalTarget) row(i int) *Observation { return &t.obs[i] }

func (t *rivalTarget) predictive(i int, s state, pred [][]float64, l int) mixture {
	o := &t.obs[i]
	sp := t.spreads(s, l)
	m := mixture{components: 1, mention: 1}
	if o.Result.Mentionable {
		m.mention = sp.mention
	}
	m.share[0], m.mean[0], m.sd[0] = 1, pred[i][l], math.Sqrt(o.Result.S*o.Result.S+sp.within*sp.within+sp.between*sp.between)
	return m
}

// draws of a space for scoring.
type drawSet struct {
	z  [][]float32
	on [][]uint8
}

// fill loads draws from..from+lanes-1 into a state; the last draw fills up.
func (d drawSet) fill(s state, from int) {
	for l := range s.z[0] {
		k := min(from+l, len(d.z)-1)
		for i := range s.z {
			s.z[i][l] = float64(d.z[k][i])
		}
		for g := range s.gates {
			s.gates[g][l] = float64(d.on[k][g])
		}
	}
}

// doseNodes are the places in open dose ranges a new study may lie at; they
// weigh the same.
var doseNodes = []float64{-1.2816, -0.5244, 0, 0.5244, 1.2816}

// scores of every draw: log-likelihood of each unit, and of each row the
// probabilities below the ends of its report.
type scores struct {
	unit      [][]float64 // unit, draw
	low, high [][]float64 // row, draw
}

// evaluateDraws scores a target over draws; open doses are averaged over
// doseNodes.
func evaluateDraws(t scorer, d drawSet, w int) scores {
	units := t.unitsOf()
	n := len(d.z)
	rows := func(k int) [][]float64 {
		out := make([][]float64, k)
		for i := range out {
			out[i] = make([]float64, n)
		}
		return out
	}
	sc := scores{rows(len(units)), rows(t.observations()), rows(t.observations())}
	sp := t.spaceOf()
	nl := 0
	nodes := []float64{0}
	if t.latents() {
		nl, nodes = t.clusters(), doseNodes
	}
	s := newState(len(sp.Coords), len(sp.Gates), nl, w)
	pred := newState(t.observations(), 0, 0, w).z
	out := make([]float64, w)
	for from := 0; from < n; from += w {
		d.fill(s, from)
		perCluster := newState(t.clusters(), 0, 0, w*len(nodes)).z
		for k, z := range nodes {
			for c := range s.latent {
				fill(s.latent[c], z)
			}
			for m := range t.moduleDeps() {
				t.predict(m, s, pred)
			}
			for c := range perCluster {
				t.logLik(c, s, pred, out)
				copy(perCluster[c][k*w:], out)
			}
			for i := range sc.low {
				r := &t.row(i).Result
				lo, hi := r.Span()
				for l := 0; l < w && from+l < n; l++ {
					m := t.predictive(i, s, pred, l)
					sc.low[i][from+l] += m.end(r, lo) / float64(len(nodes))
					sc.high[i][from+l] += m.end(r, hi) / float64(len(nodes))
				}
			}
		}
		for u := range units {
			for l := 0; l < w && from+l < n; l++ {
				for _, c := range units[u].Clusters {
					sc.unit[u][from+l] += logMeanExp(perCluster[c], l, w)
				}
			}
		}
	}
	return sc
}

func (m mixture) end(r *reported.Result, y float64) float64 {
	switch {
	case math.IsInf(y, 1):
		return 1
	case math.IsInf(y, -1):
		return 0
	}
	return m.cdf(r, y)
}

// logMeanExp over the nodes of lane l.
func logMeanExp(x []float64, l, w int) float64 {
	top := math.Inf(-1)
	for i := l; i < len(x); i += w {
		top = math.Max(top, x[i])
	}
	if math.IsInf(top, -1) {
		return top
	}
	var s float64
	n := 0
	for i := l; i < len(x); i += w {
		s += math.Exp(x[i] - top)
		n++
	}
	return top + math.Log(s/float64(n))
}

// RowScore is one row under the predictive distribution of a model.
type RowScore struct {
	ID     string  `json:"id"`
	Class  string  `json:"class"`
	Cohort string  `json:"cohort"`
	PIT    float64 `json:"pit"` // of a partial report: at random between the ends it leaves open
}

// UnitScore is one cohort left out (or new).
type UnitScore struct {
	Class  string  `json:"class"`
	Cohort string  `json:"cohort"`
	Rows   int     `json:"rows"`
	ELPD   float64 `json:"elpd"`
	// ParetoK is absent where nothing was left out.
	ParetoK *float64 `json:"pareto_k,omitempty"`
}

// unsure tells whether importance weights cannot stand for leaving out.
func (u UnitScore) unsure() bool { return u.ParetoK != nil && !(*u.ParetoK <= 0.7) }

// judge turns scores into predictions of each unit: left out by importance
// weights, or, for new studies, with equal weights.
func judge(t scorer, sc scores, leaveOut bool, seed uint64) (us []UnitScore, rs []RowScore) {
	rng := rand.New(rand.NewPCG(seed, 1<<50))
	units := t.unitsOf()
	weights := make([][]float64, len(units))
	for u, un := range units {
		n := len(sc.unit[u])
		var shape *float64
		if leaveOut {
			neg := make([]float64, n)
			for i, v := range sc.unit[u] {
				neg[i] = -v
			}
			w, k := PSIS(neg)
			if math.IsInf(k, 0) {
				k = 0
			}
			k = round4(k)
			weights[u], shape = w, &k
		} else {
			weights[u] = make([]float64, n)
			fill(weights[u], 1/float64(n))
		}
		x := make([]float64, n)
		for i, v := range sc.unit[u] {
			x[i] = v + math.Log(math.Max(weights[u][i], 1e-300)*float64(n))
		}
		us = append(us, UnitScore{un.Class.String(), un.Cohort, len(un.Rows), round4(logMeanExp(x, 0, 1)), shape})
	}
	unitOf := make([]int, t.observations())
	for u, un := range units {
		for _, i := range un.Rows {
			unitOf[i] = u
		}
	}
	for i := range sc.low {
		w := weights[unitOf[i]]
		var lo, hi float64
		for d, v := range w {
			lo += v * sc.low[i][d]
			hi += v * sc.high[i][d]
		}
		o := t.row(i)
		rs = append(rs, RowScore{o.ID, o.Class.String(), o.Cohort, round4(lo + rng.Float64()*math.Max(hi-lo, 0))})
	}
	return us, rs
}
