package calibrate

import "testing"

// BenchmarkSweep is one sweep of a group of chains over the whole evidence.
func BenchmarkSweep(b *testing.B) {
	p, m := embedded(b)
	pr := NewProblem(p, m)
	t, err := newFitTarget(m, pr.Space, pr.Data.Observations, Lanes)
	if err != nil {
		b.Fatal(err)
	}
	s := newSampler(t, Lanes, 0, func(l int) (uint64, uint64) { return 1, uint64(l) })
	for b.Loop() {
		s.step()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/Lanes, "ms/chain")
}
