package synthesis

import (
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/effect"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

// Selection says which observations are pooled. The zero value is the default:
// every domain, resistance training alone, end of training, outcomes not
// mentioned counted as not significant, randomisation not ruled out.
type Selection struct {
	Domain      string   // "" or "overall" for all
	Kinds       []string // nil means RT
	Unmentioned Unmentioned
	RandomOnly  bool // leave out trials whose randomisation is unclear
	PrintedN    bool // leave out rows whose arm sizes had to be assumed
}

// Used is one pooled observation with its result.
type Used struct {
	Contrast evidence.Contrast
	Result   reported.Result
	Cohort   string
}

// Left is one observation that is not pooled, and why.
type Left struct{ ID, Reason string }

// Flow counts observations from found to used.
type Flow struct {
	Found   int
	Left    []Left
	Used    int
	Cohorts int
	Studies int
	Assumed int // used rows with an assumed arm size
}

// Reasons counts what was left out, by reason, most frequent first.
func (f Flow) Reasons() []Reason {
	var rs []Reason
	for _, l := range f.Left {
		k := slices.IndexFunc(rs, func(r Reason) bool { return r.Text == l.Reason })
		if k < 0 {
			rs = append(rs, Reason{Text: l.Reason})
			k = len(rs) - 1
		}
		rs[k].Count++
	}
	slices.SortStableFunc(rs, func(a, b Reason) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Text, b.Text)
	})
	return rs
}

// Reason is a reason for leaving observations out, with their number.
type Reason struct {
	Text  string
	Count int
}

// Select picks the observations of a pack and accounts for each.
func Select(p *evidence.Pack, s Selection) ([]Used, Flow) {
	if s.Kinds == nil {
		s.Kinds = []string{"RT"}
	}
	var used []Used
	var flow Flow
	studies, cohorts := map[string]bool{}, map[string]bool{}
	for _, c := range append(slices.Clone(p.Contrasts), fromArms(p)...) {
		if s.Domain != "" && s.Domain != "overall" && c.Domain != s.Domain {
			continue
		}
		flow.Found++
		reason := s.exclude(c)
		var r reported.Result
		if reason == "" {
			var err error
			if r, err = FromContrast(c); err != nil {
				reason = err.Error()
			}
		}
		if reason != "" {
			flow.Left = append(flow.Left, Left{c.ID, reason})
			continue
		}
		if r.Form == reported.Unmentioned && s.Unmentioned == UnmentionedWeight {
			r.Weight = 0.5
		}
		if c.NRT < 2 || c.NControl < 2 {
			flow.Assumed++
		}
		used = append(used, Used{c, r, p.Cohort(c.StudyID)})
		studies[c.StudyID], cohorts[p.Cohort(c.StudyID)] = true, true
	}
	flow.Used, flow.Studies, flow.Cohorts = len(used), len(studies), len(cohorts)
	return used, flow
}

func (s Selection) exclude(c evidence.Contrast) string {
	switch {
	case !slices.Contains(s.Kinds, c.Kind):
		return "training is not of the chosen kind (" + c.Kind + ")"
	case c.Form == "within_group":
		return "change within the training group, not a contrast"
	case c.Form == "mediation":
		return "part of an effect (mediation), not the whole"
	case c.Comparison != "between":
		return "no comparator without training"
	case c.Randomised == "no":
		return "not randomised"
	case s.RandomOnly && c.Randomised != "yes":
		return "randomisation unclear"
	case c.Timing == "acute":
		return "single session, not a programme"
	case c.Timing != "end":
		return "another time point than the end of training"
	case c.OverlapOf != "":
		return "same outcome of the same people reported elsewhere"
	case c.Form == "unmentioned" && s.Unmentioned == UnmentionedNo:
		return "measured, result not mentioned"
	case s.PrintedN && (c.NRT < 2 || c.NControl < 2):
		return "arm sizes not printed"
	}
	return ""
}

// fromArms derives a contrast from arm tables where a study prints none:
// Hedges' g of the values after training.
func fromArms(p *evidence.Pack) (out []evidence.Contrast) {
	has := map[string]bool{}
	for _, c := range p.Contrasts {
		has[c.StudyID] = true
	}
	for _, a := range p.ArmResults {
		if has[a.StudyID] || a.ArmKind != "RT" && a.ArmKind != "combined" {
			continue
		}
		for _, b := range p.ArmResults {
			if b.StudyID != a.StudyID || b.Instrument != a.Instrument || b.Weeks != a.Weeks || !strings.HasPrefix(b.ArmKind, "control") {
				continue
			}
			g, v, err := effect.SMD(effect.Group{N: a.N, Mean: a.MeanPost, SD: a.SDPost}, effect.Group{N: b.N, Mean: b.MeanPost, SD: b.SDPost})
			if err != nil || math.IsNaN(g) {
				continue
			}
			o := 1
			if !a.HigherIsBetter {
				o = -1
			}
			nan := math.NaN()
			out = append(out, evidence.Contrast{At: a.At, ID: a.ID, StudyID: a.StudyID, Kind: a.ArmKind, ArmText: a.ArmID, ControlKind: strings.TrimPrefix(b.ArmKind, "control_"),
				Comparison: "between", Randomised: a.At.Table().Text(a.At.Row(), "randomised"), Timing: "end", Weeks: a.Weeks,
				Frequency: evidence.Range{Low: nan, High: nan}, Pct1RM: evidence.Range{Low: nan, High: nan}, Sets: evidence.Range{Low: nan, High: nan}, Reps: evidence.Range{Low: nan, High: nan}, SessionMin: nan,
				Instrument: a.Instrument, HigherIsBetter: a.HigherIsBetter, Domain: a.Domain, DomainRaw: a.Domain, NRT: a.N, NControl: b.N, NBasis: "printed", ControlSharedBy: 1,
				Form: "estimate_se", EffectType: "SMD", Effect: g, CILow: nan, CIHigh: nan, SE: math.Sqrt(v), PValue: nan, Alpha: nan, Orientation: o, AbstractOnly: true, Note: "computed from the arm table (" + b.ArmID + " as comparator)", Loc: a.Loc})
			break
		}
	}
	return out
}

// Intercept turns observations into rows with one covariate, 1.
func Intercept(used []Used) []Row {
	rows := make([]Row, len(used))
	for i, u := range used {
		rows[i] = Row{ID: u.Contrast.ID, Cluster: u.Cohort, X: []float64{1}, Result: u.Result}
	}
	return rows
}
