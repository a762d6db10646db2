package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/figure"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/spf13/cobra"
)

func (a *app) evidenceCmd() *cobra.Command {
	c := &cobra.Command{Use: "evidence", Short: "Check, list, show and compare evidence packs",
		Example: "  myoaxis evidence check my-pack\n  myoaxis evidence list\n  myoaxis evidence show LiuAmbrose2010\n  myoaxis evidence diff embedded my-pack",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		}}
	c.AddCommand(a.checkCmd(), a.listCmd(), a.showCmd(), a.sourcesCmd(), a.diffCmd())
	return c
}

func oneDir(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage(fmt.Errorf("%s takes one folder", c.CommandPath()), "without a folder it works on the built-in pack")
	}
	return nil
}

type problemJSON struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	File     string `json:"file"`
	Row      int    `json:"row"`
	Column   int    `json:"column"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
}

func (a *app) checkCmd() *cobra.Command {
	var quiet bool
	c := &cobra.Command{Use: "check [DIR]", Short: "Report every problem of a pack as file:row:column: message (hint)", Args: oneDir,
		Example: "  myoaxis evidence check\n  myoaxis evidence check my-pack --errors-only",
		RunE: func(_ *cobra.Command, args []string) error {
			p, ps, err := openPacks(args)
			if err != nil {
				return err
			}
			n := evidence.Errors(ps)
			warnings := len(ps) - n // counted though not listed
			if quiet {
				ps = slices.DeleteFunc(ps, func(p evidence.Problem) bool { return p.Severity != evidence.Error })
			}
			if a.json {
				out := []problemJSON{}
				for _, q := range ps {
					sev := "warning"
					if q.Severity == evidence.Error {
						sev = "error"
					}
					out = append(out, problemJSON{sev, q.Code, q.File, q.Row, q.Col, q.Message, q.Hint})
				}
				if err := a.printJSON(map[string]any{"errors": n, "warnings": warnings, "problems": out}); err != nil {
					return err
				}
			} else {
				for _, q := range ps {
					fmt.Fprintln(a.sys.Stdout, q)
				}
				fmt.Fprintf(a.sys.Stdout, "%d errors, %d warnings; %d studies, %d contrasts\n", n, warnings, len(p.Studies), len(p.Contrasts))
			}
			if n > 0 {
				return &Fault{Code: ExitData, Err: &evidence.LoadError{Problems: ps}, Quiet: true}
			}
			return nil
		}}
	c.Flags().BoolVar(&quiet, "errors-only", false, "leave out warnings")
	a.jsonFlag(c)
	return c
}

// clean loads a pack that must have no errors.
func (a *app) clean(args []string) (*evidence.Pack, error) {
	a.evidence = args
	return a.pack()
}

func (a *app) listCmd() *cobra.Command {
	c := &cobra.Command{Use: "list [DIR]", Short: "List the studies with what they contribute", Args: oneDir,
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.clean(args)
			if err != nil {
				return err
			}
			type row struct {
				ID         string `json:"id"`
				Cohort     string `json:"cohort"`
				Year       int    `json:"year"`
				Population string `json:"population"`
				DOI        string `json:"doi"`
				Contrasts  int    `json:"contrasts"`
				Biomarkers int    `json:"biomarkers"`
			}
			var rows []row
			for _, s := range p.Studies {
				r := row{s.ID, s.Cohort, s.Year, s.Population, s.DOI, 0, 0}
				for _, c := range p.Contrasts {
					if c.StudyID == s.ID {
						r.Contrasts++
					}
				}
				for _, b := range p.Biomarkers {
					if b.StudyID == s.ID {
						r.Biomarkers++
					}
				}
				rows = append(rows, r)
			}
			if a.json {
				return a.printJSON(map[string]any{"studies": rows})
			}
			t := tabwriter.NewWriter(a.sys.Stdout, 2, 8, 2, ' ', 0)
			fmt.Fprintln(t, "study\tyear\tpopulation\tcontrasts\tbiomarkers\tcohort\tdoi")
			for _, r := range rows {
				year := ""
				if r.Year > 0 {
					year = fmt.Sprint(r.Year)
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", r.ID, year, r.Population, r.Contrasts, r.Biomarkers, r.Cohort, r.DOI)
			}
			return t.Flush()
		}}
	a.jsonFlag(c)
	return c
}

func (a *app) showCmd() *cobra.Command {
	c := &cobra.Command{Use: "show ID [DIR]", Short: "Show a study, or any record by its id, with every column",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usage(fmt.Errorf("show needs an id"), "for example myoaxis evidence show LiuAmbrose2010")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.clean(args[1:])
			if err != nil {
				return err
			}
			found := records(p, args[0])
			if len(found) == 0 {
				return usage(fmt.Errorf("no record has the id %q", args[0]), "myoaxis evidence list shows the studies")
			}
			if a.json {
				return a.printJSON(map[string]any{"id": args[0], "records": found})
			}
			for _, r := range found {
				fmt.Fprintf(a.sys.Stdout, "%s, line %d\n", r.Table, r.Line)
				for _, kv := range r.order {
					fmt.Fprintf(a.sys.Stdout, "  %s: %s\n", kv, r.Cells[kv])
				}
			}
			return nil
		}}
	a.jsonFlag(c)
	return c
}

type record struct {
	Table string            `json:"table"`
	Line  int               `json:"line"`
	Cells map[string]string `json:"cells"`
	order []string
}

// records finds rows that carry an id in any id column.
func records(p *evidence.Pack, id string) (out []record) {
	for _, res := range evidence.Codebook().Resources {
		t := p.Tables[res.Name]
		if t == nil {
			continue
		}
		for r := range t.Rows {
			hit := false
			for _, h := range t.Header {
				hit = hit || (h == "id" || strings.HasSuffix(h, "_id")) && t.Text(r, h) == id
			}
			if !hit {
				continue
			}
			rec := record{Table: t.File, Line: t.Lines[r], Cells: map[string]string{}}
			for _, h := range t.Header {
				if v := t.Text(r, h); v != "" {
					rec.Cells[h] = v
					rec.order = append(rec.order, h)
				}
			}
			out = append(out, rec)
		}
	}
	return out
}

func (a *app) sourcesCmd() *cobra.Command {
	c := &cobra.Command{Use: "sources [DIR]", Short: "List every source with the records that use it", Args: oneDir,
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.clean(args)
			if err != nil {
				return err
			}
			count := map[string]int{}
			var order []string
			for _, res := range evidence.Codebook().Resources {
				t := p.Tables[res.Name]
				if t == nil || res.Name == "references" || res.Name == "raw_counts" {
					continue
				}
				for r := range t.Rows {
					s := t.Text(r, "doi")
					if s == "" {
						s = t.Text(r, "source")
					}
					if s == "" {
						continue
					}
					if count[s] == 0 {
						order = append(order, s)
					}
					count[s]++
				}
			}
			slices.Sort(order)
			if a.json {
				type row struct {
					Source  string `json:"source"`
					Records int    `json:"records"`
				}
				rows := []row{}
				for _, s := range order {
					rows = append(rows, row{s, count[s]})
				}
				return a.printJSON(map[string]any{"sources": rows})
			}
			for _, s := range order {
				fmt.Fprintf(a.sys.Stdout, "%5d  %s\n", count[s], s)
			}
			return nil
		}}
	a.jsonFlag(c)
	return c
}

func (a *app) diffCmd() *cobra.Command {
	c := &cobra.Command{Use: "diff OLD NEW", Short: "Which conclusions a new pack changes, and whether any flips",
		Long:    "Compares two packs by study and pools both by domain. A conclusion is whether the 95% interval of a domain lies above zero,\nbelow it, or holds it; it flips when that changes.",
		Example: "  myoaxis evidence diff embedded my-pack",
		Args:    exactly(2, "diff needs an old and a new pack", "\"embedded\" names the built-in pack"),
		RunE: func(_ *cobra.Command, args []string) error {
			before, err := a.clean(args[:1])
			if err != nil {
				return err
			}
			after, err := a.clean(args[1:])
			if err != nil {
				return err
			}
			d, err := synthesis.Compare(before, after)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(d)
			}
			fmt.Fprintf(a.sys.Stdout, "studies added: %s\nstudies removed: %s\nobservations added %d, removed %d, changed %d\n", orNone(d.StudiesAdded), orNone(d.StudiesRemoved), d.Added, d.Removed, d.Changed)
			t := tabwriter.NewWriter(a.sys.Stdout, 2, 8, 2, ' ', 0)
			fmt.Fprintln(t, "domain\told\tnew\tconclusion")
			for _, x := range d.Domains {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.Domain, conclusion(x.Old), conclusion(x.New), x.Verdict)
			}
			t.Flush()
			fmt.Fprintf(a.sys.Stdout, "%d conclusion(s) flip\n", d.Flips)
			return nil
		}}
	a.jsonFlag(c)
	return c
}

func orNone(s []string) string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ", ")
}

func conclusion(e *synthesis.Conclusion) string {
	if e == nil {
		return "no result"
	}
	return fmt.Sprintf("%s (%s to %s), %d results", figure.Num(e.Estimate), figure.Num(deref(e.Low, -1)), figure.Num(deref(e.High, 1)), e.Rows)
}

// deref gives an end of an interval, infinite where it is open.
func deref(v *float64, sign int) float64 {
	if v == nil {
		return math.Inf(sign)
	}
	return *v
}
