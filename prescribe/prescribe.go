package prescribe

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/training"
)

// Question is what is asked of a posterior.
type Question struct {
	People      []population.Person
	Constraints Constraints
	Weights     Weights
	Against     *training.Programme // the alternative; nil is half the sessions of the best
	MID         float64             // minimal important difference, SD
	Negligible  float64             // differences below are ties, SD
	Extrapolate bool                // also answer where no trial supports the dose
	Seed        uint64
}

// Negligible is the difference between programmes below which they tie where
// none is given: a quarter of the minimal important difference (assumed).
const Negligible = 0.05

// Levels are central intervals of a prediction.
type Levels struct {
	Median float64 `json:"median"`
	Low50  float64 `json:"low_50"`
	High50 float64 `json:"high_50"`
	Low80  float64 `json:"low_80"`
	High80 float64 `json:"high_80"`
	Low95  float64 `json:"low_95"`
	High95 float64 `json:"high_95"`
}

func levels(x []float64) Levels {
	s := slices.Clone(x)
	slices.Sort(s)
	q := func(p float64) float64 { return math.Round(synthesis.Quantile(s, p)*1e4) / 1e4 }
	return Levels{q(0.5), q(0.25), q(0.75), q(0.1), q(0.9), q(0.025), q(0.975)}
}

// Option is a programme worth considering.
type Option struct {
	Programme   string   `json:"programme"`
	Minutes     float64  `json:"minutes_per_week"`
	Sessions    float64  `json:"sessions_per_week"`
	LoadPct     float64  `json:"load_pct_1rm"`
	Effect      Levels   `json:"mean_effect_sd"`
	NewGroup    Levels   `json:"effect_in_a_new_group_sd"`
	BeatsNone   float64  `json:"prob_beats_no_training"`
	GroupBeats  float64  `json:"prob_beats_no_training_in_a_new_group"`
	GroupMID    float64  `json:"prob_above_mid_in_a_new_group"`
	BeatsOther  float64  `json:"prob_beats_alternative_by_more_than_negligible"`
	ProbMID     float64  `json:"prob_above_mid"`
	TiesBest    bool     `json:"ties_with_best"`
	Supported   bool     `json:"within_evidence"`
	CohortsNear int      `json:"cohorts_near"`
	Trials      []string `json:"trials_that_trained_alike"`
	gain        []float64
	dose        Dose
}

// Answer is the programmes worth considering, and what to know before.
type Answer struct {
	Person       string   `json:"person"`
	Outcome      string   `json:"outcome"`
	MID          float64  `json:"mid_sd"`
	Negligible   float64  `json:"negligible_sd"`
	Considered   int      `json:"programmes_considered"`
	Unsupported  int      `json:"programmes_beyond_the_evidence"`
	Alternative  string   `json:"alternative"`
	AltEffect    Levels   `json:"alternative_mean_effect_sd"`
	Options      []Option `json:"options"`
	Exercises    []string `json:"exercises"`
	Plain        []string `json:"plain_language"`
	BeforeStart  []string `json:"before_you_start"`
	Posterior    string   `json:"posterior"`
	Observations []string `json:"observations"`
}

// NoSupportError says that no trial supports any programme within the
// constraints.
type NoSupportError struct{ Considered int }

func (e *NoSupportError) Error() string {
	return fmt.Sprintf("none of the %d programmes within these constraints lies near what the trials did", e.Considered)
}

// Prescribe finds the programmes worth considering. Programmes whose effect is
// within a negligible difference of the best tie with it; of those that tie,
// the least weekly time comes first.
func Prescribe(m *Model, s Support, q Question) (*Answer, error) {
	progs, names, err := q.Constraints.Candidates()
	if err != nil {
		return nil, err
	}
	a := &Answer{MID: q.MID, Negligible: q.Negligible, Considered: len(progs), Exercises: names, Posterior: m.Post.Pack + " / " + m.Post.Model, Outcome: q.Weights.String(), Observations: []string{}}
	if len(q.People) == 1 {
		a.Person = q.People[0].String()
	} else {
		a.Person = population.Describe(q.People)
	}
	opts, err := m.options(s, q, progs)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(opts), func(o Option) bool { return !o.Supported })
	a.Unsupported = len(opts) - len(kept)
	if q.Extrapolate {
		kept = opts
	}
	if len(kept) == 0 {
		return nil, &NoSupportError{len(opts)}
	}
	if err := m.rank(a, s, q, kept); err != nil {
		return nil, err
	}
	a.speak(q)
	return a, nil
}

// options predicts every programme; programmes the model cannot tell apart
// (the same weekly volume and load) are kept once, the shorter one.
func (m *Model) options(s Support, q Question, progs []training.Programme) ([]Option, error) {
	seen := map[[2]float64]int{}
	var out []Option
	for _, p := range progs {
		ph := p.Phases[0]
		d := Dose{Sessions: ph.Frequency.Mid(), LoadPct: 100 * ph.RelativeLoad(), Sets: ph.Sets.Mid() * ph.Exercises / training.Reference.Exercises, Weeks: ph.Weeks}
		o := Option{Programme: p.String(), Minutes: math.Round(ph.Frequency.Mid() * ph.Minutes()), Sessions: d.Sessions, LoadPct: math.Round(d.LoadPct), dose: d, CohortsNear: s.Near(d), Trials: s.Cohorts(d)}
		o.Supported = o.CohortsNear > 0
		if o.Trials == nil {
			o.Trials = []string{}
		}
		key := [2]float64{math.Round(1e6 * d.Sessions * d.Sets * ph.Reps.Mid()), math.Round(1e6 * d.LoadPct)}
		if k, ok := seen[key]; ok && out[k].Supported == o.Supported {
			if o.Minutes < out[k].Minutes {
				o.gain = out[k].gain
				out[k] = o
			}
			continue
		}
		e, err := m.Predict(p, q.People)
		if err != nil {
			return nil, err
		}
		o.gain = q.Weights.Combine(e.Gain)
		seen[key] = len(out)
		out = append(out, o)
	}
	return out, nil
}

// maxOptions is the number of programmes an answer lists.
const maxOptions = 5

func (m *Model) rank(a *Answer, s Support, q Question, opts []Option) error {
	best := slices.MaxFunc(opts, func(x, y Option) int { return cmp.Compare(mean(x.gain), mean(y.gain)) })
	alt := q.Against
	if alt == nil {
		p, err := training.Parse(best.Programme)
		if err != nil {
			return err
		}
		p.Phases[0].Frequency = span(1)
		alt = &p
	}
	e, err := m.Predict(*alt, q.People)
	if err != nil {
		return err
	}
	other := q.Weights.Combine(e.Gain)
	a.Alternative, a.AltEffect = alt.String(), levels(other)
	for i := range opts {
		o := &opts[i]
		o.TiesBest = probMore(best.gain, o.gain, q.Negligible) < 0.5
		group := m.NewTrial(o.gain, q.Seed)
		o.Effect, o.NewGroup = levels(o.gain), levels(group)
		o.GroupBeats, o.GroupMID = ProbAbove(group, 0), ProbAbove(group, q.MID)
		o.BeatsNone, o.ProbMID, o.BeatsOther = ProbAbove(o.gain, 0), ProbAbove(o.gain, q.MID), probMore(o.gain, other, q.Negligible)
	}
	slices.SortStableFunc(opts, func(x, y Option) int {
		switch {
		case x.TiesBest != y.TiesBest:
			if x.TiesBest {
				return -1
			}
			return 1
		case x.TiesBest && x.Minutes != y.Minutes:
			return cmp.Compare(x.Minutes, y.Minutes)
		}
		return cmp.Compare(mean(y.gain), mean(x.gain))
	})
	// of those that tie: the shortest of each number of sessions; then the best
	var list []Option
	sessions := map[float64]bool{}
	for _, o := range opts {
		if o.TiesBest && !sessions[o.Sessions] && len(list) < maxOptions-1 {
			sessions[o.Sessions] = true
			list = append(list, o)
		}
	}
	if !slices.ContainsFunc(list, func(o Option) bool { return o.Programme == best.Programme }) {
		for _, o := range opts {
			if o.Programme == best.Programme {
				list = append(list, o)
			}
		}
	}
	for _, o := range opts {
		if len(list) < maxOptions && !o.TiesBest && !sessions[o.Sessions] {
			sessions[o.Sessions] = true
			list = append(list, o)
		}
	}
	a.Options = list
	return nil
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v
	}
	return m / float64(len(x))
}

// probMore is the probability that x exceeds y by more than d, draw by draw.
func probMore(x, y []float64, d float64) float64 {
	n := 0
	for k := range x {
		if x[k]-y[k] > d {
			n++
		}
	}
	return float64(n) / float64(len(x))
}

// String names the outcome that weights make.
func (w Weights) String() string {
	var parts []string
	for d, v := range w {
		if v > 0 {
			name := calibrate.Domains[d]
			if name == "speed" {
				name = "processing speed"
			}
			if v < 1 {
				name = fmt.Sprintf("%s %.0f%%", name, 100*v)
			}
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, ", ")
}

// speak puts the answer in plain words.
func (a *Answer) speak(q Question) {
	say := func(format string, args ...any) { a.Plain = append(a.Plain, fmt.Sprintf(format, args...)) }
	first := a.Options[0]
	ties := 0
	for _, o := range a.Options {
		if o.TiesBest {
			ties++
		}
	}
	if ties > 1 {
		say("%d of the programmes below do about the same for %s: the differences are smaller than %.2g SD or cannot be told from nothing. Choose the one that will be kept up; the least weekly time comes first.", ties, a.Outcome, q.Negligible)
	}
	say("%s: about %.0f minutes a week. On average over people like this the effect on %s is most likely between %.2f and %.2f SD, and could be %.2f to %.2f (95 %%).", first.Programme, first.Minutes, a.Outcome, first.Effect.Low50, first.Effect.High50, first.Effect.Low95, first.Effect.High95)
	say("Groups differ. Of 100 new groups of people about %.0f would do better on average than without training, and about %.0f by more than %.2g SD, the difference taken as worth noticing.", 100*first.GroupBeats, 100*first.GroupMID, q.MID)
	say("Against the alternative (%s) it is better by more than a negligible %.2g SD with probability %.2f.", a.Alternative, q.Negligible, first.BeatsOther)
	if !first.Supported {
		say("No trial trained like this: the answer is an extrapolation of the model and should be read as a guess.")
	}
	if a.Unsupported > 0 && !q.Extrapolate {
		say("%d of %d programmes were left out because no trial trained near them.", a.Unsupported, a.Considered)
	}
	say("A single person's own change also holds practice, measurement error and much that no model knows; these figures are about groups.")
	a.BeforeStart = []string{
		"This is not medical advice. Ask a physician first with chest pain, heart failure, uncontrolled blood pressure or arrhythmia, an aneurysm, a recent operation, fracture or eye surgery, acute infection, dizziness or falls, or an unstable joint.",
		"Begin with two weeks at lower loads, learn the exercises under supervision, breathe out while lifting, and stop with pain in the chest, unusual breathlessness or joint pain.",
		"With dementia or frailty train under supervision only.",
	}
}
