package report

import (
	"fmt"
	"math"

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

// mapEdge draws a link between two places.
type mapEdge struct{ link, from, to string }

var mapEdges = []mapEdge{
	{"irisin_bb", "irisin", "bb"}, {"irisin_pl", "irisin", "pl"}, {"irisin_ni", "irisin", "ni"},
	{"igf1_bb", "igf1", "bb"}, {"igf1_ng", "igf1", "ng"}, {"bbb_bdnf", "bdnf", "bb"}, {"il15_pl", "il15", "pl"},
	{"lactate", "lactate", "pf"}, {"catb_bb", "catb", "bb"}, {"catb_ng", "catb", "ng"}, {"vegf_ng", "vegf", "ng"}, {"vegf_pf", "vegf", "pf"},
	{"il6_ni", "il6", "ni"}, {"tone_ni", "tone", "ni"}, {"rt_crp", "rt", "tone"}, {"il6_crp", "il6", "tone"},
	{"bb_pl", "bb", "pl"}, {"ni_wm", "ni", "wm"}, {"pf_wm", "pf", "wm"},
	{"pl_cog", "pl", "cog"}, {"ng_cog", "ng", "cog"}, {"pf_cog", "pf", "cog"}, {"wm_cog", "wm", "cog"}, {"ni_cog", "ni", "cog"}, {"direct", "direct", "cog"},
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
		labels = append(labels, label(labels, num(l.Prob), x1, y1, x2, y2))
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

// label puts a probability on an arrow, at the first of some places where it
// covers no earlier label.
func label(have []figure.Mark, text string, x1, y1, x2, y2 float64) figure.Mark {
	m := figure.Mark{Kind: figure.Box, X2: 38, Y2: 20, Text: text, Colour: figure.Light}
	for _, t := range []float64{0.45, 0.3, 0.6, 0.2, 0.7, 0.8, 0.52, 0.37, 0.13} {
		m.X, m.Y = x1+t*(x2-x1), y1+t*(y2-y1)
		free := true
		for _, o := range have {
			if math.Abs(o.X-m.X) < 41 && math.Abs(o.Y-m.Y) < 23 {
				free = false
			}
		}
		if free {
			break
		}
	}
	return m
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
