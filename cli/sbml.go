package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/antimony"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/sbml"
	"github.com/spf13/cobra"
)

func (a *app) sbmlCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "sbml", Short: "Check, simulate, analyse and convert models in SBML or Antimony, and run the SBML Test Suite",
		Long: "SBML Levels 1 to 3 with events, delays, algebraic rules and submodels (package comp). What cannot be represented exactly is refused.",
		Example: "  myoaxis sbml check model.xml\n" +
			"  myoaxis sbml simulate model.xml --duration 10 --steps 100\n" +
			"  myoaxis sbml simulate model.xml --settings settings.txt --out results.csv\n" +
			"  myoaxis sbml convert model.ant --out model.xml\n" +
			"  myoaxis sbml sensitivity model.xml --output '[S2]'\n" +
			"  myoaxis sbml suite semantic/",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.sbmlCheckCmd(), a.sbmlSimulateCmd(), a.sbmlSensitivityCmd(), a.sbmlSuiteCmd(), a.sbmlConvertCmd())
	return c
}

// readModelFile reads a model file, in SBML or Antimony by its ending.
func readModelFile(file string) (*sbml.Document, func(string) ([]byte, error), error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, nil, readFault(file, err)
	}
	if st.IsDir() {
		return nil, nil, &Fault{Code: ExitIO, Err: fmt.Errorf("%s is a folder", file), Hint: "name a model file"}
	}
	if st.Size() > sbml.MaxBytes {
		return nil, nil, &Fault{Code: ExitUnsupported, Err: fmt.Errorf("%s holds %d MiB; at most %d are read", file, st.Size()>>20, sbml.MaxBytes>>20)}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, readFault(file, err)
	}
	dir := os.DirFS(filepath.Dir(file))
	read := func(source string) ([]byte, error) {
		if !fs.ValidPath(source) {
			return nil, errors.New("only files beside the model are read")
		}
		return fs.ReadFile(dir, source)
	}
	doc, err := parseModel(file, data)
	return doc, read, err
}

func parseModel(file string, data []byte) (*sbml.Document, error) {
	if isAntimony(file) {
		return antimony.Parse(file, string(data))
	}
	return sbml.Read(file, data)
}

// isAntimony goes by the ending of a file name.
func isAntimony(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".ant", ".antimony", ".sb", ".txt":
		return true
	}
	return false
}

// buildModel reads, flattens and compiles a model file.
func buildModel(file string) (*sbml.Document, *sbml.Model, *sbml.Built, error) {
	doc, read, err := readModelFile(file)
	if err != nil {
		return nil, nil, nil, err
	}
	flat, err := doc.Flat(read)
	if err != nil {
		return nil, nil, nil, sbml.InFile(err, file)
	}
	b, err := sbml.Build(flat)
	return doc, flat, b, sbml.InFile(err, file)
}

func (a *app) sbmlCheckCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "check MODEL", Short: "Every fault of a model as file:line:column: message (hint)",
		Long:    "Ids, references, formulas, circular definitions, over- and under-determined equations, and units (as warnings).",
		Example: "  myoaxis sbml check model.xml\n  myoaxis sbml check model.ant --json",
		Args:    exactly(1, "name one model file", "for example: myoaxis sbml check model.xml"),
		RunE: func(_ *cobra.Command, args []string) error {
			doc, read, err := readModelFile(args[0])
			var problems sbml.Problems
			var one *sbml.Problem
			switch {
			case errors.As(err, &problems):
			case errors.As(err, &one):
				problems = sbml.Problems{one}
			case err != nil:
				return err
			default:
				problems = doc.Check(args[0], read)
			}
			return a.printProblems(problems)
		},
	}
	a.jsonFlag(c)
	return c
}

func (a *app) printProblems(problems sbml.Problems) error {
	code, kind := ExitOK, "no errors"
	if n := problems.Errors(); n > 0 {
		code, kind = ExitData, fmt.Sprintf("%d error(s)", n)
		if errors.Is(problems, sbml.ErrUnsupported) && !errors.Is(withoutWarnings(problems), sbml.ErrInvalid) {
			code = ExitUnsupported
		}
	}
	if a.json {
		type row struct {
			File     string `json:"file"`
			Line     int    `json:"line"`
			Column   int    `json:"column"`
			Severity string `json:"severity"`
			Kind     string `json:"kind"`
			Element  string `json:"element"`
			Message  string `json:"message"`
			Hint     string `json:"hint"`
		}
		rows := []row{}
		for _, p := range problems {
			s := "error"
			if p.Warning {
				s = "warning"
			}
			rows = append(rows, row{p.File, p.Line, p.Col, s, p.Kind.Error(), p.Element, p.Message, p.Hint})
		}
		if err := a.printJSON(map[string]any{"errors": problems.Errors(), "problems": rows}); err != nil {
			return err
		}
	} else {
		for _, p := range problems {
			fmt.Fprintln(a.sys.Stdout, p)
		}
		fmt.Fprintf(a.sys.Stdout, "%s, %d warning(s)\n", kind, len(problems)-problems.Errors())
	}
	if code != ExitOK {
		return &Fault{Code: code, Err: errors.New(kind), Quiet: true}
	}
	return nil
}

func withoutWarnings(p sbml.Problems) (out sbml.Problems) {
	for _, q := range p {
		if !q.Warning {
			out = append(out, q)
		}
	}
	return out
}

func (a *app) sbmlSimulateCmd() *cobra.Command {
	var settings, out, variables, method string
	var start, duration, rtol, atol float64
	var steps int
	var seed uint64
	c := &cobra.Command{
		Use: "simulate MODEL", Short: "Simulate a model over time",
		Long: "With --settings, settings and results are in the form of the SBML Test Suite. Species are amounts in --settings unless listed\n" +
			"under concentration; in --variables S is the amount and [S] the concentration. The solver is chosen by the model; --json carries its statistics.",
		Example: "  myoaxis sbml simulate model.xml --settings 00001-settings.txt --out 00001-results.csv\n" +
			"  myoaxis sbml simulate model.ant --duration 24 --steps 240 --variables '[S1],[S2]'",
		Args: exactly(1, "name one model file", "for example: myoaxis sbml simulate model.xml --duration 10"),
		RunE: func(c *cobra.Command, args []string) error {
			_, _, b, err := buildModel(args[0])
			if err != nil {
				return err
			}
			course := &sbml.TimeCourse{Start: start, Duration: duration, Steps: steps}
			set := kinetics.Settings{Settings: ode.Settings{Method: ode.Method(method), RTol: rtol, ATol: atol}, Seed: seed}
			if settings != "" {
				text, err := os.ReadFile(settings)
				if err != nil {
					return readFault(settings, err)
				}
				if course, err = sbml.ReadSettings(settings, text); err != nil {
					return err
				}
				if f := c.Flags(); !f.Changed("rtol") && !f.Changed("atol") {
					set.RTol, set.ATol = course.Tolerances()
				}
			} else if err := flagCourse(course, b, variables); err != nil {
				return err
			}
			if err := set.Settings.Validate(); err != nil || rtol <= 0 || atol <= 0 {
				return usage(fmt.Errorf("--rtol %g --atol %g --method %q: tolerances are positive, methods are rodas5p, tsit5, trbdf2 and bdf", rtol, atol, method), "leave them out for the defaults")
			}
			r, err := b.RunWith(c.Context(), course, set)
			if err != nil {
				return sbml.InFile(err, args[0])
			}
			if !math.IsNaN(r.Broken) {
				fmt.Fprintf(a.sys.Stderr, "warning: a constraint of the model does not hold from time %g on\n", r.Broken)
			}
			if a.json {
				return a.printJSON(resultJSON(r))
			}
			if out == "" {
				_, err := a.sys.Stdout.Write(r.CSV())
				return err
			}
			return writeFile(out, func(w io.Writer) error { _, err := w.Write(r.CSV()); return err })
		},
	}
	f := c.Flags()
	f.StringVar(&settings, "settings", "", "settings file in the form of the SBML Test Suite")
	f.StringVar(&out, "out", "", "CSV file to write instead of stdout")
	f.Float64Var(&start, "start", 0, "time of the first output; the run begins at 0")
	f.Float64Var(&duration, "duration", 10, "time covered by the output")
	f.IntVar(&steps, "steps", 100, "output steps")
	f.StringVar(&variables, "variables", "", "what to print, S the amount and [S] the concentration of a species; all where left out")
	f.StringVar(&method, "method", "", "solver: rodas5p, tsit5, trbdf2 or bdf; chosen by the model where left out")
	f.Float64Var(&rtol, "rtol", 1e-6, "relative tolerance")
	f.Float64Var(&atol, "atol", 1e-9, "absolute tolerance")
	f.Uint64Var(&seed, "seed", 1, "seed of the order of simultaneous events")
	a.jsonFlag(c)
	return c
}

// flagCourse completes a time course from flags.
func flagCourse(t *sbml.TimeCourse, b *sbml.Built, variables string) error {
	if !(t.Duration > 0) || math.IsInf(t.Duration, 0) || !(t.Start >= 0) || math.IsInf(t.Start, 0) || t.Steps < 1 || t.Steps > 10_000_000 {
		return usage(fmt.Errorf("--start %g --duration %g --steps %d is no time course", t.Start, t.Duration, t.Steps), "a positive duration and 1 to 10,000,000 steps")
	}
	for _, v := range strings.Split(variables, ",") {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		t.Variables = append(t.Variables, v)
	}
	if len(t.Variables) == 0 {
		for _, o := range b.K.Outputs {
			if !strings.HasPrefix(o.Name, "constraint ") {
				t.Variables = append(t.Variables, o.Name)
			}
		}
	}
	return nil
}

func resultJSON(r *sbml.Result) any {
	num := func(v float64) any {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	}
	rows := make([][]any, len(r.Values))
	for i, row := range r.Values {
		rows[i] = append(rows[i], num(r.Times[i]))
		for _, v := range row {
			rows[i] = append(rows[i], num(v))
		}
	}
	return map[string]any{"columns": append([]string{"time"}, r.Names...), "rows": rows, "stats": statsJSON(r.Stats)}
}

func statsJSON(s ode.Stats) map[string]any {
	return map[string]any{"steps": s.Steps, "rejected": s.Rejected, "evaluations": s.Evaluations, "jacobians": s.Jacobians, "factorisations": s.Factorisations,
		"solves": s.Solves, "stops": s.Stops, "events_located": s.Guards, "method_switches": s.Switches, "dense_pivots": s.DensePivots, "projections": s.Projections, "most_negative": s.MostNegative}
}

func (a *app) sbmlSuiteCmd() *cobra.Command {
	var levels []string
	var out string
	c := &cobra.Command{
		Use: "suite DIR", Short: "Run every case of the SBML Test Suite in a folder",
		Long:    "Each level and version file of each case is read, simulated and compared. unsupported is a typed refusal; fail is anything else.",
		Example: "  myoaxis sbml suite sbml-test-suite/semantic\n  myoaxis sbml suite sbml-test-suite/semantic --level l3v2 --out cases.csv",
		Args:    exactly(1, "name the folder of the cases", "for example: myoaxis sbml suite semantic/"),
		RunE: func(c *cobra.Command, args []string) error {
			results, err := runSuite(c.Context(), args[0], levels)
			if err != nil {
				return err
			}
			if out != "" {
				if err := writeFile(out, func(w io.Writer) error { _, err := w.Write(sbml.OutcomesCSV(results)); return err }); err != nil {
					return err
				}
			}
			return a.printSuite(results)
		},
	}
	c.Flags().StringSliceVar(&levels, "level", nil, "only these files, for example l3v2")
	c.Flags().StringVar(&out, "out", "", "CSV file with the outcome of every file")
	a.jsonFlag(c)
	return c
}

func runSuite(ctx context.Context, folder string, levels []string) ([]sbml.CaseResult, error) {
	if st, err := os.Stat(folder); err != nil {
		return nil, readFault(folder, err)
	} else if !st.IsDir() {
		return nil, &Fault{Code: ExitIO, Err: fmt.Errorf("%s is not a folder", folder), Hint: "name the folder that holds the cases"}
	}
	dir := os.DirFS(folder)
	ids, err := sbml.Cases(dir)
	if err != nil {
		return nil, readFault(folder, err)
	}
	if len(ids) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s holds no cases", folder), Hint: "a case is a folder NNNNN with NNNNN-settings.txt"}
	}
	results := make([][]sbml.CaseResult, len(ids))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				results[i] = sbml.RunCase(ctx, dir, ids[i], levels...)
			}
		})
	}
	for i := range ids {
		next <- i
	}
	close(next)
	wg.Wait()
	return slices.Concat(results...), nil
}

// tally counts outcomes.
type tally struct {
	Pass        int `json:"pass"`
	Fail        int `json:"fail"`
	Unsupported int `json:"unsupported"`
}

func (t *tally) add(o sbml.Outcome) {
	switch o {
	case sbml.Passed:
		t.Pass++
	case sbml.Failed:
		t.Fail++
	default:
		t.Unsupported++
	}
}

func (a *app) printSuite(results []sbml.CaseResult) error {
	var total tally
	levels, tags := map[string]*tally{}, map[string]*tally{}
	type bad struct {
		Case    string       `json:"case"`
		Level   string       `json:"level"`
		Outcome sbml.Outcome `json:"outcome"`
		Detail  string       `json:"detail"`
	}
	rest := []bad{}
	for _, r := range results {
		total.add(r.Outcome)
		for m, keys := range map[*map[string]*tally][]string{&levels: {r.Level}, &tags: r.Tags} {
			for _, k := range keys {
				if (*m)[k] == nil {
					(*m)[k] = &tally{}
				}
				(*m)[k].add(r.Outcome)
			}
		}
		if r.Outcome != sbml.Passed {
			rest = append(rest, bad{r.Case, r.Level, r.Outcome, r.Detail})
		}
	}
	var err error
	if a.json {
		err = a.printJSON(map[string]any{"total": total, "levels": levels, "tags": tags, "not_passed": rest})
	} else {
		w := tabwriter.NewWriter(a.sys.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "\tpass\tfail\tunsupported")
		line := func(name string, t tally) { fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", name, t.Pass, t.Fail, t.Unsupported) }
		for _, m := range []map[string]*tally{levels, tags} {
			var keys []string
			for k := range m {
				keys = append(keys, k)
			}
			sort.Strings(keys)
			for _, k := range keys {
				line(k, *m[k])
			}
		}
		line("all", total)
		err = w.Flush()
		for _, r := range rest {
			fmt.Fprintf(a.sys.Stdout, "%s %s: %s: %s\n", r.Case, r.Level, r.Outcome, strings.Split(r.Detail, "\n")[0])
		}
	}
	if err == nil && total.Fail > 0 {
		return &Fault{Code: ExitNumerical, Err: fmt.Errorf("%d of %d files fail", total.Fail, len(results)), Hint: "each is listed on stdout"}
	}
	return err
}
