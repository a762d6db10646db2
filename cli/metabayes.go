package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
)

type summaryOut struct {
	Mean   report.Full `json:"mean"`
	SD     report.Full `json:"sd"`
	Median report.Full `json:"median"`
	Low    report.Full `json:"cri_low"`
	High   report.Full `json:"cri_high"`
}

func newSummary(s synthesis.Summary) summaryOut {
	n := func(v float64) report.Full { return report.Full(v) }
	return summaryOut{n(s.Mean), n(s.SD), n(s.Median), n(s.Low), n(s.High)}
}

type shrunkenOut struct {
	Label string      `json:"label"`
	Mean  report.Full `json:"mean"`
	SD    report.Full `json:"sd"`
}

type bayesOut struct {
	K            int           `json:"k"`
	TauPrior     string        `json:"tau_prior"`
	MuPrior      string        `json:"mu_prior"`
	Level        float64       `json:"level_pct"`
	Mu           summaryOut    `json:"mu"`
	Tau          summaryOut    `json:"tau"`
	Next         summaryOut    `json:"next_study"`
	ProbPositive report.Full   `json:"prob_positive"`
	LogMarginal  report.Full   `json:"log_marginal_likelihood"`
	BFEffect     report.Full   `json:"bayes_factor_effect"`
	BFTau        report.Full   `json:"bayes_factor_heterogeneity"`
	Effects      []shrunkenOut `json:"effects"`
}

func (a *app) metaBayesCmd() *cobra.Command {
	f := newMetaFlags()
	var tauText, muText string
	c := &cobra.Command{Use: "bayes FILE.csv", Short: "Bayesian random-effects model by exact quadrature", Args: oneFile,
		Example: "  myoaxis meta bayes effects.csv --tau-prior half-normal:0.5 --mu-prior normal:0:1",
		RunE: func(_ *cobra.Command, args []string) error {
			tau, err := parseTauPrior(tauText)
			if err != nil {
				return err
			}
			mu, err := parseMuPrior(muText)
			if err != nil {
				return err
			}
			d, err := f.prepare(a, args[0])
			if err != nil {
				return err
			}
			b, err := synthesis.AnalyseBayes(d.y, d.v, tau, mu, d.opt.Level)
			if err != nil {
				return dataFault(args[0], err)
			}
			out := &bayesOut{K: len(d.y), TauPrior: tauText, MuPrior: muText, Level: f.level, Mu: newSummary(b.Mu), Tau: newSummary(b.Tau), Next: newSummary(b.Next), ProbPositive: report.Full(b.ProbPositive), LogMarginal: report.Full(b.LogMarginal), BFEffect: report.Full(b.BFEffect), BFTau: report.Full(b.BFTau)}
			for i, s := range b.Studies {
				out.Effects = append(out.Effects, shrunkenOut{label(d, i), report.Full(s.Mean), report.Full(s.SD)})
			}
			if a.json {
				return a.printJSON(out)
			}
			w := tabwriter.NewWriter(a.sys.Stdout, 2, 8, 2, ' ', 0)
			fmt.Fprintf(w, "%d effects, tau ~ %s, mean ~ %s\n\tmean\tSD\tmedian\t%g%% interval\n", out.K, tauText, muText, f.level)
			for _, r := range []struct {
				name string
				s    summaryOut
			}{{"mean effect", out.Mu}, {"tau", out.Tau}, {"effect of a new study", out.Next}} {
				fmt.Fprintf(w, "%s\t%.4g\t%.4g\t%.4g\t%.4g to %.4g\n", r.name, float64(r.s.Mean), float64(r.s.SD), float64(r.s.Median), float64(r.s.Low), float64(r.s.High))
			}
			w.Flush()
			fmt.Fprintf(a.sys.Stdout, "P(mean effect > 0) = %.4g\n", b.ProbPositive)
			if !math.IsNaN(b.BFEffect) {
				fmt.Fprintf(a.sys.Stdout, "Bayes factor of an effect against none: %.4g\n", b.BFEffect)
			}
			if !math.IsNaN(b.BFTau) {
				fmt.Fprintf(a.sys.Stdout, "Bayes factor of heterogeneity against none: %.4g\n", b.BFTau)
			}
			return nil
		}}
	f.addEffects(c)
	a.jsonFlag(c)
	c.Flags().StringVar(&tauText, "tau-prior", "half-normal:0.5", "half-normal:SCALE, half-cauchy:SCALE, half-t:SCALE:DF or uniform")
	c.Flags().StringVar(&muText, "mu-prior", "uniform", "uniform or normal:MEAN:SD")
	return c
}

func parseTauPrior(text string) (synthesis.TauPrior, error) {
	fail := usage(fmt.Errorf("--tau-prior %q is not understood", text), "half-normal:SCALE, half-cauchy:SCALE, half-t:SCALE:DF or uniform")
	p := strings.Split(text, ":")
	var x [2]float64
	for i, s := range p[1:] {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || !(v > 0) || i > 1 {
			return synthesis.TauPrior{}, fail
		}
		x[i] = v
	}
	want := map[string]int{"half-normal": 1, "half-cauchy": 1, "half-t": 2, "uniform": 0}
	if n, ok := want[p[0]]; !ok || n != len(p)-1 {
		return synthesis.TauPrior{}, fail
	}
	return synthesis.TauPrior{Family: p[0], Scale: x[0], DF: x[1]}, nil
}

func parseMuPrior(text string) (synthesis.MuPrior, error) {
	if text == "uniform" {
		return synthesis.MuPrior{}, nil
	}
	p := strings.Split(text, ":")
	if len(p) == 3 && p[0] == "normal" {
		m, e1 := strconv.ParseFloat(p[1], 64)
		s, e2 := strconv.ParseFloat(p[2], 64)
		if e1 == nil && e2 == nil && s > 0 {
			return synthesis.MuPrior{Mean: m, SD: s}, nil
		}
	}
	return synthesis.MuPrior{}, usage(fmt.Errorf("--mu-prior %q is not understood", text), "uniform or normal:MEAN:SD")
}
