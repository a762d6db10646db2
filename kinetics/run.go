package kinetics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/myoaxis/myoaxis/ode"
)

// Settings of a run. The zero value means those of package ode, seed 0 and at
// most 100,000 events at one time.
type Settings struct {
	ode.Settings
	// Seed decides the order of events that are due together with the same
	// priority.
	Seed uint64
	// MaxEvents bounds the events executed, and the switches of discontinuous
	// expressions, without the time moving on.
	MaxEvents int
}

// Stop is a scheduled time at which inputs are set and amounts are added to
// states.
type Stop struct {
	T   float64
	Set []Setting // inputs
	Add []Setting // states
}

// Setting is a value for the input or state with an index.
type Setting struct {
	Index int
	Value float64
}

// Task is one run: parameters (nil: the model's), start values of states (nil,
// or NaN for a state: the model's), the time span, the output times and stops
// (both ascending, within [T0, T1]). Outputs at the time of a stop or an event
// are those after it.
type Task struct {
	Params, Initial []float64
	T0, T1          float64
	Times           []float64
	Stops           []Stop
}

// RunError says what broke a run off: when, and which state, parameter, event
// or expression it was about.
type RunError struct {
	T    float64
	What string
	Err  error
}

func (e *RunError) Error() string {
	if e.What == "" {
		return fmt.Sprintf("at time %g: %v", e.T, e.Err)
	}
	return fmt.Sprintf("at time %g: %s: %v", e.T, e.What, e.Err)
}
func (e *RunError) Unwrap() error { return e.Err }

// Errors of runs.
var (
	ErrEventsWithoutEnd = errors.New("events fire without end at one time")
	ErrSwitching        = errors.New("an expression switches to and fro without end")
	ErrNegativeDelay    = errors.New("a delay is negative or not a number")
	ErrNoConsistent     = errors.New("no state satisfies the algebraic equations")
	ErrNoValue          = errors.New("the start value is not a number")
)

// runner carries one run.
type runner struct {
	ctx     context.Context
	s       *System
	in      *Instance
	set     Settings
	task    Task
	sol     *ode.Solver
	y       []float64
	t       float64
	base    []float64 // parameters as the caller gave them
	truth   []float64 // of the triggers, as last seen
	queue   []pending
	rng     *rand.Rand
	scratch []float64
	past    *history
	next    int // next output time
	stop    int // next stop of the task
	params  []float64
	from    []float64 // state at the start of a stretch
	which   int       // discontinuous expression that changed last
	out     func(i int, t float64, values []float64) error
	outErr  error
	values  []float64
	stats   ode.Stats
}

// Simulate runs the model and calls out at each output time with the outputs
// (and, behind them, the fluxes); the slice is valid during the call only.
func (s *System) Simulate(ctx context.Context, task Task, set Settings, out func(i int, t float64, values []float64) error) (ode.Stats, error) {
	if err := set.Settings.Validate(); err != nil {
		return ode.Stats{}, err
	}
	r := newRunner(ctx, s, task, set, out)
	r.sol = ode.New(s.Problem(r.in), r.set.Settings)
	err := r.start()
	if err == nil {
		err = r.loop()
	}
	r.stats.Add(r.sol.Stats)
	return r.stats, err
}

func newRunner(ctx context.Context, s *System, task Task, set Settings, out func(int, float64, []float64) error) *runner {
	if set.MaxEvents == 0 {
		set.MaxEvents = 100_000
	}
	m := s.Model
	r := &runner{ctx: ctx, s: s, in: s.NewInstance(), set: set, y: make([]float64, len(m.States)), truth: make([]float64, len(m.Events)),
		scratch: make([]float64, max(len(s.sides.out), len(s.guards.out), len(m.States), len(m.initials), len(m.Events))),
		values:  make([]float64, len(s.outs.out)), params: make([]float64, len(m.Params))}
	if done := ctx.Done(); done != nil {
		r.set.Check = func() error {
			if err := ctx.Err(); err != nil || set.Check == nil {
				return err
			}
			return set.Check()
		}
	}
	r.reset(task, out)
	return r
}

// reset prepares the runner for another task.
func (r *runner) reset(task Task, out func(int, float64, []float64) error) {
	m := r.s.Model
	if task.Params != nil && len(task.Params) != len(m.Params) || task.Initial != nil && len(task.Initial) != len(m.States) {
		panic("kinetics: a task with another number of parameters or states than its model")
	}
	r.task, r.out, r.t, r.base = task, out, task.T0, task.Params
	if r.base == nil {
		r.base = m.Values()
	}
	for i, s := range m.States {
		r.y[i] = s.Init
	}
	r.queue, r.next, r.stop, r.outErr, r.stats = r.queue[:0], 0, 0, nil, ode.Stats{}
	if len(m.Events) > 0 {
		r.rng = rand.New(rand.NewPCG(r.set.Seed, 0x5bd1e995))
	}
	if len(m.delays) > 0 {
		r.past = newHistory(r)
		r.in.delayed = r.past.load
	}
	r.in.clearInputs()
}

// Problem is the model as package ode wants it, computed by an instance.
func (s *System) Problem(in *Instance) ode.Problem {
	p := ode.Problem{N: len(s.Model.States), F: in.F, Jac: in.Jac, Pattern: s.Pattern, Blocks: s.Model.blocks, InexactJac: len(s.delays) > 0}
	if s.TimeDep {
		p.Ft = in.Ft
	}
	if s.Model.Mass != nil {
		p.Mass = []ode.MassEntry{}
		for _, e := range s.Model.Mass {
			p.Mass = append(p.Mass, ode.MassEntry(e))
		}
	}
	return p
}

// start computes the start values and executes the events of the start.
func (r *runner) start() error {
	m := r.s.Model
	r.in.SetParams(r.base)
	v := r.scratch[:len(m.initials)]
	r.in.eval(&r.s.init, r.t, r.y, v)
	p := append(r.params[:0], r.base...)
	for k, i := range m.initials {
		if i.state >= 0 {
			r.y[i.state] = v[k]
		} else {
			p[i.param] = v[k]
		}
	}
	r.in.SetParams(p)
	for i, v := range r.task.Initial {
		if !math.IsNaN(v) {
			r.y[i] = v
		}
	}
	for i, v := range r.y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			what := m.States[i].Name
			for _, k := range m.initials {
				if text := r.culprit(k.expr, r.t, m.Initial()); k.state == i && text != "" {
					what += ", in " + text
				}
			}
			return &RunError{r.t, what, ErrNoValue}
		}
	}
	for k, e := range m.Events {
		r.truth[k] = truth(e.Initial)
	}
	if err := r.settle(); err != nil {
		return err
	}
	if r.past != nil {
		r.past.jump(r.t)
	}
	if err := r.events(); err != nil {
		return err
	}
	return r.atStop(false)
}

// atStop does what is due at the present time, after a stop or a change of the
// equations.
func (r *runner) atStop(scheduled bool) error {
	if scheduled {
		r.stats.Stops++
	}
	due := false
	for ; r.stop < len(r.task.Stops) && r.task.Stops[r.stop].T <= r.t; r.stop++ {
		st := &r.task.Stops[r.stop]
		for _, s := range st.Set {
			r.in.setInput(s.Index, s.Value)
		}
		for _, s := range st.Add {
			r.y[s.Index] += s.Value
		}
		due = due || len(st.Set) > 0
	}
	if due {
		run(r.s.pre, r.in.reg)
	}
	if err := r.settle(); err != nil {
		return err
	}
	if err := r.events(); err != nil {
		return err
	}
	if r.past != nil {
		r.past.jump(r.t)
	}
	return nil
}

// settle makes the state consistent with the equations after a jump: modes
// follow the discontinuous expressions, algebraic states their equations.
func (r *runner) settle() error {
	if r.sol != nil {
		r.sol.Restart()
	}
	for range 20 {
		r.setModes()
		if err := r.consistent(); err != nil {
			return err
		}
		if r.s.Model.Mass == nil && r.s.relaxation == nil || !r.changed(r.t, r.y) {
			return nil
		}
	}
	return &RunError{r.t, r.switching(), ErrSwitching}
}

func (r *runner) setModes() {
	if len(r.s.guards.out) == 0 {
		return
	}
	r.in.eval(&r.s.guards, r.t, r.y, r.scratch)
	copy(r.in.modes(), r.scratch)
	run(r.s.pre, r.in.reg)
}

// changed tells whether a discontinuous expression has left the value that the
// right-hand side holds, and notes which.
func (r *runner) changed(t float64, y []float64) bool {
	r.in.load(t, y)
	run(r.s.guards.blocks, r.in.reg)
	for k, m := range r.in.modes() {
		if r.in.reg[r.s.guards.out[k]] != m {
			r.which = k
			return true
		}
	}
	return false
}

// guard is the guard of the solver, nil where nothing jumps.
func (r *runner) guard() *ode.Guard {
	if len(r.s.guards.out) == 0 {
		return nil
	}
	return &ode.Guard{Holds: r.changed,
		Pick: func() int { return r.s.crosses[r.which].diff },
		Side: func(k int, t float64, y []float64) float64 {
			r.in.load(t, y)
			run(r.s.sides.blocks, r.in.reg)
			return r.in.reg[r.s.sides.out[k]]
		}}
}

// loop integrates from stop to stop.
func (r *runner) loop() error {
	guard := r.guard()
	still, mark := 0, r.t
	for {
		if err := r.emit(r.t); err != nil {
			return err
		}
		if r.t >= r.task.T1 {
			return nil
		}
		end, scheduled := r.nextStop()
		r.sol.SetHMax(r.stepLimit())
		r.from = append(r.from[:0], r.y...)
		t, hit, err := r.sol.Integrate(r.y, r.t, end, guard, r.seen)
		if r.outErr != nil {
			return r.outErr
		}
		if err != nil {
			return r.named(err, r.from)
		}
		r.t = t
		if !hit && !scheduled {
			continue
		}
		if hit {
			if r.t-mark > 1e-9*(r.task.T1-r.task.T0) {
				still, mark = 0, r.t
			}
			if still++; still > r.set.MaxEvents {
				return &RunError{r.t, r.switching(), ErrSwitching}
			}
		}
		if err := r.atStop(!hit); err != nil {
			return err
		}
	}
}

// nextStop is the next time that is known beforehand: the end, an event that
// waits, a comparison of the time, or the echo of a jump through a delay.
func (r *runner) nextStop() (end float64, scheduled bool) {
	end = r.task.T1
	sooner := func(t float64) {
		if t > r.t && t < end {
			end, scheduled = t, true
		} else if t == end {
			scheduled = true
		}
	}
	for _, p := range r.queue {
		sooner(p.at)
	}
	if r.stop < len(r.task.Stops) {
		sooner(r.task.Stops[r.stop].T)
	}
	if len(r.s.sides.out) > 0 {
		r.in.eval(&r.s.sides, r.t, r.y, r.scratch)
		for _, c := range r.s.crosses {
			if c.rate >= 0 {
				sooner(r.t - r.scratch[c.diff]/r.scratch[c.rate])
			}
		}
	}
	if r.past != nil {
		if t, ok := r.past.nextEcho(r.t); ok {
			sooner(t)
		}
	}
	return end, scheduled
}

// stepLimit bounds the step where something could be stepped over: a
// comparison that comes true and false again, or a delay. 0 is no bound.
func (r *runner) stepLimit() float64 {
	h := r.set.HMax
	less := func(v float64) {
		if h == 0 || v < h {
			h = v
		}
	}
	for _, c := range r.s.crosses {
		if c.rate < 0 {
			less((r.task.T1 - r.task.T0) / 40)
			break
		}
	}
	if r.past != nil {
		if d := r.past.shortest(); d > 0 {
			less(d)
		}
	}
	return h
}

// seen passes on outputs within a step and remembers the step for delays.
func (r *runner) seen(st ode.Step) {
	if r.past != nil {
		r.past.remember(st)
	}
	y := r.scratch[:len(r.y)]
	for ; r.next < len(r.task.Times) && r.task.Times[r.next] < st.T1 && r.outErr == nil; r.next++ {
		t := r.task.Times[r.next]
		st.At(t, y)
		r.outErr = r.write(t, y)
	}
}

// emit writes the outputs due at the present time, after its events.
func (r *runner) emit(t float64) error {
	for ; r.next < len(r.task.Times) && r.task.Times[r.next] <= t; r.next++ {
		if err := r.write(r.task.Times[r.next], r.y); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) write(t float64, y []float64) error {
	if r.out == nil {
		return nil
	}
	r.in.Outputs(t, y, r.values)
	return r.out(r.next, t, r.values)
}

// named adds to an error of the solver which expression it is about.
func (r *runner) named(err error, y []float64) error {
	var se *ode.SolveError
	if !errors.As(err, &se) {
		return err
	}
	e := &RunError{T: se.T, Err: se.Err}
	if se.State >= 0 {
		e.What = "the rate of " + r.s.Model.States[se.State].Name
		if text := r.culprit(r.s.Model.deriv[se.State], se.T, y); text != "" {
			e.What += ", in " + text
		}
	}
	return e
}

// switching names a discontinuous expression that has left its value.
func (r *runner) switching() string {
	if !r.changed(r.t, r.y) {
		return ""
	}
	return fmt.Sprintf("discontinuous expression %d of %d", r.which+1, len(r.s.guards.out))
}
