package population

import (
	"context"
	"math"
	"runtime"
	"testing"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/training"
)

func model(t testing.TB) *axis.Model {
	t.Helper()
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func programme(t testing.TB, s string) *training.Programme {
	t.Helper()
	p, err := training.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

func hours(weeks, every float64) (ts []float64) {
	for t := 0.0; t <= weeks*168; t += every {
		ts = append(ts, t)
	}
	return ts
}

func BenchmarkPerson(b *testing.B) {
	r := Run{Model: model(b), Programme: programme(b, "3x/week, 24 weeks"), Person: DefaultPerson(), Times: hours(24, 24), N: 1}
	for b.Loop() {
		e, err := r.Simulate(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(e.Stats.Steps), "steps")
	}
}

func BenchmarkHundredPersons(b *testing.B) {
	r := Run{Model: model(b), Programme: programme(b, "3x/week, 24 weeks"), Person: DefaultPerson(), Times: hours(24, 168), N: 100, Seed: 1}
	for b.Loop() {
		if _, err := r.Simulate(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

var _ = math.Pi
var _ = runtime.NumCPU
