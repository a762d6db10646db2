package calibrate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/training"
)

// trainedDrive is the drive of people who already train, reference sessions a
// week (assumed); it sets their habituation before an acute session.
const trainedDrive = 2.5

// forward predicts every observation for w parameter sets at once.
type forward struct {
	m       *axis.Model
	space   Space
	w       int
	modules []*module
	of      []int // Space.places
	persons personParams
	inputs  [3]int // vol, load, hold
	rowBuf  [3][]float64
}

type personParams struct{ age, trained, met int }

// module is a part of the model with the conditions under which it is observed.
type module struct {
	name       string
	rel        *kinetics.Relaxation
	outputs    []string
	acute      bool
	conditions []*condition
	coords     []int // coordinates it rests on
	gates      []int
}

// condition is one training dose in one cohort.
type condition struct {
	dose   Dose
	latent int // cluster whose latent dose applies
	points []point
}

// point is an observation in a condition.
type point struct {
	obs, output int
	afterH      float64 // hours after the end of the session or the programme
	sinceEnd    bool
	class       Class
}

func moduleOf(o Observation) string {
	switch o.Class {
	case Cognition, Mediated:
		return "cognition"
	case Muscle:
		return "muscle"
	case Chronic:
		return "chronic " + o.Entity
	}
	return "acute " + o.Entity
}

func newForward(m *axis.Model, space Space, obs []Observation, latent []int, w int) (*forward, error) {
	f := &forward{m: m, space: space, w: w, of: space.places(len(m.K.Params)),
		persons: personParams{m.K.Param("age"), m.K.Param("trained"), m.K.Param("met")},
		inputs:  [3]int{m.K.Input("vol"), m.K.Input("load"), m.K.Input("hold")}}
	for i := range f.rowBuf {
		f.rowBuf[i] = make([]float64, w)
	}
	for i, o := range obs {
		f.add(i, o, latent[i])
	}
	for _, md := range f.modules {
		rel, err := kinetics.NewRelaxation(m.K, md.outputs, w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", md.name, err)
		}
		md.rel = rel
		md.coords, md.gates = sorted(f.of, rel.Uses())
	}
	return f, nil
}

func (f *forward) add(i int, o Observation, latent int) {
	name := moduleOf(o)
	k := slices.IndexFunc(f.modules, func(m *module) bool { return m.name == name })
	if k < 0 {
		f.modules = append(f.modules, &module{name: name, acute: o.Class == Acute})
		k = len(f.modules) - 1
	}
	md := f.modules[k]
	out := slices.Index(md.outputs, o.Quantity)
	if out < 0 {
		md.outputs = append(md.outputs, o.Quantity)
		out = len(md.outputs) - 1
	}
	after := o.Dose.AfterW * training.HoursPerWeek
	if md.acute {
		after = o.AtH
	}
	d := o.Dose
	d.AfterW = 0
	c := slices.IndexFunc(md.conditions, func(c *condition) bool { return c.dose == d && c.latent == latent })
	if c < 0 {
		md.conditions = append(md.conditions, &condition{dose: d, latent: latent})
		c = len(md.conditions) - 1
	}
	cd := md.conditions[c]
	cd.points = append(cd.points, point{i, out, after, o.SinceEnd, o.Class})
	slices.SortStableFunc(cd.points, func(a, b point) int { return cmp.Compare(a.afterH, b.afterH) })
}

// state is what a prediction is made for: a row of w values a coordinate, gate
// and latent dose.
type state struct{ z, gates, latent [][]float64 }

func newState(coords, gates, latents, w int) state {
	rows := func(n int) [][]float64 {
		flat, out := make([]float64, n*w), make([][]float64, n)
		for i := range out {
			out[i] = flat[i*w : (i+1)*w]
		}
		return out
	}
	return state{rows(coords), rows(gates), rows(latents)}
}

// run writes the predictions of a module into pred (a row an observation).
func (f *forward) run(md *module, s state, pred [][]float64) {
	f.load(md, s)
	for _, c := range md.conditions {
		f.person(md, c.dose)
		if md.acute {
			f.session(md, c, s, pred)
		} else {
			f.programme(md, c, s, pred)
		}
	}
}

// load sets the parameters of a module. A group's mean response is its share
// of responders times the response; in acute studies the two are kept apart
// (likelihood.go), so there the response is taken whole.
func (f *forward) load(md *module, s state) {
	for _, p := range md.rel.Uses() {
		row := md.rel.Params(p)
		switch c := f.of[p]; {
		case c >= 0:
			co := f.space.Coords[c]
			for l, z := range s.z[c] {
				row[l] = co.Transform(z)
			}
			if md.acute && co.Kind == share {
				fill(row, 1)
			}
		case c <= -2:
			copy(row, s.gates[-2-c])
		default:
			fill(row, f.m.K.Params[p].Value)
		}
	}
}

func fill(row []float64, v float64) {
	for i := range row {
		row[i] = v
	}
}

func (f *forward) person(md *module, d Dose) {
	t := 0.0
	if d.Trained {
		t = 1
	}
	fill(md.rel.Params(f.persons.age), d.Age)
	fill(md.rel.Params(f.persons.trained), t)
	fill(md.rel.Params(f.persons.met), d.Met)
}

// doseRows sets the inputs' rows: volume an hour when spread over the hours
// given, and load.
func (f *forward) doseRows(c *condition, s state, hours float64, weekly bool) (vol, load []float64) {
	vol, load = f.rowBuf[0], f.rowBuf[1]
	for l := range vol {
		u := 0.5
		if c.latent >= 0 && c.dose.open() {
			u = phi(s.latent[c.latent][l])
		}
		per, ld := c.dose.at(u)
		if !weekly {
			per = c.dose.Volume.Low + u*(c.dose.Volume.High-c.dose.Volume.Low)
		}
		vol[l], load[l] = per/hours, ld
	}
	return vol, load
}

func (f *forward) begin(md *module, trained bool) {
	k := f.m.K
	var hab, half []float64
	if trained && md.acute {
		hab, half = md.rel.Params(k.Param("hab.max")), md.rel.Params(k.Param("drive.half"))
	}
	md.rel.Begin(func(st int, row []float64) {
		fill(row, k.States[st].Init)
		if hab == nil {
			return
		}
		switch k.States[st].Name {
		case "W":
			fill(row, trainedDrive)
		case "H":
			for l := range row {
				row[l] = math.Min(hab[l], 0.95) * trainedDrive / (trainedDrive + half[l])
			}
		}
	})
}

// programme runs weeks of training, and weeks after it.
func (f *forward) programme(md *module, c *condition, s state, pred [][]float64) {
	f.begin(md, c.dose.Trained)
	vol, load := f.doseRows(c, s, training.HoursPerWeek, true)
	fill(f.rowBuf[2], 1)
	md.rel.SetInput(f.inputs[0], vol)
	md.rel.SetInput(f.inputs[1], load)
	md.rel.SetInput(f.inputs[2], f.rowBuf[2])
	slowSteps(c.dose.Weeks*training.HoursPerWeek, md.rel.Step)
	out := md.rel.Outputs()
	var end []float64
	if c.points[len(c.points)-1].afterH > 0 {
		end = slices.Clone(out)
	}
	at := 0.0
	for _, p := range c.points {
		if p.afterH > at {
			if at == 0 {
				fill(f.rowBuf[0], 0)
				md.rel.SetInput(f.inputs[0], f.rowBuf[0])
			}
			slowSteps(p.afterH-at, md.rel.Step)
			at = p.afterH
			out = md.rel.Outputs()
		}
		f.write(p, out, end, pred[p.obs])
	}
}

// session runs one session of an hour and the hours after it.
func (f *forward) session(md *module, c *condition, s state, pred [][]float64) {
	f.begin(md, c.dose.Trained)
	vol, load := f.doseRows(c, s, 1, false)
	fill(f.rowBuf[2], 1)
	md.rel.SetInput(f.inputs[0], vol)
	md.rel.SetInput(f.inputs[1], load)
	md.rel.SetInput(f.inputs[2], f.rowBuf[2])
	for range 4 {
		md.rel.Step(0.25)
	}
	fill(f.rowBuf[0], 0)
	md.rel.SetInput(f.inputs[0], f.rowBuf[0])
	at := 0.0
	for _, p := range c.points {
		for at < p.afterH-1e-9 {
			h := math.Min(p.afterH-at, math.Max(0.25, at/2))
			md.rel.Step(h)
			at += h
		}
		f.write(p, md.rel.Outputs(), nil, pred[p.obs])
	}
}

// write turns an output into the scale of its observation.
func (f *forward) write(p point, out, end, pred []float64) {
	row := out[p.output*f.w : (p.output+1)*f.w]
	switch p.class {
	case Cognition, Mediated:
		copy(pred, row)
	case Muscle:
		for l, v := range row {
			pred[l] = math.Log(math.Max(1+v, 1e-3))
			if p.sinceEnd {
				pred[l] -= math.Log(math.Max(1+end[p.output*f.w+l], 1e-3))
			}
		}
	default:
		for l, v := range row {
			pred[l] = math.Log(math.Max(v, 1e-3))
		}
	}
}

// slowSteps covers hours with steps that grow with the distance from the last
// change of dose: half weeks, weeks, and two weeks after the eighth.
func slowSteps(hours float64, step func(h float64)) {
	const week = training.HoursPerWeek
	for at := 0.0; at < hours-1e-6; {
		h := 2 * week
		switch {
		case at < week:
			h = week / 2
		case at < 8*week:
			h = week
		}
		if left := hours - at; left < 1.2*h {
			h = left
		}
		step(h)
		at += h
	}
}
