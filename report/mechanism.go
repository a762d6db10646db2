package report

import (
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
)

// LinkView is a causal link with its inclusion probability and claims.
type LinkView struct {
	ID      string      `json:"id"`
	Meaning string      `json:"meaning"`
	Prob    Num         `json:"prob_present"`
	Grade   string      `json:"best_evidence"`
	Claims  []ClaimView `json:"claims"`
}

// ClaimView is one claim's part in a link.
type ClaimView struct {
	ID        string `json:"id"`
	Text      string `json:"claim"`
	Neighbour bool   `json:"about_neighbouring_link"`
	Logit     Num    `json:"logit"`
	Silent    string `json:"no_weight_because,omitempty"`
	Source    string `json:"source"`
	Locator   string `json:"locator"`
}

// NewLinkViews prepares the links of the axis.
func NewLinkViews(m *axis.Model) []LinkView {
	var out []LinkView
	for _, l := range m.Links {
		v := LinkView{ID: m.K.Params[l.Param].Name, Meaning: l.Meaning, Prob: Num(l.P), Grade: l.Grade(), Claims: []ClaimView{}}
		for _, t := range l.Terms {
			v.Claims = append(v.Claims, ClaimView{t.Claim.ID, t.Claim.Text, t.Neighbour, Num(t.Logit), t.Silent, t.Claim.Loc.Source, t.Claim.Loc.Locator})
		}
		out = append(out, v)
	}
	return out
}

// MarkerView summarises what the record says of one marker after resistance
// exercise (acute) or training (chronic) in people.
type MarkerView struct {
	Entity    string   `json:"entity"`
	Kind      string   `json:"kind"`
	Rows      int      `json:"rows"`
	Studies   int      `json:"studies"`
	Up        int      `json:"rows_increase"`
	Null      int      `json:"rows_no_change"`
	Down      int      `json:"rows_decrease"`
	FoldLow   Num      `json:"fold_low"`
	FoldHigh  Num      `json:"fold_high"`
	Numeric   int      `json:"numeric_rows"`
	Responder Num      `json:"responder_share"`
	IDs       []string `json:"ids"`
}

// Markers in the order tables show them.
var markerOrder = []string{"irisin", "BDNF", "IL-6", "IL-15", "IGF-1", "lactate", "cathepsin B", "IL-10", "TNF-alpha", "CRP", "VEGF"}

// NewMarkerViews summarises the biomarker rows of people after resistance
// exercise; absolute values are never compared.
func NewMarkerViews(p *evidence.Pack) []MarkerView {
	out := []MarkerView{}
	for _, kind := range []string{"acute", "chronic"} {
		for _, e := range markerOrder {
			v := MarkerView{Entity: e, Kind: kind, FoldLow: Num(nan), FoldHigh: Num(nan), Responder: Num(nan)}
			lo, hi := math.Inf(1), math.Inf(-1)
			var studies []string
			for _, b := range p.Biomarkers {
				if b.Entity != e || b.Kind != kind || b.Mode != "RT" || b.Species != "human" || b.Matrix == "muscle" || b.Matrix == "brain" {
					continue
				}
				v.Rows++
				v.IDs = append(v.IDs, b.ID)
				if c := p.Cohort(b.StudyID); !slices.Contains(studies, c) {
					studies = append(studies, c)
				}
				switch b.Direction {
				case "1":
					v.Up++
				case "0":
					v.Null++
				case "-1":
					v.Down++
				}
				if !math.IsNaN(b.Fold) {
					v.Numeric++
					lo, hi = math.Min(lo, b.Fold), math.Max(hi, b.Fold)
				}
			}
			if v.Rows == 0 {
				continue
			}
			v.Studies = len(studies)
			if v.Numeric > 0 {
				v.FoldLow, v.FoldHigh = Num(lo), Num(hi)
			}
			if kind == "acute" && slices.Contains(markerOrder[:5], e) {
				v.Responder = Num(axis.ResponderShare(p, e).Mean())
			}
			out = append(out, v)
		}
	}
	return out
}
