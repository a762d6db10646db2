package calibrate

import (
	"math/rand/v2"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
)

// Len is the number of draws.
func (p *Posterior) Len() int { return len(p.Z) }

// Set puts draw k into model parameters: a person responds or not with the
// draw's share of responders (population.Draws).
func (p *Posterior) Set(k int, params []float64, chance func() float64) {
	for i, c := range p.Space.Coords {
		if c.Param < 0 {
			continue
		}
		v := p.Value(k, i)
		if c.Kind == share {
			if chance() < v {
				v = 1
			} else {
				v = 0
			}
		}
		params[c.Param] = v
	}
	for g, c := range p.Space.Gates {
		params[c.Param] = float64(p.On[k][g])
	}
}

// Typical puts medians of parameters and probabilities of links into params.
func (p *Posterior) Typical(params []float64) {
	n := len(p.Z)
	for i, c := range p.Space.Coords {
		if c.Param >= 0 {
			params[c.Param] = p.Median(i)
		}
	}
	for g, c := range p.Space.Gates {
		on := 0
		for d := range p.On {
			on += int(p.On[d][g])
		}
		params[c.Param] = float64(on) / float64(n)
	}
}

// PriorDraws are draws of the prior in the form of a posterior.
func PriorDraws(m *axis.Model, n int, seed uint64) *Posterior {
	p := &Posterior{Space: NewSpace(m, axis.Claims)}
	p.Draws, p.Seed, p.Rule = n, seed, axis.Claims
	for d := range n {
		r := rand.New(rand.NewPCG(seed, 1<<41+uint64(d)))
		z, on := make([]float32, len(p.Space.Coords)), make([]uint8, len(p.Space.Gates))
		for i := range z {
			z[i] = float32(r.NormFloat64())
		}
		for g := range on {
			if r.Float64() < p.Space.Gates[g].P {
				on[g] = 1
			}
		}
		p.Z, p.On = append(p.Z, z), append(p.On, on)
	}
	return p
}

// Spread draws what a new study of draw k adds to a mean effect on cognition:
// its own deviation and that of one outcome.
func (p *Posterior) Spread(k int, r *rand.Rand) float64 {
	return p.Value(k, p.Space.mustIndex("tau.cognition"))*r.NormFloat64() + p.Value(k, p.Space.mustIndex("tau.outcome"))*r.NormFloat64()
}

// Thin keeps n evenly spaced draws.
func (p *Posterior) Thin(n int) *Posterior {
	if n >= len(p.Z) {
		return p
	}
	q := *p
	q.Z, q.On = nil, nil
	for k := range n {
		d := k * len(p.Z) / n
		q.Z, q.On = append(q.Z, p.Z[d]), append(q.On, p.On[d])
	}
	q.Draws = n
	return &q
}

// Median of coordinate i on its own scale.
func (p *Posterior) Median(i int) float64 {
	x := make([]float64, len(p.Z))
	for d := range x {
		x[d] = p.Value(d, i)
	}
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
