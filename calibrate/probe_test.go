package calibrate

import (
	"testing"
	"time"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
)

func TestProbe(t *testing.T) {
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	pr := NewProblem(p, m)
	n := map[string]int{}
	for _, o := range pr.Data.Observations {
		n[moduleOf(o)]++
	}
	t.Log(n, len(pr.Data.Unused), len(pr.Data.Prior))
	const w = 16
	ft, err := newFitTarget(m, pr.Space, pr.Data.Observations, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, md := range ft.fwd.modules {
		t.Log(md.name, len(md.conditions), len(md.coords), len(md.gates), md.outputs)
	}
	s := newSampler(ft, w, 400, func(l int) (uint64, uint64) { return 1, uint64(l) })
	for _, b := range s.blocks {
		t.Log(b.name, len(b.coords), b.modules, b.liks)
	}
	t.Log(len(s.gates), "gates", len(s.ll), "clusters")
	start := time.Now()
	for i := range 300 {
		s.step()
		if i%300 == 299 {
			var ll []float64
			for l := range w {
				ll = append(ll, float64(int(s.total(l))))
			}
			for k := range ft.fwd.modules {
				var per []int
				for l := range 8 {
					x := 0.0
					for c := range s.ll {
						if ft.module[c] == k {
							x += s.ll[c][l]
						}
					}
					per = append(per, int(x*10))
				}
				t.Log(ft.fwd.modules[k].name, per)
			}
			t.Log(i, time.Since(start), ll)
		}
	}
	for _, b := range s.blocks {
		t.Log(b.name, float64(b.taken[0])/float64(b.tried[0]), float64(b.taken[1])/float64(b.tried[1]), b.ref[0].Beta)
	}
}
