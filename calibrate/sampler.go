package calibrate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The sampler is Metropolis within Gibbs in coordinates that are standard
// normal a priori. Blocks of parameters move by preconditioned Crank–Nicolson
// proposals (Cotter et al. 2013, Stat. Sci. 28:424), in turn around the prior
// and around a normal reference that each chain learns in its warm-up; gates
// flip one by one; latent doses move cohort by cohort. Every lane is a chain
// of its own: what it does depends on its seed and data alone.
type sampler struct {
	t      target
	w      int
	deps   []deps
	blocks []*block
	gates  []int // gates that something rests on
	src    []*rand.PCG
	rng    []*rand.Rand
	cur    state
	pred   [][]float64
	ll     [][]float64 // cluster, lane
	// the proposal
	prop    state
	newPred [][]float64
	newLL   [][]float64
	sweep   int
	warm    int
	accept  []bool
}

// block is a set of coordinates that move together.
type block struct {
	name    string
	coords  []int
	modules []int // predictions change
	liks    []int // only the likelihood changes
	ref     []*reference
}

func newSampler(t target, w int, warm int, seed func(lane int) (uint64, uint64)) *sampler {
	sp := t.spaceOf()
	n := 0
	if t.latents() {
		n = t.clusters()
	}
	rows := func(n int) [][]float64 { return newState(n, 0, 0, w).z }
	s := &sampler{t: t, w: w, deps: t.moduleDeps(), warm: warm, cur: newState(len(sp.Coords), len(sp.Gates), n, w), prop: newState(len(sp.Coords), len(sp.Gates), n, w),
		pred: rows(t.observations()), newPred: rows(t.observations()), ll: rows(t.clusters()), newLL: rows(t.clusters()), accept: make([]bool, w)}
	for l := range w {
		a, b := seed(l)
		s.src = append(s.src, rand.NewPCG(a, b))
		s.rng = append(s.rng, rand.New(s.src[l]))
	}
	s.makeBlocks(sp)
	s.draw(sp)
	return s
}

func (s *sampler) makeBlocks(sp Space) {
	touched, gate := used(s.t)
	at := map[string]*block{}
	for i, c := range sp.Coords {
		if !touched[i] {
			continue
		}
		b := at[c.Block]
		if b == nil {
			b = &block{name: c.Block}
			at[c.Block] = b
			s.blocks = append(s.blocks, b)
		}
		b.coords = append(b.coords, i)
	}
	for _, b := range s.blocks {
		for k, d := range s.deps {
			switch {
			case overlap(b.coords, d.coords):
				b.modules = append(b.modules, k)
			case overlap(b.coords, d.likCoords):
				b.liks = append(b.liks, k)
			}
		}
		for range s.w {
			b.ref = append(b.ref, newReference(len(b.coords)))
		}
	}
	for g, in := range gate {
		if in {
			s.gates = append(s.gates, g)
		}
	}
}

func overlap(a, b []int) bool {
	for _, x := range a {
		if slices.Contains(b, x) {
			return true
		}
	}
	return false
}

// startDraws is the number of draws from the prior of which a chain starts at
// the likeliest.
const startDraws = 50

func (s *sampler) draw(sp Space) {
	best := make([]float64, s.w)
	keep := newState(len(s.cur.z), len(s.cur.gates), len(s.cur.latent), s.w)
	for k := range startDraws {
		s.drawPrior(sp)
		s.restart()
		for l := range s.w {
			s.accept[l] = k == 0 || s.total(l) > best[l]
			if s.accept[l] {
				best[l] = s.total(l)
			}
		}
		for _, rows := range [][2][][]float64{{s.cur.z, keep.z}, {s.cur.gates, keep.gates}, {s.cur.latent, keep.latent}} {
			for i := range rows[0] {
				for l, ok := range s.accept {
					if ok {
						rows[1][i][l] = rows[0][i][l]
					}
				}
			}
		}
	}
	copyState(s.cur, keep)
	s.restart()
}

// total is the log-likelihood of a lane.
func (s *sampler) total(l int) (x float64) {
	for c := range s.ll {
		x += s.ll[c][l]
	}
	return x
}

// drawPrior puts every lane at a draw from the prior.
func (s *sampler) drawPrior(sp Space) {
	for l, r := range s.rng {
		for i := range s.cur.z {
			s.cur.z[i][l] = r.NormFloat64()
		}
		for g := range s.cur.gates {
			s.cur.gates[g][l] = 0
			if r.Float64() < sp.Gates[g].P {
				s.cur.gates[g][l] = 1
			}
		}
		for i := range s.cur.latent {
			s.cur.latent[i][l] = r.NormFloat64()
		}
	}
}

// startAt puts the chains of a group at evenly spaced draws of a posterior.
func (s *sampler) startAt(p *Posterior, group int) {
	for l := range s.w {
		k := (group*s.w + l) * 31 % len(p.Z)
		for i := range s.cur.z {
			s.cur.z[i][l] = float64(p.Z[k][i])
		}
		for g := range s.cur.gates {
			s.cur.gates[g][l] = float64(p.On[k][g])
		}
	}
	s.restart()
}

// restart recomputes everything that follows from the present state.
func (s *sampler) restart() {
	for k := range s.deps {
		s.t.predict(k, s.cur, s.pred)
	}
	for c := range s.ll {
		s.t.logLik(c, s.cur, s.pred, s.ll[c])
	}
	copyState(s.prop, s.cur)
	for i := range s.pred {
		copy(s.newPred[i], s.pred[i])
	}
	for i := range s.ll {
		copy(s.newLL[i], s.ll[i])
	}
}

func copyState(dst, src state) {
	for i := range src.z {
		copy(dst.z[i], src.z[i])
	}
	for i := range src.gates {
		copy(dst.gates[i], src.gates[i])
	}
	for i := range src.latent {
		copy(dst.latent[i], src.latent[i])
	}
}

// gatesPerSweep flips are tried in a sweep, and often besides: its effects are
// several times the others', so it flips rarely.
const (
	gatesPerSweep = 6
	often         = "g.direct"
)

// step is one sweep forwards.
func (s *sampler) step() {
	s.run(s.sweep, false)
	s.sweep++
	if s.sweep <= s.warm {
		s.learn()
	}
}

// run carries out the moves of sweep k, in reverse order where backwards is
// set: each move leaves the posterior in place and is reversible, so the
// reversed sweep is the time reversal of the sweep (sbc.go).
func (s *sampler) run(k int, backwards bool) {
	moves := s.moves(k)
	if backwards {
		slices.Reverse(moves)
	}
	for _, m := range moves {
		m()
	}
}

func (s *sampler) moves(k int) (out []func()) {
	for _, b := range s.blocks {
		repeat := 1
		if len(b.modules) == 0 || b.name == "muscle" {
			repeat = 2
		}
		for range repeat {
			out = append(out, func() { s.moveBlock(b, k%3 == 2) })
		}
	}
	for _, g := range s.flips(k) {
		out = append(out, func() { s.flip(g) })
	}
	if len(s.cur.latent) > 0 && k%3 == 0 {
		out = append(out, s.moveLatents)
	}
	return out
}

func (s *sampler) flips(k int) (out []int) {
	n := len(s.gates)
	if n == 0 {
		return nil
	}
	for i := range gatesPerSweep {
		out = append(out, s.gates[((k*gatesPerSweep+i)%n+n)%n])
	}
	if g := s.t.spaceOf().Gate(often); g >= 0 && slices.Contains(s.gates, g) {
		out = append(out, g)
	}
	return out
}

// evaluate computes predictions of modules and the likelihood of their and of
// other clusters at the proposal; it returns per lane the change of the
// log-likelihood.
func (s *sampler) evaluate(modules, liks []int, change []float64) {
	for _, k := range modules {
		s.t.predict(k, s.prop, s.newPred)
	}
	clear(change)
	for c := range s.ll {
		k := s.t.moduleOf(c)
		if !slices.Contains(modules, k) && !slices.Contains(liks, k) {
			continue
		}
		s.t.logLik(c, s.prop, s.newPred, s.newLL[c])
		for l := range change {
			change[l] += s.newLL[c][l] - s.ll[c][l]
		}
	}
}

// settle keeps the proposal of the accepting lanes and takes it back in the
// others.
func (s *sampler) settle(modules, liks []int) {
	for c := range s.ll {
		k := s.t.moduleOf(c)
		if slices.Contains(modules, k) || slices.Contains(liks, k) {
			s.exchange(s.newLL[c], s.ll[c])
		}
	}
	if len(modules) > 0 {
		for i := range s.pred {
			s.exchange(s.newPred[i], s.pred[i])
		}
	}
}

func (s *sampler) exchange(proposed, current []float64) {
	for l, ok := range s.accept {
		if ok {
			current[l] = proposed[l]
		} else {
			proposed[l] = current[l]
		}
	}
}

func (s *sampler) moveBlock(b *block, aroundPrior bool) {
	change, ratio := make([]float64, s.w), make([]float64, s.w)
	for l, r := range s.rng {
		ratio[l] = b.ref[l].propose(b.coords, s.cur.z, s.prop.z, l, aroundPrior, r)
	}
	s.evaluate(b.modules, b.liks, change)
	for l, r := range s.rng {
		a := change[l] + ratio[l]
		s.accept[l] = math.Log(r.Float64()) < a
		if s.sweep < s.warm {
			b.ref[l].tune(aroundPrior, math.Min(1, math.Exp(math.Min(a, 0))), s.sweep)
		}
	}
	for _, c := range b.coords {
		s.exchange(s.prop.z[c], s.cur.z[c])
	}
	s.settle(b.modules, b.liks)
}

// flip proposes the other value of a gate.
func (s *sampler) flip(g int) {
	var modules, liks []int
	for k, d := range s.deps {
		if slices.Contains(d.gates, g) {
			modules = append(modules, k)
		} else if slices.Contains(d.likGates, g) {
			liks = append(liks, k)
		}
	}
	change := make([]float64, s.w)
	for l := range change {
		s.prop.gates[g][l] = 1 - s.cur.gates[g][l]
	}
	s.evaluate(modules, liks, change)
	p := s.t.spaceOf().Gates[g].P
	odds := math.Log(p / (1 - p))
	for l, r := range s.rng {
		a := change[l] + odds*(2*s.prop.gates[g][l]-1)
		s.accept[l] = math.Log(r.Float64()) < a
	}
	s.exchange(s.prop.gates[g], s.cur.gates[g])
	s.settle(modules, liks)
}

// moveLatents proposes a new place in the open ranges of every cohort at once;
// given the parameters the cohorts are independent, so each decides alone.
func (s *sampler) moveLatents() {
	const rho = 0.5
	turn := math.Sqrt(1 - rho*rho)
	all := make([]int, len(s.deps))
	for k := range all {
		all[k] = k
	}
	for c := range s.cur.latent {
		for l, r := range s.rng {
			s.prop.latent[c][l] = rho*s.cur.latent[c][l] + turn*r.NormFloat64()
		}
	}
	s.evaluate(all, nil, make([]float64, s.w))
	byCluster := make([][]bool, len(s.ll))
	for c := range s.ll {
		byCluster[c] = make([]bool, s.w)
		for l, r := range s.rng {
			byCluster[c][l] = math.Log(r.Float64()) < s.newLL[c][l]-s.ll[c][l]
		}
		copy(s.accept, byCluster[c])
		s.exchange(s.newLL[c], s.ll[c])
		s.exchange(s.prop.latent[c], s.cur.latent[c])
	}
	for i := range s.pred {
		copy(s.accept, byCluster[s.t.(interface{ clusterOf(int) int }).clusterOf(i)])
		s.exchange(s.newPred[i], s.pred[i])
	}
}

func (t *fitTarget) clusterOf(obs int) int { return t.of[obs] }

// learn feeds the references, and renews them at a few points of the warm-up.
func (s *sampler) learn() {
	if s.sweep < s.warm/10 {
		return
	}
	renew := s.sweep == s.warm/4 || s.sweep == s.warm/2 || s.sweep == s.warm
	for _, b := range s.blocks {
		for l := range s.w {
			b.ref[l].see(b.coords, s.cur.z, l)
			if renew {
				b.ref[l].renew()
			}
		}
	}
}
