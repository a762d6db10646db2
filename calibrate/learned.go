package calibrate

import (
	"fmt"
	"math"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"gonum.org/v1/gonum/stat/distuv"
)

// Change is what calibration taught about one parameter or link.
type Change struct {
	Name      string   `json:"name"`
	Meaning   string   `json:"meaning"`
	Unit      string   `json:"unit"`
	Source    string   `json:"source"`
	PriorText string   `json:"prior_text"`
	Prior     Interval `json:"prior"`
	Posterior Interval `json:"posterior"`
	// Learned is the share of the prior variance (on the prior's own scale) that
	// is gone; near 0 the data said nothing.
	Learned float64 `json:"learned"`
	Used    bool    `json:"observed"`
	RHat    float64 `json:"rhat"`
	ESS     float64 `json:"effective_draws"`
	Gate    bool    `json:"gate"`
}

// Learned lists every parameter and link with prior and posterior.
func Learned(m *axis.Model, post *Posterior) []Change {
	out := []Change{}
	n := len(post.Z)
	for i, c := range post.Space.Coords {
		ch := Change{Name: c.Name, PriorText: c.Prior, Used: post.Coords[i].Used, RHat: post.Coords[i].RHat, ESS: post.Coords[i].ESS, Unit: "1", Source: "assumed", Meaning: meaning[c.Name]}
		if c.Param >= 0 {
			p := m.K.Params[c.Param]
			ch.Unit, ch.Source, ch.Meaning = p.Unit, p.Source, p.Meaning
		}
		if c.Kind == share {
			ch.Meaning = "share of studies with a response: " + ch.Meaning
			if c.Param < 0 {
				ch.Meaning = meaning[c.Name]
			}
		}
		v, z, prior := make([]float64, n), make([]float64, n), make([]float64, 2001)
		for d := range v {
			v[d] = post.Value(d, i)
			z[d] = float64(post.Z[d][i])
			if c.Kind == halfNormal { // |z| back on the normal scale
				z[d] = distuv.UnitNormal.Quantile(clamp(2*phi(math.Abs(z[d]))-1, 1e-9, 1-1e-9))
			}
		}
		for k := range prior {
			prior[k] = c.Transform(distuv.UnitNormal.Quantile((float64(k) + 0.5) / float64(len(prior))))
		}
		_, s2 := meanVar(z)
		ch.Prior, ch.Posterior, ch.Learned = NewInterval(prior), NewInterval(v), round4(math.Max(0, 1-s2))
		out = append(out, ch)
	}
	for g, c := range post.Space.Gates {
		p := m.K.Params[c.Param]
		on := 0.0
		for d := range post.On {
			on += float64(post.On[d][g]) / float64(n)
		}
		k := post.Header.Gates[g]
		out = append(out, Change{Name: c.Name, Meaning: p.Meaning, Unit: "probability", Source: p.Source, PriorText: "gate", Prior: Interval{round4(c.P), 0, 1}, Posterior: Interval{round4(on), 0, 1},
			Learned: round4(math.Abs(on - c.P)), Used: k.Used, RHat: k.RHat, ESS: k.ESS, Gate: true})
	}
	return out
}

// meaning of the coordinates of the likelihood.
var meaning = map[string]string{
	"tau.cognition": "SD between studies of the effect on cognition", "tau.outcome": "SD between outcomes of one study", "mention": "probability that an abstract mentions a non-significant outcome",
	"tau.chronic": "SD between studies of the log change of a resting level", "tau.acute": "SD between studies of the log rise after a session", "tau.muscle": "SD between studies of the log gain of strength or mass",
	"tau.measure": "SD between tests of one study", "tau.sample": "SD between measurements of one study", "plasma": "change in plasma against change in serum", "elisa.shift": "log change an irisin ELISA shows if it does not measure irisin",
}

// Sentence says in words whether the axis predicts unseen studies better than
// the plain models.
func Sentence(v *Validation) string {
	a := v.Find("axis", Cognition.String())
	if a == nil {
		return "There is no cognition result to judge by."
	}
	s := fmt.Sprintf("On %d cognition results of %d studies it has not seen, 95%% intervals of the axis cover %.0f%%.", a.Rows, a.Studies, 100*a.Cover95)
	for _, r := range []Rival{RandomEffects, NoEffect} {
		x := v.Find(string(r), Cognition.String())
		if x == nil {
			continue
		}
		word := "neither better nor worse than"
		switch {
		case x.Difference > 2*x.DifferenceSE:
			word = "worse than"
		case x.Difference < -2*x.DifferenceSE:
			word = "better than"
		}
		name := "the random-effects model that knows no biology"
		if r == NoEffect {
			name = "a model of no effect"
		}
		s += fmt.Sprintf(" It predicts them %s %s (log predictive density %s, SE %.1f).", word, name, strings.Replace(fmt.Sprintf("%+.1f", -x.Difference), "-", "−", 1), x.DifferenceSE)
	}
	return s
}
