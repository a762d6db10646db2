// Package trace answers where a number comes from: a graph from predictions
// and pooled estimates over parameters, links and observations down to
// studies with their DOI and locator.
package trace

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
)

// Node is one thing with a source, or with parents that have one.
type Node struct {
	ID      string   `json:"id"`
	Entity  string   `json:"entity,omitempty"` // identifier, e.g. "NCBI Gene 3569"
	Kind    string   `json:"kind"`             // prediction, pooled, parameter, link, observation, claim, kinetic, biomarker, study
	Title   string   `json:"title"`
	Value   string   `json:"value,omitempty"`
	DOI     string   `json:"doi,omitempty"`
	Source  string   `json:"source,omitempty"`
	Locator string   `json:"locator,omitempty"`
	Parents []string `json:"parents,omitempty"`
}

// Graph holds the nodes by id.
type Graph struct {
	nodes map[string]Node
	order []string
}

// Node returns a node by id.
func (g *Graph) Node(id string) (Node, bool) { n, ok := g.nodes[id]; return n, ok }

// IDs lists every id in the order of addition.
func (g *Graph) IDs() []string { return g.order }

func (g *Graph) add(n Node) {
	if _, ok := g.nodes[n.ID]; !ok {
		g.order = append(g.order, n.ID)
	}
	g.nodes[n.ID] = n
}

// PoolID is the id of a pooled estimate.
func PoolID(domain string) string { return "pool:" + domain }

// Build collects the graph of a pack, the axis model, its posterior (nil where
// there is none) and pooled estimates.
func Build(p *evidence.Pack, m *axis.Model, post *calibrate.Posterior, pools []*synthesis.Pool) *Graph {
	g := &Graph{nodes: map[string]Node{}}
	for _, s := range p.Studies {
		title := "Study " + s.ID
		if s.Year > 0 {
			title += fmt.Sprintf(" (%d)", s.Year)
		}
		if s.Cohort != s.ID {
			title += ", same people as " + s.Cohort
		}
		g.add(Node{ID: s.ID, Kind: "study", Title: title, DOI: s.DOI, Source: s.Loc.Source, Locator: s.Loc.Locator})
	}
	for _, c := range p.Contrasts {
		g.add(Node{ID: c.ID, Kind: "observation", Title: fmt.Sprintf("%s, %s", c.Instrument, c.Domain), Value: Printed(c), Source: c.Loc.Source, Locator: c.Loc.Locator, Parents: []string{c.StudyID}})
	}
	for _, a := range p.ArmResults {
		g.add(Node{ID: a.ID, Kind: "observation", Title: fmt.Sprintf("%s, arm %s of %s", a.Instrument, a.ArmID, a.StudyID), Source: a.Loc.Source, Locator: a.Loc.Locator, Parents: []string{a.StudyID}})
	}
	for _, b := range p.Biomarkers {
		g.add(Node{ID: b.ID, Kind: "biomarker", Title: fmt.Sprintf("%s, %s, %s", b.Entity, b.Kind, b.Population), Value: fold(b), Source: b.Loc.Source, Locator: b.Loc.Locator, Parents: []string{b.StudyID}})
	}
	for _, k := range p.Kinetics {
		g.add(Node{ID: k.ID, Kind: "kinetic", Title: fmt.Sprintf("%s of %s, %s, %s", k.Quantity, k.Entity, k.Compartment, k.Species), Value: number(k.Value, k.Unit), Source: k.Loc.Source, Locator: k.Loc.Locator})
	}
	for _, c := range p.Claims {
		g.add(Node{ID: c.ID, Kind: "claim", Title: c.Text, Value: c.EffectSize, Source: c.Loc.Source, Locator: c.Loc.Locator})
	}
	for _, o := range p.Muscle {
		g.add(Node{ID: o.ID, Kind: "observation", Title: fmt.Sprintf("%s: %s, %s", o.Outcome, o.Measure, o.Arm), Source: o.Loc.Source, Locator: o.Loc.Locator})
	}
	for _, x := range p.Mediations {
		g.add(Node{ID: x.ID, Kind: "observation", Title: x.Statistic + " of " + x.Mediator + " on " + x.Outcome, Source: x.Loc.Source, Locator: x.Loc.Locator, Parents: []string{x.StudyID}})
	}
	g.addModel(p, m)
	if post != nil {
		g.addPosterior(p, m, post)
	}
	for _, pl := range pools {
		g.addPool(pl)
	}
	return g
}

func (g *Graph) addModel(p *evidence.Pack, m *axis.Model) {
	for i, par := range m.K.Params {
		n := Node{ID: par.Name, Kind: "parameter", Entity: identifier(p, par.Name), Title: par.Meaning, Value: number(par.Value, par.Unit) + ", prior " + par.Prior, Parents: g.sources(p, par.Source)}
		if axis.Assumed(par) {
			n.Source = "assumed"
		}
		switch m.Priors[i].Kind {
		case axis.Gate:
			n.Kind, n.Value = "link", fmt.Sprintf("present with probability %.2f", m.Priors[i].P)
		case axis.Responder:
			n.Value = "share of studies with a response, uniform prior"
			n.Parents = g.acuteRows(p, m.Priors[i].Entity)
		}
		g.add(n)
	}
	for _, o := range m.K.Outputs {
		n := Node{ID: o.Name, Kind: "prediction", Entity: identifier(p, o.Name), Title: o.Meaning, Value: "unit " + o.Unit}
		assumed := 0
		for _, i := range m.K.DependsOn(o.Name) {
			n.Parents = append(n.Parents, m.K.Params[i].Name)
			if axis.Assumed(m.K.Params[i]) {
				assumed++
			}
		}
		n.Value += fmt.Sprintf("; rests on %d parameters and links, %d of them assumed", len(n.Parents), assumed)
		g.add(n)
	}
}

// addPosterior adds to parameters and links what calibration made of them, and
// to predictions the observations they were held against.
func (g *Graph) addPosterior(p *evidence.Pack, m *axis.Model, post *calibrate.Posterior) {
	for _, c := range calibrate.Learned(m, post) {
		n, ok := g.nodes[c.Name]
		if !ok {
			continue
		}
		if c.Gate {
			n.Value += fmt.Sprintf(", %.2f after calibration", c.Posterior.Median)
		} else {
			n.Value += fmt.Sprintf("; after calibration %.3g (%.3g to %.3g), %.0f %% of the prior variance gone", c.Posterior.Median, c.Posterior.Low, c.Posterior.High, 100*c.Learned)
		}
		g.nodes[c.Name] = n
	}
	for _, o := range calibrate.NewProblem(p, m).Data.Observations {
		if n, ok := g.nodes[o.Quantity]; ok && n.Kind == "prediction" && !slices.Contains(n.Parents, o.ID) {
			n.Parents = append(n.Parents, o.ID)
			g.nodes[o.Quantity] = n
		}
	}
}

func identifier(p *evidence.Pack, name string) string {
	e, _ := p.Entity(axis.EntityOf(name))
	return e.Identifier()
}

// sources turns TABLE:ID references into ids of the graph.
func (g *Graph) sources(p *evidence.Pack, source string) (ids []string) {
	for _, ref := range axis.SourceRefs(source) {
		_, id, ok := strings.Cut(ref, ":")
		id = strings.TrimPrefix(id, "~")
		if _, known := g.nodes[id]; ok && known {
			ids = append(ids, id)
		}
	}
	return ids
}

func (g *Graph) acuteRows(p *evidence.Pack, entity string) (ids []string) {
	for _, b := range p.Biomarkers {
		if b.Entity == entity && b.Kind == "acute" && b.Mode == "RT" && b.Species == "human" && b.Matrix != "muscle" && b.Matrix != "brain" {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

func (g *Graph) addPool(pl *synthesis.Pool) {
	n := Node{ID: PoolID(pl.Domain), Kind: "pooled", Title: "Pooled effect on " + strings.ReplaceAll(pl.Domain, "_", " ")}
	if pl.All != nil {
		n.Value = fmt.Sprintf("%.3f SD, 95%% interval %.3f to %.3f, from %d results of %d cohorts", pl.All.Value, pl.All.Low, pl.All.High, pl.All.Rows, pl.All.Cohorts)
	}
	for _, u := range pl.Used {
		n.Parents = append(n.Parents, u.Contrast.ID)
	}
	g.add(n)
}

// Printed is what a contrast reports, in words.
func Printed(c evidence.Contrast) string {
	s := strings.ReplaceAll(c.Form, "_", " ")
	if !math.IsNaN(c.Effect) {
		s += fmt.Sprintf(": %s %g", c.EffectType, c.Effect)
		if !math.IsNaN(c.CILow) {
			s += fmt.Sprintf(" (%g to %g)", c.CILow, c.CIHigh)
		}
	}
	if c.PText != "" {
		s += ": p " + c.PText
	}
	if c.NRT > 0 {
		s += fmt.Sprintf("; n %d and %d, %s", c.NRT, c.NControl, strings.ReplaceAll(c.NBasis, "_", " "))
	}
	return s
}

func fold(b evidence.Biomarker) string {
	if !math.IsNaN(b.Fold) {
		return fmt.Sprintf("%.3g-fold", b.Fold)
	}
	return map[string]string{"1": "increase", "0": "no change", "-1": "decrease"}[b.Direction]
}

func number(v float64, unit string) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%g %s", v, unit)
}

// Write prints the trace of a node as an indented tree, every branch down to
// its source. A node met again is named without its branch.
func (g *Graph) Write(w io.Writer, id string) error {
	seen := map[string]bool{}
	var visit func(id string, depth int)
	var err error
	visit = func(id string, depth int) {
		n, ok := g.nodes[id]
		if !ok || err != nil {
			return
		}
		line := fmt.Sprintf("%s%s [%s] %s", strings.Repeat("  ", depth), n.ID, n.Kind, n.Title)
		if n.Entity != "" {
			line += " (" + n.Entity + ")"
		}
		if n.Value != "" {
			line += ": " + n.Value
		}
		if again := seen[id]; again {
			line += " (see above)"
		} else if src := n.reference(); src != "" {
			line += " <- " + src
		}
		if _, err = fmt.Fprintln(w, line); err != nil || seen[id] {
			return
		}
		seen[id] = true
		for _, p := range n.Parents {
			visit(p, depth+1)
		}
	}
	visit(id, 0)
	return err
}

func (n Node) reference() string {
	var parts []string
	if n.DOI != "" {
		parts = append(parts, "doi:"+n.DOI)
	} else if n.Source != "" {
		parts = append(parts, n.Source)
	}
	if n.Locator != "" {
		parts = append(parts, n.Locator)
	}
	return strings.Join(parts, ", ")
}

// Subgraph returns a node and everything it rests on.
func (g *Graph) Subgraph(id string) []Node {
	var out []Node
	seen := map[string]bool{}
	queue := []string{id}
	for len(queue) > 0 {
		n, ok := g.nodes[queue[0]]
		queue = queue[1:]
		if !ok || seen[n.ID] {
			continue
		}
		seen[n.ID] = true
		out = append(out, n)
		queue = append(queue, n.Parents...)
	}
	return out
}

// Suggest returns up to five ids that resemble a text.
func (g *Graph) Suggest(text string) (out []string) {
	type scored struct {
		id string
		d  int
	}
	var all []scored
	t := strings.ToLower(text)
	for _, id := range g.order {
		l := strings.ToLower(id)
		d := distance(t, l)
		if strings.Contains(l, t) || strings.Contains(t, l) {
			d = min(d, 2)
		}
		all = append(all, scored{id, d})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return a.d - b.d })
	for _, s := range all[:min(5, len(all))] {
		if s.d <= max(3, len(t)/2) {
			out = append(out, s.id)
		}
	}
	return out
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
