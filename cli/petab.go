package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/petab"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/sbml"
	"github.com/myoaxis/myoaxis/training"
)

// petabBuilder turns the calibration problem into PEtab.
type petabBuilder struct {
	m     *axis.Model
	post  *calibrate.Posterior
	id    map[string]string // name of the model -> id in SBML
	param []float64         // nominal
	out   petab.Problem
	seen  map[string]bool
	tasks []petabTask
}

// petabTask is a run that gives the writer's own values of measurements.
type petabTask struct {
	task     kinetics.Task
	quantity string
	of       int // measurement
	value    func(x float64) float64
}

func exportPetab(ctx context.Context, p *evidence.Pack, m *axis.Model, post *calibrate.Posterior) (*petab.Problem, error) {
	b := &petabBuilder{m: m, post: post, id: map[string]string{}, seen: map[string]bool{}, param: m.K.Values()}
	post.Typical(b.param)
	for name, v := range population.DefaultPerson().Values() {
		b.param[m.K.Param(name)] = v
	}
	x := sbml.Export{ID: "muscle_brain_axis", TimeUnits: "hour", Params: b.param, Initial: population.Start(m, b.param),
		Describe: func(name, metaid string) (string, string) {
			return axisNotes(m, name), axisAnnotation(p, m, name, metaid)
		}}
	model, err := sbml.FromKinetics(m.K, x)
	if err != nil {
		return nil, err
	}
	for _, q := range model.Parameters {
		b.id[q.Name] = q.ID
	}
	text, err := sbml.Write(model, axisNamespaces)
	if err != nil {
		return nil, err
	}
	b.out = petab.Problem{ID: "muscle_brain_axis", Model: text, Notes: []string{
		"the random effect that outcomes of one cohort share: PEtab noise is independent, the variances are added",
		"prior inclusion probabilities of links: a link is fixed at its posterior probability",
		"doses that a paper leaves open: at the middle of their range"}}
	b.parameters()
	for _, o := range calibrate.NewProblem(p, m).Data.Observations {
		b.observation(o)
	}
	return &b.out, b.simulate(ctx)
}

// parameters lists those with priors; tau and shares of the likelihood carry
// the nominal value of the posterior.
func (b *petabBuilder) parameters() {
	for i, c := range b.post.Space.Coords {
		if c.Name == "mention" || strings.HasPrefix(c.Name, "resp.") {
			continue
		}
		id, ok := b.id[c.Name]
		if !ok {
			id = strings.ReplaceAll(c.Name, ".", "_")
			b.id[c.Name] = id
		}
		q := petab.Parameter{ID: id, Estimate: true, Nominal: b.post.Median(i), Lower: math.Inf(-1), Upper: math.Inf(1)}
		q.Prior, q.PriorParams, q.Lower = c.Distribution()
		b.out.Parameters = append(b.out.Parameters, q)
	}
	typical := b.m.K.Values()
	b.post.Typical(typical)
	for _, g := range b.post.Space.Gates {
		b.out.Parameters = append(b.out.Parameters, petab.Parameter{ID: b.id[g.Name], Nominal: typical[g.Param]})
	}
}

// observation adds a measurement, or says why the format has no place for it.
func (b *petabBuilder) observation(o calibrate.Observation) {
	leave := func(reason string) { b.out.Left = append(b.out.Left, petab.Left{ID: o.ID, Reason: reason}) }
	switch {
	case !o.Result.Numeric:
		leave("a partial report (" + string(o.Result.Form) + ")")
		return
	case o.SinceEnd:
		leave("a change between two times of one run")
		return
	case o.Class == calibrate.Acute && calibrate.Mixture(o.Entity):
		leave("a mixture of studies with and without a response")
		return
	}
	obs := b.observable(o)
	exp, task := b.experiment(o)
	at := o.Dose.Weeks * training.HoursPerWeek
	if o.Class == calibrate.Acute {
		at = 1 + o.AtH
	}
	task.T1, task.Times = math.Max(at, 1e-6), []float64{at}
	b.tasks = append(b.tasks, petabTask{task, o.Quantity, len(b.out.Measurements), b.scale(o)})
	b.out.Measurements = append(b.out.Measurements, petab.Measurement{Observable: obs, Experiment: exp, Time: at, Value: o.Result.Y, Noise: []float64{o.Result.S}, Comment: o.ID})
}

// scale is what the likelihood compares with a value of the model.
func (b *petabBuilder) scale(o calibrate.Observation) func(float64) float64 {
	nominal := func(name string) float64 { return b.post.Median(b.post.Space.Index(name)) }
	switch o.Class {
	case calibrate.Cognition, calibrate.Mediated:
		return func(x float64) float64 { return x }
	case calibrate.Muscle:
		return func(x float64) float64 { return math.Log1p(x) }
	}
	ratio := 1.0
	if o.Plasma {
		ratio = nominal("plasma")
	}
	if o.ELISA {
		g, shift := b.param[b.m.K.Param("form.irisin_elisa")], nominal("elisa.shift")
		return func(x float64) float64 { return g*ratio*math.Log(x) + (1-g)*shift }
	}
	return func(x float64) float64 { return ratio * math.Log(x) }
}

func (b *petabBuilder) observable(o calibrate.Observation) string {
	q := b.id[o.Quantity]
	id, formula, taus := "obs_"+o.Class.String()+"_"+q, "log("+q+")", []string{"tau.acute", "tau.sample"}
	switch o.Class {
	case calibrate.Cognition, calibrate.Mediated:
		formula, taus = q, []string{"tau.cognition", "tau.outcome"}
	case calibrate.Muscle:
		formula, taus = "log(1 + "+q+")", []string{"tau.muscle", "tau.measure"}
	case calibrate.Chronic:
		taus = []string{"tau.chronic", "tau.sample"}
	}
	if o.Plasma {
		id, formula = id+"_plasma", b.id["plasma"]+"*"+formula
	}
	if o.ELISA {
		g := b.id["form.irisin_elisa"]
		id, formula = id+"_elisa", fmt.Sprintf("%s*%s + (1 - %s)*%s", g, formula, g, b.id["elisa.shift"])
	}
	if !b.seen[id] {
		b.seen[id] = true
		s := "s_" + id
		b.out.Observables = append(b.out.Observables, petab.Observable{ID: id, Name: o.Class.String() + ": " + o.Quantity, Formula: formula,
			Noise: fmt.Sprintf("sqrt(%s^2 + %s^2 + %s^2)", s, b.id[taus[0]], b.id[taus[1]]), Placeholders: []string{s}})
	}
	return id
}

// experiment is the training of an observation, and the run that repeats it
// here.
func (b *petabBuilder) experiment(o calibrate.Observation) (string, kinetics.Task) {
	d := o.Dose
	per, load := d.Middle()
	if o.Class == calibrate.Acute {
		per = d.Volume.Mid() * training.HoursPerWeek // in an hour
	}
	trained := 0.0
	if d.Trained {
		trained = 1
	}
	c := petab.Condition{Changes: []petab.Change{{Target: b.id["vol"], Value: per / training.HoursPerWeek}, {Target: b.id["load"], Value: load}, {Target: b.id["hold"], Value: 1}, {Target: b.id["age"], Value: d.Age}, {Target: b.id["trained"], Value: trained}, {Target: b.id["met"], Value: d.Met}}}
	params := slices.Clone(b.param)
	set := func(name string, v float64) { params[b.m.K.Param(name)] = v }
	set("age", d.Age)
	set("trained", trained)
	set("met", d.Met)
	in := func(name string, v float64) kinetics.Setting {
		return kinetics.Setting{Index: b.m.K.Input(name), Value: v}
	}
	task := kinetics.Task{Params: params, Initial: population.Start(b.m, b.param), Stops: []kinetics.Stop{{T: 0, Set: []kinetics.Setting{in("vol", per/training.HoursPerWeek), in("load", load), in("hold", 1)}}}}
	key := fmt.Sprint(o.Class == calibrate.Acute, c.Changes)
	for i, e := range b.out.Experiments {
		if b.seen["experiment "+e.ID+key] {
			return b.out.Experiments[i].ID, b.addRest(o, task)
		}
	}
	n := len(b.out.Experiments) + 1
	c.ID = fmt.Sprintf("dose_%d", n)
	e := petab.Experiment{ID: fmt.Sprintf("experiment_%d", n), Periods: []petab.Period{{Time: 0, Condition: c.ID}}}
	b.out.Conditions = append(b.out.Conditions, c)
	if o.Class == calibrate.Acute {
		if !b.seen["rest"] {
			b.seen["rest"] = true
			b.out.Conditions = append(b.out.Conditions, petab.Condition{ID: "rest", Changes: []petab.Change{{Target: b.id["vol"], Value: 0}}})
		}
		e.Periods = append(e.Periods, petab.Period{Time: 1, Condition: "rest"})
	}
	b.out.Experiments = append(b.out.Experiments, e)
	b.seen["experiment "+e.ID+key] = true
	return e.ID, b.addRest(o, task)
}

func (b *petabBuilder) addRest(o calibrate.Observation, t kinetics.Task) kinetics.Task {
	if o.Class == calibrate.Acute {
		t.Stops = append(t.Stops, kinetics.Stop{T: 1, Set: []kinetics.Setting{{Index: b.m.K.Input("vol"), Value: 0}}})
	}
	return t
}

// simulate fills in the values of our own solver at the nominal parameters.
func (b *petabBuilder) simulate(ctx context.Context) error {
	k := *b.m.K
	at := map[string]int{}
	for i, o := range k.Outputs {
		at[o.Name] = i
	}
	nOut := len(k.Outputs)
	for i, s := range b.m.K.States { // states are observed too
		at[s.Name] = nOut + i
		k.AddOutput(kinetics.Output{Name: s.Name, Unit: s.Unit}, b.m.K.State(i))
	}
	sys := kinetics.Compile(&k)
	for _, t := range b.tasks {
		col, ok := at[t.quantity]
		if !ok {
			return fmt.Errorf("the model has no quantity %q", t.quantity)
		}
		_, err := sys.Simulate(ctx, t.task, kinetics.Settings{Settings: ode.Settings{Method: ode.Rodas5P, RTol: 1e-9, ATol: 1e-11}}, func(_ int, _ float64, v []float64) error {
			b.out.Measurements[t.of].Simulated = t.value(v[col])
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writePetab writes the files of a problem into a folder.
func writePetab(p *petab.Problem, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return ioFault(dir, err)
	}
	for _, f := range p.Files() {
		if err := writeFile(filepath.Join(dir, f.Name), func(w io.Writer) error { _, err := w.Write(f.Data); return err }); err != nil {
			return err
		}
	}
	return nil
}
