package training

import "math"

// HoursPerWeek and HoursPerDay convert calendar time; times are hours from the
// first Monday, 00:00.
const (
	HoursPerDay  = 24.0
	HoursPerWeek = 168.0
)

// startOfDay is the hour at which sessions begin (assumed: 10:00).
const startOfDay = 10.0

// Session is one dated session.
type Session struct {
	Start, Hours float64 // hours from the start of the programme; duration
	Week, Phase  int
	Exercises    float64
	Sets, Reps   float64
	// Load is the absolute load as a fraction of the 1RM before the programme.
	// What it is of the 1RM of the day depends on the strength gained.
	Load   float64
	Deload bool
	// Adjusted marks loads set by effort (RPE, repetitions in reserve) or
	// retested: they follow the 1RM of the day.
	Adjusted bool
}

// Held is 1 where the load follows the 1RM of the day, else 0.
func (s Session) Held() float64 {
	if s.Adjusted {
		return 1
	}
	return 0
}

// Volume is the work of the session against the reference session, before the
// effect of load: exercises·sets·repetitions / (6·3·10).
func (s Session) Volume() float64 {
	return s.Exercises * s.Sets * s.Reps / (Reference.Exercises * Reference.Sets.Low * Reference.Reps.Low)
}

// weekdays spreads n sessions over the days of a week, 0 = Monday.
var weekdays = [][]float64{{}, {0}, {0, 3}, {0, 2, 4}, {0, 1, 3, 4}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5, 6}}

// Schedule dates every session of the programme. Fractional frequencies are
// spread over the weeks (1.5 a week: one, two, one, two …); more than seven a
// week train twice on some days, eight hours apart.
func (p Programme) Schedule() []Session {
	var out []Session
	week0 := 0.0
	for k, ph := range p.Phases {
		done := 0.0
		for w := 0.0; w < ph.Weeks; w++ {
			due := math.Round(ph.Frequency.Mid() * math.Min(w+1, ph.Weeks))
			n := int(due - done)
			done = due
			deload := ph.DeloadEvery > 0 && (int(w)+1)%ph.DeloadEvery == 0
			sets := ph.Sets.Mid()
			if deload {
				sets /= 2
			}
			load := ph.RelativeLoad() * math.Pow(1+ph.ProgressPct/100, w)
			for i := range n {
				day, hour := 0.0, startOfDay
				if n <= 7 {
					day = weekdays[n][i]
				} else {
					day, hour = float64(i/2), startOfDay+8*float64(i%2)
				}
				if w+day/7 > ph.Weeks {
					continue
				}
				out = append(out, Session{Start: (week0+w)*HoursPerWeek + day*HoursPerDay + hour, Hours: ph.Minutes() / 60, Week: int(week0 + w), Phase: k,
					Exercises: ph.Exercises, Sets: sets, Reps: ph.Reps.Mid(), Load: load, Deload: deload, Adjusted: ph.Load.Kind != Percent1RM || ph.Retested})
			}
		}
		week0 += ph.Weeks
	}
	return out
}

// Attended keeps the share of sessions that adherence leaves. draw returns
// uniform numbers in [0, 1); nil spreads the missed sessions evenly.
func (p Programme) Attended(all []Session, draw func() float64) []Session {
	out := make([]Session, 0, len(all))
	credit := make([]float64, len(p.Phases))
	for _, s := range all {
		a := p.Phases[s.Phase].Adherence
		if draw != nil {
			if draw() < a {
				out = append(out, s)
			}
			continue
		}
		if credit[s.Phase] += a; credit[s.Phase] > 1-1e-9 {
			credit[s.Phase]--
			out = append(out, s)
		}
	}
	return out
}

// Dose is a programme in the measures that dose–response uses, averaged over
// its weeks.
type Dose struct {
	SessionsPerWeek, Weeks, Sessions float64
	Load1RMPct                       float64
	SetsPerExercise, SetsPerWeek     float64
	// HardSetsPerWeek counts sets within four repetitions of failure; a set
	// counts 1 for its target muscle and 0.5 for one helper, spread over six
	// muscle groups (both assumed), so this is per muscle group.
	HardSetsPerWeek float64
	VolumeLoad      float64 // sets·repetitions·load of a session, in 1RM units
	SessionMinutes  float64
}

// Dose computes the dose measures of the programme as prescribed, times
// adherence where people have to turn up.
func (p Programme) Dose() Dose {
	var d Dose
	w := p.Weeks()
	for _, ph := range p.Phases {
		share := ph.Weeks / w
		f := ph.Frequency.Mid() * ph.Adherence
		sets := ph.Exercises * ph.Sets.Mid()
		d.SessionsPerWeek += share * f
		d.Sessions += f * ph.Weeks
		d.Load1RMPct += share * 100 * ph.RelativeLoad()
		d.SetsPerExercise += share * ph.Sets.Mid()
		d.SetsPerWeek += share * f * sets
		if ph.Reserve() <= 4 {
			d.HardSetsPerWeek += share * f * sets * 1.5 / 6
		}
		d.VolumeLoad += share * sets * ph.Reps.Mid() * ph.RelativeLoad()
		d.SessionMinutes += share * ph.Minutes()
	}
	d.Weeks = w
	return d
}
