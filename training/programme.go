// Package training reads resistance-training programmes and turns them into
// dated sessions and dose measures.
//
// A programme is one line,
//
//	2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM, rest 2min
//
// phases joined by ";", or the same items as YAML. Items a programme leaves
// open take the reference session's value and are listed in Phase.Assumed.
package training

import (
	"fmt"
	"math"
	"strings"
)

// Span is a value or a range, e.g. 8-12 repetitions.
type Span struct{ Low, High float64 }

// Mid is the middle of the range.
func (s Span) Mid() float64 { return (s.Low + s.High) / 2 }

func (s Span) String() string {
	if s.Low == s.High {
		return fmt.Sprintf("%g", s.Low)
	}
	return fmt.Sprintf("%g-%g", s.Low, s.High)
}

// LoadKind says in what a load is prescribed.
type LoadKind int

// Percent of the one-repetition maximum, rating of perceived exertion (1-10),
// or repetitions in reserve.
const (
	Percent1RM LoadKind = iota
	RPE
	RIR
)

// Load is a prescribed intensity.
type Load struct {
	Kind  LoadKind
	Value Span
}

func (l Load) String() string {
	switch l.Kind {
	case RPE:
		return "RPE " + l.Value.String()
	case RIR:
		return l.Value.String() + " RIR"
	}
	return l.Value.String() + "% 1RM"
}

// Phase is a block of weeks with one prescription.
type Phase struct {
	Frequency   Span // sessions per week, 0.25-14
	Weeks       float64
	Exercises   float64
	Sets, Reps  Span
	Load        Load
	RestMin     float64
	SessionMin  float64 // 0: computed
	ProgressPct float64 // rise of the absolute load, percent per week
	DeloadEvery int     // every n-th week at half the sets; 0 none
	Adherence   float64 // share of sessions attended, 0-1
	Assumed     []string
	// Retested: the load is set anew by the 1RM of the day, as trials do.
	Retested bool
}

// Programme is a training programme.
type Programme struct{ Phases []Phase }

// Weeks is the length of the programme.
func (p Programme) Weeks() (w float64) {
	for _, ph := range p.Phases {
		w += ph.Weeks
	}
	return w
}

// Reference is the session all stimuli are measured by: 6 exercises, 3x10 at
// 70 % of 1RM with 2 min rest.
var Reference = Phase{Exercises: 6, Sets: Span{3, 3}, Reps: Span{10, 10}, Load: Load{Percent1RM, Span{70, 70}}, RestMin: 2, Adherence: 1}

// RelativeLoad is the load as a fraction of 1RM. RPE is read as 10 minus
// repetitions in reserve, and repetitions in reserve through
// 1RM fraction = 1/(1 + (reps + RIR)/30), the Epley form (assumed: both are
// conventions, not measurements in older adults).
func (ph Phase) RelativeLoad() float64 {
	v := ph.Load.Value.Mid()
	switch ph.Load.Kind {
	case RPE:
		return 1 / (1 + (ph.Reps.Mid()+10-v)/30)
	case RIR:
		return 1 / (1 + (ph.Reps.Mid()+v)/30)
	}
	return v / 100
}

// Reserve is the repetitions in reserve the prescription implies (negative:
// more repetitions than the load allows).
func (ph Phase) Reserve() float64 {
	switch ph.Load.Kind {
	case RPE:
		return 10 - ph.Load.Value.Mid()
	case RIR:
		return ph.Load.Value.Mid()
	}
	return 30*(1/ph.RelativeLoad()-1) - ph.Reps.Mid()
}

// Minutes is the length of a session: as given, or 5 min warm-up and for each
// set 4 s a repetition and the rest (assumed).
func (ph Phase) Minutes() float64 {
	if ph.SessionMin > 0 {
		return ph.SessionMin
	}
	return 5 + ph.Exercises*ph.Sets.Mid()*(ph.Reps.Mid()*4/60+ph.RestMin)
}

// String writes the programme in the notation Parse reads.
func (p Programme) String() string {
	parts := make([]string, len(p.Phases))
	for i, ph := range p.Phases {
		parts[i] = ph.String()
	}
	return strings.Join(parts, "; ")
}

func (ph Phase) String() string {
	s := fmt.Sprintf("%sx/week, %g weeks: %g exercises, %sx%s @ %s, rest %gmin", ph.Frequency, ph.Weeks, ph.Exercises, ph.Sets, ph.Reps, ph.Load, ph.RestMin)
	if ph.SessionMin > 0 {
		s += fmt.Sprintf(", %gmin", ph.SessionMin)
	}
	if ph.ProgressPct > 0 {
		s += fmt.Sprintf(", progress %g%%/week", ph.ProgressPct)
	}
	if ph.DeloadEvery > 0 {
		s += fmt.Sprintf(", deload every %d weeks", ph.DeloadEvery)
	}
	if ph.Adherence < 1 {
		s += fmt.Sprintf(", adherence %g%%", round6(ph.Adherence*100))
	}
	return s
}

func round6(x float64) float64 { return math.Round(x*1e6) / 1e6 }
