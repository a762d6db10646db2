package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/training"
	"github.com/spf13/cobra"
)

// Version of the program.
const Version = "0.1.0"

// Main runs the command line and returns the exit code.
func Main(sys System) (code int) {
	root := newRoot(sys)
	root.SetArgs(sys.Args)
	root.SetIn(sys.Stdin)
	root.SetOut(sys.Stdout)
	root.SetErr(sys.Stderr)
	err := root.Execute()
	if err == nil {
		return ExitOK
	}
	f := classify(err)
	if !f.Quiet {
		fmt.Fprintln(sys.Stderr, "error: "+f.Err.Error())
		if f.Hint != "" {
			fmt.Fprintln(sys.Stderr, "hint: "+f.Hint)
		}
	}
	return f.Code
}

type app struct {
	sys      System
	evidence []string // --evidence
	json     bool
}

func newRoot(sys System) *cobra.Command {
	a := &app{sys: sys}
	root := &cobra.Command{
		Use:   "myoaxis",
		Short: "The muscle–brain axis made executable",
		Long:  "Resistance training, myokines, brain and cognition in older adults: pool the evidence, find the dose, simulate a programme,\nand see where each number comes from. No medical advice.",
		Example: "  myoaxis report                                  the main job: writes myoaxis-report.html\n" +
			"  myoaxis pool --domain memory                    the pooled effect on memory, every reported form counted\n" +
			"  myoaxis dose --by frequency                     dose–response\n" +
			"  myoaxis simulate --program \"2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM\" --person \"age=72 sex=f\"\n" +
			"  myoaxis why pool:memory                         where a number comes from",
		Version:       Version,
		SilenceErrors: true, SilenceUsage: true,
		SuggestionsMinimumDistance: 2,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(err, c.CommandPath()+" --help shows the flags")
	})
	root.AddCommand(a.reportCmd(), a.evidenceCmd(), a.poolCmd(), a.doseCmd(), a.simulateCmd(), a.calibrateCmd(), a.validateCmd(), a.prescribeCmd(), a.whyCmd(), a.figureCmd(), a.modelCmd(), a.metaCmd(), a.sbmlCmd())
	exampleFirst(root)
	return root
}

func unknownCommand(c *cobra.Command, name string) error {
	hint := c.CommandPath() + " --help shows the commands"
	if s := c.SuggestionsFor(name); len(s) > 0 {
		hint = "did you mean " + strings.Join(s, " or ") + "?"
	}
	return usage(fmt.Errorf("%q is no command of %s", name, c.CommandPath()), hint)
}

// exampleFirst puts the examples on top of every help text.
func exampleFirst(c *cobra.Command) {
	c.SetHelpTemplate("{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}\n\n{{end}}{{if .HasExample}}Examples:\n{{.Example}}\n\n{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}")
	c.SetUsageTemplate("Usage:{{if .Runnable}}\n  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]\n\nCommands:{{range .Commands}}{{if .IsAvailableCommand}}\n  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}\n\nFlags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}\n")
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no argument, found %q", c.CommandPath(), args[0]), c.CommandPath()+" --help shows the flags")
	}
	return nil
}

// exactly refuses any other number of arguments than n.
func exactly(n int, need, hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usage(errors.New(need), hint)
		}
		return nil
	}
}

func (a *app) evidenceFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&a.evidence, "evidence", nil, "folder of an evidence pack instead of the built-in one; repeat to merge, \"embedded\" is the built-in pack")
}

func (a *app) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.json, "json", false, "print one JSON document")
}

// openPacks turns folders into sources.
func openPacks(dirs []string) (*evidence.Pack, []evidence.Problem, error) {
	if len(dirs) == 0 {
		p, ps := evidence.Embedded()
		return p, ps, nil
	}
	var srcs []evidence.Source
	for _, d := range dirs {
		if d == "embedded" {
			srcs = append(srcs, evidence.EmbeddedSource())
			continue
		}
		st, err := os.Stat(d)
		if err != nil {
			return nil, nil, readFault(d, err)
		}
		if !st.IsDir() {
			return nil, nil, &Fault{Code: ExitIO, Err: fmt.Errorf("%s is not a folder", d), Hint: "a pack is a folder with studies.csv and contrasts.csv"}
		}
		prefix := ""
		if len(dirs) > 1 {
			prefix = filepath.ToSlash(d) + "/"
		}
		srcs = append(srcs, evidence.Source{Prefix: prefix, FS: os.DirFS(d)})
	}
	p, ps := evidence.LoadAll(srcs...)
	return p, ps, nil
}

func readFault(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &Fault{Code: ExitIO, Err: fmt.Errorf("%s: %w", path, err), Hint: "check the path"}
}

// pack loads the evidence a command works on; one with errors is refused with
// all of them on stderr.
func (a *app) pack() (*evidence.Pack, error) {
	p, ps, err := openPacks(a.evidence)
	if err != nil {
		return nil, err
	}
	if evidence.Errors(ps) == 0 {
		return p, nil
	}
	for _, pr := range ps {
		if pr.Severity == evidence.Error {
			fmt.Fprintln(a.sys.Stderr, pr)
		}
	}
	return nil, &evidence.LoadError{Problems: ps}
}

// programme reads a programme: notation, or a YAML file by its name.
func (a *app) programme(text string) (training.Programme, error) {
	if ext := strings.ToLower(filepath.Ext(text)); ext == ".yaml" || ext == ".yml" {
		st, err := os.Stat(text)
		if err != nil {
			return training.Programme{}, readFault(text, err)
		}
		if st.Size() > 1<<20 {
			return training.Programme{}, &Fault{Code: ExitUnsupported, Err: fmt.Errorf("%s is %d bytes long", text, st.Size()), Hint: "a programme is a few lines"}
		}
		b, err := os.ReadFile(text)
		if err != nil {
			return training.Programme{}, readFault(text, err)
		}
		return training.ParseYAML(string(b))
	}
	return training.Parse(text)
}

func (a *app) printJSON(v any) error {
	return writeJSON(a.sys.Stdout, v)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return &Fault{Code: ExitIO, Err: err, Hint: "the output could not be written"}
	}
	return nil
}

// progress shows a line on a terminal only.
func (a *app) progress(text string) {
	if a.sys.Terminal {
		fmt.Fprintln(a.sys.Stderr, text)
	}
}
