package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/spf13/cobra"
)

func (a *app) validateCmd() *cobra.Command {
	var dir, file, out string
	var refit bool
	var seed uint64
	c := &cobra.Command{
		Use: "validate", Short: "How well the axis predicts studies it has not seen, against models that know no biology",
		Long: "Leaves out one study at a time, or scores the posterior on a pack of new studies (--pack). The rivals are partial-report random\n" +
			"effects, meta-regressions on dose (linear, spline, Emax) and no effect. Figures: expected log predictive density, coverage of\n" +
			"50, 80 and 95 % predictive intervals, PIT.",
		Example: "  myoaxis validate\n  myoaxis validate --pack new-studies --json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			own, m, err := a.packModel()
			if err != nil {
				return err
			}
			post, err := a.readPosterior(file, own, m)
			if err != nil {
				return err
			}
			var v *calibrate.Validation
			if dir != "" {
				fresh, err := (&app{sys: a.sys, evidence: []string{dir}}).pack()
				if err != nil {
					return err
				}
				v, err = calibrate.NewStudies(c.Context(), own, fresh, m, post, seed)
				var few *calibrate.TooFewError
				if errors.As(err, &few) {
					if a.json {
						if err := a.printJSON(v); err != nil {
							return err
						}
					} else {
						a.excluded(v)
					}
					return &Fault{Code: ExitUnsupported, Err: errors.New("the pack holds no observation that the posterior has not seen and the model can meet"), Hint: "the list says why for every row"}
				}
				if err != nil {
					return err
				}
			} else if v, err = calibrate.LeaveOneOut(c.Context(), own, m, post, refit, seed); err != nil {
				return err
			}
			if out != "" {
				return writeFile(out, func(w io.Writer) error { return writeJSON(w, v) })
			}
			if a.json {
				return a.printJSON(v)
			}
			return a.validationText(v)
		},
	}
	f := c.Flags()
	f.StringVar(&dir, "pack", "", "folder of an evidence pack with new studies")
	f.StringVar(&file, "posterior", "", "posterior file instead of the one in the program")
	f.BoolVar(&refit, "refit", false, "calibrate anew without a study where importance sampling cannot stand for leaving it out (minutes)")
	f.Uint64Var(&seed, "seed", 1, "seed of everything random")
	f.StringVar(&out, "out", "", "file to write the JSON document to")
	a.evidenceFlag(c)
	a.jsonFlag(c)
	return c
}

// readPosterior reads a posterior file, or the shipped posterior.
func (a *app) readPosterior(file string, p *evidence.Pack, m *axis.Model) (*calibrate.Posterior, error) {
	if file == "" {
		return calibrate.Shipped(p, m)
	}
	b, err := readIfThere(file)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, &Fault{Code: ExitIO, Err: fmt.Errorf("%s: no such file", file), Hint: "check the path"}
	}
	post, err := calibrate.Decode(b, calibrate.PackHash(p), m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := post.Converged(); err != nil {
		fmt.Fprintf(a.sys.Stderr, "warning: %s: %v\n", file, err)
	}
	return post, nil
}

func (a *app) validationText(v *calibrate.Validation) error {
	w := tabwriter.NewWriter(a.sys.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\n\nclass\tmodel\tstudies\tresults\tlog predictive density (SE)\tagainst the axis (SE)\t50%%\t80%%\t95%%\n", v.Method)
	for _, x := range v.Verdicts {
		diff := "–"
		if x.Model != "axis" {
			diff = fmt.Sprintf("%+.1f (%.1f)", x.Difference, x.DifferenceSE)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.1f (%.1f)\t%s\t%.0f\t%.0f\t%.0f\n", x.Class, x.Model, x.Studies, x.Rows, x.ELPD, x.ELPDSE, diff, 100*x.Cover50, 100*x.Cover80, 100*x.Cover95)
	}
	if len(v.Checks) > 0 {
		fmt.Fprintf(w, "\ncheck\tpredicted, 95%%\tobserved, 95%%\n")
	}
	for _, k := range v.Checks {
		fmt.Fprintf(w, "%s, %s\t%.3f (%.3f to %.3f)\t%.3f (%.3f to %.3f)\n", k.Name, k.Unit, k.Median, k.Low, k.High, k.Observed, k.ObsLow, k.ObsHigh)
	}
	if err := w.Flush(); err != nil {
		return ioFault("stdout", err)
	}
	fmt.Fprintln(a.sys.Stdout, "\n"+calibrate.Sentence(v))
	a.excluded(v)
	return nil
}

// excluded lists the rows of a pack that were not scored.
func (a *app) excluded(v *calibrate.Validation) {
	for i, x := range v.Excluded {
		if i == 20 {
			fmt.Fprintf(a.sys.Stderr, "… and %d more (--json lists all)\n", len(v.Excluded)-20)
			return
		}
		fmt.Fprintf(a.sys.Stderr, "not scored: %s %s: %s\n", x.Table, x.ID, x.Reason)
	}
}
