// Package petab writes parameter estimation problems in the PEtab format,
// version 2 (PEtab documentation, https://petab.readthedocs.io): tables of
// parameters, observables, conditions, experiments and measurements beside an
// SBML model. It knows nothing of what the model is about.
package petab

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Parameter of the problem. Prior is a PEtab v2 distribution ("normal",
// "log-normal", "uniform") or "" for none.
type Parameter struct {
	ID          string
	Lower       float64
	Upper       float64
	Nominal     float64
	Estimate    bool
	Prior       string
	PriorParams []float64
}

// Observable is a formula of the model with its noise; placeholders of the
// noise formula take their values from the measurements.
type Observable struct {
	ID, Name, Formula, Noise string
	Placeholders             []string
}

// Change sets a model entity.
type Change struct {
	Target string
	Value  float64
}

// Condition is a set of changes.
type Condition struct {
	ID      string
	Changes []Change
}

// Period is a condition from a time on.
type Period struct {
	Time      float64
	Condition string
}

// Experiment is a course of periods.
type Experiment struct {
	ID      string
	Periods []Period
}

// Measurement is one value. Simulated is what the writer's own solver gives at
// the nominal parameters.
type Measurement struct {
	Observable, Experiment string
	Time, Value            float64
	Noise                  []float64
	Simulated              float64
	Comment                string
}

// Left is an observation the format has no place for.
type Left struct{ ID, Reason string }

// Problem is a whole problem; Model is the text of the SBML model.
type Problem struct {
	ID           string
	Model        []byte
	Parameters   []Parameter
	Observables  []Observable
	Conditions   []Condition
	Experiments  []Experiment
	Measurements []Measurement
	Left         []Left
	Notes        []string
}

// File is one file of a problem.
type File struct {
	Name string
	Data []byte
}

// Files returns the problem's files in a fixed order, problem.yaml first.
// simulations.tsv holds the writer's own values and not_represented.tsv what
// the format has no place for; problem.yaml names neither.
func (p Problem) Files() []File {
	yaml := fmt.Sprintf("format_version: 2.0.0\nmodel_files:\n  %s:\n    location: model.xml\n    language: sbml\nparameter_files:\n  - parameters.tsv\nobservable_files:\n  - observables.tsv\ncondition_files:\n  - conditions.tsv\nexperiment_files:\n  - experiments.tsv\nmeasurement_files:\n  - measurements.tsv\n", p.ID)
	var left strings.Builder
	left.WriteString("observation\treason\n")
	for _, l := range p.Left {
		fmt.Fprintf(&left, "%s\t%s\n", cell(l.ID), cell(l.Reason))
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&left, "(all)\t%s\n", cell(n))
	}
	return []File{{"problem.yaml", []byte(yaml)}, {"model.xml", p.Model}, {"parameters.tsv", p.parameters()}, {"observables.tsv", p.observables()}, {"conditions.tsv", p.conditions()},
		{"experiments.tsv", p.experiments()}, {"measurements.tsv", p.measurements("measurement")}, {"simulations.tsv", p.measurements("simulation")}, {"not_represented.tsv", []byte(left.String())}}
}

// cell keeps a text within its cell.
func cell(s string) string {
	return strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(s)
}

func num(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case math.IsNaN(v):
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func list(v []float64) string {
	s := make([]string, len(v))
	for i, x := range v {
		s[i] = num(x)
	}
	return strings.Join(s, ";")
}

func (p Problem) parameters() []byte {
	var b strings.Builder
	b.WriteString("parameterId\tlowerBound\tupperBound\tnominalValue\testimate\tpriorDistribution\tpriorParameters\n")
	for _, q := range p.Parameters {
		lo, hi := num(q.Lower), num(q.Upper)
		if !q.Estimate {
			lo, hi = "", ""
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%t\t%s\t%s\n", q.ID, lo, hi, num(q.Nominal), q.Estimate, q.Prior, list(q.PriorParams))
	}
	return []byte(b.String())
}

func (p Problem) observables() []byte {
	var b strings.Builder
	b.WriteString("observableId\tobservableName\tobservableFormula\tnoiseFormula\tnoiseDistribution\tnoisePlaceholders\n")
	for _, o := range p.Observables {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\tnormal\t%s\n", o.ID, cell(o.Name), cell(o.Formula), cell(o.Noise), strings.Join(o.Placeholders, ";"))
	}
	return []byte(b.String())
}

func (p Problem) conditions() []byte {
	var b strings.Builder
	b.WriteString("conditionId\ttargetId\ttargetValue\n")
	for _, c := range p.Conditions {
		for _, ch := range c.Changes {
			fmt.Fprintf(&b, "%s\t%s\t%s\n", c.ID, ch.Target, num(ch.Value))
		}
	}
	return []byte(b.String())
}

func (p Problem) experiments() []byte {
	var b strings.Builder
	b.WriteString("experimentId\ttime\tconditionId\n")
	for _, e := range p.Experiments {
		for _, q := range e.Periods {
			fmt.Fprintf(&b, "%s\t%s\t%s\n", e.ID, num(q.Time), q.Condition)
		}
	}
	return []byte(b.String())
}

func (p Problem) measurements(column string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "observableId\texperimentId\ttime\t%s\tnoiseParameters\n", column)
	for _, m := range p.Measurements {
		v := m.Value
		if column == "simulation" {
			v = m.Simulated
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\n", m.Observable, m.Experiment, num(m.Time), num(v), list(m.Noise))
	}
	return []byte(b.String())
}
