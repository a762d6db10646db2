package kinetics

import (
	"math"
	"slices"
)

// pending is a triggered event that waits for its time.
type pending struct {
	event  int
	at     float64
	values []float64 // computed when triggered; nil: when executed
}

// events triggers and executes whatever is due at the present time, until
// nothing is left (SBML Level 3 Version 2, 4.11.6).
func (r *runner) events() error {
	m := r.s.Model
	if len(m.Events) == 0 {
		return nil
	}
	for done := 0; ; done++ {
		if err := r.trigger(); err != nil {
			return err
		}
		k := r.choose()
		if k < 0 {
			return nil
		}
		p := r.queue[k]
		if done > r.set.MaxEvents {
			return &RunError{r.t, "event " + m.Events[p.event].Name, ErrEventsWithoutEnd}
		}
		r.queue = slices.Delete(r.queue, k, k+1)
		if err := r.execute(p); err != nil {
			return err
		}
	}
}

// trigger queues the events whose trigger has turned true, and drops waiting
// ones whose trigger turned false and that do not persist.
func (r *runner) trigger() error {
	m := r.s.Model
	now := make([]float64, len(m.Events))
	r.in.eval(&r.s.triggers, r.t, r.y, now)
	for k, e := range m.Events {
		was, is := r.truth[k] != 0, now[k] != 0 && !math.IsNaN(now[k])
		r.truth[k] = truth(is)
		if was && !is && !e.Persistent {
			r.queue = slices.DeleteFunc(r.queue, func(p pending) bool { return p.event == k })
		}
		if was || !is {
			continue
		}
		p := pending{event: k, at: r.t}
		if tp := &r.s.events[k].delay; len(tp.out) > 0 {
			d := r.one(tp)
			if !(d >= 0) {
				return &RunError{r.t, "event " + e.Name, ErrNegativeDelay}
			}
			p.at += d
		}
		if e.FromTrigger {
			p.values = make([]float64, len(e.Assign))
			r.in.eval(&r.s.events[k].values, r.t, r.y, p.values)
		}
		r.queue = append(r.queue, p)
	}
	return nil
}

func (r *runner) one(tp *tape) float64 {
	var v [1]float64
	r.in.eval(tp, r.t, r.y, v[:])
	return v[0]
}

// choose picks the due event of the highest priority, one of several at
// random; events without priority come last. -1: none is due.
func (r *runner) choose() int {
	var best []int
	highest := math.Inf(-1)
	for k, p := range r.queue {
		if p.at > r.t {
			continue
		}
		priority := math.Inf(-1)
		if tp := &r.s.events[p.event].priority; len(tp.out) > 0 {
			if v := r.one(tp); !math.IsNaN(v) {
				priority = v
			}
		}
		switch {
		case len(best) == 0 || priority > highest:
			best, highest = append(best[:0], k), priority
		case priority == highest:
			best = append(best, k)
		}
	}
	switch len(best) {
	case 0:
		return -1
	case 1:
		return best[0]
	}
	return best[r.rng.IntN(len(best))]
}

// execute assigns the values of an event.
func (r *runner) execute(p pending) error {
	e, et := &r.s.Model.Events[p.event], &r.s.events[p.event]
	if p.values == nil {
		p.values = make([]float64, len(e.Assign))
		r.in.eval(&et.values, r.t, r.y, p.values)
	}
	scales := make([]float64, len(et.scales.out))
	r.in.eval(&et.scales, r.t, r.y, scales)
	params := append([]float64(nil), r.in.params()...)
	for i, a := range e.Assign {
		v := p.values[i]
		if a.Scale != None {
			v *= scales[0]
			scales = scales[1:]
		}
		if a.State >= 0 {
			r.y[a.State] = v
		} else {
			params[a.Param] = v
		}
	}
	r.in.SetParams(params)
	r.stats.Stops++
	for _, a := range e.Assign {
		if a.State >= 0 && (math.IsNaN(r.y[a.State]) || math.IsInf(r.y[a.State], 0)) {
			return &RunError{r.t, "event " + e.Name + " assigns to " + r.s.Model.States[a.State].Name, ErrNoValue}
		}
	}
	return r.settle()
}
