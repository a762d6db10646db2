package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/prescribe"
	"github.com/spf13/cobra"
)

func (a *app) prescribeCmd() *cobra.Command {
	var person, cohort, domain, weights, against, posterior, spare string
	q := prescribe.Question{}
	c := &cobra.Command{
		Use: "prescribe", Short: "The programmes worth considering for a person or a cohort within constraints",
		Long: "Predicts every programme within the constraints from the calibrated axis, with 50, 80 and 95 % intervals, and says which tie.\n" +
			"Programmes that no trial comes near are left out, or marked with --extrapolate. No medical advice.",
		Example: "  myoaxis prescribe --person \"age=74 sex=f status=mci\" --sessions 2 --minutes 45 --domain memory\n" +
			"  myoaxis prescribe --population people.csv --rpe 7 --equipment bands --spare knee,shoulder --weights memory=2,global=1 --json",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p, m, err := a.packModel()
			if err != nil {
				return err
			}
			if q.People, err = readPeople(person, cohort, c.Flags().Changed("person")); err != nil {
				return err
			}
			if q.Weights, err = parseWeights(domain, weights); err != nil {
				return err
			}
			if against != "" {
				prog, err := a.programme(against)
				if err != nil {
					return err
				}
				q.Against = &prog
			}
			if !(q.MID > 0 && q.MID <= 3) || !(q.Negligible >= 0 && q.Negligible <= 1) {
				return usage(errors.New("--mid must lie in 0 to 3 SD and --negligible in 0 to 1 SD"), "the defaults are 0.2 and 0.05")
			}
			if spare != "" {
				q.Constraints.Spare = strings.Split(spare, ",")
			}
			post, err := a.readPosterior(posterior, p, m)
			if err != nil {
				return err
			}
			if len(q.People) > 1 { // a cohort takes a run for each kind of person
				post = post.Thin(250)
			}
			pm, err := prescribe.NewModel(m, post)
			if err != nil {
				return err
			}
			data := calibrate.NewProblem(p, m).Data
			ans, err := prescribe.Prescribe(pm, prescribe.NewSupport(data.Observations), q)
			if err != nil {
				return err
			}
			for _, o := range data.Observations {
				if k := slices.Index(calibrate.Domains, strings.TrimSuffix(o.Quantity, ".gain")); k >= 0 && q.Weights[k] > 0 {
					ans.Observations = append(ans.Observations, o.ID)
				}
			}
			if a.json {
				return a.printJSON(ans)
			}
			return a.answerText(ans)
		},
	}
	f := c.Flags()
	f.StringVar(&person, "person", defaultPerson, "person: age=72 sex=f status=healthy|mci|frail|dementia apoe4=0|1|2 bdnf=val/val strength=-0.5sd trained=no")
	f.StringVar(&cohort, "population", "", "CSV file of persons instead of one person")
	f.IntVar(&q.Constraints.Sessions, "sessions", 0, "most sessions a week (default 3)")
	f.Float64Var(&q.Constraints.Minutes, "minutes", 0, "most minutes a session (default 60)")
	f.Float64Var(&q.Constraints.LoadPct, "load", 0, "ceiling of the load in percent of 1RM (default 85)")
	f.Float64Var(&q.Constraints.RPE, "rpe", 0, "ceiling of exertion, 3 to 10 (default 8)")
	f.Float64Var(&q.Constraints.Weeks, "weeks", 0, "length of the programme (default 24)")
	f.StringVar(&q.Constraints.Equipment, "equipment", "", "machines, free, bands or body (default machines)")
	f.StringVar(&spare, "spare", "", "joints to spare, separated by commas: "+strings.Join(prescribe.Joints, ", "))
	f.StringVar(&domain, "domain", "global", "memory, executive, speed, visuospatial or global")
	f.StringVar(&weights, "weights", "", "several domains with weights, e.g. memory=2,global=1")
	f.StringVar(&against, "against", "", "alternative programme to beat (default: the best once a week)")
	f.Float64Var(&q.MID, "mid", prescribe.MID, "minimal important difference, SD")
	f.Float64Var(&q.Negligible, "negligible", prescribe.Negligible, "differences up to this are ties, SD")
	f.BoolVar(&q.Extrapolate, "extrapolate", false, "also list programmes that no trial comes near, marked")
	f.StringVar(&posterior, "posterior", "", "posterior file instead of the one in the program")
	f.Uint64Var(&q.Seed, "seed", 1, "seed of everything random")
	a.evidenceFlag(c)
	a.jsonFlag(c)
	return c
}

// readPeople reads a person, or a cohort from a file.
func readPeople(person, cohort string, both bool) ([]population.Person, error) {
	if cohort == "" {
		p, err := population.ParsePerson(person)
		return []population.Person{p}, err
	}
	if both {
		return nil, usage(errors.New("--person and a file of persons exclude each other"), "give one of them")
	}
	f, err := os.Open(cohort)
	if err != nil {
		return nil, readFault(cohort, err)
	}
	defer f.Close()
	people, err := population.ReadCohort(cohort, f)
	if err != nil {
		return nil, &Fault{Code: ExitData, Err: err}
	}
	return people, nil
}

func parseWeights(domain, text string) (prescribe.Weights, error) {
	w := make(prescribe.Weights, len(calibrate.Domains))
	hint := "domains: " + strings.Join(calibrate.Domains, ", ")
	if text == "" {
		k := slices.Index(calibrate.Domains, strings.TrimPrefix(domain, "processing_"))
		if k < 0 {
			return nil, usage(fmt.Errorf("--domain %q is not known", domain), hint)
		}
		w[k] = 1
		return w, nil
	}
	sum := 0.0
	for _, part := range strings.Split(text, ",") {
		name, val, ok := strings.Cut(part, "=")
		k := slices.Index(calibrate.Domains, strings.TrimPrefix(strings.TrimSpace(name), "processing_"))
		v, err := strconv.ParseFloat(strings.TrimSpace(val), 64)
		if !ok || k < 0 || err != nil || !(v >= 0 && v <= 1e6) || w[k] != 0 {
			return nil, usage(fmt.Errorf("--weights: %q is not understood", part), "for example memory=2,global=1; "+hint)
		}
		w[k] = v
		sum += v
	}
	if sum == 0 {
		return nil, usage(errors.New("--weights: all weights are 0"), "for example memory=2,global=1")
	}
	for k := range w {
		w[k] /= sum
	}
	return w, nil
}

func (a *app) answerText(ans *prescribe.Answer) error {
	out := a.sys.Stdout
	fmt.Fprintf(out, "For %s\nOutcome: %s, SD against no training\n\n", ans.Person, ans.Outcome)
	for _, s := range ans.Plain {
		fmt.Fprintln(out, "- "+s)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nprogramme\tmin/week\tmean effect\t50%%\t80%%\t95%%\tnew group, 95%%\t> none\t> %.2g SD\t> alternative\tties\ttrials near\n", ans.MID)
	for _, o := range ans.Options {
		tie, near := "", fmt.Sprint(o.CohortsNear)
		if o.TiesBest {
			tie = "tie"
		}
		if !o.Supported {
			near = "none: extrapolation"
		}
		e, n := o.Effect, o.NewGroup
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f to %.2f\t%.2f to %.2f\t%.2f to %.2f\t%.2f to %.2f\t%.2f\t%.2f\t%.2f\t%s\t%s\n", o.Programme, o.Minutes, e.Median, e.Low50, e.High50, e.Low80, e.High80, e.Low95, e.High95, n.Low95, n.High95, o.BeatsNone, o.ProbMID, o.BeatsOther, tie, near)
	}
	if err := w.Flush(); err != nil {
		return ioFault("stdout", err)
	}
	fmt.Fprintf(out, "\nExercises: %s.\nTrials that trained like the first: %s (myoaxis why ID).\n\n", strings.Join(ans.Exercises, ", "), strings.Join(ans.Options[0].Trials, ", "))
	for _, s := range ans.BeforeStart {
		fmt.Fprintln(out, "! "+s)
	}
	return nil
}
