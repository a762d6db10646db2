package report

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/prescribe"
	"github.com/myoaxis/myoaxis/training"
)

// Quantiles of a prediction over virtual persons.
type Quantiles struct {
	Median Num `json:"median"`
	Q25    Num `json:"q25"`
	Q75    Num `json:"q75"`
	Q10    Num `json:"q10"`
	Q90    Num `json:"q90"`
	Q025   Num `json:"q2_5"`
	Q975   Num `json:"q97_5"`
}

// quantiles sorts a copy; it interpolates between order statistics.
func quantiles(v []float32) Quantiles {
	s := slices.Clone(v)
	slices.Sort(s)
	at := func(q float64) Num {
		h := q * float64(len(s)-1)
		i := int(h)
		j := min(i+1, len(s)-1)
		return Num(float64(s[i]) + (h-float64(i))*(float64(s[j])-float64(s[i])))
	}
	return Quantiles{at(0.5), at(0.25), at(0.75), at(0.1), at(0.9), at(0.025), at(0.975)}
}

// SeriesPoint is a prediction at one time.
type SeriesPoint struct {
	TimeH Num `json:"time_h"`
	Quantiles
}

// Series is one output over time.
type Series struct {
	ID     string        `json:"id"`
	Entity string        `json:"entity,omitempty"` // id in entities.csv of the pack
	Unit   string        `json:"unit"`
	Points []SeriesPoint `json:"points"`
}

// DomainGain is the predicted change of one domain at the end of the
// programme against no training.
type DomainGain struct {
	Domain       string    `json:"domain"`
	Unit         string    `json:"unit"`
	Gain         Quantiles `json:"gain"`
	ProbPositive Num       `json:"prob_positive"`
	ProbMID      Num       `json:"prob_above_mid"`
	MID          Num       `json:"mid_sd"`
	// NewGroup is the gain in a new group of people: the mean effect and the
	// spread between studies and outcomes; absent without a posterior.
	NewGroup  *Quantiles `json:"gain_in_a_new_group,omitempty"`
	AxisShare Quantiles  `json:"share_through_axis"`
}

// Simulation is a simulated programme for output.
type Simulation struct {
	Label     string       `json:"label"`
	Method    string       `json:"method"`
	Programme string       `json:"programme"`
	Assumed   []string     `json:"programme_items_assumed"`
	Person    string       `json:"person"`
	N         int          `json:"virtual_persons"`
	Seed      uint64       `json:"seed"`
	Sessions  int          `json:"sessions_planned"`
	Dose      DoseMeasures `json:"dose"`
	WeeksRun  Num          `json:"simulated_weeks"`
	Domains   []DomainGain `json:"domains"`
	Series    []Series     `json:"series"`
	Solver    SolverStats  `json:"solver"`
	Warnings  []string     `json:"warnings"`
}

// DoseMeasures of a programme.
type DoseMeasures struct {
	SessionsPerWeek Num `json:"sessions_per_week"`
	Weeks           Num `json:"weeks"`
	Sessions        Num `json:"sessions"`
	LoadPct1RM      Num `json:"load_pct_1rm"`
	SetsPerExercise Num `json:"sets_per_exercise"`
	SetsPerWeek     Num `json:"sets_per_week"`
	HardSets        Num `json:"hard_sets_per_muscle_group_per_week"`
	VolumeLoad      Num `json:"volume_load_per_session_1rm"`
	SessionMinutes  Num `json:"session_minutes"`
}

// SolverStats counts the solver's work over all persons.
type SolverStats struct {
	Steps    int `json:"steps"`
	Rejected int `json:"rejected"`
	RHS      int `json:"right_hand_sides"`
	Stops    int `json:"stops"`
}

// Labels of predictions: from a posterior, or from the priors alone.
const (
	PosteriorPredictive = "posterior predictive: parameters, responders and links drawn from the calibration to the evidence"
	PriorPredictive     = "prior predictive: drawn from the priors and gates, not fitted to trials"
)

// Plan says what to simulate for a Simulation.
type Plan struct {
	Model     *axis.Model
	Studied   Studied
	Programme training.Programme
	Person    population.Person
	People    []population.Person  // a cohort in place of the person
	Posterior *calibrate.Posterior // nil: prior predictive
	N         int
	Seed      uint64
	// WeeklyMean runs the fast approximation of population.Run.
	WeeklyMean bool
	EveryH     float64
	AfterW     float64 // weeks followed after the end of the programme
}

// cogDomains are the model's cognitive outputs with their names.
var cogDomains = []string{"memory", "executive", "speed", "visuospatial", "global"}

// MinDraws is the number of virtual persons behind the intervals of a single
// person's prediction.
const MinDraws = 200

// Simulate runs a plan.
func Simulate(ctx context.Context, p Plan) (*Simulation, error) {
	weeks := p.Programme.Weeks() + p.AfterW
	var times []float64
	for t := 0.0; t < weeks*training.HoursPerWeek-1e-9; t += p.EveryH {
		times = append(times, t)
	}
	times = append(times, weeks*training.HoursPerWeek)
	run := population.Run{Model: p.Model, Programme: &p.Programme, Person: p.Person, People: p.People, Times: times, N: p.N, Seed: p.Seed, WeeklyMean: p.WeeklyMean}
	label, who := PriorPredictive, p.Person.String()
	if p.Posterior != nil {
		run.Posterior, label = p.Posterior, PosteriorPredictive
	}
	if len(p.People) > 0 {
		who = population.Describe(p.People)
	}
	e, err := run.Simulate(ctx)
	if err != nil {
		return nil, err
	}
	d := p.Programme.Dose()
	method := "every session resolved"
	if p.WeeklyMean {
		method = "sessions spread evenly over their week: blood levels are weekly means, slow outputs within 8 % of their change in the resolved run; give --population to resolve every session"
	}
	s := &Simulation{Label: label, Method: method, Programme: p.Programme.String(), Assumed: []string{}, Person: who, N: p.N, Seed: p.Seed, Sessions: len(p.Programme.Schedule()), WeeksRun: Num(weeks),
		Dose:     DoseMeasures{Num(d.SessionsPerWeek), Num(d.Weeks), Num(d.Sessions), Num(d.Load1RMPct), Num(d.SetsPerExercise), Num(d.SetsPerWeek), Num(d.HardSetsPerWeek), Num(d.VolumeLoad), Num(d.SessionMinutes)},
		Solver:   SolverStats{e.Stats.Steps, e.Stats.Rejected, e.Stats.Evaluations, e.Stats.Stops},
		Warnings: p.Studied.warnings(p.Programme)}
	for i, ph := range p.Programme.Phases {
		for _, a := range ph.Assumed {
			s.Assumed = append(s.Assumed, fmt.Sprintf("phase %d: %s as in the reference session", i+1, a))
		}
	}
	last := endIndex(times, p.Programme.Weeks()*training.HoursPerWeek)
	for _, dom := range cogDomains {
		s.Domains = append(s.Domains, p.gain(e, dom, last))
	}
	for k, n := range e.Names {
		if strings.HasSuffix(n, ".axis") {
			continue
		}
		sr := Series{ID: n, Entity: axis.EntityOf(n), Unit: e.Units[k]}
		for i, t := range times {
			sr.Points = append(sr.Points, SeriesPoint{Num(t), quantiles(e.Series(k, i))})
		}
		s.Series = append(s.Series, sr)
	}
	return s, nil
}

func endIndex(times []float64, end float64) int {
	i, _ := slices.BinarySearch(times, end-1e-6)
	return min(i, len(times)-1)
}

func (p Plan) gain(e *population.Ensemble, dom string, at int) DomainGain {
	g, a := e.Series(e.Index(dom+".gain"), at), e.Series(e.Index(dom+".axis"), at)
	out := DomainGain{Domain: dom, Unit: "SD", Gain: quantiles(g)}
	pos, above := 0, 0
	share := make([]float32, len(g))
	for i := range g {
		if g[i] > 0 {
			pos++
		}
		if g[i] > prescribe.MID {
			above++
		}
		direct := g[i] - a[i]
		if s := abs(a[i]) + abs(direct); s > 0 {
			share[i] = abs(a[i]) / s
		}
	}
	out.ProbPositive, out.ProbMID, out.MID = Num(float64(pos)/float64(len(g))), Num(float64(above)/float64(len(g))), prescribe.MID
	if p.Posterior != nil {
		group := make([]float32, len(g))
		for i := range g {
			rng := rand.New(rand.NewPCG(p.Seed, 1<<45+uint64(i)))
			group[i] = g[i] + float32(p.Posterior.Spread(population.DrawOf(i, len(g), p.Posterior.Len()), rng))
		}
		q := quantiles(group)
		out.NewGroup = &q
	}
	out.AxisShare = quantiles(share)
	return out
}

func abs(v float32) float32 {
	if v < 0 {
		return -v
	}
	return v
}

// Studied are the ranges of prescriptions in the trials of a pack; outside them
// a prediction is an extrapolation and says so.
type Studied struct{ Frequency, Load, Weeks evidence.Range }

// NewStudied reads the ranges from the contrasts with resistance training and
// from the prescriptions.
func NewStudied(p *evidence.Pack) Studied {
	none := evidence.Range{Low: math.Inf(1), High: math.Inf(-1)}
	s := Studied{none, none, none}
	widen := func(r *evidence.Range, low, high float64) {
		if !math.IsNaN(low) && !math.IsNaN(high) {
			r.Low, r.High = math.Min(r.Low, low), math.Max(r.High, high)
		}
	}
	for _, c := range p.Contrasts {
		if c.Kind == "RT" && c.Timing != "acute" {
			widen(&s.Frequency, c.Frequency.Low, c.Frequency.High)
			widen(&s.Load, c.Pct1RM.Low, c.Pct1RM.High)
			widen(&s.Weeks, c.Weeks, c.Weeks)
		}
	}
	for _, a := range p.Arms {
		if a.Kind == "RT" && !math.IsNaN(a.Weeks) {
			widen(&s.Frequency, a.Frequency, a.Frequency)
			widen(&s.Load, a.Pct1RM.Low, a.Pct1RM.High)
			widen(&s.Weeks, a.Weeks, a.Weeks)
		}
	}
	return s
}

func (s Studied) warnings(p training.Programme) []string {
	out := []string{}
	say := func(where, what string, v float64, r evidence.Range) {
		if v < r.Low || v > r.High {
			out = append(out, fmt.Sprintf("%s%s %.4g, the trials used %.4g to %.4g: extrapolation", where, what, v, r.Low, r.High))
		}
	}
	for i, ph := range p.Phases {
		where := fmt.Sprintf("phase %d: ", i+1)
		say(where, "sessions a week", ph.Frequency.Mid(), s.Frequency)
		say(where, "percent of 1RM", 100*ph.RelativeLoad(), s.Load)
	}
	say("", "weeks", p.Weeks(), s.Weeks)
	return out
}
