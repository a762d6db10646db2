package prescribe

import (
	"math"

	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/training"
)

// Dose is a point of a dose surface.
type Dose struct {
	Sessions float64 `json:"sessions_per_week"`
	LoadPct  float64 `json:"load_pct_1rm"`
	Sets     float64 `json:"sets_per_exercise"`
	Weeks    float64 `json:"weeks"`
}

// Programme is the dose as a programme of the reference session's exercises,
// with loads that follow the 1RM of the day, as in trials; repetitions are what
// the load allows less two in reserve (Epley form), 3 to 20.
func (d Dose) Programme() training.Programme {
	reps := math.Round(math.Min(math.Max(30*(100/d.LoadPct-1)-2, 3), 20))
	ph := training.Phase{Frequency: span(d.Sessions), Weeks: d.Weeks, Exercises: training.Reference.Exercises, Sets: span(d.Sets), Reps: span(reps),
		Load: training.Load{Kind: training.Percent1RM, Value: span(d.LoadPct)}, RestMin: 2, Adherence: 1, Retested: true}
	return training.Programme{Phases: []training.Phase{ph}}
}

func span(v float64) training.Span { return training.Span{Low: v, High: v} }

// Cell is one dose of a surface and what the posterior says of it.
type Cell struct {
	Dose
	Domain    string             `json:"domain"`
	Effect    calibrate.Interval `json:"effect_sd"`
	ProbAbove float64            `json:"prob_above_mid"`
	Supported bool               `json:"within_evidence"`
	Cohorts   int                `json:"cohorts_near"` // the fewest over the four parts of the dose
}

// Surface axes: the doses at which surfaces are computed.
var (
	SurfaceSessions = []float64{1, 2, 3, 4, 5}
	SurfaceLoads    = []float64{40, 50, 60, 70, 80, 90}
	SurfaceSets     = []float64{1, 3, 5}
	SurfaceWeeks    = []float64{6, 12, 24, 52}
)

// Surface predicts every combination of the surface axes for all domains.
func Surface(m *Model, s Support, people []population.Person, mid float64) ([]Cell, error) {
	var out []Cell
	for _, f := range SurfaceSessions {
		for _, l := range SurfaceLoads {
			for _, sets := range SurfaceSets {
				cells, err := m.column(s, people, mid, Dose{Sessions: f, LoadPct: l, Sets: sets})
				if err != nil {
					return nil, err
				}
				out = append(out, cells...)
			}
		}
	}
	return out, nil
}

// column is one prescription over weeks: one run serves them all.
func (m *Model) column(s Support, people []population.Person, mid float64, d Dose) (out []Cell, err error) {
	long := d
	long.Weeks = SurfaceWeeks[len(SurfaceWeeks)-1]
	weeks := calibrate.Weeks(long.Programme().Schedule(), int(long.Weeks))
	n := m.Post.Len()
	gain := make([][][]float64, len(calibrate.Domains))
	for k := range gain {
		gain[k] = make([][]float64, len(SurfaceWeeks))
		for t := range gain[k] {
			gain[k][t] = make([]float64, n)
		}
	}
	for _, g := range groupPeople(people) {
		pred, err := m.gains.Predict(calibrate.Scenario{Weeks: weeks, At: SurfaceWeeks, Person: g.values})
		if err != nil {
			return nil, err
		}
		for k := range gain {
			for t := range SurfaceWeeks {
				for i := range n {
					gain[k][t][i] += g.share * pred[2*k][t][i]
				}
			}
		}
	}
	for k, dom := range calibrate.Domains {
		for t, w := range SurfaceWeeks {
			at := d
			at.Weeks = w
			near := s.Near(at)
			out = append(out, Cell{at, dom, calibrate.NewInterval(gain[k][t]), ProbAbove(gain[k][t], mid), near > 0, near})
		}
	}
	return out, nil
}

// Support counts the cohorts of cognition trials near a dose.
type Support struct{ cohorts []supportRow }

type supportRow struct {
	id                     string
	sessions, load, volume evidence.Range
	weeks                  float64
}

// NewSupport reads the doses that the observations print.
func NewSupport(obs []calibrate.Observation) Support {
	var s Support
	seen := map[string]bool{}
	for _, o := range obs {
		if o.Class != calibrate.Cognition {
			continue
		}
		r := supportRow{id: o.Cohort, sessions: o.Dose.Frequency, load: o.Dose.Load, volume: o.Dose.Volume, weeks: o.Dose.Weeks}
		if seen[r.id] {
			continue
		}
		seen[r.id] = true
		s.cohorts = append(s.cohorts, r)
	}
	return s
}

// windows within which a trial counts as near: half a session a week, 10
// points of %1RM, half the volume, half the weeks (assumed).
func (s Support) counts(d Dose) [4]int {
	var n [4]int
	reps := d.Programme().Phases[0].Reps.Mid()
	vol := d.Sets / 3 * reps / 10
	for _, c := range s.cohorts {
		if c.sessions.Low == c.sessions.High && math.Abs(c.sessions.Low-d.Sessions) <= 0.5 {
			n[0]++
		}
		if isPrinted(c.load) && d.LoadPct/100 >= c.load.Low-0.1 && d.LoadPct/100 <= c.load.High+0.1 {
			n[1]++
		}
		if !calibrate.OpenVolume(c.volume) && math.Abs(math.Log(vol/c.volume.Mid())) <= math.Log(1.5) {
			n[2]++
		}
		if math.Abs(math.Log(d.Weeks/c.weeks)) <= math.Log(1.5) {
			n[3]++
		}
	}
	return n
}

func isPrinted(load evidence.Range) bool { return !calibrate.OpenLoad(load) }

// Near is the number of cohorts near the dose in the part of it that fewest
// trials support; 0 means that the dose lies beyond the evidence.
func (s Support) Near(d Dose) int {
	n := s.counts(d)
	return min(min(n[0], n[1]), min(n[2], n[3]))
}

// Cohorts lists the cohorts that trained as often, as prints allow to tell.
func (s Support) Cohorts(d Dose) (ids []string) {
	for _, c := range s.cohorts {
		if c.sessions.Low == c.sessions.High && math.Abs(c.sessions.Low-d.Sessions) <= 0.5 && math.Abs(math.Log(d.Weeks/c.weeks)) <= math.Log(1.5) {
			ids = append(ids, c.id)
		}
	}
	return ids
}
