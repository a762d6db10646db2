package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/sbml"
	"github.com/myoaxis/myoaxis/sensitivity"
	"github.com/spf13/cobra"
)

// sensitivityRequest is what the flags ask for.
type sensitivityRequest struct {
	method, factors, output string
	duration                float64
	set                     sensitivity.Settings
}

func (a *app) sbmlSensitivityCmd() *cobra.Command {
	var q sensitivityRequest
	c := &cobra.Command{
		Use: "sensitivity MODEL", Short: "What an output depends on: local derivatives, Sobol indices or Morris effects",
		Long: "local solves the forward sensitivity equations; sobol gives the shares of variance and morris the elementary effects over the\n" +
			"ranges of --factors, both with bootstrap intervals. Factors are parameters or start amounts of species.",
		Example: "  myoaxis sbml sensitivity model.xml --output '[S2]' --duration 10\n" +
			"  myoaxis sbml sensitivity model.ant --method sobol --factors k1=0.1:1,k2=0.5:2 --output S2 --duration 10",
		Args: exactly(1, "name one model file", "for example: myoaxis sbml sensitivity model.xml --output S1"),
		RunE: func(c *cobra.Command, args []string) error {
			_, _, b, err := buildModel(args[0])
			if err != nil {
				return err
			}
			at := b.Output(q.output)
			switch {
			case at < 0:
				return usage(fmt.Errorf("--output %q is no variable of the model", q.output), "S is the amount and [S] the concentration of a species")
			case !(q.duration > 0) || math.IsInf(q.duration, 0):
				return usage(fmt.Errorf("--duration %g is not positive", q.duration), "the time of the output")
			}
			if q.method == "local" {
				return a.localSensitivity(c.Context(), b, q, at)
			}
			return a.globalSensitivity(c.Context(), b, q, at)
		},
	}
	f := c.Flags()
	f.StringVar(&q.method, "method", "local", "local, sobol or morris")
	f.StringVar(&q.factors, "factors", "", "local: names, all parameters where left out; else ranges name=low:high, separated by commas")
	f.StringVar(&q.output, "output", "", "variable whose value at the end is asked about")
	f.Float64Var(&q.duration, "duration", 10, "time of the output")
	f.IntVar(&q.set.N, "n", 0, "sobol: rows of each sample matrix (512); morris: trajectories (20)")
	f.IntVar(&q.set.Bootstrap, "bootstrap", 500, "bootstrap samples of the intervals")
	f.Uint64Var(&q.set.Seed, "seed", 1, "seed of the sample")
	a.jsonFlag(c)
	return c
}

// place finds a parameter or, where there is none, a state.
func place(b *sbml.Built, name string) (param, state int) {
	if p := b.K.Param(name); p >= 0 {
		return p, -1
	}
	for i, s := range b.K.States {
		if s.Name == name {
			return -1, i
		}
	}
	return -1, -1
}

func unknownFactor(name string) error {
	return usage(fmt.Errorf("--factors: %q is neither a parameter nor a species that reactions or rules change", name), "names are those of the model; local parameters are REACTION.NAME")
}

var sensitivitySettings = kinetics.Settings{Settings: ode.Settings{RTol: 1e-8, ATol: 1e-12}, Seed: 1}

// constants are the parameters that no event sets.
func constants(b *sbml.Built) (out []int) {
	set := map[int]bool{}
	for _, e := range b.K.Events {
		for _, x := range e.Assign {
			set[x.Param] = true
		}
	}
	for i := range b.K.Params {
		if !set[i] {
			out = append(out, i)
		}
	}
	return out
}

func (a *app) localSensitivity(ctx context.Context, b *sbml.Built, q sensitivityRequest, at int) error {
	var params, states []int
	if q.factors == "" {
		params = constants(b)
	}
	for _, name := range strings.Split(q.factors, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		p, s := place(b, name)
		switch {
		case p >= 0:
			params = append(params, p)
		case s >= 0:
			states = append(states, s)
		default:
			return unknownFactor(name)
		}
	}
	var names []string
	for _, p := range params {
		names = append(names, b.K.Params[p].Name)
	}
	for _, s := range states {
		names = append(names, b.K.States[s].Name)
	}
	m, err := b.K.Sensitivities(params, states)
	if err != nil {
		return &Fault{Code: ExitUnsupported, Err: err, Hint: "sobol and morris take any model"}
	}
	var value float64
	d := make([]float64, len(names))
	first := len(b.K.Outputs) + at*len(names)
	_, err = kinetics.Compile(m).Simulate(ctx, kinetics.Task{T1: q.duration, Times: []float64{q.duration}}, sensitivitySettings, func(_ int, _ float64, v []float64) error {
		value = v[at]
		copy(d, v[first:first+len(names)])
		return nil
	})
	if err != nil {
		return err
	}
	if a.json {
		rows := []map[string]any{}
		for i, n := range names {
			rows = append(rows, map[string]any{"factor": n, "derivative": d[i]})
		}
		return a.printJSON(map[string]any{"method": "local", "output": q.output, "time": q.duration, "value": value, "factors": rows})
	}
	fmt.Fprintf(a.sys.Stdout, "%s at %g: %.6g\n", q.output, q.duration, value)
	w := tabwriter.NewWriter(a.sys.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "factor\tderivative")
	for i, n := range names {
		fmt.Fprintf(w, "%s\t%.6g\n", n, d[i])
	}
	return w.Flush()
}

// ranges reads name=low:high.
func ranges(b *sbml.Built, text string) (factors []sensitivity.Factor, params, states []int, err error) {
	for _, part := range strings.Split(text, ",") {
		name, span, ok := strings.Cut(strings.TrimSpace(part), "=")
		lo, hi, ok2 := strings.Cut(span, ":")
		l, err1 := strconv.ParseFloat(strings.TrimSpace(lo), 64)
		h, err2 := strconv.ParseFloat(strings.TrimSpace(hi), 64)
		if !ok || !ok2 || err1 != nil || err2 != nil || !(l < h) || math.IsInf(l, 0) || math.IsInf(h, 0) {
			return nil, nil, nil, usage(fmt.Errorf("--factors: %q is no range", part), "for example k1=0.1:1,k2=0.5:2")
		}
		p, s := place(b, name)
		if p < 0 && s < 0 {
			return nil, nil, nil, unknownFactor(name)
		}
		factors = append(factors, sensitivity.Uniform(name, l, h))
		params, states = append(params, p), append(states, s)
	}
	return factors, params, states, nil
}

func (a *app) globalSensitivity(ctx context.Context, b *sbml.Built, q sensitivityRequest, at int) error {
	factors, params, states, err := ranges(b, q.factors)
	if err != nil {
		return err
	}
	task := func(point []float64) kinetics.Task {
		t := kinetics.Task{Params: b.K.Values(), Initial: make([]float64, len(b.K.States)), T1: q.duration, Times: []float64{q.duration}}
		for i := range t.Initial {
			t.Initial[i] = math.NaN()
		}
		for i, v := range point {
			if params[i] >= 0 {
				t.Params[params[i]] = v
			} else {
				t.Initial[states[i]] = v
			}
		}
		return t
	}
	f := sensitivity.OfEnsemble(b.Sys, sensitivitySettings, task, []sensitivity.Target{{Output: at}})
	columns := map[string][][]sensitivity.Index{}
	var order []string
	var n int
	switch q.method {
	case "sobol":
		r, err := sensitivity.Sobol(ctx, factors, f, q.set)
		if err != nil {
			return sensitivityFault(err)
		}
		columns, order, n = map[string][][]sensitivity.Index{"first": r.First, "total": r.Total}, []string{"first", "total"}, r.Evaluations
	case "morris":
		r, err := sensitivity.Morris(ctx, factors, f, q.set)
		if err != nil {
			return sensitivityFault(err)
		}
		columns, order, n = map[string][][]sensitivity.Index{"mu_star": r.MuStar, "mu": r.Mu, "sigma": r.Sigma}, []string{"mu_star", "mu", "sigma"}, r.Evaluations
	default:
		return usage(fmt.Errorf("--method %q is not known", q.method), "local, sobol or morris")
	}
	if a.json {
		rows := []map[string]any{}
		for i, fac := range factors {
			row := map[string]any{"factor": fac.Name}
			for _, c := range order {
				x := columns[c][0][i]
				row[c], row[c+"_ci_low"], row[c+"_ci_high"] = x.Estimate, x.Low, x.High
			}
			rows = append(rows, row)
		}
		return a.printJSON(map[string]any{"method": q.method, "output": q.output, "time": q.duration, "evaluations": n, "seed": q.set.Seed, "level": 95, "factors": rows})
	}
	return sensitivityTable(a.sys.Stdout, factors, columns, order, n)
}

func sensitivityTable(out io.Writer, factors []sensitivity.Factor, columns map[string][][]sensitivity.Index, order []string, n int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "factor\t%s (95%% interval)\n", strings.Join(order, " (95% interval)\t"))
	for i, fac := range factors {
		fmt.Fprint(w, fac.Name)
		for _, c := range order {
			x := columns[c][0][i]
			fmt.Fprintf(w, "\t%.3g (%.3g to %.3g)", x.Estimate, x.Low, x.High)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d model runs\n", n)
	return w.Flush()
}

func sensitivityFault(err error) error {
	switch err {
	case sensitivity.ErrNoFactors, sensitivity.ErrSettings:
		return usage(err, "check --factors, --n and --bootstrap")
	case sensitivity.ErrNotFinite:
		return &Fault{Code: ExitNumerical, Err: err, Hint: "narrow the ranges of --factors"}
	}
	return err
}
