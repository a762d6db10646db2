package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/report"
)

// networkOut is the JSON of a network of agents.
type networkOut struct {
	By      string      `json:"by"`
	Shape   string      `json:"shape"`
	Measure string      `json:"measure"`
	Method  string      `json:"method"`
	Trials  int         `json:"trials"`
	Arms    int         `json:"arms"`
	Level   float64     `json:"level_pct"`
	Tau2    report.Full `json:"tau2"`
	LogLik  report.Full `json:"loglik"`
	Q       report.Full `json:"q"`
	QDF     int         `json:"q_df"`
	QP      report.Full `json:"q_p"`
	LackQ   report.Full `json:"lack_of_fit_q"`
	LackDF  int         `json:"lack_of_fit_df"`
	LackP   report.Full `json:"lack_of_fit_p"`
	Agents  []agentOut  `json:"agents"`
	Notes   []string    `json:"notes"`
}

type agentOut struct {
	Agent        string      `json:"agent"`
	Doses        int         `json:"different_doses"`
	Arms         int         `json:"arms"`
	Coefficients []coefOut   `json:"coefficients"`
	Curve        []dosePoint `json:"curve"`
}

// networkFile is a file of arms with agents, and the shape asked of it.
type networkFile struct {
	shape, measure string
	trials         []doseresponse.NetworkTrial
	notes          []string
}

// readNetwork checks the flags and reads the file; the shape is emax by default.
func (f *doseFlags) readNetwork(a *app, path string) (*networkFile, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	in := &networkFile{shape: f.shape}
	if !f.given("shape") {
		in.shape = "emax"
	}
	if in.shape == "average" || in.shape == "spline" || f.cluster != "" || f.reported != "" || f.stages != 1 || strings.EqualFold(f.method, "MM") {
		return nil, usage(fmt.Errorf("--agent takes the shapes linear, quadratic, emax, exponential and loglinear, in one stage"), "for example --agent agent --shape emax")
	}
	t, err := f.read(a, path)
	if err != nil {
		return nil, err
	}
	in.trials, in.measure, in.notes, err = f.networkTrials(a, t)
	return in, err
}

// fitNetwork fits the curves of several agents to a file of arms.
func (f *doseFlags) fitNetwork(a *app, path string) (*networkOut, error) {
	in, err := f.readNetwork(a, path)
	if err != nil {
		return nil, err
	}
	shape, notes := in.shape, in.notes
	method := f.options().Method
	n, err := doseresponse.FitNetwork(in.trials, doseresponse.Shape(shape), method, f.level/100)
	if err != nil {
		return nil, dataFaultUnlessUsage(path, err)
	}
	if shape == "emax" || shape == "exponential" || shape == "loglinear" {
		notes = append(notes, fmt.Sprintf("the scale of dose of each agent has a log-normal prior around its median dose with SD %g of the logarithm (assumed; free of the unit of dose)", doseresponse.ScalePriorSD))
	}
	num := func(v float64) report.Full { return report.Full(v) }
	out := &networkOut{By: f.by, Shape: shape, Measure: in.measure, Method: strings.ToUpper(method), Trials: n.Trials, Arms: n.Arms, Level: f.level, Tau2: num(n.Tau2), LogLik: num(n.LogLik), Q: num(n.Q), QDF: n.QDF, QP: num(n.QP), LackQ: num(n.LackQ), LackDF: n.LackDF, LackP: num(n.LackP), Notes: notes}
	for _, agent := range n.Agents {
		out.Agents = append(out.Agents, f.agentCurve(n, agent))
	}
	return out, nil
}

func (f *doseFlags) agentCurve(n *doseresponse.Network, agent string) agentOut {
	num := func(v float64) report.Full { return report.Full(v) }
	doses := slices.Sorted(slices.Values(n.Doses(agent)))
	o := agentOut{Agent: agent, Arms: len(doses)}
	top := doses[len(doses)-1]
	for _, t := range n.Terms(agent) {
		o.Coefficients = append(o.Coefficients, coefOut{t.Name, newTerm(t)})
	}
	z := doseresponse.NormalQuantile(f.level / 100)
	for _, x := range f.grid(0, top, 11) {
		e, se := n.At(agent, x)
		p := z * math.Sqrt(se*se+n.Tau2)
		if x == 0 {
			p = 0
		}
		pt := dosePoint{Dose: num(x), Estimate: num(e), CILow: num(e - z*se), CIHigh: num(e + z*se), PILow: num(e - p), PIHigh: num(e + p), Slope: num(math.NaN()), SlopeSE: num(math.NaN()), Extrapolated: x > top}
		for _, d := range doses {
			if math.Abs(d-x) <= 1e-9*(1+x) {
				pt.Support.Rows++
			}
		}
		o.Curve = append(o.Curve, pt)
	}
	o.Doses = len(slices.Compact(doses))
	return o
}

// networkTrials reads arms with an agent: counts (cases of n) as log odds,
// means with SD and n, or effects of each arm with a standard error.
func (f *doseFlags) networkTrials(a *app, t *evidence.Table) (trials []doseresponse.NetworkTrial, measure string, notes []string, err error) {
	if err := column(t, f.agent, "agent"); err != nil {
		return nil, "", nil, err
	}
	if err := column(t, f.by, "by"); err != nil {
		return nil, "", nil, err
	}
	id, ok := f.role(t, "study", f.id, "id")
	if !ok {
		return nil, "", nil, column(t, f.id, "id")
	}
	read, measure, err := f.armReader(t)
	if err != nil {
		return nil, "", nil, err
	}
	fmt.Fprintf(a.sys.Stderr, "columns: agent %s, dose %s, study %s; arms with %s\n", f.agent, f.by, id, measure)
	at := map[string]int{}
	lost := 0
	for r := range t.Rows {
		arm := doseresponse.NetworkArm{Agent: t.Text(r, f.agent)}
		if arm.Dose, err = number(t, r, f.by); err != nil {
			return nil, "", nil, err
		}
		e, v, err := read(r)
		if err != nil {
			return nil, "", nil, err
		}
		if math.IsNaN(arm.Dose) || math.IsNaN(e) || math.IsNaN(v) {
			lost++
			continue
		}
		arm.Effect, arm.Var = e, v
		k, ok := at[t.Text(r, id)]
		if !ok {
			k = len(trials)
			at[t.Text(r, id)] = k
			trials = append(trials, doseresponse.NetworkTrial{ID: t.Text(r, id)})
		}
		trials[k].Arms = append(trials[k].Arms, arm)
	}
	if lost > 0 {
		notes = append(notes, fmt.Sprintf("%d arms without a dose or a result are left out", lost))
	}
	whole := slices.DeleteFunc(trials, func(t doseresponse.NetworkTrial) bool { return len(t.Arms) < 2 })
	if single := len(trials) - len(whole); single > 0 {
		notes = append(notes, fmt.Sprintf("%d trials with one arm left are left out", single))
	}
	return whole, measure, notes, nil
}

// armReader is how the result of an arm and its sampling variance are read.
func (f *doseFlags) armReader(t *evidence.Table) (func(r int) (float64, float64, error), string, error) {
	cells := func(r int, cols ...string) (x []float64, err error) {
		for _, c := range cols {
			v, err := number(t, r, c)
			if err != nil {
				return nil, err
			}
			x = append(x, v)
		}
		return x, nil
	}
	bad := func(r int, col, what string) error {
		return &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %s", t.File, t.Lines[r], t.Col(col)+1, what), Hint: "check the numbers of this row"}
	}
	n, hasN := f.role(t, "n", f.n, "n")
	cases, hasCases := f.role(t, "cases", f.cases, "cases")
	mean, hasMean := f.role(t, "mean", f.mean, "mean")
	sd, hasSD := f.role(t, "sd", f.sd, "sd")
	se, noSE := f.find(t, "sei")
	switch {
	case hasCases && hasN:
		return func(r int) (float64, float64, error) {
			x, err := cells(r, cases, n)
			if err != nil || math.IsNaN(x[0]+x[1]) {
				return math.NaN(), math.NaN(), err
			}
			e, n := x[0], x[1]
			if !(e >= 0 && n >= e && n > 0) {
				return 0, 0, bad(r, cases, fmt.Sprintf("%g of %g is no count", e, n))
			}
			if e == 0 || e == n {
				e, n = e+0.5, n+1
			}
			return math.Log(e / (n - e)), 1/e + 1/(n-e), nil
		}, "log odds of events", nil
	case hasMean && hasSD && hasN:
		return func(r int) (float64, float64, error) {
			x, err := cells(r, mean, sd, n)
			if err != nil || math.IsNaN(x[0]+x[1]+x[2]) {
				return math.NaN(), math.NaN(), err
			}
			if !(x[1] > 0 && x[2] >= 2) {
				return 0, 0, bad(r, sd, fmt.Sprintf("an SD of %g in %g persons", x[1], x[2]))
			}
			return x[0], x[1] * x[1] / x[2], nil
		}, "means", nil
	case hasMean && noSE == nil:
		return func(r int) (float64, float64, error) {
			x, err := cells(r, mean, se.Column)
			if err == nil && x[1] <= 0 {
				err = bad(r, se.Column, fmt.Sprintf("the standard error %g is not above zero", x[1]))
			}
			if err != nil {
				return 0, 0, err
			}
			return x[0], x[1] * x[1], nil
		}, "means with standard errors", nil
	}
	return nil, "", usage(fmt.Errorf("%s has no results of arms", t.File), "--cases and --n, or --mean, --sd and --n, or --mean and --sei; its columns: "+strings.Join(t.Header, ", "))
}

func (o *networkOut) text(w io.Writer) error {
	g := func(v report.Full) string { return fmt.Sprintf("%.4g", float64(v)) }
	fmt.Fprintf(w, "%s by %s: %d trials, %d arms, %d agents, shape %s, %s\n", o.Measure, o.By, o.Trials, o.Arms, len(o.Agents), o.Shape, o.Method)
	for _, n := range o.Notes {
		fmt.Fprintln(w, "note: "+n)
	}
	for _, ag := range o.Agents {
		fmt.Fprintf(w, "\n%s, %d arms at %d doses:\n", ag.Agent, ag.Arms, ag.Doses)
		t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
		for _, c := range ag.Coefficients {
			fmt.Fprintf(t, "  %s\t%s\t%s to %s\n", c.Name, g(c.Estimate), g(c.CILow), g(c.CIHigh))
		}
		for _, p := range ag.Curve {
			note := ""
			if p.Extrapolated {
				note = "extrapolated"
			}
			fmt.Fprintf(t, "  at %s\t%s\t%s to %s\t%d arms here\t%s\n", g(p.Dose), g(p.Estimate), g(p.CILow), g(p.CIHigh), p.Support.Rows, note)
		}
		t.Flush()
	}
	fmt.Fprintf(w, "\ntau² %s; Q = %s, df %d, p %s\n", g(o.Tau2), g(o.Q), o.QDF, g(o.QP))
	if o.LackDF > 0 {
		fmt.Fprintf(w, "lack of fit of the curves against a free effect of every dose: Q = %s, df %d, p %s\n", g(o.LackQ), o.LackDF, g(o.LackP))
	}
	return nil
}
