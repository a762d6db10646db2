package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/report"
	"github.com/spf13/cobra"
)

func (a *app) simulateCmd() *cobra.Command {
	var program, person, out, every, people, cohort, posterior string
	var prior bool
	var seed uint64
	var after float64
	c := &cobra.Command{
		Use: "simulate", Short: "Simulate a programme through the axis, for a person or a virtual population",
		Long: "Predictions are posterior predictive: drawn from the calibration of the axis to the evidence (--prior: from its priors alone).\n" +
			"A person's prediction is made from virtual persons who share the person's traits, so that it always carries its uncertainty.\n" +
			"With --population N every session is resolved; --population FILE.csv takes a cohort of your own (columns age, sex, status,\n" +
			"apoe4, bdnf, strength, trained), --cohort draws one from assumed distributions.",
		Example: "  myoaxis simulate --program \"2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM\" --person \"age=72 sex=f status=mci\"\n" +
			"  myoaxis simulate --program plan.yaml --population 1000 --every 7d --out run.csv\n" +
			"  myoaxis simulate --population people.csv --json\n  myoaxis simulate --cohort mci --population 2000",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			prog, err := a.programme(program)
			if err != nil {
				return err
			}
			hours, err := parseEvery(every)
			if err != nil {
				return err
			}
			crowd, err := readCrowd(person, people, cohort, seed, c.Flags().Changed("person"))
			if err != nil {
				return err
			}
			if !(after >= 0 && after <= 520) {
				return usage(fmt.Errorf("--after %g is not between 0 and 520 weeks", after), "weeks followed after the end of training")
			}
			p, m, err := a.packModel()
			if err != nil {
				return err
			}
			var post *calibrate.Posterior
			if !prior {
				if post, err = a.posteriorOrPrior(posterior, p, m); err != nil {
					return err
				}
			}
			if points := (prog.Weeks() + after) * 168 / hours; points*float64(crowd.n)*float64(len(m.K.Outputs)) > 6e7 {
				return &Fault{Code: ExitUnsupported, Err: fmt.Errorf("%d persons at %.0f times are more output than fits in memory", crowd.n, points), Hint: "use a larger --every or fewer persons"}
			}
			s, err := report.Simulate(c.Context(), report.Plan{Model: m, Posterior: post, Studied: report.NewStudied(p), Programme: prog, Person: crowd.person, People: crowd.people, N: crowd.n, Seed: seed, EveryH: hours, AfterW: after, WeeklyMean: crowd.single})
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
	c.Flags().StringVar(&people, "population", "", "number of virtual persons, or a CSV file of persons; every session resolved. Without it the person's prediction comes from 200 draws with weekly mean sessions")
	c.Flags().StringVar(&cohort, "cohort", "", "draw the persons from a cohort: "+strings.Join(population.Cohorts, ", ")+" (assumed distributions; with --population N)")
	c.Flags().BoolVar(&prior, "prior", false, "predict from the priors alone")
	c.Flags().StringVar(&posterior, "posterior", "", "posterior file instead of the one in the program")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of everything random")
	c.Flags().StringVar(&every, "every", "7d", "output step: 1d, 12h, 30min")
	c.Flags().Float64Var(&after, "after", 0, "weeks to follow after the end of training")
	c.Flags().StringVar(&out, "out", "", "CSV file of the series to write")
	a.evidenceFlag(c)
	a.jsonFlag(c)
	return c
}

// crowd is whom a simulation is for.
type crowd struct {
	person population.Person
	people []population.Person
	n      int
	single bool // one person, weekly mean sessions
}

// readCrowd reads --person, --population (a number or a file) and --cohort.
func readCrowd(person, people, cohort string, seed uint64, personGiven bool) (c crowd, err error) {
	c.n, c.single = report.MinDraws, people == "" && cohort == ""
	if cohort != "" {
		c.n = 1000
	}
	n, notNumber := strconv.Atoi(people)
	switch {
	case people == "":
	case notNumber == nil:
		if c.n = n; n != 1 && (n < 20 || n > 1_000_000) {
			return c, usage(fmt.Errorf("--population %d is neither 1 nor 20 to 1,000,000", n), "1 is the typical person without an interval from draws")
		}
	case cohort != "":
		return c, usage(errors.New("--cohort and a file of persons exclude each other"), "give --population N with --cohort")
	default:
		if c.people, err = readPeople("", people, personGiven); err != nil {
			return c, err
		}
		c.n = max(report.MinDraws, len(c.people)) // a small cohort is drawn several times
		return c, nil
	}
	if cohort != "" {
		if personGiven {
			return c, usage(errors.New("--person and --cohort exclude each other"), "give one of them")
		}
		if c.people, err = population.DrawCohort(cohort, c.n, seed); err != nil {
			return c, usage(fmt.Errorf("--cohort: %w", err), "one of "+strings.Join(population.Cohorts, ", "))
		}
		return c, nil
	}
	c.person, err = population.ParsePerson(person)
	return c, err
}

// posteriorOrPrior is the posterior named, or the shipped one. Where the
// shipped one was made from other evidence it says so and returns nil: the
// prediction is then prior predictive.
func (a *app) posteriorOrPrior(file string, p *evidence.Pack, m *axis.Model) (*calibrate.Posterior, error) {
	post, err := a.readPosterior(file, p, m)
	var fe *calibrate.FileError
	if file == "" && errors.As(err, &fe) {
		fmt.Fprintf(a.sys.Stderr, "warning: %v; predictions are from the priors alone (%s, then --posterior FILE)\n", err, fe.Hint)
		return nil, nil
	}
	return post, err
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
	fmt.Fprintln(t, "gain over no training at the end, SD\tmedian\t50%\t80%\t95%\tin a new group, 95%\tP(gain > 0)\tP(gain > 0.2)\tshare through the axis (80%)")
	for _, g := range s.Domains {
		q := g.Gain
		group := "–"
		if g.NewGroup != nil {
			group = fnum(g.NewGroup.Q025) + " to " + fnum(g.NewGroup.Q975)
		}
		fmt.Fprintf(t, "%s\t%s\t%s to %s\t%s to %s\t%s to %s\t%s\t%s\t%s\t%s (%s to %s)\n", g.Domain, fnum(q.Median), fnum(q.Q25), fnum(q.Q75), fnum(q.Q10), fnum(q.Q90), fnum(q.Q025), fnum(q.Q975), group, fnum(g.ProbPositive), fnum(g.ProbMID), fnum(g.AxisShare.Median), fnum(g.AxisShare.Q10), fnum(g.AxisShare.Q90))
	}
	t.Flush()
	if out != "" {
		fmt.Fprintf(w, "\nSeries written to %s\n", out)
	}
	return nil
}
