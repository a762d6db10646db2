package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/spf13/cobra"
)

func (a *app) calibrateCmd() *cobra.Command {
	var out, resume, compare, sbc string
	var replicates int
	var set calibrate.Settings
	var force, data bool
	c := &cobra.Command{
		Use: "calibrate", Short: "Fit the axis to the evidence: a posterior over parameters, responders and links",
		Long: "Every observation of the pack that the model can meet enters through the likelihood of the form it was printed in; rows that\n" +
			"do not are listed with the reason (--data). The same pack, model and seed give the same file, byte for byte. A run that is\n" +
			"killed goes on from FILE.partial. Chains that do not agree (R-hat over 1.02, fewer than 400 effective draws) are not published.",
		Example: "  myoaxis calibrate --out posterior.bin                       the posterior in the program, rebuilt\n" +
			"  myoaxis calibrate --data                                    which row meets which quantity, and which none\n" +
			"  myoaxis calibrate --evidence embedded --evidence my-pack --out mine.bin\n" +
			"  myoaxis calibrate --compare-rules rules.json                conclusions under other rules for the links",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if data {
				return a.dataTable()
			}
			if out == "" && compare == "" && sbc == "" {
				return usage(errors.New("nowhere to write the posterior"), "give --out FILE, --compare-rules FILE or --sbc FILE")
			}
			p, m, err := a.packModel()
			if err != nil {
				return err
			}
			if set.Sweeps != 0 && (set.Sweeps < 50 || set.Sweeps > 1_000_000) {
				return usage(fmt.Errorf("--sweeps %d is not between 50 and 1,000,000", set.Sweeps), "the default is 1600")
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
			defer stop()
			set.Progress = func(done, total int) { a.progress(fmt.Sprintf("sweep %d of %d", done, total)) }
			if sbc != "" {
				return a.checkSampler(ctx, p, m, set, replicates, sbc)
			}
			if compare != "" {
				return a.compareRules(ctx, p, m, set, compare)
			}
			if resume == "" {
				resume = out + ".partial"
			}
			if set.Resume, err = readIfThere(resume); err != nil {
				return err
			}
			if set.Resume != nil {
				fmt.Fprintf(a.sys.Stderr, "going on from %s\n", resume)
			}
			set.Save = func(state []byte) error {
				return writeFile(resume, func(w io.Writer) error { _, err := w.Write(state); return err })
			}
			a.usedAndNot(calibrate.NewProblem(p, m).Data)
			post, err := calibrate.Run(ctx, p, m, set)
			var loose *calibrate.ConvergenceError
			if errors.As(err, &loose) && force {
				fmt.Fprintln(a.sys.Stderr, "warning: "+err.Error())
				err = nil
			}
			if err != nil {
				return err
			}
			if err := writeFile(out, func(w io.Writer) error { _, err := w.Write(post.Encode()); return err }); err != nil {
				return err
			}
			if err := os.Remove(resume); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return ioFault(resume, err)
			}
			if a.json {
				return a.printJSON(calibrate.Learned(m, post))
			}
			return a.learnedText(m, post, out)
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "posterior file to write")
	f.StringVar(&resume, "resume", "", "state of a killed run (default: the posterior file with .partial)")
	f.StringVar(&compare, "compare-rules", "", "write the conclusions under other prior rules for links to this file instead")
	f.StringVar(&sbc, "sbc", "", "check the sampler by simulation-based calibration and write the ranks to this JSON file instead")
	f.IntVar(&replicates, "replicates", 320, "data sets simulated for --sbc, a multiple of 16")
	f.Uint64Var(&set.Seed, "seed", 1, "seed of everything random")
	f.IntVar(&set.Sweeps, "sweeps", 0, "sweeps kept of each chain (default 1600)")
	f.BoolVar(&data, "data", false, "list every row of the evidence, the quantity of the model it meets, or why it is left out (CSV)")
	f.BoolVar(&force, "unconverged", false, "write the posterior although the chains do not agree (its header says so)")
	a.evidenceFlag(c)
	a.jsonFlag(c)
	return c
}

func (a *app) dataTable() error {
	p, m, err := a.packModel()
	if err != nil {
		return err
	}
	rows := calibrate.NewProblem(p, m).Data.Table()
	if a.json {
		return a.printJSON(rows)
	}
	return calibrate.WriteTable(a.sys.Stdout, rows)
}

// usedAndNot says on stderr what of a pack enters and what does not.
func (a *app) usedAndNot(d calibrate.Data) {
	classes, reasons := map[string]int{}, map[string]int{}
	for _, o := range d.Observations {
		classes[o.Class.String()]++
	}
	for _, u := range d.Unused {
		reasons[u.Reason]++
	}
	list := func(n map[string]int, most int) string {
		names := slices.SortedFunc(maps.Keys(n), func(x, y string) int { return cmp.Or(cmp.Compare(n[y], n[x]), cmp.Compare(x, y)) })
		var parts []string
		for _, name := range names[:min(most, len(names))] {
			parts = append(parts, fmt.Sprintf("%s %d", name, n[name]))
		}
		return strings.Join(parts, "; ")
	}
	fmt.Fprintf(a.sys.Stderr, "%d observations used (%s); %d rows are sources of priors; %d rows not used, most often: %s. --data lists every row.\n", len(d.Observations), list(classes, 9), len(d.Prior), len(d.Unused), list(reasons, 4))
}

// packModel loads the evidence and the model built on it.
func (a *app) packModel() (*evidence.Pack, *axis.Model, error) {
	p, err := a.pack()
	if err != nil {
		return nil, nil, err
	}
	m, err := axis.Build(p)
	return p, m, err
}

// maxPosterior bounds posterior and checkpoint files.
const maxPosterior = 1 << 30

func readIfThere(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, readFault(path, err)
	}
	if st.IsDir() || st.Size() > maxPosterior {
		return nil, &Fault{Code: ExitUnsupported, Err: fmt.Errorf("%s is no file of a calibration", path), Hint: "name a file that myoaxis calibrate wrote"}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, readFault(path, err)
	}
	return b, nil
}

func (a *app) compareRules(ctx context.Context, p *evidence.Pack, m *axis.Model, set calibrate.Settings, out string) error {
	post, err := calibrate.Shipped(p, m)
	if err != nil {
		return err
	}
	if set.Sweeps == 0 {
		set.Sweeps = 800 // conclusions need less than a posterior to ship
	}
	r, err := calibrate.CompareRules(ctx, p, m, post, set)
	if err != nil {
		return err
	}
	return writeFile(out, func(w io.Writer) error { return writeJSON(w, r) })
}

func (a *app) checkSampler(ctx context.Context, p *evidence.Pack, m *axis.Model, set calibrate.Settings, replicates int, out string) error {
	if replicates < 16 || replicates > 100_000 || replicates%calibrate.Lanes != 0 {
		return usage(fmt.Errorf("--replicates %d is no multiple of %d up to 100,000", replicates, calibrate.Lanes), "320 take about ten minutes on two cores")
	}
	s := calibrate.SBCSettings{Replicates: replicates, Warm: 300, Draws: 20, Thin: 5, Seed: set.Seed, Progress: set.Progress}
	r, err := calibrate.RunSBC(ctx, calibrate.NewProblem(p, m), s)
	if err != nil {
		return err
	}
	return writeFile(out, func(w io.Writer) error { return writeJSON(w, r.Report(s, calibrate.PackHash(p))) })
}

func (a *app) learnedText(m *axis.Model, post *calibrate.Posterior, out string) error {
	w := tabwriter.NewWriter(a.sys.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d draws of %d chains; worst R-hat %.3f, fewest effective draws %.0f\n\n", post.Draws, post.Chains, post.WorstRHat, post.LeastESS)
	fmt.Fprintln(w, "parameter\tprior, 95%\tposterior, 95%\tlearned\tR-hat\teffective")
	for _, l := range calibrate.Learned(m, post) {
		if !l.Used {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.0f%%\t%.3f\t%.0f\n", l.Name, span(l.Prior), span(l.Posterior), 100*l.Learned, l.RHat, l.ESS)
	}
	if err := w.Flush(); err != nil {
		return ioFault("stdout", err)
	}
	fmt.Fprintf(a.sys.Stdout, "\nWritten to %s (seed %d).\n", out, post.Seed)
	return nil
}

func span(i calibrate.Interval) string {
	return fmt.Sprintf("%.3g (%.3g to %.3g)", i.Median, i.Low, i.High)
}
