package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/report"
)

// bayesCurveOut is the JSON of a Bayesian curve.
type bayesCurveOut struct {
	By      string         `json:"by"`
	Agent   string         `json:"agent"`
	Shape   string         `json:"shape"`
	Measure string         `json:"measure"`
	Level   float64        `json:"level_pct"`
	Coef    summaryOut     `json:"coefficient"`
	Scale   summaryOut     `json:"ed50"`
	Tau     summaryOut     `json:"tau"`
	Prob    report.Full    `json:"prob_positive"`
	Curve   []bayesDoseOut `json:"curve"`
	Notes   []string       `json:"notes"`
}

type bayesDoseOut struct {
	Dose report.Full `json:"dose"`
	summaryOut
	Extrapolated bool `json:"extrapolated"`
}

// fitBayesCurve is the posterior of the curve of the one agent of a file.
func (f *doseFlags) fitBayesCurve(a *app, path string) (*bayesCurveOut, error) {
	if f.agent == "" || f.given("shape") && slices.Contains([]string{"average", "spline", "quadratic"}, f.shape) {
		return nil, usage(fmt.Errorf("--bayes takes --agent and the shape linear, emax, exponential or loglinear"), "for example --agent agent --bayes --shape emax")
	}
	in, err := f.readNetwork(a, path)
	if err != nil {
		return nil, err
	}
	b, err := doseresponse.FitBayes(in.trials, doseresponse.Shape(in.shape), doseresponse.CurvePrior{}, f.level/100)
	if err != nil {
		return nil, dataFaultUnlessUsage(path, err)
	}
	notes := append(in.notes, fmt.Sprintf("priors (assumed, free of the unit of dose): coefficient normal with SD %.3g, tau half-normal with scale %.3g, scale of dose log-normal around the median dose with SD %g of the logarithm", b.Prior.CoefSD, b.Prior.TauScale, doseresponse.ScalePriorSD))
	out := &bayesCurveOut{By: f.by, Agent: b.Agent, Shape: in.shape, Measure: in.measure, Level: f.level, Coef: newSummary(b.Coef), Scale: newSummary(b.Scale), Tau: newSummary(b.Tau), Prob: report.Full(b.Probability), Notes: notes}
	top := 0.0
	for _, tr := range in.trials {
		for _, arm := range tr.Arms {
			top = math.Max(top, arm.Dose)
		}
	}
	for _, x := range f.grid(0, top, 11) {
		out.Curve = append(out.Curve, bayesDoseOut{report.Full(x), newSummary(b.At(x)), x > top})
	}
	return out, nil
}

func (o *bayesCurveOut) text(w io.Writer) error {
	fmt.Fprintf(w, "%s by %s, %s, shape %s: posterior by quadrature\n", o.Measure, o.By, o.Agent, o.Shape)
	fmt.Fprintln(w, "note: "+strings.Join(o.Notes, "\nnote: "))
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintf(t, "\n\tmean\tSD\tmedian\t%g%% interval\t\n", o.Level)
	line := func(name string, s summaryOut, note string) {
		fmt.Fprintf(t, "%s\t%.4g\t%.4g\t%.4g\t%.4g to %.4g\t%s\n", name, float64(s.Mean), float64(s.SD), float64(s.Median), float64(s.Low), float64(s.High), note)
	}
	line("coefficient", o.Coef, "")
	if !math.IsNaN(float64(o.Scale.Mean)) {
		line("ED50", o.Scale, "")
	}
	line("tau", o.Tau, "")
	for _, p := range o.Curve {
		note := ""
		if p.Extrapolated {
			note = "extrapolated"
		}
		line(fmt.Sprintf("at %.4g", float64(p.Dose)), p.summaryOut, note)
	}
	t.Flush()
	_, err := fmt.Fprintf(w, "P(coefficient > 0) = %.4g\n", float64(o.Prob))
	return err
}
