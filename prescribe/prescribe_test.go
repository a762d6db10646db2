package prescribe

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/training"
)

func setup(t testing.TB) (*Model, Support) {
	t.Helper()
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	post, err := calibrate.Shipped(p, m)
	if err != nil {
		t.Fatal(err)
	}
	pm, err := NewModel(m, post)
	if err != nil {
		t.Fatal(err)
	}
	return pm, NewSupport(calibrate.NewProblem(p, m).Data.Observations)
}

func programme(t testing.TB, s string) training.Programme {
	t.Helper()
	p, err := training.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var someone = []population.Person{population.DefaultPerson()}

// The parts of the paths add up to the whole axis, draw by draw; cutting every
// path leaves no axis.
func TestPathsAddUp(t *testing.T) {
	m, _ := setup(t)
	prog := programme(t, "2x/week, 24 weeks: 6 exercises, 3x10 @ 2 RIR")
	parts, err := splitPaths(m, prog, someone)
	if err != nil {
		t.Fatal(err)
	}
	for d, dom := range calibrate.Domains {
		for k := range m.Post.Len() {
			sum := 0.0
			for _, p := range parts[d][2:] {
				sum += p.effect[k]
			}
			if whole := parts[d][0].effect[k]; math.Abs(sum-whole) > 1e-6+0.02*math.Abs(whole) {
				t.Fatalf("%s, draw %d: paths add up to %g, the axis is %g", dom, k, sum, whole)
			}
		}
	}
	var all []string
	for _, p := range Paths {
		all = append(all, p.Cut...)
	}
	e, err := m.Predict(prog, someone, all...)
	if err != nil {
		t.Fatal(err)
	}
	for d := range calibrate.Domains {
		for k, a := range e.Axis[d] {
			if math.Abs(a) > 1e-9 {
				t.Fatalf("draw %d: %g is left with every path cut", k, a)
			}
		}
	}
}

// No training, no effect; the same people twice are the same people; a cohort
// is the mean of its members.
func TestPredictionLaws(t *testing.T) {
	m, _ := setup(t)
	none, err := m.weeks(make([]calibrate.Week, 24), 24, someone)
	if err != nil {
		t.Fatal(err)
	}
	for d := range none.Gain {
		for _, g := range none.Gain[d] {
			if g != 0 {
				t.Fatal("without training something moves")
			}
		}
	}
	prog := programme(t, "2x/week, 12 weeks: 6 exercises, 3x10 @ 70% 1RM")
	old, strong := population.DefaultPerson(), population.DefaultPerson()
	old.Age, strong.Trained = 85, true
	a, _ := m.Predict(prog, []population.Person{old})
	b, _ := m.Predict(prog, []population.Person{strong})
	both, err := m.Predict(prog, []population.Person{old, strong})
	if err != nil {
		t.Fatal(err)
	}
	for k := range a.Gain[0] {
		if math.Abs(both.Gain[0][k]-(a.Gain[0][k]+b.Gain[0][k])/2) > 1e-12 {
			t.Fatal("a cohort is not the mean of its members")
		}
	}
	if mean(b.Gain[4]) >= mean(a.Gain[4]) {
		t.Error("someone who already trains gains as much as someone who does not")
	}
}

// A candidate keeps every constraint.
func TestCandidatesKeepConstraints(t *testing.T) {
	c := Constraints{Sessions: 2, Minutes: 40, LoadPct: 65, RPE: 7, Weeks: 16, Equipment: "bands", Spare: []string{"knee"}}
	progs, names, err := c.Candidates()
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(names, "leg press or squat") {
		t.Error("an exercise loads the knee")
	}
	for _, p := range progs {
		ph := p.Phases[0]
		if ph.Frequency.Mid() > 2 || ph.Minutes() > 40 || ph.RelativeLoad() > 0.65+1e-9 || p.Weeks() != 16 || ph.Reserve() < 3 || int(ph.Exercises) > len(names) {
			t.Errorf("%s breaks a constraint", p)
		}
		if again := programme(t, p.String()); again.String() != p.String() {
			t.Errorf("%s reads back as %s", p, again)
		}
	}
	var ce *ConstraintError
	for _, bad := range []Constraints{{Sessions: 9}, {Minutes: 1}, {LoadPct: 500}, {RPE: 1}, {Weeks: -3}, {Equipment: "rocket"}, {Spare: []string{"ear"}}, {Minutes: 5, Equipment: "body", Spare: []string{"knee", "hip", "ankle", "spine", "shoulder", "elbow", "wrist"}}} {
		if _, _, err := bad.Candidates(); !errors.As(err, &ce) {
			t.Errorf("%+v gives %v", bad, err)
		}
	}
}

// An answer: intervals nest, ties come first with the least time, supported
// programmes only, the same on every run.
func TestPrescribe(t *testing.T) {
	m, s := setup(t)
	q := Question{People: someone, Constraints: Constraints{Minutes: 45}, Weights: Weights{1, 0, 0, 0, 0}, MID: MID, Negligible: Negligible, Seed: 1}
	a, err := Prescribe(m, s, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Options) < 2 || !a.Options[0].TiesBest || len(a.BeforeStart) == 0 || len(a.Plain) < 4 {
		t.Errorf("%+v", a)
	}
	for i, o := range a.Options {
		e := o.Effect
		if !(e.Low95 <= e.Low80 && e.Low80 <= e.Low50 && e.Low50 <= e.Median && e.Median <= e.High50 && e.High50 <= e.High80 && e.High80 <= e.High95) {
			t.Errorf("%s: intervals do not nest: %+v", o.Programme, e)
		}
		if o.NewGroup.High95-o.NewGroup.Low95 <= e.High95-e.Low95 {
			t.Errorf("%s: a new group is surer than the mean", o.Programme)
		}
		if !o.Supported || o.CohortsNear == 0 {
			t.Errorf("%s lies beyond the evidence", o.Programme)
		}
		if i > 0 && o.TiesBest && !a.Options[i-1].TiesBest {
			t.Error("a tie stands behind a loser")
		}
	}
	again, err := Prescribe(m, s, q)
	if err != nil || again.Options[0].Effect != a.Options[0].Effect || again.Options[0].NewGroup != a.Options[0].NewGroup {
		t.Error("the same question has another answer")
	}
	q.Constraints = Constraints{Weeks: 3, Sessions: 1, RPE: 4}
	var ns *NoSupportError
	if _, err := Prescribe(m, s, q); !errors.As(err, &ns) {
		t.Errorf("three weeks at RPE 4 are answered: %v", err)
	}
	q.Extrapolate = true
	if a, err := Prescribe(m, s, q); err != nil || a.Options[0].Supported {
		t.Errorf("extrapolation is not marked: %v", err)
	}
}

// The surface rises with sessions at any load, and its support is that of the
// trials.
func TestSurface(t *testing.T) {
	m, s := setup(t)
	m.Post = m.Post.Thin(64)
	small, err := NewModel(m.Axis, m.Post)
	if err != nil {
		t.Fatal(err)
	}
	cells, err := Surface(small, s, someone, MID)
	if err != nil {
		t.Fatal(err)
	}
	at := map[Dose]float64{}
	some, none := 0, 0
	for _, c := range cells {
		if c.Domain == "global" {
			at[c.Dose] = c.Effect.Median
			if c.Supported {
				some++
			} else {
				none++
			}
		}
	}
	if some == 0 || none == 0 {
		t.Errorf("%d supported, %d not", some, none)
	}
	for d, v := range at {
		up := d
		up.Sessions++
		if w, ok := at[up]; ok && w < v {
			t.Errorf("%+v: another session lowers %g to %g", d, v, w)
		}
	}
}

// Total indices lie in a sensible range and the direct path leads; what is
// measured itself narrows the answer, and noise does not.
func TestDriversAndAgenda(t *testing.T) {
	m, _ := setup(t)
	prog := programme(t, "2x/week, 24 weeks: 6 exercises, 3x10 @ 2 RIR")
	ds, err := Drivers(context.Background(), m, "global", prog, someone[0], 128, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(ds) < 30 || ds[0].Total < 0.05 || ds[0].Total > 1.5 {
		t.Errorf("%+v", ds[0])
	}
	for _, d := range ds {
		if d.Low > d.Total || d.High < d.Total {
			t.Errorf("%s: %g outside its interval %g to %g", d.Name, d.Total, d.Low, d.High)
		}
	}
	ag, err := Agenda(m, "global", prog, someone[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	find := func(name string) Measurement {
		return ag[slices.IndexFunc(ag, func(x Measurement) bool { return x.Name == name })]
	}
	if own, other := find("trial, 100 an arm: global cognition"), find("strength gain, 100 trained"); own.Reduction < 0 || own.Reduction > 1 || other.Reduction > 1 {
		t.Errorf("%+v %+v", own, other)
	}
	y, x := make([]float64, 3000), make([]float64, 3000)
	for i := range y {
		y[i] = float64(i)
		x[i] = float64((i * 7919) % 3000)
	}
	all := make([]int, len(y))
	for i := range all {
		all[i] = i
	}
	if r := between(y, bins(y, agendaBins), all); r < 0.99 {
		t.Errorf("measuring the answer itself removes only %g", r)
	}
	if r := between(y, bins(x, agendaBins), all); r > 0.02 {
		t.Errorf("measuring noise removes %g", r)
	}
}
