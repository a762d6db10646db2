package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/report"
	"github.com/spf13/cobra"
)

func (a *app) simulateCmd() *cobra.Command {
	var program, person, out, every string
	var n int
	var seed uint64
	var after float64
	c := &cobra.Command{
		Use: "simulate", Short: "Simulate a programme through the axis, for a person or a virtual population",
		Long: "Every prediction is prior predictive: drawn from the priors and gates of the model, not fitted to trials. A person's\n" +
			"prediction is made from virtual persons who share the person's traits, so that it always carries its uncertainty.",
		Example: "  myoaxis simulate --program \"2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM\" --person \"age=72 sex=f status=mci\"\n" +
			"  myoaxis simulate --program plan.yaml --population 1000 --every 7d --out run.csv",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			prog, err := a.programme(program)
			if err != nil {
				return err
			}
			who, err := population.ParsePerson(person)
			if err != nil {
				return err
			}
			hours, err := parseEvery(every)
			if err != nil {
				return err
			}
			single := !c.Flags().Changed("population")
			if n != 1 && (n < 20 || n > 1_000_000) {
				return usage(fmt.Errorf("--population %d is neither 1 nor 20 to 1,000,000", n), "1 is the typical person without an interval from draws")
			}
			if !(after >= 0 && after <= 520) {
				return usage(fmt.Errorf("--after %g is not between 0 and 520 weeks", after), "weeks followed after the end of training")
			}
			p, err := a.pack()
			if err != nil {
				return err
			}
			m, err := axis.Build(p)
			if err != nil {
				return err
			}
			if points := (prog.Weeks() + after) * 168 / hours; points*float64(n)*float64(len(m.K.Outputs)) > 6e7 {
				return &Fault{Code: ExitUnsupported, Err: fmt.Errorf("%d persons at %.0f times are more output than fits in memory", n, points), Hint: "use a larger --every or fewer persons"}
			}
			s, err := report.Simulate(c.Context(), report.Plan{Model: m, Studied: report.NewStudied(p), Programme: prog, Person: who, N: n, Seed: seed, EveryH: hours, AfterW: after, WeeklyMean: single})
			if err != nil {
				return err
			}
			if out != "" {
				if err := writeFile(out, func(w io.Writer) error { return simulationCSV(w, s) }); err != nil {
					return err
				}
			}
			if a.json {
				return a.printJSON(s)
			}
			return simulationText(a.sys.Stdout, s, out)
		},
	}
	c.Flags().StringVar(&program, "program", defaultProgramme, "programme, as notation or a .yaml file")
	c.Flags().StringVar(&person, "person", defaultPerson, "person: age=72 sex=f status=healthy|mci|frail|dementia apoe4=0|1|2 bdnf=val/val|val/met|met/met strength=-0.5sd trained=no")
	c.Flags().IntVar(&n, "population", report.MinDraws, "virtual persons, every session resolved; without this flag the person's prediction comes from 100 draws with weekly mean sessions")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of everything random")
	c.Flags().StringVar(&every, "every", "7d", "output step: 1d, 12h, 30min")
	c.Flags().Float64Var(&after, "after", 0, "weeks to follow after the end of training")
	c.Flags().StringVar(&out, "out", "", "CSV file of the series to write")
	a.evidenceFlag(c)
	a.jsonFlag(c)
	return c
}

// parseEvery reads a step such as 1d, 12h or 30min in hours.
func parseEvery(s string) (float64, error) {
	for _, u := range []struct {
		suffix string
		hours  float64
	}{{"min", 1.0 / 60}, {"d", 24}, {"w", 168}, {"h", 1}} {
		text, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			break
		}
		if h := v * u.hours; h >= 1.0/60 && h <= 8760 {
			return h, nil
		}
		return 0, usage(fmt.Errorf("--every %s is outside 1min to 365d", s), "for example 1d")
	}
	return 0, usage(fmt.Errorf("--every %q is no time step", s), "for example 1d, 12h, 30min")
}

func simulationCSV(w io.Writer, s *report.Simulation) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"output", "unit", "time_h", "q2_5", "q10", "q25", "median", "q75", "q90", "q97_5"}}
	f := func(n report.Num) string {
		if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', 6, 64)
		}
		return ""
	}
	for _, sr := range s.Series {
		for _, p := range sr.Points {
			rows = append(rows, []string{sr.ID, sr.Unit, f(p.TimeH), f(p.Q025), f(p.Q10), f(p.Q25), f(p.Median), f(p.Q75), f(p.Q90), f(p.Q975)})
		}
	}
	return c.WriteAll(rows)
}

func simulationText(w io.Writer, s *report.Simulation, out string) error {
	fmt.Fprintf(w, "%s\nprogramme: %s\nperson: %s\n%d virtual persons, seed %d, %d sessions planned; %s\n", strings.ToUpper(s.Label[:1])+s.Label[1:], s.Programme, s.Person, s.N, s.Seed, s.Sessions, s.Method)
	for _, x := range append(s.Assumed, s.Warnings...) {
		fmt.Fprintln(w, "note: "+x)
	}
	d := s.Dose
	fmt.Fprintf(w, "dose: %s sessions/week, %s weeks, %s%% 1RM, %s sets/week, %s hard sets/muscle group/week, %s min/session\n\n", fnum(d.SessionsPerWeek), fnum(d.Weeks), fnum(d.LoadPct1RM), fnum(d.SetsPerWeek), fnum(d.HardSets), fnum(d.SessionMinutes))
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(t, "gain over no training at the end, SD\tmedian\t50%\t80%\t95%\tP(gain > 0)\tshare through the axis (80%)")
	for _, g := range s.Domains {
		q := g.Gain
		fmt.Fprintf(t, "%s\t%s\t%s to %s\t%s to %s\t%s to %s\t%s\t%s (%s to %s)\n", g.Domain, fnum(q.Median), fnum(q.Q25), fnum(q.Q75), fnum(q.Q10), fnum(q.Q90), fnum(q.Q025), fnum(q.Q975), fnum(g.ProbPositive), fnum(g.AxisShare.Median), fnum(g.AxisShare.Q10), fnum(g.AxisShare.Q90))
	}
	t.Flush()
	if out != "" {
		fmt.Fprintf(w, "\nSeries written to %s\n", out)
	}
	return nil
}
