package calibrate

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/myoaxis/myoaxis/reported"
	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/stat/distuv"
)

// SBC is simulation-based calibration (Talts et al. 2018, arXiv:1804.06788):
// parameters are drawn from the prior, data from the parameters, and the rank
// of each parameter among draws of its posterior must be uniform. The chain
// stands at the parameters that made the data, which are a draw of that
// posterior, at a random place of its course and runs forwards and backwards
// from there, so that ranks are uniform at any speed of mixing (Gandy & Scott
// 2020, arXiv:2001.06465). Its proposals were learned in a warm-up from the
// data alone.
type SBC struct {
	Replicates int
	Draws      int // ranks run from 0 to Draws
	Names      []string
	Ranks      [][]int // parameter, replicate
}

// SBCSettings: replicates (a multiple of Lanes), sweeps of warm-up, draws and
// sweeps between draws.
type SBCSettings struct {
	Replicates, Warm, Draws, Thin int
	Seed                          uint64
	Progress                      func(done, total int)
}

// RunSBC checks the sampler on the axis and the design of its observations:
// same studies, sizes and forms, other results.
func RunSBC(ctx context.Context, pr Problem, set SBCSettings) (*SBC, error) {
	batches := max(1, set.Replicates/Lanes)
	out := &SBC{Replicates: batches * Lanes, Draws: set.Draws}
	ranks := make([][][]int, batches)
	errs := make([]error, batches)
	done := make(chan struct{}, batches)
	go func() {
		for n := 1; n <= batches; n++ {
			<-done
			if set.Progress != nil {
				set.Progress(n, batches)
			}
		}
	}()
	synthesis.Parallel(batches, func(b int) {
		defer func() { done <- struct{}{} }()
		if ctx.Err() == nil {
			ranks[b], errs[b] = sbcBatch(pr, set, b)
		}
	})
	for _, err := range append(errs, ctx.Err()) {
		if err != nil {
			return nil, err
		}
	}
	t, err := newFitTarget(pr.Model, pr.Space, pr.Data.Observations, Lanes)
	if err != nil {
		return nil, err
	}
	coords, gates := used(t)
	for i, c := range pr.Space.Coords {
		if coords[i] {
			out.add(c.Name, ranks, i)
		}
	}
	for g, c := range pr.Space.Gates {
		if gates[g] {
			out.add(c.Name, ranks, len(pr.Space.Coords)+g)
		}
	}
	return out, nil
}

func (s *SBC) add(name string, ranks [][][]int, i int) {
	var all []int
	for _, b := range ranks {
		for l := range Lanes {
			all = append(all, b[i][l])
		}
	}
	s.Names, s.Ranks = append(s.Names, name), append(s.Ranks, all)
}

// sbcBatch runs one replicate a lane.
func sbcBatch(pr Problem, set SBCSettings, batch int) ([][]int, error) {
	t, err := newFitTarget(pr.Model, pr.Space, pr.Data.Observations, Lanes)
	if err != nil {
		return nil, err
	}
	seed := func(l int) (uint64, uint64) { return set.Seed, uint64(batch*Lanes+l) | 1<<32 }
	s := newSampler(t, Lanes, set.Warm, seed)
	s.drawPrior(pr.Space) // the truth
	truth := newState(len(s.cur.z), len(s.cur.gates), len(s.cur.latent), Lanes)
	copyState(truth, s.cur)
	for k := range s.deps {
		t.predict(k, truth, s.pred)
	}
	results := make([][]reported.Result, Lanes)
	for l := range results {
		results[l] = t.simulate(truth, s.pred, l, s.rng[l])
	}
	t.results = results
	s.draw(pr.Space)
	for s.sweep < set.Warm {
		s.step()
	}
	rank, ties := make([][]int, len(truth.z)+len(truth.gates)), make([][]int, len(truth.z)+len(truth.gates))
	for i := range rank {
		rank[i], ties[i] = make([]int, Lanes), make([]int, Lanes)
	}
	split := rand.New(rand.NewPCG(set.Seed, uint64(batch)|1<<33)).IntN(set.Draws + 1)
	count := func() {
		for i := range rank {
			for l := range Lanes {
				a, b := at(s.cur, i)[l], at(truth, i)[l]
				if i < len(truth.z) && pr.Space.Coords[i].Kind == halfNormal {
					a, b = math.Abs(a), math.Abs(b)
				}
				switch {
				case a < b:
					rank[i][l]++
				case a == b:
					ties[i][l]++
				}
			}
		}
	}
	for _, backwards := range []bool{false, true} {
		copyState(s.cur, truth)
		s.restart()
		n := split
		if backwards {
			n = set.Draws - split
		}
		for d := range n * set.Thin {
			k := set.Warm + d
			if backwards {
				k = set.Warm - 1 - d
			}
			s.run(k, backwards)
			if (d+1)%set.Thin == 0 {
				count()
			}
		}
	}
	for i := range rank { // among ties every place is as likely
		for l := range Lanes {
			rank[i][l] += s.rng[l].IntN(ties[i][l] + 1)
		}
	}
	return rank, nil
}

// at is the row of coordinate i, or of gate i minus the number of coordinates.
func at(s state, i int) []float64 {
	if i < len(s.z) {
		return s.z[i]
	}
	return s.gates[i-len(s.z)]
}

// simulate draws the results of lane l as the likelihood has them made.
func (t *fitTarget) simulate(s state, pred [][]float64, l int, rng *rand.Rand) []reported.Result {
	out := make([]reported.Result, len(t.obs))
	for c := range t.cs {
		cl := &t.cs[c]
		sp := t.spreadsAt(cl.class, s, l)
		none := cl.share >= 0 && rng.Float64() >= phi(s.z[cl.share][l])
		u := sp.between * rng.NormFloat64()
		if none {
			u = 0
		}
		for _, i := range cl.rows {
			p := pred[i][l]
			if none {
				p = 0
			}
			out[i] = simulateReport(t.obs[i].Result, t.seen(&t.obs[i], s, l, p)+u, sp, rng)
		}
	}
	return out
}

// simulateReport draws an estimate around m until it is mentioned and reports
// it as the row does: a number, or its place among the pieces that such a
// report can name.
func simulateReport(r reported.Result, m float64, sp spreads, rng *rand.Rand) reported.Result {
	sd := math.Sqrt(r.S*r.S + sp.within*sp.within)
	cut := r.C * r.S
	var y float64
	for {
		y = m + sd*rng.NormFloat64()
		if !r.Mentionable || math.Abs(y) >= cut || rng.Float64() < sp.mention {
			break
		}
	}
	if r.Numeric {
		r.Y = y
		return r
	}
	inf := math.Inf(1)
	sided := r.Form == reported.NotSignifSide || r.Form == reported.Direction
	var p reported.Piece
	switch {
	case r.Form == reported.Direction && y > 0:
		r.Pieces = []reported.Piece{{Low: 0, High: cut, NonSignif: true}, {Low: cut, High: inf}}
		return r
	case r.Form == reported.Direction:
		r.Pieces = []reported.Piece{{Low: -inf, High: -cut}, {Low: -cut, High: 0, NonSignif: true}}
		return r
	case y >= cut:
		p = reported.Piece{Low: cut, High: inf}
	case y <= -cut:
		p = reported.Piece{Low: -inf, High: -cut}
	case sided && y > 0:
		p = reported.Piece{Low: 0, High: cut, NonSignif: true}
	case sided:
		p = reported.Piece{Low: -cut, High: 0, NonSignif: true}
	default:
		p = reported.Piece{Low: -cut, High: cut, NonSignif: true}
	}
	r.Pieces = []reported.Piece{p}
	return r
}

// Uniformity is the χ² test of a parameter's ranks against uniform, in bins of
// equal size.
func (s *SBC) Uniformity(i, bins int) (counts []int, p float64) {
	counts = make([]int, bins)
	for _, r := range s.Ranks[i] {
		counts[r*bins/(s.Draws+1)]++
	}
	var x float64
	for b, n := range counts {
		lo, hi := (b*(s.Draws+1)+bins-1)/bins, ((b+1)*(s.Draws+1)+bins-1)/bins
		e := float64(s.Replicates) * float64(hi-lo) / float64(s.Draws+1)
		x += (float64(n) - e) * (float64(n) - e) / e
	}
	return counts, 1 - distuv.ChiSquared{K: float64(bins - 1)}.CDF(x)
}

// SBCRow is the rank histogram of one parameter or link.
type SBCRow struct {
	Name   string  `json:"name"`
	Counts []int   `json:"counts"`
	P      float64 `json:"p"`
}

// SBCReport is the outcome of simulation-based calibration.
type SBCReport struct {
	Model      string   `json:"model"`
	Pack       string   `json:"pack"`
	Replicates int      `json:"replicates"`
	Draws      int      `json:"draws"`
	Warm       int      `json:"warm"`
	Thin       int      `json:"thin"`
	Seed       uint64   `json:"seed"`
	Rows       []SBCRow `json:"rows"`
}

// SBCBins is the number of bins of the rank histograms.
const SBCBins = 7

// Report tests every parameter's ranks.
func (s *SBC) Report(set SBCSettings, pack string) SBCReport {
	r := SBCReport{Model: ModelHash(), Pack: pack, Replicates: s.Replicates, Draws: s.Draws, Warm: set.Warm, Thin: set.Thin, Seed: set.Seed}
	for i, n := range s.Names {
		c, p := s.Uniformity(i, SBCBins)
		r.Rows = append(r.Rows, SBCRow{n, c, round4(p)})
	}
	return r
}
