package calibrate

import (
	"fmt"
	"math"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/kinetics"
	"gonum.org/v1/gonum/stat/distuv"
)

// coordKind says how a standard normal z becomes a value.
type coordKind int

const (
	logNormal  coordKind = iota // value·exp(spread·z)
	normal                      // value + spread·z
	positive                    // the same, not below 0
	share                       // Φ(z): uniform on (0, 1)
	halfNormal                  // spread·|z|
)

// Coord is one continuous coordinate; a priori z is standard normal.
type Coord struct {
	Name   string
	Kind   coordKind
	Param  int // of the model, -1 for a quantity of the likelihood
	Value  float64
	Spread float64
	Block  string
	Prior  string // in words
}

// Transform is the value at z.
func (c Coord) Transform(z float64) float64 {
	switch c.Kind {
	case logNormal:
		return c.Value * math.Exp(c.Spread*z)
	case positive:
		return math.Max(0, c.Value+c.Spread*z)
	case share:
		return phi(z)
	case halfNormal:
		return c.Spread * math.Abs(z)
	}
	return c.Value + c.Spread*z
}

// GateCoord is a link that is present (1) or absent (0).
type GateCoord struct {
	Name  string
	Param int
	P     float64
}

// Space is the set of coordinates of the posterior.
type Space struct {
	Coords []Coord
	Gates  []GateCoord
}

// Coordinates of the likelihood, with their priors (assumed, weakly
// informative): spreads between studies and between outcomes of a study, the
// probability that a non-significant result is mentioned in an abstract, and
// the ratio of changes in plasma to those in serum.
var likelihoodCoords = []Coord{
	{Name: "tau.cognition", Block: "spread.cognition", Kind: halfNormal, Spread: 0.3, Prior: "half-normal, scale 0.3 SD"},
	{Name: "tau.outcome", Block: "spread.cognition", Kind: halfNormal, Spread: 0.2, Prior: "half-normal, scale 0.2 SD"},
	{Name: "mention", Block: "spread.cognition", Kind: share, Prior: "uniform"},
	{Name: "tau.chronic", Block: "spread.chronic", Kind: halfNormal, Spread: 0.2, Prior: "half-normal, scale 0.2"},
	{Name: "tau.acute", Block: "spread.acute", Kind: halfNormal, Spread: 0.3, Prior: "half-normal, scale 0.3"},
	{Name: "tau.muscle", Block: "spread.muscle", Kind: halfNormal, Spread: 0.2, Prior: "half-normal, scale 0.2"},
	{Name: "tau.measure", Block: "spread.muscle", Kind: halfNormal, Spread: 0.1, Prior: "half-normal, scale 0.1"},
	{Name: "tau.sample", Block: "spread.acute", Kind: halfNormal, Spread: 0.2, Prior: "half-normal, scale 0.2"},
	{Name: "elisa.shift", Block: "assay", Kind: normal, Spread: 0.2, Prior: "normal(0.2): what an irisin ELISA shows if it does not measure irisin"},
	{Name: "plasma", Block: "assay", Kind: logNormal, Value: 1, Spread: 0.3, Prior: "lognormal(0.3) around 1"},
}

// NewSpace lists the coordinates of a model: every parameter with a prior,
// every share of responders, every gate, and those of the likelihood.
func NewSpace(m *axis.Model, rule axis.Rule) Space {
	var s Space
	for i, p := range m.K.Params {
		pr := m.Priors[i]
		c := Coord{Name: p.Name, Param: i, Value: p.Value, Spread: pr.Spread, Block: blockOf(p.Name), Prior: p.Prior}
		switch pr.Kind {
		case axis.LogNormal:
			c.Kind = logNormal
		case axis.Normal:
			c.Kind = normal
			if pr.NonNegative(p.Name) {
				c.Kind = positive
			}
		case axis.Responder:
			c.Kind, c.Prior = share, "uniform share"
		default:
			continue
		}
		s.Coords = append(s.Coords, c)
	}
	for _, l := range m.Links {
		s.Gates = append(s.Gates, GateCoord{m.K.Params[l.Param].Name, l.Param, l.Probability(rule)})
	}
	for _, c := range likelihoodCoords {
		c.Param = -1
		s.Coords = append(s.Coords, c)
	}
	return s
}

// places maps each of n parameters to its coordinate (>= 0), its gate (-2-gate),
// or -1 where it has neither.
func (s Space) places(n int) []int {
	of := make([]int, n)
	for i := range of {
		of[i] = -1
	}
	for i, c := range s.Coords {
		if c.Param >= 0 {
			of[c.Param] = i
		}
	}
	for g, c := range s.Gates {
		of[c.Param] = -2 - g
	}
	return of
}

// sorted splits the parameters a relaxation uses into coordinates and gates.
func sorted(of, uses []int) (coords, gates []int) {
	for _, p := range uses {
		switch c := of[p]; {
		case c >= 0:
			coords = append(coords, c)
		case c <= -2:
			gates = append(gates, -2-c)
		}
	}
	return coords, gates
}

// Index of a coordinate, -1 where there is none.
func (s Space) Index(name string) int {
	for i, c := range s.Coords {
		if c.Name == name {
			return i
		}
	}
	return -1
}

func (s Space) mustIndex(name string) int {
	i := s.Index(name)
	if i < 0 {
		panic("calibrate: no coordinate " + name)
	}
	return i
}

// Gate index of a link, -1 where there is none.
func (s Space) Gate(name string) int {
	for i, g := range s.Gates {
		if g.Name == name {
			return i
		}
	}
	return -1
}

// blockOf groups parameters that are moved together.
func blockOf(name string) string {
	head, rest, _ := strings.Cut(name, ".")
	if head == "resp" {
		head = rest
	}
	switch name {
	case "strength.loss", "mass.loss", "strength.tau", "mass.tau", "age.release", "met.release":
		return "muscle.slow"
	}
	switch head {
	case "load", "drive", "strength", "mass":
		return "muscle"
	case "headroom", "hab":
		return "muscle.slow"
	case "il6", "irisin", "il15", "bdnf", "igf1":
		if name == "il15.gain" {
			return "brain"
		}
		return head
	case "catb", "il10", "crp", "tnf", "vegf", "tone":
		return "neighbours"
	case "lactate", "memory", "executive", "global":
		return head
	case "cog", "direct", "practice", "speed", "visuospatial":
		return "cognition"
	case "trend":
		return "trend"
	}
	return "brain"
}

// phi is the standard normal distribution function: cubic Hermite
// interpolation of a table, within 1e-9, and exact in the tails.
func phi(z float64) float64 {
	if z < -tableEnd || z > tableEnd || z != z {
		return 0.5 * math.Erfc(-z/math.Sqrt2)
	}
	x := (z + tableEnd) * tableSteps
	i := int(x)
	t := x - float64(i)
	a, b := &phiTable[i], &phiTable[i+1]
	d := b[0] - a[0]
	return a[0] + t*(a[1]+t*(3*d-2*a[1]-b[1]+t*(a[1]+b[1]-2*d)))
}

const (
	tableEnd   = 6
	tableSteps = 64
)

// phiTable holds Φ and its derivative times the step.
var phiTable = func() (t [2*tableEnd*tableSteps + 2][2]float64) {
	for i := range t {
		z := float64(i)/tableSteps - tableEnd
		t[i] = [2]float64{distuv.UnitNormal.CDF(z), math.Exp(-0.5*z*z) / math.Sqrt(2*math.Pi) / tableSteps}
	}
	return t
}()

// modelInfo adapts an axis model to Collect.
type modelInfo struct{ k *kinetics.Model }

func (m modelInfo) Sources() map[string][]string {
	out := map[string][]string{}
	for _, p := range m.k.Params {
		for _, ref := range axis.SourceRefs(p.Source) {
			if table, id, ok := strings.Cut(ref, ":"); ok {
				out[p.Name] = append(out[p.Name], fmt.Sprintf("%s:%s", table, strings.TrimPrefix(id, "~")))
			}
		}
	}
	return out
}

// Distribution is the prior as PEtab names it, with its lower bound: normal
// (mean, SD), log-normal (of the logarithm), uniform (0, 1). A half-normal is a normal cut at 0.
func (c Coord) Distribution() (name string, params []float64, lower float64) {
	switch c.Kind {
	case logNormal:
		return "log-normal", []float64{math.Log(c.Value), c.Spread}, 0
	case share:
		return "uniform", []float64{0, 1}, 0
	case halfNormal:
		return "normal", []float64{0, c.Spread}, 0
	case positive:
		return "normal", []float64{c.Value, c.Spread}, 0
	}
	return "normal", []float64{c.Value, c.Spread}, math.Inf(-1)
}
