package kinetics

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/myoaxis/myoaxis/internal/lane"
	"github.com/myoaxis/myoaxis/ode"
)

// Ensemble runs many members of one model. What a member's result is depends
// on the member alone: not on the number of lanes, of cores, or on the others.
type Ensemble struct {
	Sys      *System
	Settings Settings
	// Lanes is how many members are carried in lockstep: a multiple of 8, or 0 for
	// what suits the model. 1 runs each member alone by the scalar solver, which
	// agrees within the tolerance, not to the last bit.
	Lanes int
	// Workers is the number of goroutines, 0 for GOMAXPROCS.
	Workers int
	N       int
	// Member describes member i; it is called once, from any goroutine.
	Member func(i int) (Task, error)
	// Out receives the outputs of member i at time k of its task, in order of k
	// for a member; members come from several goroutines at once. values is
	// valid during the call only.
	Out func(i, k int, t float64, values []float64) error
}

// MemberError says which member failed.
type MemberError struct {
	Member int
	Err    error
}

func (e *MemberError) Error() string { return e.Err.Error() }
func (e *MemberError) Unwrap() error { return e.Err }

// registerBudget is the memory of the registers of one group of lanes that
// still fits a core's own cache.
const registerBudget = 512 << 10

// lanesFor is the number of lanes that suits a model and a number of workers; 1
// is a run of each member alone.
func (e *Ensemble) lanesFor(workers int) int {
	w := e.Lanes
	if w < 0 || w > 1 && w%lane.Width != 0 {
		panic("kinetics: the number of lanes is not a multiple of 8")
	}
	if w == 0 {
		n := len(e.Sys.Model.States)
		w = 64
		size := 8 * (int(e.Sys.nReg) + 16*n + 3*len(e.Sys.Pattern))
		for w > lane.Width && (w*workers > e.N || size*w > registerBudget) {
			w /= 2
		}
	}
	if !e.Sys.laneable() || len(e.Settings.NonNegative) > 0 || e.Settings.Method != ode.Auto && e.Settings.Method != ode.Rodas5P {
		return 1
	}
	return w
}

// laneable tells whether lanes can carry the model: delays and mass matrices
// need a solver of their own.
func (s *System) laneable() bool {
	return s.Model.blocks == 0 && len(s.delays) == 0 && s.Model.Mass == nil && s.relaxation == nil && len(s.Model.States) > 0 && len(s.Model.States) <= ode.LargeSystem
}

// Run carries out the ensemble. A member that fails ends it and is named; of
// several that failed before the others stopped, the one with the lowest index.
func (e *Ensemble) Run(ctx context.Context) (ode.Stats, error) {
	if err := e.Settings.Settings.Validate(); err != nil {
		return ode.Stats{}, err
	}
	workers := e.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	w := e.lanesFor(workers)
	workers = max(1, min(workers, (e.N+w-1)/w))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &feed{e: e, ctx: ctx, cancel: cancel, failed: math.MaxInt}
	var wg sync.WaitGroup
	stats := make([]ode.Stats, workers)
	for k := range workers {
		wg.Go(func() {
			if w == 1 {
				stats[k] = f.scalar()
			} else {
				stats[k] = newLaneGroup(f, w).run()
			}
		})
	}
	wg.Wait()
	var all ode.Stats
	for _, s := range stats {
		all.Add(s)
	}
	if f.err != nil {
		return all, &MemberError{f.failed, f.err}
	}
	return all, ctx.Err()
}

// feed hands out members and gathers errors.
type feed struct {
	e      *Ensemble
	ctx    context.Context
	cancel context.CancelFunc
	next   atomic.Int64
	mu     sync.Mutex
	failed int
	err    error
}

// take returns the next member; ok is false where there is none.
func (f *feed) take() (i int, t Task, ok bool) {
	for f.ctx.Err() == nil {
		if i = int(f.next.Add(1)) - 1; i >= f.e.N {
			break
		}
		t, err := f.e.Member(i)
		if err == nil {
			return i, t, true
		}
		f.fail(i, err)
	}
	return 0, Task{}, false
}

func (f *feed) fail(i int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i < f.failed {
		f.failed, f.err = i, err
	}
	f.cancel()
}

// out passes on an output.
func (f *feed) out(i int) func(k int, t float64, values []float64) error {
	return func(k int, t float64, values []float64) error { return f.e.Out(i, k, t, values) }
}

// scalar runs members one after another.
func (f *feed) scalar() (all ode.Stats) {
	set := f.e.Settings
	if f.e.Sys.laneable() {
		set.Method = ode.Rodas5P
	}
	if f.e.Settings.Method != ode.Auto {
		set.Method = f.e.Settings.Method
	}
	for {
		i, t, ok := f.take()
		if !ok {
			return all
		}
		st, err := f.e.Sys.Simulate(f.ctx, t, set, f.out(i))
		all.Add(st)
		if err != nil && f.ctx.Err() == nil {
			f.fail(i, err)
		}
	}
}
