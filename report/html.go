package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/figure"
	"github.com/myoaxis/myoaxis/trace"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"num": num, "words": Words, "href": href, "anchor": anchor, "leads": leads, "interval": interval, "as": reportedAs,
	"pct":    func(n Num) string { return percent(float64(n)) },
	"title":  func(s string) string { w := Words(s); return strings.ToUpper(w[:1]) + w[1:] },
	"f2":     func(v float64) string { return figure.Num(v) },
	"pc":     func(v float64) string { return percent(v) },
	"series": func(id string) string { return seriesNames[id+".gain"] },
}).Parse(pageText))

// pageData is what the template sees.
type pageData struct {
	*Content
	Figure  map[string]template.HTML
	Params  []paramRow
	Sources []trace.Node
}

type paramRow struct {
	Name, Meaning, Value, Unit, Prior string
	Assumed                           bool
	Refs                              []string
}

// WriteHTML writes the report as one self-contained page.
func (c *Content) WriteHTML(w io.Writer) error {
	d := pageData{Content: c, Figure: map[string]template.HTML{}}
	for n, s := range c.Figures() {
		// The SVG is made here from escaped text, not from outside.
		d.Figure[n] = template.HTML(s.SVG() + `<p class="note">` + template.HTMLEscapeString(s.Desc) + `</p>` + dataTable(s))
	}
	for _, p := range c.model.K.Params {
		r := paramRow{Name: p.Name, Meaning: p.Meaning, Value: fmt.Sprintf("%g", p.Value), Unit: p.Unit, Prior: p.Prior, Assumed: axis.Assumed(p)}
		if n, ok := c.graph.Node(p.Name); ok && !r.Assumed {
			r.Refs = n.Parents
			if len(r.Refs) > 12 {
				r.Refs = r.Refs[:12]
			}
		}
		d.Params = append(d.Params, r)
	}
	d.Sources = c.sources()
	var b bytes.Buffer
	if err := page.Execute(&b, d); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// sources lists every node with a source that something on the page rests on,
// in the order of the graph.
func (c *Content) sources() (out []trace.Node) {
	used := map[string]bool{}
	mark := func(id string) {
		for _, n := range c.graph.Subgraph(id) {
			used[n.ID] = true
		}
	}
	mark(c.Overall.ID)
	for _, d := range c.Domains {
		mark(d.ID)
	}
	for _, p := range c.model.K.Params {
		mark(p.Name)
	}
	for _, m := range c.Markers {
		for _, id := range m.IDs {
			mark(id)
		}
	}
	for _, r := range c.Randomised {
		mark(r.Study)
	}
	for _, id := range c.graph.IDs() {
		n, _ := c.graph.Node(id)
		switch n.Kind {
		case "study", "claim", "kinetic", "biomarker":
			if used[id] {
				out = append(out, n)
			}
		}
	}
	return out
}

// dataTable is the figure's data as a table that opens below it.
func dataTable(s figure.Scene) string {
	rows := s.Table()
	if len(rows) > 400 {
		return fmt.Sprintf(`<p class="note">Data: <code>myoaxis figure %s --format table</code> (%d rows).</p>`, template.HTMLEscapeString(s.ID), len(rows)-1)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<details class="data"><summary>Data of this figure</summary><div class="scroll" tabindex="0" role="region" aria-label="Data: %s"><table><thead><tr>`, template.HTMLEscapeString(s.Title))
	for _, h := range rows[0] {
		fmt.Fprintf(&b, `<th scope="col">%s</th>`, template.HTMLEscapeString(h))
	}
	b.WriteString("</tr></thead><tbody>")
	for _, r := range rows[1:] {
		b.WriteString("<tr>")
		for _, v := range r {
			fmt.Fprintf(&b, "<td>%s</td>", template.HTMLEscapeString(v))
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table></div></details>")
	return b.String()
}

// anchor makes an id an HTML id.
func anchor(id string) string {
	return "t-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, id)
}

// leads is the HTML id a statement leads to: a pooled estimate, the table of
// parameters, or a section or figure by its own id.
func leads(trace string) string {
	if strings.Contains(trace, ":") || trace == "parameters" {
		return anchor(trace)
	}
	return trace
}

// href links a source: a DOI, an address, or nothing.
func href(n trace.Node) string {
	switch {
	case n.DOI != "":
		return "https://doi.org/" + n.DOI
	case strings.HasPrefix(n.Source, "http://"), strings.HasPrefix(n.Source, "https://"):
		return n.Source
	case strings.HasPrefix(n.Source, "10."):
		return "https://doi.org/" + n.Source
	}
	return ""
}

// SurfaceDomains are the domains with a dose surface.
func (d pageData) SurfaceDomains() []string { return calibrate.Domains }

// MarkerKind is one table of markers.
type MarkerKind struct {
	Title string
	Rows  []MarkerView
}

// MarkerKinds splits the markers into the acute and the chronic table.
func (d pageData) MarkerKinds() []MarkerKind {
	out := []MarkerKind{{Title: "After one session (acute)"}, {Title: "After weeks of training (resting level)"}}
	for _, m := range d.Markers {
		i := 0
		if m.Kind == "chronic" {
			i = 1
		}
		out[i].Rows = append(out[i].Rows, m)
	}
	return out
}
