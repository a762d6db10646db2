package population

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/training"
	"gonum.org/v1/gonum/stat/distuv"
)

// Run says what to simulate. Programme nil means no training.
type Run struct {
	Model     *axis.Model
	Programme *training.Programme
	Person    Person
	// People, where given, are the persons in turn; Person is then unused.
	People []Person
	// Posterior draws parameters and links; nil draws them from the priors.
	Posterior Draws
	Times     []float64 // output times in hours, ascending, from 0
	N         int       // virtual persons; 1 simulates the typical one (medians, every gate at its probability)
	Seed      uint64
	// WeeklyMean spreads the sessions of each week evenly over it. Slow states
	// keep within 8 % of their change (TestWeeklyMean) at a twentieth
	// of the cost; blood levels become weekly means.
	WeeklyMean bool
	RTol       float64 // 0: 3e-4, which keeps every output within 2e-4 (TestTolerance)
}

// Draws is a posterior: draws of the parameters and links of a model.
type Draws interface {
	Len() int
	// Set puts draw k into the parameters p; chance gives uniform numbers for
	// whether the person responds.
	Set(k int, p []float64, chance func() float64)
	// Typical puts medians, and links at their probability, into p.
	Typical(p []float64)
}

// Of is the person behind member i.
func (r Run) Of(i int) Person {
	if len(r.People) > 0 {
		return r.People[max(i, 0)%len(r.People)]
	}
	return r.Person
}

// DrawOf is the draw of the posterior behind member i of n: evenly spaced
// where there are fewer members than draws.
func DrawOf(i, n, draws int) int {
	if n < draws {
		return i * draws / n
	}
	return i % draws
}

// MaxValues bounds the output of one run: persons × times × outputs.
const MaxValues = 60_000_000

// Ensemble holds the outputs of all virtual persons.
type Ensemble struct {
	Names  []string
	Units  []string
	Times  []float64
	N      int
	Stats  ode.Stats // summed over persons
	values []float32 // [output][time][person]
}

// Series returns the values of output k at time i over all persons; the slice
// belongs to the ensemble.
func (e *Ensemble) Series(k, i int) []float32 {
	at := (k*len(e.Times) + i) * e.N
	return e.values[at : at+e.N]
}

// Index returns the place of an output, -1 where there is none.
func (e *Ensemble) Index(name string) int {
	for i, n := range e.Names {
		if n == name {
			return i
		}
	}
	return -1
}

// Draw returns the parameters of virtual person i: a draw of the posterior, or
// without one each parameter from its prior and each gate from its inclusion
// probability. Draw -1 is the typical person: medians, and gates and responders
// at their probability.
func (r Run) Draw(i int) []float64 {
	m := r.Model
	p := m.K.Values()
	rng := rand.New(rand.NewPCG(r.Seed, uint64(i)))
	switch {
	case r.Posterior != nil && i < 0:
		r.Posterior.Typical(p)
	case r.Posterior != nil:
		r.Posterior.Set(DrawOf(i, r.N, r.Posterior.Len()), p, rng.Float64)
	default:
		r.prior(i, p, rng)
	}
	for name, v := range r.Of(i).Values() {
		p[m.K.Param(name)] = v
	}
	return p
}

// prior draws parameters from their priors.
func (r Run) prior(i int, p []float64, rng *rand.Rand) {
	m := r.Model
	for k, pr := range m.Priors {
		if i < 0 {
			if pr.Kind == axis.Gate || pr.Kind == axis.Responder {
				p[k] = pr.P
			}
			continue
		}
		q := rng.Float64()
		p[k] = pr.Quantile(p[k], q, distuv.UnitNormal.Quantile(math.Min(math.Max(q, 1e-9), 1-1e-9)))
		if pr.NonNegative(m.K.Params[k].Name) {
			p[k] = math.Max(p[k], 0)
		}
	}
}

// Simulate runs every virtual person on all cores. The outcome depends on the
// seed alone, not on the number of cores.
func (r Run) Simulate(ctx context.Context) (*Ensemble, error) {
	if r.N < 1 {
		r.N = 1
	}
	switch {
	case r.RTol == 0 && r.WeeklyMean:
		r.RTol = 2e-3 // far below the error of spreading the sessions
	case r.RTol == 0:
		r.RTol = 3e-4
	}
	k := r.Model.K
	e := &Ensemble{Times: r.Times, N: r.N}
	for _, o := range k.Outputs {
		e.Names, e.Units = append(e.Names, o.Name), append(e.Units, o.Unit)
	}
	size := len(e.Names) * len(e.Times) * e.N
	if size > MaxValues {
		return nil, fmt.Errorf("%d persons at %d times are more output than fits (%d values, at most %d): use a larger --every or fewer persons", e.N, len(e.Times), size, MaxValues)
	}
	e.values = make([]float32, size)
	var all []training.Session
	if r.Programme != nil {
		all = r.Programme.Schedule()
	}
	ens := kinetics.Ensemble{Sys: r.Model.Sys, N: r.N,
		Settings: kinetics.Settings{Settings: ode.Settings{Method: ode.Rodas5P, RTol: r.RTol, ATol: r.RTol * 0.1}},
		Member:   func(i int) (kinetics.Task, error) { return r.Task(i, all), nil },
		Out: func(i, at int, _ float64, v []float64) error {
			for k := range e.Names {
				e.values[(k*len(e.Times)+at)*e.N+i] = float32(v[k])
			}
			return nil
		}}
	var err error
	e.Stats, err = ens.Run(ctx)
	var me *kinetics.MemberError
	if errors.As(err, &me) {
		return nil, fmt.Errorf("virtual person %d (seed %d): %w", me.Member, r.Seed, me.Err)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Task is the run of virtual person i, who attends some of the sessions; the
// only one is the typical person.
func (r Run) Task(i int, all []training.Session) kinetics.Task {
	draw := i
	var attend func() float64
	if r.N == 1 {
		draw = -1
	} else {
		attend = rand.New(rand.NewPCG(r.Seed^0x9e3779b97f4a7c15, uint64(i))).Float64
	}
	p := r.Draw(draw)
	t := kinetics.Task{Params: p, Initial: Start(r.Model, p), T1: math.Max(r.Times[len(r.Times)-1], 1e-6), Times: r.Times}
	if r.Programme != nil {
		in := newInputs(r.Model)
		if r.WeeklyMean {
			t.Stops = in.weekly(r.Programme.Attended(all, attend))
		} else {
			t.Stops = in.sessions(r.Programme.Attended(all, attend))
		}
	}
	return t
}

// inputs are the places of the model's inputs.
type inputs struct{ vol, load, hold int }

func newInputs(m *axis.Model) inputs {
	return inputs{vol: m.K.Input("vol"), load: m.K.Input("load"), hold: m.K.Input("hold")}
}

func (in inputs) at(t, vol, load, hold float64) kinetics.Stop {
	return kinetics.Stop{T: t, Set: []kinetics.Setting{{Index: in.vol, Value: vol}, {Index: in.load, Value: load}, {Index: in.hold, Value: hold}}}
}

// sessions turns the inputs on and off at each session.
func (in inputs) sessions(ss []training.Session) (out []kinetics.Stop) {
	for _, s := range ss {
		out = append(out, in.at(s.Start, s.Volume()/s.Hours, s.Load, s.Held()), in.at(s.Start+s.Hours, 0, 0, 0))
	}
	return out
}

// weekly sets the inputs once a week to the mean of its sessions.
func (in inputs) weekly(ss []training.Session) (out []kinetics.Stop) {
	last := -1
	var vol, load, hold, hadMean, hadLoad, hadHold float64
	set := func(week int) {
		mean, at, held := vol/training.HoursPerWeek, 0.0, 0.0
		if vol > 0 {
			at, held = load/vol, hold/vol
		}
		if mean == hadMean && at == hadLoad && held == hadHold { // no restart where nothing changes
			return
		}
		hadMean, hadLoad, hadHold = mean, at, held
		out = append(out, in.at(float64(week)*training.HoursPerWeek, mean, at, held))
	}
	for _, s := range ss {
		if s.Week != last {
			if last >= 0 {
				set(last)
			}
			if last >= 0 && s.Week > last+1 {
				vol, load, hold = 0, 0, 0
				set(last + 1)
			}
			last, vol, load, hold = s.Week, 0, 0, 0
		}
		vol += s.Volume()
		load += s.Volume() * s.Load
		hold += s.Volume() * s.Held()
	}
	if last >= 0 {
		set(last)
		vol, load, hold = 0, 0, 0
		set(last + 1)
	}
	return out
}

// Start is the state before a programme: the steady state of the person at
// rest, with the pools of IGF-1 at the person's own free fraction.
func Start(m *axis.Model, p []float64) []float64 {
	y := m.K.Initial()
	free := p[m.K.Param("igf1.free")]
	for i, s := range m.K.States {
		switch s.Name {
		case "igf1.F":
			y[i] = free
		case "igf1.B":
			y[i] = 1 - free
		}
	}
	return y
}
