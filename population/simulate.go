package population

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/training"
	"gonum.org/v1/gonum/stat/distuv"
)

// Run says what to simulate. Programme nil means no training.
type Run struct {
	Model     *axis.Model
	Programme *training.Programme
	Person    Person
	Times     []float64 // output times in hours, ascending, from 0
	N         int       // virtual persons; 1 simulates the typical one (medians, every gate at its probability)
	Seed      uint64
	// WeeklyMean spreads the sessions of each week evenly over it. Slow states
	// keep within 8 % of their change (TestWeeklyMean) at a twentieth
	// of the cost; blood levels become weekly means.
	WeeklyMean bool
	RTol       float64 // 0: 3e-4, which keeps every output within 2e-4 (TestTolerance)
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

// Draw returns the parameters of virtual person i: each parameter from its
// prior, each gate from its inclusion probability. Draw -1 is the typical
// person: medians, and gates and responders at their probability.
func (r Run) Draw(i int) []float64 {
	m := r.Model
	p := m.K.Values()
	rng := rand.New(rand.NewPCG(r.Seed, uint64(i)))
	for k, pr := range m.Priors {
		if i < 0 {
			if pr.Kind == axis.Gate || pr.Kind == axis.Responder {
				p[k] = pr.P
			}
			continue
		}
		q := rng.Float64()
		p[k] = pr.Quantile(p[k], q, distuv.UnitNormal.Quantile(math.Min(math.Max(q, 1e-9), 1-1e-9)))
		if pr.Kind == axis.Normal && m.K.Params[k].Value > 0 && nonNegative(m.K.Params[k].Name) {
			p[k] = math.Max(p[k], 0)
		}
	}
	for name, v := range r.Person.values() {
		p[m.K.Param(name)] = v
	}
	return p
}

// nonNegative names the normal priors that stand for sizes; shifts of resting
// levels and direct effects may take either sign.
func nonNegative(name string) bool {
	switch name {
	case "hab.max", "strength.loss", "mass.loss", "bdnf.brain", "igf1.free":
		return true
	}
	return false
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
	workers := min(r.N, runtime.GOMAXPROCS(0))
	errs := make([]error, r.N)
	stats := make([]ode.Stats, r.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			w := newWorker(r, e)
			for i := int(next.Add(1)) - 1; i < r.N && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[i] = w.person(i, all)
				stats[i] = w.solver.Stats
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("virtual person %d (seed %d): %w", i, r.Seed, err)
		}
		e.Stats.Add(stats[i])
	}
	return e, nil
}

// worker holds what one goroutine needs to run persons one after another.
type worker struct {
	r      Run
	e      *Ensemble
	prob   ode.Problem
	solver *ode.Solver
	set    func(p []float64)
	input  func(i int, v float64)
	out    func(t float64, y, v []float64)
	vol    int
	load   int
}

func newWorker(r Run, e *Ensemble) *worker {
	in := r.Model.Sys.NewInstance()
	k := r.Model.K
	w := &worker{r: r, e: e, set: in.SetParams, input: in.SetInput, out: in.Outputs, vol: k.Input("vol"), load: k.Input("load")}
	w.prob = ode.Problem{N: len(k.States), F: in.F, Jac: in.Jac, Pattern: r.Model.Sys.Pattern}
	if r.Model.Sys.TimeDep {
		w.prob.Ft = in.Ft
	}
	w.solver = ode.New(w.prob, ode.Settings{Method: ode.Rodas5P, RTol: r.RTol, ATol: r.RTol * 0.1})
	return w
}

func (w *worker) person(i int, all []training.Session) error {
	w.solver.Stats = ode.Stats{}
	draw := i
	var attend func() float64
	if w.r.N == 1 {
		draw = -1
	} else {
		attend = rand.New(rand.NewPCG(w.r.Seed^0x9e3779b97f4a7c15, uint64(i))).Float64
	}
	p := w.r.Draw(draw)
	w.set(p)
	w.input(w.vol, 0)
	w.input(w.load, 0)
	y := Start(w.r.Model, p)
	var stops []ode.Stop
	switch {
	case w.r.Programme != nil && w.r.WeeklyMean:
		stops = w.weekly(w.r.Programme.Attended(all, attend))
	case w.r.Programme != nil:
		stops = w.stops(w.r.Programme.Attended(all, attend))
	}
	n := len(w.r.Model.K.Outputs)
	v := make([]float64, n+len(w.r.Model.K.Fluxes))
	times := w.e.Times
	end := times[len(times)-1]
	err := w.solver.Solve(y, 0, math.Max(end, 1e-6), stops, times, func(ti int, t float64, y []float64) {
		w.out(t, y, v)
		for k := range n {
			w.e.values[(k*len(times)+ti)*w.e.N+i] = float32(v[k])
		}
	})
	return err
}

// stops turn the inputs on and off at the sessions.
func (w *worker) stops(ss []training.Session) []ode.Stop {
	var out []ode.Stop
	for _, s := range ss {
		out = append(out,
			ode.Stop{T: s.Start, Do: func([]float64) { w.input(w.vol, s.Volume()/s.Hours); w.input(w.load, s.Load) }},
			ode.Stop{T: s.Start + s.Hours, Do: func([]float64) { w.input(w.vol, 0); w.input(w.load, 0) }})
	}
	return out
}

// weekly sets the inputs once a week to the mean of its sessions.
func (w *worker) weekly(ss []training.Session) (out []ode.Stop) {
	last := -1
	var vol, load, hadMean, hadLoad float64
	set := func(week int) {
		mean, at := vol/training.HoursPerWeek, 0.0
		if vol > 0 {
			at = load / vol
		}
		if mean == hadMean && at == hadLoad { // no restart where nothing changes
			return
		}
		hadMean, hadLoad = mean, at
		out = append(out, ode.Stop{T: float64(week) * training.HoursPerWeek, Do: func([]float64) { w.input(w.vol, mean); w.input(w.load, at) }})
	}
	for _, s := range ss {
		if s.Week != last {
			if last >= 0 {
				set(last)
			}
			if last >= 0 && s.Week > last+1 {
				vol, load = 0, 0
				set(last + 1)
			}
			last, vol, load = s.Week, 0, 0
		}
		vol += s.Volume()
		load += s.Volume() * s.Load
	}
	if last >= 0 {
		set(last)
		vol, load = 0, 0
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
