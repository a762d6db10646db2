package report

import (
	"fmt"

	"github.com/myoaxis/myoaxis/figure"
)

// place is a box of the pathway map.
type place struct {
	id, text string
	x, y     float64
}

var mapPlaces = []place{
	{"rt", "Resistance\ntraining", 80, 330},
	{"irisin", "irisin", 290, 60}, {"igf1", "IGF-1", 290, 135}, {"bdnf", "BDNF (blood)", 290, 210}, {"il15", "IL-15", 290, 285}, {"lactate", "lactate", 290, 360}, {"catb", "cathepsin B", 290, 435}, {"vegf", "VEGF", 290, 510}, {"il6", "IL-6", 290, 585}, {"tone", "CRP, TNF-α", 290, 660},
	{"bb", "brain BDNF", 590, 110}, {"pl", "plasticity", 590, 220}, {"ng", "hippocampus", 590, 340}, {"pf", "perfusion", 590, 450}, {"wm", "white matter", 590, 555}, {"ni", "neuro-\ninflammation", 590, 660},
	{"cog", "Cognition", 880, 360}, {"direct", "strength,\nother paths", 590, 760},
}

// mapEdge draws a link between two places; at is where along it the
// probability stands.
type mapEdge struct {
	link, from, to string
	at             float64
}

var mapEdges = []mapEdge{
	{"irisin_bb", "irisin", "bb", 0.3}, {"irisin_pl", "irisin", "pl", 0.22}, {"irisin_ni", "irisin", "ni", 0.12},
	{"igf1_bb", "igf1", "bb", 0.35}, {"igf1_ng", "igf1", "ng", 0.3}, {"bbb_bdnf", "bdnf", "bb", 0.3}, {"il15_pl", "il15", "pl", 0.35},
	{"lactate", "lactate", "pf", 0.3}, {"catb_bb", "catb", "bb", 0.18}, {"catb_ng", "catb", "ng", 0.4}, {"vegf_ng", "vegf", "ng", 0.28}, {"vegf_pf", "vegf", "pf", 0.55},
	{"il6_ni", "il6", "ni", 0.35}, {"tone_ni", "tone", "ni", 0.45}, {"rt_crp", "rt", "tone", 0.6}, {"il6_crp", "il6", "tone", 0.5},
	{"bb_pl", "bb", "pl", 0.5}, {"ni_wm", "ni", "wm", 0.5}, {"pf_wm", "pf", "wm", 0.5},
	{"pl_cog", "pl", "cog", 0.45}, {"ng_cog", "ng", "cog", 0.45}, {"pf_cog", "pf", "cog", 0.45}, {"wm_cog", "wm", "cog", 0.4}, {"ni_cog", "ni", "cog", 0.35}, {"direct", "direct", "cog", 0.35},
}

// gradeDash draws the grade of the evidence as a line pattern.
var gradeDash = map[string]string{"people": "", "animals or cells": "8 5", "reviews or neighbouring links only": "2 4"}

// Pathway draws the axis with the grade of each link as line pattern and its
// probability as a label.
func Pathway(links []LinkView) figure.Scene {
	s := figure.Scene{ID: "pathway", Title: "The muscle–brain axis and how sure each link is", W: 980, H: 900, Columns: []string{"link", "meaning", "probability", "best evidence"},
		Desc: "Map from training over blood factors and brain processes to cognition. Solid lines rest on studies in people, dashed lines on animals or cells, dotted lines on reviews or neighbouring links only. Numbers are the prior probability that the link exists."}
	p := figure.Panel{XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}, W: s.W, H: s.H}
	at := map[string]place{}
	for _, q := range mapPlaces {
		at[q.id] = q
	}
	for _, q := range mapPlaces[1:10] { // release is no gate: responders are drawn instead
		if q.id != "tone" {
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Arrow, X: at["rt"].x + 60, Y: at["rt"].y, X2: q.x - 62, Y2: q.y, Colour: figure.Light})
		}
	}
	p.Marks = append(p.Marks, figure.Mark{Kind: figure.Arrow, X: at["rt"].x, Y: at["rt"].y + 25, X2: at["direct"].x - 62, Y2: at["direct"].y, Colour: figure.Light})
	byID := map[string]LinkView{}
	for _, l := range links {
		byID[l.ID] = l
	}
	var labels []figure.Mark
	drawn := map[string]bool{}
	for _, e := range mapEdges {
		l, ok := byID["g."+e.link]
		if !ok {
			continue
		}
		drawn[l.ID] = true
		a, b := at[e.from], at[e.to]
		x1, y1, x2, y2 := ends(a, b)
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Arrow, X: x1, Y: y1, X2: x2, Y2: y2, Colour: gradeColour(l.Grade), Dash: gradeDash[l.Grade], Size: 1.8, Tip: fmt.Sprintf("%s: probability %s, best evidence: %s", l.Meaning, num(l.Prob), l.Grade),
			Row: []string{l.ID, l.Meaning, num(l.Prob), l.Grade}})
		labels = append(labels, figure.Mark{Kind: figure.Box, X: x1 + e.at*(x2-x1), Y: y1 + e.at*(y2-y1), X2: 38, Y2: 20, Text: num(l.Prob), Colour: figure.Light})
	}
	p.Marks = append(p.Marks, labels...)
	for _, q := range mapPlaces {
		h := 40.0
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Box, X: q.x, Y: q.y, X2: 122, Y2: h, Text: q.text, Colour: figure.Black, Bold: true})
	}
	p.Marks = append(p.Marks, legend(830)...)
	for _, l := range links {
		if !drawn[l.ID] { // gates inside a drawn arrow, listed in the table only
			p.Marks = append(p.Marks, figure.Mark{Kind: "none", Row: []string{l.ID, l.Meaning, num(l.Prob), l.Grade}})
		}
	}
	s.Panels = []figure.Panel{p}
	return s
}

// ends puts an arrow on the borders of two boxes.
func ends(a, b place) (x1, y1, x2, y2 float64) {
	if a.x == b.x {
		if a.y < b.y {
			return a.x, a.y + 20, b.x, b.y - 22
		}
		return a.x, a.y - 20, b.x, b.y + 22
	}
	return a.x + 62, a.y, b.x - 63, b.y
}

func gradeColour(g string) string {
	switch g {
	case "people":
		return figure.Green
	case "animals or cells":
		return figure.Blue
	}
	return figure.Purple
}

func legend(y float64) (ms []figure.Mark) {
	x := 40.0
	for _, g := range []struct{ grade, text string }{{"people", "studies in people"}, {"animals or cells", "animals or cells"}, {"reviews or neighbouring links only", "reviews or neighbouring links"}} {
		ms = append(ms, figure.Mark{Kind: figure.Arrow, X: x, Y: y, X2: x + 60, Y2: y, Colour: gradeColour(g.grade), Dash: gradeDash[g.grade], Size: 1.8},
			figure.Mark{Kind: figure.Text, X: x + 68, Y: y, Text: g.text, Colour: figure.Black})
		x += 250
	}
	return append(ms, figure.Mark{Kind: figure.Text, X: 40, Y: y + 28, Text: "Number: probability that the link exists, from its claims. Grey: release, drawn per person as responder or not.", Colour: figure.Black})
}
