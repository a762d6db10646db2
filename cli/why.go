package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/trace"
	"github.com/spf13/cobra"
)

func (a *app) whyCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "why ID", Short: "Where a number comes from, down to study, DOI and place in the source",
		Long:    "Prints the trace of a pooled estimate (pool:memory), a prediction (memory.gain), a parameter (il6.k), a link (g.irisin_bb),\nan observation, a claim (E022), a kinetic value or a study.",
		Example: "  myoaxis why pool:memory\n  myoaxis why g.irisin_bb\n  myoaxis why il6.k --json",
		Args:    exactly(1, "why needs one id", "for example myoaxis why pool:memory"),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.pack()
			if err != nil {
				return err
			}
			m, err := axis.Build(p)
			if err != nil {
				return err
			}
			var pools []*synthesis.Pool
			if d, ok := strings.CutPrefix(args[0], "pool:"); ok && (d == "overall" || slices.Contains(evidence.Domains, d)) {
				q, err := synthesis.PoolDomain(p, synthesis.Options{Selection: synthesis.Selection{Domain: d}, Quick: true})
				if err != nil {
					return err
				}
				pools = append(pools, q)
			}
			post, err := calibrate.Shipped(p, m)
			var other *calibrate.FileError
			if err != nil && !errors.As(err, &other) { // other evidence: no posterior to show
				return err
			}
			g := trace.Build(p, m, post, pools)
			id := resolve(g, args[0])
			if id == "" {
				hint := "ids are listed by myoaxis evidence list and myoaxis model list; pooled estimates are pool:DOMAIN"
				if s := g.Suggest(args[0]); len(s) > 0 {
					hint = "did you mean " + strings.Join(s, ", ") + "?"
				}
				return usage(fmt.Errorf("nothing has the id %q", args[0]), hint)
			}
			if a.json {
				return a.printJSON(map[string]any{"id": id, "nodes": g.Subgraph(id)})
			}
			return g.Write(a.sys.Stdout, id)
		},
	}
	a.evidenceFlag(c)
	a.jsonFlag(c)
	return c
}

// resolve accepts a link without its "g.".
func resolve(g *trace.Graph, id string) string {
	for _, try := range []string{id, "g." + id} {
		if _, ok := g.Node(try); ok {
			return try
		}
	}
	return ""
}

func (a *app) figureCmd() *cobra.Command {
	var f contentFlags
	var format, out string
	c := &cobra.Command{
		Use: "figure NAME", Short: "One figure of the report as SVG, data table or Vega-Lite",
		Long:    "Names: flow, summary, forest-DOMAIN, omega-overall, dose-VARIABLE, myokines, pathway, trajectory.",
		Example: "  myoaxis figure forest-memory --out memory.svg\n  myoaxis figure pathway --format table\n  myoaxis figure dose-frequency --format vega",
		Args:    exactly(1, "figure needs one name", "for example myoaxis figure forest-memory"),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains([]string{"svg", "table", "vega"}, format) {
				return usage(fmt.Errorf("--format %q is not known", format), "use svg, table or vega")
			}
			content, err := a.content(c, f)
			if err != nil {
				return err
			}
			s, ok := content.Figures()[args[0]]
			if !ok {
				return usage(fmt.Errorf("there is no figure %q", args[0]), "figures: "+strings.Join(content.FigureNames(), ", "))
			}
			write := func(w io.Writer) error {
				switch format {
				case "table":
					return csv.NewWriter(w).WriteAll(s.Table())
				case "vega":
					b, err := s.VegaLite()
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(w, "%s\n", b)
					return err
				}
				_, err := fmt.Fprintln(w, s.SVG())
				return err
			}
			if out == "" {
				return write(a.sys.Stdout)
			}
			return writeFile(out, write)
		},
	}
	f.add(c)
	a.evidenceFlag(c)
	c.Flags().StringVar(&format, "format", "svg", "svg, table (CSV) or vega (Vega-Lite JSON)")
	c.Flags().StringVar(&out, "out", "", "file to write instead of stdout")
	return c
}

func (a *app) modelCmd() *cobra.Command {
	c := &cobra.Command{Use: "model", Short: "The axis model: check it, print it, list what can be asked for, export it",
		Example: "  myoaxis model check\n  myoaxis model text\n  myoaxis model export --format sbml --out axis.xml", RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		}, Args: cobra.ArbitraryArgs}
	build := func() (*axis.Model, error) {
		p, err := a.pack()
		if err != nil {
			return nil, err
		}
		return axis.Build(p)
	}
	check := &cobra.Command{Use: "check", Short: "Check units, priors, sources and links", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		m, err := build()
		if err != nil {
			return err
		}
		assumed := 0
		for _, p := range m.K.Params {
			if axis.Assumed(p) {
				assumed++
			}
		}
		if a.json {
			return a.printJSON(map[string]any{"states": len(m.K.States), "parameters": len(m.K.Params), "assumed": assumed, "links": len(m.Links), "fluxes": len(m.K.Fluxes), "outputs": len(m.K.Outputs), "jacobian_entries": len(m.Sys.Pattern)})
		}
		fmt.Fprintf(a.sys.Stdout, "ok: %d states, %d parameters (%d assumed), %d links, %d fluxes, %d outputs\n", len(m.K.States), len(m.K.Params), assumed, len(m.Links), len(m.K.Fluxes), len(m.K.Outputs))
		return nil
	}}
	text := &cobra.Command{Use: "text", Short: "Print the model text", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		_, err := io.WriteString(a.sys.Stdout, axis.Text())
		return err
	}}
	list := &cobra.Command{Use: "list", Short: "List parameters, links and outputs", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		m, err := build()
		if err != nil {
			return err
		}
		for _, p := range m.K.Params {
			fmt.Fprintf(a.sys.Stdout, "%s\t%g %s\t%s\t%s\n", p.Name, p.Value, p.Unit, p.Prior, p.Meaning)
		}
		for _, o := range m.K.Outputs {
			fmt.Fprintf(a.sys.Stdout, "%s\toutput, %s\t\t%s\n", o.Name, o.Unit, o.Meaning)
		}
		return nil
	}}
	for _, s := range []*cobra.Command{check, list} {
		a.evidenceFlag(s)
	}
	a.jsonFlag(check)
	c.AddCommand(check, text, list, a.modelExportCmd())
	return c
}
