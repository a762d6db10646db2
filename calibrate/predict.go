package calibrate

import (
	"fmt"
	"slices"
	"sync"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/training"
)

// Week is the training of one week: reference sessions (volume), load as a
// fraction of 1RM, and the share of it that follows the 1RM of the day.
type Week struct{ Volume, Load, Hold float64 }

// Weeks turns attended sessions into weeks; n is their number.
func Weeks(sessions []training.Session, n int) []Week {
	out := make([]Week, n)
	for _, s := range sessions {
		if s.Week >= n {
			continue
		}
		w := &out[s.Week]
		w.Volume += s.Volume()
		w.Load += s.Volume() * s.Load
		w.Hold += s.Volume() * s.Held()
	}
	for i := range out {
		if v := out[i].Volume; v > 0 {
			out[i].Load /= v
			out[i].Hold /= v
		}
	}
	return out
}

// Scenario is a programme for a person, with links cut.
type Scenario struct {
	Weeks  []Week
	At     []float64          // weeks, ascending
	Person map[string]float64 // parameters of the person
	Cut    []string           // parameters set to 0: gates, shifts
}

// Predictor predicts outputs of the model for every draw of a posterior, with
// the sessions of a week spread over it.
type Predictor struct {
	m       *axis.Model
	post    *Posterior
	outputs []string
	of      []int
	free    sync.Pool
}

// NewPredictor prepares the named outputs.
func NewPredictor(m *axis.Model, post *Posterior, outputs []string) (*Predictor, error) {
	p := &Predictor{m: m, post: post, outputs: outputs, of: post.Space.places(len(m.K.Params))}
	r, err := kinetics.NewRelaxation(m.K, outputs, Lanes)
	if err != nil {
		return nil, err
	}
	p.free.Put(r)
	p.free.New = func() any {
		r, err := kinetics.NewRelaxation(m.K, outputs, Lanes)
		if err != nil {
			panic("calibrate: " + err.Error()) // it was built once before
		}
		return r
	}
	return p, nil
}

// Predict returns the outputs of every draw: [output][time][draw]. It is safe
// for concurrent use.
func (p *Predictor) Predict(sc Scenario) ([][][]float64, error) {
	return p.predict(sc, len(p.post.Z), func(k int) ([]float32, []uint8) { return p.post.Z[k], p.post.On[k] })
}

// PredictAt is Predict at given coordinates and gates in place of the draws.
func (p *Predictor) PredictAt(sc Scenario, z [][]float32, on [][]uint8) ([][][]float64, error) {
	return p.predict(sc, len(z), func(k int) ([]float32, []uint8) { return z[k], on[k] })
}

func (p *Predictor) predict(sc Scenario, n int, draw func(k int) ([]float32, []uint8)) ([][][]float64, error) {
	if len(sc.At) == 0 || !slices.IsSorted(sc.At) {
		panic("calibrate: times must ascend")
	}
	out := make([][][]float64, len(p.outputs))
	for o := range out {
		out[o] = make([][]float64, len(sc.At))
		for t := range out[o] {
			out[o][t] = make([]float64, n)
		}
	}
	person := map[int]float64{}
	for name, v := range sc.Person {
		i := p.m.K.Param(name)
		if i < 0 {
			return nil, fmt.Errorf("the model has no parameter %q", name)
		}
		person[i] = v
	}
	cut := make([]bool, len(p.m.K.Params))
	for _, g := range sc.Cut {
		i := p.m.K.Param(g)
		if i < 0 {
			return nil, fmt.Errorf("the model has no parameter %q to cut", g)
		}
		cut[i] = true
	}
	synthesis.Parallel((n+Lanes-1)/Lanes, func(b int) {
		r := p.free.Get().(*kinetics.Relaxation)
		defer p.free.Put(r)
		p.batch(r, sc, person, cut, b*Lanes, n, draw, out)
	})
	return out, nil
}

func (p *Predictor) batch(r *kinetics.Relaxation, sc Scenario, person map[int]float64, cut []bool, from, n int, draw func(k int) ([]float32, []uint8), out [][][]float64) {
	for l := range Lanes {
		z, on := draw(min(from+l, n-1))
		for _, i := range r.Uses() {
			v := p.m.K.Params[i].Value
			switch c := p.of[i]; {
			case c >= 0:
				v = p.post.Space.Coords[c].Transform(float64(z[c]))
			case c <= -2:
				v = float64(on[-2-c])
			}
			if x, ok := person[i]; ok {
				v = x
			}
			if cut[i] {
				v = 0
			}
			r.Params(i)[l] = v
		}
	}
	r.Begin(func(st int, row []float64) { fill(row, p.m.K.States[st].Init) })
	run := weekRun{r: r, weeks: sc.Weeks, inputs: [3]int{p.m.K.Input("vol"), p.m.K.Input("load"), p.m.K.Input("hold")}, row: make([]float64, Lanes)}
	for t, at := range sc.At {
		run.to(at)
		for o := range out {
			vals := r.Outputs()[o*Lanes : (o+1)*Lanes]
			for l := 0; l < Lanes && from+l < n; l++ {
				out[o][t][from+l] = vals[l]
			}
		}
	}
}

// weekRun advances a relaxation through weeks of training and rest.
type weekRun struct {
	r      *kinetics.Relaxation
	weeks  []Week
	inputs [3]int
	row    []float64
	at     float64 // weeks done
	last   Week
	since  float64 // weeks since the dose changed
}

func (w *weekRun) dose(week int) Week {
	if week < len(w.weeks) {
		return w.weeks[week]
	}
	return Week{}
}

func (w *weekRun) set(d Week) {
	for i, v := range []float64{d.Volume / training.HoursPerWeek, d.Load, d.Hold} {
		fill(w.row, v)
		w.r.SetInput(w.inputs[i], w.row)
	}
}

// to advances to a week; steps end where the dose changes and grow with the
// time since.
func (w *weekRun) to(end float64) {
	for w.at < end-1e-9 {
		k := int(w.at + 1e-9)
		d := w.dose(k)
		if d != w.last {
			w.set(d)
			w.last, w.since = d, 0
		}
		h := 2.0
		switch {
		case w.since < 1:
			h = 0.5
		case w.since < 8:
			h = 1
		}
		edge := float64(k + 1)
		for edge < end && w.dose(int(edge)) == d && edge < w.at+h {
			edge++
		}
		h = min(h, edge-w.at, end-w.at)
		w.r.Step(h * training.HoursPerWeek)
		w.at += h
		w.since += h
	}
}

// Uses lists the coordinates and gates that the outputs rest on.
func (p *Predictor) Uses() (coords, gates []int) {
	r := p.free.Get().(*kinetics.Relaxation)
	defer p.free.Put(r)
	return sorted(p.of, r.Uses())
}
