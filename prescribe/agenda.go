package prescribe

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/training"
)

// Measurement is a study that could be done, and how much of the variance of a
// predicted effect its result would be expected to remove.
type Measurement struct {
	Name      string  `json:"measurement"`
	Domain    string  `json:"domain"`
	Reduction float64 `json:"expected_variance_reduction"`
	Low       float64 `json:"low_95"`
	High      float64 `json:"high_95"`
}

// possible measurements: a quantity of the model at the end of the programme
// with a standard error, or a link settled by an experiment that blocks it.
type possible struct {
	name, quantity string
	se             float64 // of a trial with 100 people an arm: 0.14 for SD scales (1/√n each arm)
	trial          bool    // the spread between trials and outcomes comes on top
}

var possibles = []possible{
	{"trial, 100 an arm: memory", "memory.gain", 0.14, true},
	{"trial, 100 an arm: executive function", "executive.gain", 0.14, true},
	{"trial, 100 an arm: processing speed", "speed.gain", 0.14, true},
	{"trial, 100 an arm: visuospatial ability", "visuospatial.gain", 0.14, true},
	{"trial, 100 an arm: global cognition", "global.gain", 0.14, true},
	{"strength gain, 100 trained", "strength", 0.015, false},
	{"resting irisin by mass spectrometry, 100 trained", "irisin.resting", 0.05, false},
	{"resting IGF-1, 100 trained", "igf1.resting", 0.05, false},
	{"resting BDNF, 100 trained", "bdnf.resting", 0.05, false},
	{"resting IL-15, 100 trained", "il15.resting", 0.05, false},
	{"resting IL-6, 100 trained", "il6.resting", 0.05, false},
	{"resting CRP, 100 trained", "crp.resting", 0.05, false},
	{"brain BDNF, 100 trained", "BB", 0.05, false},
	{"synaptic plasticity (SD), trial with 100 an arm", "PL", 0.14, false},
	{"hippocampal volume (SD), trial with 100 an arm", "NG", 0.14, false},
	{"neuroinflammation (SD), trial with 100 an arm", "NI", 0.14, false},
	{"perfusion (SD), trial with 100 an arm", "PF", 0.14, false},
	{"white matter (SD), trial with 100 an arm", "WM", 0.14, false},
}

// agendaBins is the number of quantile bins of a measurement's result.
const agendaBins = 15

// Agenda ranks measurements by the expected reduction in the variance of a
// domain's effect: 1 - E[Var(effect | result)]/Var(effect), by quantile bins of
// simulated results over the posterior (Strong, Oakley & Chilcott 2012 use the
// same idea), corrected for the number of bins. Links are settled without error.
func Agenda(m *Model, domain string, prog training.Programme, p population.Person, seed uint64) ([]Measurement, error) {
	names := []string{domain + ".gain"}
	for _, q := range possibles {
		names = append(names, q.quantity)
	}
	pr, err := calibrate.NewPredictor(m.Axis, m.Post, names)
	if err != nil {
		return nil, err
	}
	weeks := calibrate.Weeks(prog.Attended(prog.Schedule(), nil), int(prog.Weeks()+0.999))
	out, err := pr.Predict(calibrate.Scenario{Weeks: weeks, At: []float64{prog.Weeks()}, Person: p.Values()})
	if err != nil {
		return nil, err
	}
	y := out[0][0]
	r := rand.New(rand.NewPCG(seed, 1<<44))
	var ms []Measurement
	for i, q := range possibles {
		x := slices.Clone(out[1+i][0])
		for k := range x {
			x[k] += q.se * r.NormFloat64()
			if q.trial {
				x[k] += m.Post.Spread(k, r)
			}
		}
		ms = append(ms, measure(q.name, domain, y, bins(x, agendaBins), r))
	}
	_, gates := pr.Uses()
	for _, g := range gates {
		x := make([]int, len(y))
		for k := range x {
			x[k] = int(m.Post.On[k][g])
		}
		ms = append(ms, measure("experiment that blocks: "+m.Axis.K.Params[m.Post.Space.Gates[g].Param].Meaning, domain, y, x, r))
	}
	slices.SortStableFunc(ms, func(a, b Measurement) int { return cmp.Compare(b.Reduction, a.Reduction) })
	return ms, nil
}

func bins(x []float64, n int) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	out := make([]int, len(x))
	for rank, i := range order {
		out[i] = rank * n / len(x)
	}
	return out
}

// measure is the reduction with a bootstrap interval over draws.
func measure(name, domain string, y []float64, bin []int, r *rand.Rand) Measurement {
	draw := make([]int, len(y))
	for i := range draw {
		draw[i] = i
	}
	m := Measurement{Name: name, Domain: domain, Reduction: between(y, bin, draw)}
	boot := make([]float64, 200)
	for b := range boot {
		for i := range draw {
			draw[i] = r.IntN(len(y))
		}
		boot[b] = between(y, bin, draw)
	}
	slices.Sort(boot)
	m.Low, m.High = boot[4], boot[194]
	return m
}

// between is the share of variance between bins, unbiased: (SSB - (k-1)·MSW)/SST,
// not below 0.
func between(y []float64, bin, draw []int) float64 {
	var n, sum [agendaBins + 1]float64
	var total, sq float64
	for _, i := range draw {
		b := bin[i]
		n[b]++
		sum[b] += y[i]
		total += y[i]
		sq += y[i] * y[i]
	}
	count := float64(len(draw))
	mean := total / count
	sst := sq - count*mean*mean
	var ssb, k float64
	for b := range n {
		if n[b] > 0 {
			d := sum[b]/n[b] - mean
			ssb += n[b] * d * d
			k++
		}
	}
	if sst <= 0 || count <= k {
		return 0
	}
	return math.Max(0, (ssb-(k-1)*(sst-ssb)/(count-k))/sst)
}
