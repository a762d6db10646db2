package prescribe

import (
	"math"
	"math/rand/v2"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/training"
)

// MID is the minimal important difference used where none is given: 0.2 SD, a
// small effect by convention (assumed).
const MID = 0.2

// Model is a posterior ready for questions about cognition.
type Model struct {
	Axis  *axis.Model
	Post  *calibrate.Posterior
	gains *calibrate.Predictor // gain and axis part of each domain
}

// NewModel prepares a posterior.
func NewModel(m *axis.Model, post *calibrate.Posterior) (*Model, error) {
	var names []string
	for _, d := range calibrate.Domains {
		names = append(names, d+".gain", d+".axis")
	}
	p, err := calibrate.NewPredictor(m, post, names)
	if err != nil {
		return nil, err
	}
	return &Model{m, post, p}, nil
}

// Effect holds the draws of a programme's effect at its end, in SD against no
// training: [domain][draw].
type Effect struct{ Gain, Axis [][]float64 }

// Predict is the effect of a programme on people like those given, averaged
// over them draw by draw. Missed sessions are spread evenly.
func (m *Model) Predict(prog training.Programme, people []population.Person, cut ...string) (Effect, error) {
	weeks := int(math.Ceil(prog.Weeks()))
	sessions := prog.Attended(prog.Schedule(), nil)
	return m.weeks(calibrate.Weeks(sessions, weeks), prog.Weeks(), people, cut...)
}

func (m *Model) weeks(weeks []calibrate.Week, at float64, people []population.Person, cut ...string) (Effect, error) {
	n := m.Post.Len()
	e := Effect{}
	for range calibrate.Domains {
		e.Gain, e.Axis = append(e.Gain, make([]float64, n)), append(e.Axis, make([]float64, n))
	}
	groups := groupPeople(people)
	for _, g := range groups {
		out, err := m.gains.Predict(calibrate.Scenario{Weeks: weeks, At: []float64{at}, Person: g.values, Cut: cut})
		if err != nil {
			return e, err
		}
		for d := range calibrate.Domains {
			for k := range n {
				e.Gain[d][k] += g.share * out[2*d][0][k]
				e.Axis[d][k] += g.share * out[2*d+1][0][k]
			}
		}
	}
	return e, nil
}

// peopleGroup is a group that the model cannot tell apart.
type peopleGroup struct {
	values map[string]float64
	share  float64
}

// maxGroups bounds the groups of a cohort; larger cohorts are represented by
// that many evenly spaced members.
const maxGroups = 40

func groupPeople(people []population.Person) (out []peopleGroup) {
	if len(people) == 0 {
		people = []population.Person{population.DefaultPerson()}
	}
	n := min(len(people), maxGroups)
	seen := map[[4]float64]int{}
	for i := range n {
		v := people[i*len(people)/n].Values()
		key := [4]float64{v["age"], v["strength0"], v["trained"], v["met"]}
		if k, ok := seen[key]; ok {
			out[k].share += 1 / float64(n)
			continue
		}
		seen[key] = len(out)
		out = append(out, peopleGroup{v, 1 / float64(n)})
	}
	return out
}

// Weights of domains, in the order of calibrate.Domains; they add up to 1.
type Weights []float64

// Combine weighs the gains of the domains, draw by draw.
func (w Weights) Combine(gain [][]float64) []float64 {
	out := make([]float64, len(gain[0]))
	for d, x := range gain {
		for k, v := range x {
			out[k] += w[d] * v
		}
	}
	return out
}

// NewTrial adds to mean effects what a new group of people adds: the spread
// between studies and outcomes.
func (m *Model) NewTrial(gain []float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1<<43))
	out := make([]float64, len(gain))
	for k, v := range gain {
		out[k] = v + m.Post.Spread(k, r)
	}
	return out
}

// ProbAbove is the share of draws above a value.
func ProbAbove(x []float64, v float64) float64 {
	n := 0
	for _, y := range x {
		if y > v {
			n++
		}
	}
	return float64(n) / float64(len(x))
}
