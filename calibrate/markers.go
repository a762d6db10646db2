package calibrate

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

var nan = math.NaN()

// marker names the quantity of the model for an entity of the pack: chronic is
// the resting level, acute the level after a session.
type marker struct {
	chronic, acute string
	mixture        bool // studies without any response have their own share
}

var markers = map[string]marker{
	"IL-6": {"il6.resting", "il6", true}, "irisin": {"irisin.resting", "irisin", true}, "IL-15": {"il15.resting", "il15", true}, "BDNF": {"bdnf.resting", "bdnf", true}, "BDNF (mature)": {"bdnf.resting", "bdnf", true},
	"IGF-1": {"igf1.resting", "igf1.fold", true}, "lactate": {"", "lactate", false}, "cathepsin B": {"", "catb", false}, "IL-10": {"", "il10", false},
	"TNF-alpha": {"tnf.resting", "tnf", false}, "CRP": {"crp.resting", "crp", false}, "VEGF": {"vegf.resting", "", false},
}

// markerNames in a fixed order.
var markerNames = []string{"IL-6", "irisin", "IL-15", "BDNF", "IGF-1", "lactate", "cathepsin B", "IL-10", "TNF-alpha", "CRP", "VEGF"}

// canonical folds names of one entity.
func canonical(entity string) string {
	if entity == "BDNF (mature)" {
		return "BDNF"
	}
	return entity
}

// changeSD is the SD between persons of the logarithm of a change within one
// assay: the median of the rows that print means and SDs, with a correlation of
// 0.6 between before and after (assumed); 0.35 where the pack has none.
func changeSD(p *evidence.Pack) float64 {
	var sd []float64
	for _, b := range p.Biomarkers {
		t := b.At.Table()
		s1, s2 := t.Number(b.At.Row(), "sd_pre"), t.Number(b.At.Row(), "sd_post")
		if b.ValuePre > 0 && b.ValuePost > 0 && s1 > 0 && s2 > 0 && b.Mode == "RT" && b.Species == "human" {
			if _, ok := markers[b.Entity]; ok {
				v1, v2 := s1/b.ValuePre, s2/b.ValuePost
				sd = append(sd, math.Sqrt(v1*v1+v2*v2-1.2*v1*v2))
			}
		}
	}
	if len(sd) < 3 {
		return 0.35
	}
	slices.Sort(sd)
	return clamp(sd[len(sd)/2], 0.1, 1)
}

func (c *collector) markers() {
	for _, b := range c.pack.Biomarkers {
		m, reason := c.usableMarker(b)
		if reason != "" {
			c.leave("biomarkers", b.ID, reason)
			continue
		}
		r, reason := markerResult(b, c.sd)
		if reason != "" {
			c.leave("biomarkers", b.ID, reason)
			continue
		}
		sets, reps, load := protocol(b.Protocol)
		t := b.At.Table()
		f, weeks := t.Number(b.At.Row(), "frequency_per_week"), b.Weeks
		d := c.dose(b.StudyID, evidence.Range{Low: f, High: f}, load, sets, reps, weeks, b.Age)
		d.Trained = strings.Contains(b.Population, "trained") && !strings.Contains(b.Population, "untrained") && !strings.Contains(b.Population, "not resistance trained")
		if strings.Contains(b.Population, "Met carriers") || strings.Contains(b.Population, "Met-carriers") {
			d.Met = 1
		}
		o := Observation{ID: b.ID, Study: b.StudyID, Cohort: c.pack.Cohort(b.StudyID), Entity: canonical(b.Entity), Plasma: b.Matrix == "plasma", ELISA: b.Entity == "irisin" && !strings.Contains(b.Flags, "MS"), Result: r, Dose: d}
		if b.Kind == "chronic" && d.Trained {
			c.leave("biomarkers", b.ID, "people who already train: the model's resting levels begin at rest")
			continue
		}
		if b.Kind == "chronic" {
			o.Class, o.Quantity = Chronic, m.chronic
		} else {
			o.Class, o.Quantity, o.AtH = Acute, m.acute, b.TimeH
			if math.IsNaN(o.AtH) {
				o.AtH = 0
			}
		}
		c.use(o)
	}
}

// usableMarker gives the marker of a row, or the reason it is left out.
func (c *collector) usableMarker(b evidence.Biomarker) (marker, string) {
	m, ok := markers[b.Entity]
	switch {
	case !ok:
		return m, "the model has no quantity for " + b.Entity
	case b.Species != "human":
		return m, "not in people"
	case b.Mode != "RT":
		return m, "not resistance training alone (" + b.Mode + ")"
	case b.Matrix == "muscle" || b.Matrix == "brain" || b.Matrix == "saliva":
		return m, "measured in " + b.Matrix + ", not in blood"
	case strings.Contains(b.Flags, "CROSS-SECTIONAL") || strings.Contains(b.Flags, "BASELINE"):
		return m, "cross-sectional or a baseline, no change"
	case strings.Contains(b.Population, "responders"):
		return m, "a subgroup chosen by its response"
	case strings.Contains(b.Flags, "SECONDARY"):
		return m, "read in a secondary source"
	case strings.Contains(b.Protocol, "aerobic") || strings.Contains(b.Protocol, "multimodal") || strings.Contains(b.Protocol, "multicomponent") || strings.Contains(b.Protocol, "walking") || strings.Contains(b.Protocol, "drop jumps") || strings.Contains(b.Protocol, "concurrent") || strings.HasPrefix(b.Protocol, "no "):
		return m, "the protocol is not resistance training alone"
	case b.Kind == "acute" && m.acute == "" || b.Kind == "chronic" && m.chronic == "":
		return m, "the model has no " + b.Kind + " quantity for " + b.Entity
	case b.Kind != "acute" && b.Kind != "chronic":
		return m, "neither acute nor chronic"
	}
	if par, taken := c.taken["biomarkers:"+b.ID]; taken {
		return m, "is the source of the prior of " + par
	}
	if par, taken := c.taken["biomarkers:"+b.StudyID]; taken {
		return m, "is the source of the prior of " + par
	}
	return m, ""
}

// markerResult is the report of a log fold. Rows without a number of people
// take 12, the middle of the printed sizes (assumed).
func markerResult(b evidence.Biomarker, sd float64) (reported.Result, string) {
	n := float64(b.N)
	if b.N < 2 {
		n = 12
	}
	s := sd / math.Sqrt(n)
	dir := 0
	switch b.Direction {
	case "1":
		dir = 1
	case "-1":
		dir = -1
	}
	alpha := alphaOf(b.PText)
	switch {
	case b.Form == "numeric_fold" && b.ValuePre > 0 && b.ValuePost > 0 && math.Abs(math.Log(b.ValuePost/b.ValuePre/b.Fold)) > 0.1:
		return reported.Result{}, "its fold contradicts its values before and after (other units?)"
	case b.Form == "numeric_fold" && b.Fold > 0:
		return reported.FromEstimate(math.Log(b.Fold), s), ""
	case b.Form == "no_change" || b.Form == "direction" && dir == 0:
		return reported.FromNotSignificant(0.05, 0, s), ""
	case b.Form == "direction" && strings.Contains(b.Flags, "NULL"):
		return reported.FromNotSignificant(0.05, dir, s), ""
	case b.Form == "direction" && alpha > 0 && alpha <= 0.05:
		return reported.FromThreshold(alpha, dir, s), ""
	case b.Form == "direction" && alpha > 0.05:
		return reported.FromNotSignificant(0.05, dir, s), ""
	case b.Form == "direction":
		return reported.FromThreshold(0.05, dir, s), ""
	}
	return reported.Result{}, "no change of one group that a prediction could meet (" + b.Form + ")"
}

// alphaOf reads the bound of a p-value in words: "<0.05" and "0.016" both bound
// it; 0 where there is none.
func alphaOf(text string) float64 {
	text = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(text), "adj "), "<")
	text = strings.TrimPrefix(text, "=")
	head, _, _ := strings.Cut(text, " ")
	v, err := strconv.ParseFloat(head, 64)
	if err != nil || !(v > 0 && v < 1) {
		return 0
	}
	return math.Max(v, 1e-6)
}

// Mixture tells whether acute studies of an entity may have no response at
// all.
func Mixture(entity string) bool { return markers[entity].mixture }
