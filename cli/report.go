package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/report"
	"github.com/spf13/cobra"
)

// defaultProgramme is the example of the report: what most trials did.
const defaultProgramme = "2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM, rest 2min, progress 1%/week"

const defaultPerson = "age=70 sex=f status=healthy"

// commandLine is the command as a person would type it again.
func commandLine(sys System) string {
	words := []string{"myoaxis"}
	for _, w := range sys.Args {
		if w == "" || strings.ContainsAny(w, " \t\"'$&;|<>()*?`\\") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

type contentFlags struct {
	program, person string
	n               int
	seed            uint64
}

func (f *contentFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.program, "program", defaultProgramme, "programme of the example, as notation or a .yaml file")
	c.Flags().StringVar(&f.person, "person", defaultPerson, "person of the example")
	c.Flags().IntVar(&f.n, "population", 300, "virtual persons of the example, 20 to 2000")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of everything random")
}

func (a *app) content(c *cobra.Command, f contentFlags) (*report.Content, error) {
	if f.n < 20 || f.n > 2000 {
		return nil, usage(fmt.Errorf("--population %d is outside 20 to 2000", f.n), "use simulate --population for larger ones")
	}
	prog, err := a.programme(f.program)
	if err != nil {
		return nil, err
	}
	person, err := population.ParsePerson(f.person)
	if err != nil {
		return nil, err
	}
	p, err := a.pack()
	if err != nil {
		return nil, err
	}
	a.progress("pooling, fitting dose–response and simulating …")
	return report.Build(c.Context(), p, report.Options{Programme: prog, Person: person, N: f.n, Seed: f.seed, Command: commandLine(a.sys)})
}

func (a *app) reportCmd() *cobra.Command {
	var f contentFlags
	var out string
	c := &cobra.Command{
		Use: "report", Short: "The whole answer as one HTML page (the main job)",
		Long:    "Pools the evidence by domain with every reported form counted, finds dose–response, simulates one programme through the\naxis and writes one self-contained HTML page; prints a summary.",
		Example: "  myoaxis report\n  myoaxis report --program \"3x/week, 12 weeks: 8 exercises, 3x8-12 @ RPE 7\" --person \"age=78 status=mci\" --out mci.html\n  myoaxis report --evidence embedded --evidence my-pack --json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			content, err := a.content(c, f)
			if err != nil {
				return err
			}
			if a.json {
				if c.Flags().Changed("out") {
					if err := writeFile(out, content.WriteHTML); err != nil {
						return err
					}
				}
				return a.printJSON(content)
			}
			if err := writeFile(out, content.WriteHTML); err != nil {
				return err
			}
			return summary(a.sys.Stdout, content, out)
		},
	}
	f.add(c)
	a.evidenceFlag(c)
	a.jsonFlag(c)
	c.Flags().StringVar(&out, "out", "myoaxis-report.html", "HTML file to write")
	return c
}

func summary(w io.Writer, c *report.Content, out string) error {
	var b strings.Builder
	b.WriteString(c.Title + "\n\n")
	for _, s := range c.Answer {
		b.WriteString("- " + s.Text + "\n")
	}
	b.WriteString("\n")
	poolTable(&b, append([]report.PoolView{c.Overall}, c.Domains...))
	fmt.Fprintf(&b, "\nWritten to %s (seed %d).\n", out, c.Seed)
	_, err := io.WriteString(w, b.String())
	return err
}
