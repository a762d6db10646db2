package prescribe

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/training"
)

// Constraints are what a person can and will do. Zero values stand for the
// defaults in brackets.
type Constraints struct {
	Sessions  int     // most sessions a week [3]
	Minutes   float64 // most minutes a session [60]
	LoadPct   float64 // ceiling of the load, % of 1RM [85]
	RPE       float64 // ceiling of exertion, 0-10 [8]
	Weeks     float64 // length of the programme [24]
	Equipment string  // machines, free, bands or body [machines]
	Spare     []string
}

// exercise is a common exercise, the joints it loads and the equipment it
// needs (assumed: a working list, not evidence).
type exercise struct {
	name   string
	joints []string
	with   []string
}

var exercises = []exercise{
	{"leg press or squat", []string{"knee", "hip"}, []string{"machines", "free", "bands", "body"}},
	{"seated row", []string{"shoulder", "elbow"}, []string{"machines", "free", "bands"}},
	{"chest press or push-up", []string{"shoulder", "elbow", "wrist"}, []string{"machines", "free", "bands", "body"}},
	{"leg curl or bridge", []string{"knee"}, []string{"machines", "bands", "body"}},
	{"calf raise", []string{"ankle"}, []string{"machines", "free", "bands", "body"}},
	{"lat pull-down", []string{"shoulder", "elbow"}, []string{"machines", "bands"}},
	{"hip abduction", []string{"hip"}, []string{"machines", "bands", "body"}},
	{"trunk extension", []string{"spine"}, []string{"machines", "body"}},
	{"overhead press", []string{"shoulder", "elbow"}, []string{"machines", "free", "bands"}},
	{"biceps curl", []string{"elbow"}, []string{"machines", "free", "bands"}},
}

// Joints that can be spared, and Equipment that can be had.
var (
	Joints    = []string{"knee", "hip", "ankle", "spine", "shoulder", "elbow", "wrist"}
	Equipment = []string{"machines", "free", "bands", "body"}
)

// Heaviest relative load that equipment allows (assumed).
var equipmentLoad = map[string]float64{"machines": 95, "free": 95, "bands": 70, "body": 60}

// ConstraintError says which constraint cannot be met.
type ConstraintError struct{ Message, Hint string }

func (e *ConstraintError) Error() string { return e.Message }

func (c Constraints) complete() (Constraints, error) {
	set := func(at *float64, v float64) {
		if *at == 0 {
			*at = v
		}
	}
	if c.Sessions == 0 {
		c.Sessions = 3
	}
	set(&c.Minutes, 60)
	set(&c.LoadPct, 85)
	set(&c.RPE, 8)
	set(&c.Weeks, 24)
	if c.Equipment == "" {
		c.Equipment = "machines"
	}
	bad := func(msg, hint string) (Constraints, error) { return c, &ConstraintError{msg, hint} }
	switch {
	case c.Sessions < 1 || c.Sessions > 7:
		return bad(fmt.Sprintf("%d sessions a week is outside 1 to 7", c.Sessions), "for example --sessions 2")
	case !(c.Minutes >= 5 && c.Minutes <= 240):
		return bad(fmt.Sprintf("%g minutes a session is outside 5 to 240", c.Minutes), "for example --minutes 45")
	case !(c.LoadPct >= 20 && c.LoadPct <= 100):
		return bad(fmt.Sprintf("a load of %g %% of 1RM is outside 20 to 100", c.LoadPct), "for example --load 70")
	case !(c.RPE >= 3 && c.RPE <= 10):
		return bad(fmt.Sprintf("an RPE of %g is outside 3 to 10", c.RPE), "for example --rpe 7")
	case !(c.Weeks >= 2 && c.Weeks <= 208):
		return bad(fmt.Sprintf("%g weeks is outside 2 to 208", c.Weeks), "for example --weeks 24")
	case !slices.Contains(Equipment, c.Equipment):
		return bad(fmt.Sprintf("%q is no equipment", c.Equipment), "one of "+strings.Join(Equipment, ", "))
	}
	for _, j := range c.Spare {
		if !slices.Contains(Joints, j) {
			return bad(fmt.Sprintf("%q is no joint of the list", j), "any of "+strings.Join(Joints, ", "))
		}
	}
	return c, nil
}

// allowed lists the exercises that spare the joints and need no more than the
// equipment.
func (c Constraints) allowed() (names []string) {
	for _, e := range exercises {
		ok := slices.Contains(e.with, c.Equipment)
		for _, j := range e.joints {
			ok = ok && !slices.Contains(c.Spare, j)
		}
		if ok {
			names = append(names, e.name)
		}
	}
	return names
}

// Candidates are the programmes within the constraints: every number of
// sessions, one to four sets of 6 to 20 repetitions, with as many of the
// allowed exercises (up to eight) as the minutes allow. Loads are set by
// effort, so that they follow the person's strength.
func (c Constraints) Candidates() ([]training.Programme, []string, error) {
	c, err := c.complete()
	if err != nil {
		return nil, nil, err
	}
	names := c.allowed()
	if len(names) == 0 {
		return nil, nil, &ConstraintError{"no exercise of the list spares these joints with this equipment", "spare fewer joints or allow other equipment"}
	}
	limit := math.Min(c.LoadPct, equipmentLoad[c.Equipment]) / 100
	rir := math.Max(10-c.RPE, 0)
	var out []training.Programme
	for sessions := 1; sessions <= c.Sessions; sessions++ {
		for _, sets := range []float64{1, 2, 3, 4} {
			for _, reps := range []float64{6, 8, 10, 12, 15, 20} {
				ph := training.Phase{Frequency: span(float64(sessions)), Weeks: c.Weeks, Sets: span(sets), Reps: span(reps), Load: training.Load{Kind: training.RIR, Value: span(rir)}, RestMin: 2, Adherence: 1}
				if ph.RelativeLoad() > limit+1e-9 {
					continue
				}
				for ph.Exercises = float64(min(len(names), 8)); ph.Exercises >= 1 && ph.Minutes() > c.Minutes; ph.Exercises-- {
				}
				if ph.Exercises < 1 {
					continue
				}
				out = append(out, training.Programme{Phases: []training.Phase{ph}})
			}
		}
	}
	if len(out) == 0 {
		return nil, nil, &ConstraintError{"no programme fits these constraints", "allow more minutes, a heavier load or a higher RPE"}
	}
	return out, names, nil
}
