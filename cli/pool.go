package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

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
