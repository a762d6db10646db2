package population

import (
	"context"
	"math"
	"testing"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/training"
)

// bouts is three sessions a week for 24 weeks: 72 bouts.
func bouts(t testing.TB, n int, rtol float64) Run {
	t.Helper()
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := training.Parse("3x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM")
	if err != nil {
		t.Fatal(err)
	}
	who, err := ParsePerson("age=72 sex=f")
	if err != nil {
		t.Fatal(err)
	}
	r := Run{Model: m, Programme: &prog, Person: who, N: n, Seed: 1, RTol: rtol}
	for w := range 25 {
		r.Times = append(r.Times, float64(w)*training.HoursPerWeek)
	}
	return r
}

// The error of a population run stays within ten times its relative tolerance,
// against a reference at 1e-10, relative to the largest value of each output.
func TestErrorAgainstReference(t *testing.T) {
	const n = 16
	ref, err := bouts(t, n, 1e-10).Simulate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, rtol := range []float64{1e-3, 1e-4, 1e-5} {
		e, err := bouts(t, n, rtol).Simulate(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		worst, where := 0.0, ""
		for k, name := range e.Names {
			scale := 0.0
			for i := range e.Times {
				for _, v := range ref.Series(k, i) {
					scale = max(scale, math.Abs(float64(v)))
				}
			}
			for i := range e.Times {
				for j, v := range ref.Series(k, i) {
					if d := math.Abs(float64(v)-float64(e.Series(k, i)[j])) / scale; d > worst {
						worst, where = d, name
					}
				}
			}
		}
		t.Logf("rtol %g: largest error %.3g (%s), %d steps a person", rtol, worst, where, e.Stats.Steps/n)
		if worst > 10*rtol {
			t.Errorf("rtol %g: error %g of %s", rtol, worst, where)
		}
	}
}

func BenchmarkBouts(b *testing.B) {
	const n = 200
	for _, rtol := range []float64{3e-4, 1e-4, 1e-6} {
		r := bouts(b, n, rtol)
		b.Run(map[float64]string{3e-4: "3e-4", 1e-4: "1e-4", 1e-6: "1e-6"}[rtol], func(b *testing.B) {
			for b.Loop() {
				if _, err := r.Simulate(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "people/s")
		})
	}
}
