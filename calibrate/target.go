package calibrate

import (
	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

// target is what a sampler explores: predictions in modules, and clusters of
// observations whose log-likelihoods add up.
type target interface {
	spaceOf() Space
	moduleDeps() []deps
	clusters() int
	moduleOf(cluster int) int
	observations() int
	latents() bool // one latent quantity a cluster, standard normal a priori
	// predict writes the predictions of one module; logLik those of one cluster.
	predict(module int, s state, pred [][]float64)
	logLik(cluster int, s state, pred [][]float64, out []float64)
}

// deps are the coordinates and gates that a module's predictions, or only its
// likelihood, rest on.
type deps struct {
	coords, gates       []int
	likCoords, likGates []int
}

// fitTarget is the axis against the observations of a pack.
type fitTarget struct {
	fwd    *forward
	obs    []Observation
	cs     []cluster
	units  []unit
	of     []int // cluster of an observation
	module []int // module of a cluster
	// results of a lane; one entry shared by all lanes, or one a lane.
	results [][]reported.Result
	skip    []bool // clusters left out
	at      likelihoodIndex
	scratch []report
	null    []report
}

type likelihoodIndex struct {
	tauCog, tauOutcome, mention, tauChronic, tauAcute, tauMuscle, tauMeasure, plasma, elisaShift, tauSample int
	elisa                                                                                                   int // gate
}

func indexLikelihood(s Space) likelihoodIndex {
	return likelihoodIndex{s.mustIndex("tau.cognition"), s.mustIndex("tau.outcome"), s.mustIndex("mention"), s.mustIndex("tau.chronic"), s.mustIndex("tau.acute"),
		s.mustIndex("tau.muscle"), s.mustIndex("tau.measure"), s.mustIndex("plasma"), s.mustIndex("elisa.shift"), s.mustIndex("tau.sample"), s.Gate("form.irisin_elisa")}
}

// newFitTarget prepares the axis and the observations for w lanes.
func newFitTarget(m *axis.Model, space Space, obs []Observation, w int) (*fitTarget, error) {
	t := &fitTarget{obs: obs, at: indexLikelihood(space)}
	t.cs, t.units, t.of = makeClusters(obs, space)
	fwd, err := newForward(m, space, obs, t.of, w)
	if err != nil {
		return nil, err
	}
	t.fwd, t.module, t.skip = fwd, make([]int, len(t.cs)), make([]bool, len(t.cs))
	one := make([]reported.Result, len(obs))
	for i, o := range obs {
		one[i] = o.Result
	}
	t.results = [][]reported.Result{one}
	for i := range t.module {
		t.module[i] = -1
	}
	for k, md := range fwd.modules {
		for _, c := range md.conditions {
			for _, p := range c.points {
				at := &t.module[t.of[p.obs]]
				if *at >= 0 && *at != k {
					panic("calibrate: a cluster rests on two modules") // its likelihood would go stale
				}
				*at = k
			}
		}
	}
	return t, nil
}

func (t *fitTarget) spaceOf() Space           { return t.fwd.space }
func (t *fitTarget) clusters() int            { return len(t.cs) }
func (t *fitTarget) moduleOf(cluster int) int { return t.module[cluster] }
func (t *fitTarget) observations() int        { return len(t.obs) }
func (t *fitTarget) latents() bool            { return true }

func (t *fitTarget) moduleDeps() []deps {
	out := make([]deps, len(t.fwd.modules))
	for i, md := range t.fwd.modules {
		out[i] = deps{coords: md.coords, gates: md.gates}
	}
	for c, k := range t.module {
		d := &out[k]
		a := t.at
		switch t.cs[c].class {
		case Cognition, Mediated:
			d.likCoords = []int{a.tauCog, a.tauOutcome, a.mention}
		case Muscle:
			d.likCoords = []int{a.tauMuscle, a.tauMeasure}
		case Chronic:
			d.likCoords = []int{a.tauChronic, a.tauSample, a.plasma, a.elisaShift}
			d.likGates = []int{a.elisa}
		case Acute:
			d.likCoords = []int{a.tauAcute, a.tauSample, a.plasma, a.elisaShift}
			d.likGates = []int{a.elisa}
		}
	}
	return out
}

func (t *fitTarget) predict(module int, s state, pred [][]float64) {
	t.fwd.run(t.fwd.modules[module], s, pred)
}

// spreadsAt reads the likelihood's coordinates of one lane.
func (t *fitTarget) spreadsAt(class Class, s state, l int) spreads {
	v := func(c int) float64 { return t.fwd.space.Coords[c].Transform(s.z[c][l]) }
	switch class {
	case Cognition:
		return spreads{v(t.at.tauCog), v(t.at.tauOutcome), v(t.at.mention)}
	case Mediated: // parts of one effect; each varies by half its variance
		return spreads{0, v(t.at.tauCog) * 0.7071067811865476, 1}
	case Chronic:
		return spreads{v(t.at.tauChronic), v(t.at.tauSample), 1}
	case Acute:
		return spreads{v(t.at.tauAcute), v(t.at.tauSample), 1}
	}
	return spreads{v(t.at.tauMuscle), v(t.at.tauMeasure), 1}
}

func (t *fitTarget) logLik(c int, s state, pred [][]float64, out []float64) {
	cl := &t.cs[c]
	if t.skip[c] {
		fill(out, 0)
		return
	}
	for l := range out {
		sp := t.spreadsAt(cl.class, s, l)
		res := t.results[0]
		if len(t.results) > 1 {
			res = t.results[l]
		}
		t.scratch, t.null = t.scratch[:0], t.null[:0]
		for _, i := range cl.rows {
			p := t.seen(&t.obs[i], s, l, pred[i][l])
			t.scratch = append(t.scratch, report{&res[i], p})
			if cl.share >= 0 {
				t.null = append(t.null, report{&res[i], t.seen(&t.obs[i], s, l, 0)})
			}
		}
		out[l] = sp.logLik(t.scratch)
		if cl.share >= 0 {
			out[l] = mixed(phi(s.z[cl.share][l]), out[l], spreads{0, sp.within, 1}.logLik(t.null))
		}
	}
}

// seen is a prediction as the study's assay shows it: changes in plasma differ
// from those in serum by a ratio, and an irisin ELISA may not measure irisin.
func (t *fitTarget) seen(o *Observation, s state, l int, p float64) float64 {
	if o.ELISA && s.gates[t.at.elisa][l] == 0 {
		return t.fwd.space.Coords[t.at.elisaShift].Transform(s.z[t.at.elisaShift][l])
	}
	if o.Plasma {
		p *= t.fwd.space.Coords[t.at.plasma].Transform(s.z[t.at.plasma][l])
	}
	return p
}

// Problem is a calibration: model, space and data.
type Problem struct {
	Model *axis.Model
	Space Space
	Data  Data
}

// NewProblem collects the observations of a pack for a model.
func NewProblem(p *evidence.Pack, m *axis.Model) Problem {
	return Problem{Model: m, Space: NewSpace(m, axis.Claims), Data: Collect(p, modelInfo{m.K})}
}
