package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) doseCmd() *cobra.Command {
	var s selectionFlags
	f := &doseFlags{metaFlags: newMetaFlags()}
	c := &cobra.Command{
		Use: "dose [FILE]", Short: "Dose–response of the evidence or of a file, with the support of each dose",
		Long: "Without a file: fits the effect against one dose measure in the same likelihood as pool. Curves compare trials; trials that\nrandomised the dose are listed apart. With a file (CSV or XLSX): arms with mean, SD and size, log relative risks against a\nreference dose, or effects of one dose each; what it holds is found out and printed on stderr.",
		Example: "  myoaxis dose --by frequency\n  myoaxis dose --by weeks --shape spline --at 8,12,24,52 --json\n  myoaxis dose arms.csv --by dose --shape spline --knots 0,10,30 --cluster cohort\n" +
			"  myoaxis dose arms.csv --by 'sets * sessions' --outcome outcome --mean-pre pre --sd-pre sdpre --r 0.7 --measure SMD",
	}
	s.add(c)
	a.evidenceFlag(c)
	ofPack := flagNames(c)
	c.Flags().StringVar(&f.by, "by", "frequency", "dose measure: "+strings.Join(doseNames(), ", ")+"; FILE: a column or an expression over columns (default dose)")
	c.Flags().StringVar(&f.shape, "shape", "average", "linear, quadratic, spline, emax or average (AIC weights); FILE: also exponential and loglinear")
	c.Flags().Float64SliceVar(&f.at, "at", nil, "doses to predict at")
	a.jsonFlag(c)
	both := flagNames(c)
	f.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			if name := changed(c, func(n string) bool { return !slices.Contains(both, n) }); name != "" {
				return usage(fmt.Errorf("--%s is for a file of your own", name), "name the file: myoaxis dose FILE --"+name+" …")
			}
			return a.packDose(s, f.by, f.shape, f.at)
		case 1:
			if name := changed(c, func(n string) bool { return slices.Contains(ofPack, n) }); name != "" {
				return usage(fmt.Errorf("--%s picks from the evidence pack and has no meaning for a file", name), "pick rows of a file with --where")
			}
			return f.file(a, args[0])
		}
		return usage(fmt.Errorf("dose takes one file, found %d", len(args)), "myoaxis dose --help shows the flags")
	}
	return c
}

func doseNames() (names []string) {
	for _, v := range doseresponse.Variables {
		names = append(names, v.Name)
	}
	return names
}

// flagNames are the flags a command has so far.
func flagNames(c *cobra.Command) (names []string) {
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// changed is the first flag given of those chosen, "" where there is none.
func changed(c *cobra.Command, chosen func(name string) bool) (name string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if name == "" && chosen(f.Name) {
			name = f.Name
		}
	})
	return name
}

// packDose is the dose–response of the evidence pack.
func (a *app) packDose(s selectionFlags, by, shape string, at []float64) error {
	v, ok := doseresponse.ByName(by)
	if !ok {
		return usage(fmt.Errorf("--by %q is not known", by), "doses: "+strings.Join(doseNames(), ", "))
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
