package calibrate

import (
	"context"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
)

// Verdict is how well one model predicts the studies of one class.
type Verdict struct {
	Model   string  `json:"model"`
	Class   string  `json:"class"`
	Studies int     `json:"studies"`
	Rows    int     `json:"rows"`
	ELPD    float64 `json:"elpd"` // expected log predictive density, sum over studies
	ELPDSE  float64 `json:"elpd_se"`
	// Difference to the axis: positive where the model predicts better.
	Difference   float64 `json:"elpd_minus_axis"`
	DifferenceSE float64 `json:"elpd_minus_axis_se"`
	Cover50      float64 `json:"coverage_50"`
	Cover80      float64 `json:"coverage_80"`
	Cover95      float64 `json:"coverage_95"`
	PIT          []int   `json:"pit_histogram"` // ten bins
	HighK        int     `json:"studies_with_pareto_k_over_0_7"`
	Refitted     int     `json:"studies_refitted"`
	units        []UnitScore
}

// Validation compares the axis with models that know no biology on studies
// that none of them has seen.
type Validation struct {
	Method   string      `json:"method"`
	Pack     string      `json:"pack"`
	Model    string      `json:"model"`
	Verdicts []Verdict   `json:"verdicts"`
	Studies  []UnitScore `json:"studies"` // of the axis
	Rows     []RowScore  `json:"rows"`
	Checks   []Check     `json:"checks"`
	Excluded []Unused    `json:"excluded"`
}

// Check is a prediction held against the difference of two arms.
type Check struct {
	Name      string  `json:"name"`
	Unit      string  `json:"unit"`
	Median    float64 `json:"predicted"`
	Low       float64 `json:"predicted_low_95"`
	High      float64 `json:"predicted_high_95"`
	Observed  float64 `json:"observed"`
	ObsLow    float64 `json:"observed_low_95"`
	ObsHigh   float64 `json:"observed_high_95"`
	Source    string  `json:"source"`
	RightSign bool    `json:"right_order"`
}

// rivalSettings of the fits of rivals: few parameters, short chains.
func rivalSettings(seed uint64) Settings {
	return Settings{Seed: seed, Warm: 200, Sweeps: 300, Chains: 2 * Lanes, Draws: 1000}
}

func (c chains) drawSet(t target, draws int) drawSet {
	p := thin(c, t, Settings{Draws: draws})
	return drawSet{p.Z, p.On}
}

// fitRival samples a rival's posterior.
func fitRival(ctx context.Context, kind Rival, class Class, obs []Observation, seed uint64) (drawSet, error) {
	var t *rivalTarget
	c, err := sample(ctx, rivalSettings(seed), "", func() (target, error) { t = newRival(kind, class, obs); return t, nil })
	if err != nil {
		return drawSet{}, err
	}
	return c.drawSet(t, 1000), nil
}

// comparedClasses have rivals.
var comparedClasses = map[Class][]Rival{Cognition: Rivals, Chronic: {RandomEffects, NoEffect}}

// LeaveOneOut validates a posterior on its own pack, one cohort left out at a
// time: by Pareto-smoothed importance sampling, and by refitting where its
// diagnostic fails (k > 0.7) and refit is set. The seed is that of refits, of
// rivals, and of the place of partial reports within their range.
func LeaveOneOut(ctx context.Context, p *evidence.Pack, m *axis.Model, post *Posterior, refit bool, seed uint64) (*Validation, error) {
	pr := NewProblem(p, m)
	t, err := newFitTarget(m, post.Space, pr.Data.Observations, Lanes)
	if err != nil {
		return nil, err
	}
	v := &Validation{Method: "leave-one-study-out by Pareto-smoothed importance sampling (a study is a cohort within a class of observations)", Pack: post.Pack, Model: post.Model, Excluded: []Unused{}}
	us, rs := judge(t, evaluateDraws(t, drawSet{post.Z, post.On}, Lanes), true, seed)
	build := func() (scorer, []bool, error) {
		ft, err := newFitTarget(m, post.Space, pr.Data.Observations, Lanes)
		return ft, ft.skip, err
	}
	start := Settings{Seed: seed, Warm: 100, Sweeps: 125, from: post}
	refitted := map[string]int{}
	if refit {
		if refitted, err = refitUnsure(ctx, start, build, us, rs); err != nil {
			return nil, err
		}
	}
	for class := range classes {
		axisVerdict := verdict("axis", class.String(), us, rs)
		axisVerdict.Refitted = refitted[class.String()]
		v.Verdicts = append(v.Verdicts, axisVerdict)
		for _, kind := range comparedClasses[class] {
			x, err := rivalLeftOut(ctx, kind, class, pr.Data.Observations, seed, refit)
			if err != nil {
				return nil, err
			}
			v.Verdicts = append(v.Verdicts, x.against(axisVerdict))
		}
	}
	v.Studies, v.Rows = us, rs
	v.Checks, err = checks(pr, post)
	return v, err
}

// rivalLeftOut is a rival's verdict, by the same means as the axis's.
func rivalLeftOut(ctx context.Context, kind Rival, class Class, obs []Observation, seed uint64, refit bool) (Verdict, error) {
	d, err := fitRival(ctx, kind, class, obs, seed)
	if err != nil {
		return Verdict{}, err
	}
	t := newRival(kind, class, obs)
	us, rs := judge(t, evaluateDraws(t, d, Lanes), true, seed)
	refitted := map[string]int{}
	if refit {
		build := func() (scorer, []bool, error) { rt := newRival(kind, class, obs); return rt, rt.skip, nil }
		if refitted, err = refitUnsure(ctx, rivalSettings(seed), build, us, rs); err != nil {
			return Verdict{}, err
		}
	}
	v := verdict(string(kind), class.String(), us, rs)
	v.Refitted = refitted[class.String()]
	return v, nil
}

// refitUnsure fits anew without each unit whose importance weights fail, and
// scores it; build makes a target and its list of clusters to skip. It counts
// the refits by class.
func refitUnsure(ctx context.Context, set Settings, build func() (scorer, []bool, error), us []UnitScore, rs []RowScore) (map[string]int, error) {
	n := map[string]int{}
	for u := range us {
		if !us[u].unsure() {
			continue
		}
		var t scorer
		var skip []bool
		c, err := sample(ctx, set, "", func() (target, error) {
			var err error
			if t, skip, err = build(); err != nil {
				return nil, err
			}
			for _, k := range t.unitsOf()[u].Clusters {
				skip[k] = true
			}
			return t, nil
		})
		if err != nil {
			return nil, err
		}
		clear(skip)
		newU, newR := judge(t, evaluateDraws(t, c.drawSet(t, 1000), Lanes), false, set.Seed)
		newU[u].ParetoK = us[u].ParetoK
		us[u] = newU[u]
		for _, i := range t.unitsOf()[u].Rows {
			rs[i] = newR[i]
		}
		n[us[u].Class]++
	}
	return n, nil
}

// NewStudies scores a posterior, and rivals fitted to its own pack, on a pack
// of studies they have not seen. Studies of the posterior's pack are left out.
func NewStudies(ctx context.Context, own, fresh *evidence.Pack, m *axis.Model, post *Posterior, seed uint64) (*Validation, error) {
	old := NewProblem(own, m)
	pr := Problem{Model: m, Space: post.Space, Data: collect(fresh, modelInfo{m.K}, changeSD(own))}
	v := &Validation{Method: "predictions for studies the posterior has not seen", Pack: PackHash(fresh), Model: post.Model, Excluded: []Unused{}, Checks: []Check{}}
	obs := unseen(own, fresh, pr.Data.Observations, v)
	v.Excluded = append(v.Excluded, pr.Data.Unused...)
	if len(obs) == 0 {
		return v, &TooFewError{0}
	}
	t, err := newFitTarget(m, post.Space, obs, Lanes)
	if err != nil {
		return nil, err
	}
	us, rs := judge(t, evaluateDraws(t, drawSet{post.Z, post.On}, Lanes), false, seed)
	for class := range classes {
		axisVerdict := verdict("axis", class.String(), us, rs)
		if axisVerdict.Rows == 0 {
			continue
		}
		v.Verdicts = append(v.Verdicts, axisVerdict)
		for _, kind := range comparedClasses[class] {
			d, err := fitRival(ctx, kind, class, old.Data.Observations, seed)
			if err != nil {
				return nil, err
			}
			rt := newRival(kind, class, obs)
			rus, rrs := judge(rt, evaluateDraws(rt, d, Lanes), false, seed)
			v.Verdicts = append(v.Verdicts, verdict(string(kind), class.String(), rus, rrs).against(axisVerdict))
		}
	}
	v.Studies, v.Rows = us, rs
	return v, nil
}

// unseen leaves out studies that the posterior has seen, by id or DOI.
func unseen(own, fresh *evidence.Pack, obs []Observation, v *Validation) (out []Observation) {
	seen := map[string]bool{}
	for _, s := range own.Studies {
		seen[s.ID] = true
		if s.DOI != "" {
			seen[s.DOI] = true
		}
	}
	for _, o := range own.Muscle {
		seen[o.StudyID] = true
	}
	for _, o := range obs {
		s, _ := fresh.Study(o.Study)
		if seen[o.Study] || s.DOI != "" && seen[s.DOI] {
			v.Excluded = append(v.Excluded, Unused{o.Class.String(), o.ID, "its study is in the pack the posterior was made from"})
			continue
		}
		out = append(out, o)
	}
	return out
}

func verdict(model, class string, us []UnitScore, rs []RowScore) Verdict {
	v := Verdict{Model: model, Class: class, PIT: make([]int, 10)}
	var per []float64
	for _, u := range us {
		if u.Class != class {
			continue
		}
		v.Studies++
		v.units = append(v.units, u)
		per = append(per, u.ELPD)
		v.ELPD += u.ELPD
		if u.unsure() {
			v.HighK++
		}
	}
	v.ELPD, v.ELPDSE = round4(v.ELPD), round4(sumSE(per))
	for _, r := range rs {
		if r.Class != class {
			continue
		}
		v.Rows++
		v.PIT[min(int(r.PIT*10), 9)]++
		d := math.Abs(r.PIT - 0.5)
		v.Cover50 += b2f(d <= 0.25)
		v.Cover80 += b2f(d <= 0.40)
		v.Cover95 += b2f(d <= 0.475)
	}
	if v.Rows > 0 {
		n := float64(v.Rows)
		v.Cover50, v.Cover80, v.Cover95 = round4(v.Cover50/n), round4(v.Cover80/n), round4(v.Cover95/n)
	}
	return v
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// sumSE is the standard error of a sum over studies.
func sumSE(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	_, s2 := meanVar(x)
	return math.Sqrt(s2 * float64(len(x)))
}

func (v Verdict) against(a Verdict) Verdict {
	var d []float64
	for i := range v.units {
		d = append(d, v.units[i].ELPD-a.units[i].ELPD)
		v.Difference += d[i]
	}
	v.Difference, v.DifferenceSE = round4(v.Difference), round4(sumSE(d))
	return v
}

// Find returns a verdict.
func (v *Validation) Find(model, class string) *Verdict {
	i := slices.IndexFunc(v.Verdicts, func(x Verdict) bool { return x.Model == model && x.Class == class })
	if i < 0 {
		return nil
	}
	return &v.Verdicts[i]
}

// checks compares predicted differences of randomised doses with the observed
// ones.
func checks(pr Problem, post *Posterior) ([]Check, error) {
	t, err := newFitTarget(pr.Model, post.Space, pr.Data.Observations, Lanes)
	if err != nil {
		return nil, err
	}
	k := slices.IndexFunc(t.fwd.modules, func(m *module) bool { return m.name == "muscle" })
	if k < 0 {
		return []Check{}, nil
	}
	pred := predictions(t, k, post)
	mean := func(ids []string) (y, v float64, draws []float64) {
		draws = make([]float64, len(post.Z))
		for _, id := range ids {
			i := slices.IndexFunc(t.obs, func(o Observation) bool { return o.ID == id })
			if i < 0 {
				return math.NaN(), 0, nil
			}
			r := t.obs[i].Result
			y += r.Y / float64(len(ids))
			v += r.S * r.S / float64(len(ids)*len(ids))
			for d, x := range pred[i] {
				draws[d] += x / float64(len(ids))
			}
		}
		return y, v, draws
	}
	out := []Check{}
	for _, c := range []struct {
		name, source string
		a, b         []string
	}{
		{"strength, 3 sets against 1 (leg press and leg extension)", "Hammarström et al. 2020, open data", []string{"muscle-legpress-3", "muscle-legext-3"}, []string{"muscle-legpress-1", "muscle-legext-1"}},
		{"lean mass of the leg, 3 sets against 1", "Hammarström et al. 2020, open data", []string{"muscle-dxa-3"}, []string{"muscle-dxa-1"}},
		{"strength, 10RM against 30RM (three exercises)", "Øfsteng et al. 2024, open data", []string{"muscle-10RM-benchpress", "muscle-10RM-bicepscurl", "muscle-10RM-legpress"}, []string{"muscle-30RM-benchpress", "muscle-30RM-bicepscurl", "muscle-30RM-legpress"}},
	} {
		ya, va, da := mean(c.a)
		yb, vb, db := mean(c.b)
		if da == nil || db == nil {
			continue
		}
		for d := range da {
			da[d] -= db[d]
		}
		ck := newCheck(c.name, "log ratio of gains", c.source, da)
		se := 1.96 * math.Sqrt(va+vb)
		ck.Observed, ck.ObsLow, ck.ObsHigh = round6(ya-yb), round6(ya-yb-se), round6(ya-yb+se)
		ck.RightSign = ck.Median*ck.Observed > 0
		out = append(out, ck)
	}
	return out, nil
}

func newCheck(name, unit, source string, draws []float64) Check {
	s := slices.Clone(draws)
	slices.Sort(s)
	q := func(p float64) float64 { return s[int(p*float64(len(s)-1)+0.5)] }
	return Check{Name: name, Unit: unit, Source: source, Median: round6(q(0.5)), Low: round6(q(0.025)), High: round6(q(0.975))}
}

// predictions of a module for every draw, open doses at their middle.
func predictions(t *fitTarget, module int, post *Posterior) [][]float64 {
	out := make([][]float64, len(t.obs))
	for i := range out {
		out[i] = make([]float64, len(post.Z))
	}
	s := newState(len(post.Space.Coords), len(post.Space.Gates), len(t.cs), Lanes)
	pred := newState(len(t.obs), 0, 0, Lanes).z
	for from := 0; from < len(post.Z); from += Lanes {
		drawSet{post.Z, post.On}.fill(s, from)
		t.predict(module, s, pred)
		for i := range out {
			copy(out[i][from:], pred[i])
		}
	}
	return out
}
