package prescribe

import (
	"math"

	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/training"
)

// Path is a route of the axis and what is set to 0 to cut it: links, or the
// shift of a resting level.
type Path struct {
	Name string
	Cut  []string
}

// Paths of the axis. The model is linear in what reaches the brain, so the
// parts of the paths add up to the whole (TestPathsAddUp).
var Paths = []Path{
	{"irisin", []string{"g.bbb_irisin"}},
	{"IGF-1", []string{"g.bbb_igf1"}},
	{"BDNF in blood", []string{"g.bbb_bdnf"}},
	{"IL-15", []string{"g.bbb_il15"}},
	{"IL-6", []string{"g.il6_ni", "g.il6_pulse"}},
	{"CRP and TNF-alpha", []string{"g.tone_ni"}},
	{"cathepsin B", []string{"g.bbb_catb"}},
	{"lactate", []string{"g.lactate"}},
	{"VEGF", []string{"vegf.rest"}},
}

// PathShare is the part of a domain's effect that runs through one path.
type PathShare struct {
	Domain string             `json:"domain"`
	Path   string             `json:"path"`
	Effect calibrate.Interval `json:"effect_sd"`
	Share  calibrate.Interval `json:"share"`
	Prior  calibrate.Interval `json:"share_prior"`
}

// Shares splits the effect of a programme: "axis" is all of its paths
// together, "direct" the rest. The share of a path is its effect over the sum
// of the sizes of axis and direct effect. prior is the model at its prior.
func Shares(m, prior *Model, prog training.Programme, people []population.Person) ([]PathShare, error) {
	now, err := splitPaths(m, prog, people)
	if err != nil {
		return nil, err
	}
	before, err := splitPaths(prior, prog, people)
	if err != nil {
		return nil, err
	}
	var out []PathShare
	for d, dom := range calibrate.Domains {
		for k := range now[d] {
			out = append(out, PathShare{dom, now[d][k].name, calibrate.NewInterval(now[d][k].effect), calibrate.NewInterval(now[d][k].share), calibrate.NewInterval(before[d][k].share)})
		}
	}
	return out, nil
}

type pathDraws struct {
	name          string
	effect, share []float64
}

// splitPaths returns the draws of every path for each domain.
func splitPaths(m *Model, prog training.Programme, people []population.Person) ([][]pathDraws, error) {
	whole, err := m.Predict(prog, people)
	if err != nil {
		return nil, err
	}
	out := make([][]pathDraws, len(calibrate.Domains))
	n := m.Post.Len()
	add := func(d int, name string, effect func(k int) float64, absolute bool) {
		p := pathDraws{name, make([]float64, n), make([]float64, n)}
		for k := range n {
			a, g := whole.Axis[d][k], whole.Gain[d][k]
			size := math.Abs(a) + math.Abs(g-a)
			p.effect[k] = effect(k)
			p.share[k] = p.effect[k] / size
			if absolute {
				p.share[k] = math.Abs(p.effect[k]) / size
			}
			if size < 1e-9 {
				p.share[k] = math.NaN()
			}
		}
		out[d] = append(out[d], p)
	}
	for d := range calibrate.Domains {
		add(d, "axis", func(k int) float64 { return whole.Axis[d][k] }, true)
		add(d, "direct", func(k int) float64 { return whole.Gain[d][k] - whole.Axis[d][k] }, true)
	}
	for _, p := range Paths {
		cut, err := m.Predict(prog, people, p.Cut...)
		if err != nil {
			return nil, err
		}
		for d := range calibrate.Domains {
			add(d, p.Name, func(k int) float64 { return whole.Axis[d][k] - cut.Axis[d][k] }, false)
		}
	}
	return out, nil
}
