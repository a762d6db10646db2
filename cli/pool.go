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
	"github.com/myoaxis/myoaxis/figure"
	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
)

// selectionFlags choose the observations of pool and dose.
type selectionFlags struct {
	domain, unmentioned string
	kinds               []string
	randomised          bool
	printedN            bool
}

func (s *selectionFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&s.domain, "domain", "", "one of "+strings.Join(evidence.Domains, ", ")+", or overall")
	c.Flags().StringVar(&s.unmentioned, "include-unmentioned", "yes", "outcomes measured and not mentioned: yes (as not significant), no, weight (half)")
	c.Flags().StringSliceVar(&s.kinds, "kinds", []string{"RT"}, "kinds of training: RT, combined, unclear")
	c.Flags().BoolVar(&s.randomised, "randomised-only", false, "leave out trials whose randomisation is unclear")
	c.Flags().BoolVar(&s.printedN, "printed-n-only", false, "leave out results whose arm sizes are not printed")
}

func (s selectionFlags) selection() (synthesis.Selection, error) {
	if s.domain != "" && s.domain != "overall" && !slices.Contains(evidence.Domains, s.domain) {
		return synthesis.Selection{}, usage(fmt.Errorf("the domain %q is not known", s.domain), "domains: overall, "+strings.Join(evidence.Domains, ", "))
	}
	if !slices.Contains([]string{"yes", "no", "weight"}, s.unmentioned) {
		return synthesis.Selection{}, usage(fmt.Errorf("--include-unmentioned %q is not known", s.unmentioned), "use yes, no or weight")
	}
	for _, k := range s.kinds {
		if !slices.Contains([]string{"RT", "combined", "unclear"}, k) {
			return synthesis.Selection{}, usage(fmt.Errorf("the kind %q is not known", k), "kinds: RT, combined, unclear")
		}
	}
	return synthesis.Selection{Domain: s.domain, Kinds: s.kinds, Unmentioned: synthesis.Unmentioned(s.unmentioned), RandomOnly: s.randomised, PrintedN: s.printedN}, nil
}

func (a *app) poolCmd() *cobra.Command {
	var s selectionFlags
	var omega, level, tau, effectSD float64
	c := &cobra.Command{
		Use: "pool", Short: "Pool the evidence by domain, every reported form counted",
		Long:    "Multilevel random-effects synthesis in which a printed number is a number, \"p < 0.05\" a value beyond the threshold and\n\"not significant\" a value between the two. Without --domain, every domain and all together.",
		Example: "  myoaxis pool\n  myoaxis pool --domain executive --json\n  myoaxis pool --domain memory --include-unmentioned no --omega 0.5",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			sel, err := s.selection()
			if err != nil {
				return err
			}
			if err := inUnit("--omega", omega); err != nil {
				return err
			}
			if !(level > 50 && level < 100) {
				return usage(fmt.Errorf("--level %g is not between 50 and 100", level), "for example 95")
			}
			if !(tau > 0 && tau <= 5) || !(effectSD > 0 && effectSD <= 10) {
				return usage(fmt.Errorf("the prior scales must be positive (tau at most 5, effect at most 10)"), "defaults are 0.5 and 1")
			}
			p, err := a.pack()
			if err != nil {
				return err
			}
			domains := append([]string{"overall"}, evidence.Domains...)
			if sel.Domain != "" {
				domains = []string{sel.Domain}
			}
			var views []report.PoolView
			for _, d := range domains {
				sel.Domain = d
				pool, err := synthesis.PoolDomain(p, synthesis.Options{Selection: sel, Omega: omega, Level: level / 100, Prior: synthesis.Prior{EffectSD: effectSD, TauScale: tau}})
				if err != nil {
					return fmt.Errorf("%s: %w", d, err)
				}
				views = append(views, report.NewPoolView(pool))
			}
			if a.json {
				return a.printJSON(poolJSON(s, omega, level, views))
			}
			poolTable(a.sys.Stdout, views)
			if len(views) == 1 {
				poolDetail(a.sys.Stdout, views[0])
			}
			return nil
		},
	}
	s.add(c)
	a.evidenceFlag(c)
	a.jsonFlag(c)
	c.Flags().Float64Var(&omega, "omega", 1, "probability that a non-significant outcome is mentioned in an abstract, above 0 to 1")
	c.Flags().Float64Var(&level, "level", 95, "confidence level in percent")
	c.Flags().Float64Var(&tau, "prior-tau", 0.5, "scale of the half-normal prior of both taus (Bayes)")
	c.Flags().Float64Var(&effectSD, "prior-effect", 1, "SD of the normal prior of the effect (Bayes)")
	return c
}

func poolJSON(s selectionFlags, omega, level float64, views []report.PoolView) any {
	return struct {
		Method      string            `json:"method"`
		Kinds       []string          `json:"kinds"`
		Unmentioned string            `json:"include_unmentioned"`
		Omega       float64           `json:"omega"`
		Level       float64           `json:"level_pct"`
		Unit        string            `json:"unit"`
		Domains     []report.PoolView `json:"domains"`
	}{"ML, multilevel random effects, partial-report likelihood; profile-likelihood intervals", s.kinds, s.unmentioned, omega, level, "SD", views}
}

func inUnit(flag string, v float64) error {
	if !(v > 0 && v <= 1) {
		return usage(fmt.Errorf("%s %g is not above 0 and at most 1", flag, v), "it is a probability")
	}
	return nil
}

func poolTable(w io.Writer, views []report.PoolView) {
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(t, "domain\tresults\tcohorts\teffect, SD (95% interval)\tprediction\ttau b, w\tprinted numbers alone")
	for _, v := range views {
		if v.All == nil {
			fmt.Fprintf(t, "%s\t0\t0\t%s\t\t\t\n", report.Words(v.Domain), v.Note)
			continue
		}
		alone := "–"
		if n := v.NumericOnly; n != nil {
			alone = fmt.Sprintf("%s (%d)", ci(n), n.Rows)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s to %s\t%s, %s\t%s\n", report.Words(v.Domain), v.All.Rows, v.All.Cohorts, ci(v.All), fnum(v.All.PILow), fnum(v.All.PIHigh), fnum(v.All.TauB), fnum(v.All.TauW), alone)
	}
	t.Flush()
}

func fnum(n report.Num) string { return figure.Num(float64(n)) }

func ci(e *report.Estimate) string {
	end := func(n report.Num, sign int) string {
		if v := float64(n); math.IsInf(v, 0) {
			return figure.Num(math.Inf(sign))
		}
		return fnum(n)
	}
	return fmt.Sprintf("%s (%s to %s)", fnum(e.Estimate), end(e.CILow, -1), end(e.CIHigh, 1))
}

func poolDetail(w io.Writer, v report.PoolView) {
	fmt.Fprintf(w, "\nFlow: %d comparisons found, %d used (%d with an assumed arm size).\n", v.Flow.Found, v.Flow.Used, v.Flow.AssumedN)
	for _, r := range v.Flow.Excluded {
		fmt.Fprintf(w, "  %4d left out: %s\n", r.Count, r.Reason)
	}
	if v.All == nil {
		return
	}
	fmt.Fprintf(w, "Reported as: ")
	for i, f := range v.Forms {
		if i > 0 {
			fmt.Fprint(w, ", ")
		}
		fmt.Fprintf(w, "%s %d", report.Words(f.Form), f.Count)
	}
	fmt.Fprintf(w, ". %d studies carry numbers.\n", v.NumericStud)
	if e := v.WithoutUnm; e != nil {
		fmt.Fprintf(w, "Without outcomes not mentioned: %s\n", ci(e))
	}
	if p := v.Posterior; p != nil {
		fmt.Fprintf(w, "Bayes: %s (%s to %s), next trial %s to %s, P(effect > 0) = %s, P(next trial > 0) = %s\n", fnum(p.Mean), fnum(p.Low), fnum(p.High), fnum(p.PredLow), fnum(p.PredHigh), fnum(p.ProbPositive), fnum(p.ProbNextPositive))
	}
	if len(v.Omega) > 0 {
		fmt.Fprintln(w, "If a non-significant outcome is mentioned with probability omega:")
		for _, o := range v.Omega {
			fmt.Fprintf(w, "  omega %.1f: %s (%s to %s), relative log-likelihood %s\n", float64(o.Omega), fnum(o.Estimate), fnum(o.CILow), fnum(o.CIHigh), fnum(o.RelLogLik))
		}
	}
	if len(v.LeaveOne) > 0 {
		lo, hi := v.LeaveOne[0], v.LeaveOne[0]
		for _, l := range v.LeaveOne {
			if l.Estimate < lo.Estimate {
				lo = l
			}
			if l.Estimate > hi.Estimate {
				hi = l
			}
		}
		fmt.Fprintf(w, "Leaving out one cohort: from %s (without %s) to %s (without %s)\n", fnum(lo.Estimate), lo.Cohort, fnum(hi.Estimate), hi.Cohort)
	}
	if v.Note != "" {
		fmt.Fprintln(w, "Note: "+v.Note)
	}
}

func (a *app) doseCmd() *cobra.Command {
	var s selectionFlags
	f := &doseFlags{metaFlags: newMetaFlags()}
	names := make([]string, len(doseresponse.Variables))
	for i, v := range doseresponse.Variables {
		names[i] = v.Name
	}
	c := &cobra.Command{
		Use: "dose [FILE]", Short: "Dose–response of the evidence or of a file, with the support of each dose",
		Long: "Without a file: fits the effect against one dose measure in the same likelihood as pool. Curves compare trials; trials that\nrandomised the dose are listed apart. With a file (CSV or XLSX): arms with mean, SD and size, log relative risks against a\nreference dose, or effects of one dose each; what it holds is found out and printed on stderr.",
		Example: "  myoaxis dose --by frequency\n  myoaxis dose --by weeks --shape spline --at 8,12,24,52 --json\n  myoaxis dose arms.csv --by dose --shape spline --knots 0,10,30 --cluster cohort\n" +
			"  myoaxis dose arms.csv --by 'sets * sessions' --outcome outcome --mean-pre pre --sd-pre sdpre --r 0.7 --measure SMD",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return f.file(a, args[0])
			}
			by, shape, at := f.by, f.shape, f.at
			v, ok := doseresponse.ByName(by)
			if !ok {
				return usage(fmt.Errorf("--by %q is not known", by), "doses: "+strings.Join(names, ", "))
			}
			if !slices.Contains(doseresponse.Shapes, doseresponse.Shape(shape)) {
				return usage(fmt.Errorf("--shape %q is not known", shape), "shapes: linear, quadratic, spline, emax, average")
			}
			for _, d := range at {
				if !(d > 0 && d < 1e4) {
					return usage(fmt.Errorf("--at %g is no dose", d), "doses are positive")
				}
			}
			sel, err := s.selection()
			if err != nil {
				return err
			}
			p, err := a.pack()
			if err != nil {
				return err
			}
			used, _ := synthesis.Select(p, sel)
			r, err := doseresponse.Fit(used, v, doseresponse.Shape(shape), at, 0.95)
			if err != nil {
				return err
			}
			dom := sel.Domain
			if dom == "" {
				dom = "overall"
			}
			view := report.NewDoseView(r, dom)
			randomised := report.NewRandomisedViews(doseresponse.RandomisedDoses(p))
			randomised = slices.DeleteFunc(randomised, func(r report.RandomisedView) bool { return r.By != by })
			if a.json {
				return a.printJSON(struct {
					report.DoseView
					Randomised []report.RandomisedView `json:"randomised_doses"`
				}{view, randomised})
			}
			doseText(a.sys.Stdout, view, randomised)
			return nil
		},
	}
	s.add(c)
	a.evidenceFlag(c)
	a.jsonFlag(c)
	c.Flags().StringVar(&f.by, "by", "frequency", "dose measure: "+strings.Join(names, ", ")+"; FILE: a column or an expression over columns (default dose)")
	c.Flags().StringVar(&f.shape, "shape", "average", "linear, quadratic, spline, emax or average (AIC weights); FILE: also exponential and loglinear")
	c.Flags().Float64SliceVar(&f.at, "at", nil, "doses to predict at")
	f.add(c)
	return c
}

func doseText(w io.Writer, v report.DoseView, rs []report.RandomisedView) {
	fmt.Fprintf(w, "%s, %s: %d results of %d cohorts (%d state no such dose), shape %s\n%s\n\n", v.Label, v.Domain, v.Rows, v.Cohorts, v.WithoutDose, v.Shape, v.Evidence)
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintf(t, "%s\teffect, SD (95%% interval)\tprediction\tresults here\tcohorts here\t\n", v.Unit)
	for _, p := range v.Curve {
		note := ""
		if p.Extrapolated {
			note = "extrapolated"
		}
		fmt.Fprintf(t, "%s\t%s (%s to %s)\t%s to %s\t%d\t%d\t%s\n", fnum(p.Dose), fnum(p.Estimate), fnum(p.CILow), fnum(p.CIHigh), fnum(p.PILow), fnum(p.PIHigh), p.Support.Rows, p.Support.Cohorts, note)
	}
	t.Flush()
	fmt.Fprint(w, "\nWeight of each shape:")
	for _, x := range v.Weights {
		fmt.Fprintf(w, " %s %.0f%%", x.Shape, 100*float64(x.Weight))
	}
	fmt.Fprintln(w)
	for _, r := range rs {
		fmt.Fprintf(w, "\nRandomised within the trial, %s:\n", r.Study)
		for _, a := range r.Arms {
			fmt.Fprintf(w, "  %s\n", a.Arm)
			for _, x := range a.Results {
				fmt.Fprintf(w, "    %s\n", x)
			}
		}
	}
}
