package population

import (
	"context"
	"math"
	"testing"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/training"
)

// The relaxation form that calibration uses against the solver at a tight
// tolerance, over draws from the priors and with the steps of calibration: slow
// outputs within 6 % of the largest change of that output and member, or of 0.1.
func TestRelaxation(t *testing.T) {
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := training.Parse("2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM")
	if err != nil {
		t.Fatal(err)
	}
	const n = 32
	run := Run{Model: m, Programme: &prog, Person: DefaultPerson(), N: n, Seed: 3, WeeklyMean: true, RTol: 1e-8}
	for w := 0.0; w <= 24; w += 4 {
		run.Times = append(run.Times, w*training.HoursPerWeek)
	}
	e, err := run.Simulate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"memory.gain", "executive.axis", "global.gain", "irisin.T", "S", "M", "tone", "igf1.T"}
	r, err := kinetics.NewRelaxation(m.K, names, n)
	if err != nil {
		t.Fatal(err)
	}
	for l := range n {
		for i, v := range run.Draw(l) {
			r.Params(i)[l] = v
		}
	}
	r.Begin(func(s int, row []float64) {
		for l := range row {
			row[l] = m.K.States[s].Init
		}
	})
	fill := func(v float64) []float64 {
		row := make([]float64, n)
		for l := range row {
			row[l] = v
		}
		return row
	}
	r.SetInput(m.K.Input("vol"), fill(2.0/training.HoursPerWeek))
	r.SetInput(m.K.Input("load"), fill(0.7))
	worst := map[string]float64{}
	for i := range run.Times {
		if i > 0 {
			steps := []float64{2, 2}
			switch i {
			case 1:
				steps = []float64{0.5, 0.5, 1, 1, 1}
			case 2:
				steps = []float64{1, 1, 1, 1}
			}
			for _, h := range steps {
				r.Step(h * training.HoursPerWeek)
			}
		}
		out := r.Outputs()
		for k, name := range names {
			at := e.Index(name)
			if at < 0 {
				continue
			}
			for l := range n {
				scale := 0.0
				for j := range run.Times {
					scale = math.Max(scale, math.Abs(float64(e.Series(at, j)[l])))
				}
				worst[name] = math.Max(worst[name], math.Abs(out[k*n+l]-float64(e.Series(at, i)[l]))/math.Max(scale, 0.1))
			}
		}
	}
	for name, w := range worst {
		t.Log(name, w)
		if w > 0.06 {
			t.Errorf("%s is off by %.3g of its change", name, w)
		}
	}
}

func BenchmarkRelaxation(b *testing.B) {
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		b.Fatal(err)
	}
	const n = 32
	r, err := kinetics.NewRelaxation(m.K, []string{"memory.gain", "executive.gain", "speed.gain", "visuospatial.gain", "global.gain"}, n)
	if err != nil {
		b.Fatal(err)
	}
	run := Run{Model: m, Person: DefaultPerson(), N: n, Seed: 3}
	for l := range n {
		for i, v := range run.Draw(l) {
			r.Params(i)[l] = v
		}
	}
	vol := make([]float64, n)
	for l := range vol {
		vol[l] = 2.0 / 168
	}
	for b.Loop() {
		r.Begin(func(s int, row []float64) { clear(row) })
		r.SetInput(m.K.Input("vol"), vol)
		r.SetInput(m.K.Input("load"), vol)
		for range 24 {
			r.Step(168)
		}
		r.Outputs()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/member")
}
