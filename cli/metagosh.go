package cli

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
)

type quantilesOut struct {
	Mean report.Full            `json:"mean"`
	At   map[string]report.Full `json:"quantiles"`
}

type goshOut struct {
	K        int          `json:"k"`
	Method   string       `json:"method"`
	Subsets  int          `json:"subsets"`
	All      bool         `json:"all_subsets"`
	Estimate quantilesOut `json:"estimate"`
	Tau2     quantilesOut `json:"tau2"`
	I2       quantilesOut `json:"i2"`
	Q        quantilesOut `json:"q"`
	Effects  []goshEffect `json:"effects"`
}

// goshEffect compares the subsets with an effect and those without it: a large
// gap marks an effect that splits the cloud.
type goshEffect struct {
	Label   string      `json:"label"`
	With    report.Full `json:"mean_estimate_with"`
	Without report.Full `json:"mean_estimate_without"`
}

var goshQuantiles = []float64{0, 0.05, 0.25, 0.5, 0.75, 0.95, 1}

func (a *app) metaGoshCmd() *cobra.Command {
	f := newMetaFlags()
	var subsets int
	var seed uint64
	var outFile string
	c := &cobra.Command{Use: "gosh FILE", Short: "The pooled effect in all subsets of the effects, or a sample of them", Args: oneFile,
		Example: "  myoaxis meta gosh effects.csv\n  myoaxis meta gosh effects.csv --subsets 100000 --out subsets.csv",
		RunE: func(_ *cobra.Command, args []string) error {
			if subsets < 1 || subsets > 5_000_000 {
				return usage(fmt.Errorf("--subsets %d is not between 1 and 5000000", subsets), "for example 100000")
			}
			d, err := f.prepare(a, args[0])
			if err != nil {
				return err
			}
			s, all, err := synthesis.Gosh(d.y, d.v, d.opt, subsets, seed)
			if err != nil {
				return dataFault(args[0], err)
			}
			if outFile != "" {
				if err := writeFile(outFile, func(w io.Writer) error { return goshCSV(w, s) }); err != nil {
					return err
				}
			}
			out := newGosh(d, s, all, f.method)
			if a.json {
				return a.printJSON(out)
			}
			return out.text(a.sys.Stdout)
		}}
	f.addEffects(c)
	f.addModel(c)
	a.jsonFlag(c)
	c.Flags().IntVar(&subsets, "subsets", 100_000, "largest number of subsets; all where there are no more")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of sampled subsets")
	c.Flags().StringVar(&outFile, "out", "", "write every subset to a CSV file")
	return c
}

func goshCSV(w io.Writer, s []synthesis.Subset) error {
	if _, err := fmt.Fprintln(w, "k,estimate,tau2,q,i2"); err != nil {
		return err
	}
	for _, x := range s {
		if _, err := fmt.Fprintf(w, "%d,%.12g,%.12g,%.12g,%.12g\n", x.K, x.Estimate, x.Tau2, x.Q, x.I2); err != nil {
			return err
		}
	}
	return nil
}

func newGosh(d *metaData, s []synthesis.Subset, all bool, method string) *goshOut {
	column := func(of func(synthesis.Subset) float64) quantilesOut {
		x := make([]float64, len(s))
		var sum float64
		for i, q := range s {
			x[i] = of(q)
			sum += x[i]
		}
		slices.Sort(x)
		out := quantilesOut{report.Full(sum / float64(len(x))), map[string]report.Full{}}
		for _, p := range goshQuantiles {
			out.At[fmt.Sprint(p)] = report.Full(synthesis.Quantile(x, p))
		}
		return out
	}
	out := &goshOut{K: len(d.y), Method: method, Subsets: len(s), All: all, Estimate: column(func(s synthesis.Subset) float64 { return s.Estimate }), Tau2: column(func(s synthesis.Subset) float64 { return s.Tau2 }),
		I2: column(func(s synthesis.Subset) float64 { return s.I2 }), Q: column(func(s synthesis.Subset) float64 { return s.Q })}
	for i := range d.y {
		var sum [2]float64
		var n [2]float64
		for _, x := range s {
			side := 1
			if x.Has(i) {
				side = 0
			}
			sum[side] += x.Estimate
			n[side]++
		}
		out.Effects = append(out.Effects, goshEffect{label(d, i), report.Full(sum[0] / n[0]), report.Full(sum[1] / n[1])})
	}
	return out
}

func (o *goshOut) text(w io.Writer) error {
	how := "a sample of the"
	if o.All {
		how = "all"
	}
	fmt.Fprintf(w, "%s subsets of %d effects: %d fits, method %s\n\n", how, o.K, o.Subsets, o.Method)
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprint(t, "\tmean")
	for _, p := range goshQuantiles {
		fmt.Fprintf(t, "\t%g%%", 100*p)
	}
	fmt.Fprintln(t)
	for _, r := range []struct {
		name string
		q    quantilesOut
	}{{"estimate", o.Estimate}, {"tau²", o.Tau2}, {"I² %", o.I2}, {"Q", o.Q}} {
		fmt.Fprintf(t, "%s\t%.4g", r.name, float64(r.q.Mean))
		for _, p := range goshQuantiles {
			fmt.Fprintf(t, "\t%.4g", float64(r.q.At[fmt.Sprint(p)]))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintln(t, "\neffect\tmean with it\tmean without it")
	for _, e := range o.Effects {
		fmt.Fprintf(t, "%s\t%.4g\t%.4g\n", e.Label, float64(e.With), float64(e.Without))
	}
	return t.Flush()
}
