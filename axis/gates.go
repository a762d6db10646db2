package axis

import (
	"math"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/kinetics"
)

// The rule for the prior inclusion probability of a link (assumed; printed
// with every link): logit p = sum over its claims of
//
//	weight of the design × (1 supports, -1 null, -1.5 contradicts) × (1, or ½ for a neighbouring link) / claims of one source,
//
// starting from p = ½ and kept within ±2.5 (p between 0.08 and 0.92), so that
// no link is ever certain. Claims of one source share one weight: they are not
// independent experiments (laboratories cannot be told apart from the record).
// A claim whose study enters the likelihood, and a pooled claim over such
// trials, has no weight here: nothing counts twice.
var designWeight = map[string]float64{
	"human_RCT": 0.8, "human_acute": 0.6, "mendelian_randomization": 0.6, "human_observational": 0.3,
	"animal_intervention": 0.35, "animal_knockout": 0.35, "in_vitro": 0.15, "review": 0.2,
}

const logitLimit = 2.5

// Rule turns claims into a prior inclusion probability.
type Rule string

// The rule above; every link at ½; the rule above with 1.5 taken from every
// logit (assumed: a reader who believes published mechanisms less).
const (
	Claims    Rule = "claims"
	Flat      Rule = "flat"
	Sceptical Rule = "sceptical"
)

// Rules in the order reports list them.
var Rules = []Rule{Claims, Flat, Sceptical}

// Probability is the prior inclusion probability of the link under a rule.
func (l Link) Probability(r Rule) float64 {
	switch r {
	case Flat:
		return 0.5
	case Sceptical:
		return 1 / (1 + math.Exp(1.5-math.Log(l.P/(1-l.P))))
	}
	return l.P
}

// GateTerm is one claim's part of a link's inclusion probability.
type GateTerm struct {
	Claim     evidence.Claim
	Neighbour bool
	Logit     float64
	Silent    string // why it has no weight, "" where it has
}

// observed holds the sources whose rows enter the likelihood.
type observed map[string]bool

func newObserved(p *evidence.Pack) observed {
	o := observed{}
	see := func(study, source string) {
		o[source] = true
		if s, ok := p.Study(study); ok && s.DOI != "" {
			o[s.DOI] = true
		}
	}
	for _, c := range p.Contrasts {
		if c.Kind == "RT" {
			see(c.StudyID, c.Loc.Source)
		}
	}
	for _, b := range p.Biomarkers {
		if b.Mode == "RT" && b.Species == "human" {
			see(b.StudyID, b.Loc.Source)
		}
	}
	for _, m := range p.Mediations {
		if m.Value == m.Value && m.CILow == m.CILow {
			see(m.StudyID, m.Loc.Source)
		}
	}
	delete(o, "")
	return o
}

// silent says why a claim has no weight.
func (o observed) silent(c evidence.Claim) string {
	t := c.At.Table()
	switch {
	case o[c.Loc.Source]:
		return "its study enters the likelihood"
	case t != nil && strings.Contains(t.Text(c.At.Row(), "perturbation"), "meta-analysis"):
		return "pooled over trials, some of which enter the likelihood"
	}
	return ""
}

func newLink(p *evidence.Pack, o observed, par kinetics.Param, index int) Link {
	l := Link{ID: strings.TrimPrefix(par.Name, "g."), Meaning: par.Meaning, Param: index}
	sources := map[string]float64{}
	for _, ref := range SourceRefs(par.Source) {
		id, ok := strings.CutPrefix(ref, "claims:")
		if !ok {
			continue
		}
		id, near := strings.CutPrefix(id, "~")
		c, _ := p.Claim(id)
		t := GateTerm{Claim: c, Neighbour: near, Silent: o.silent(c)}
		if t.Silent == "" {
			sources[c.Loc.Source]++
			t.Logit = designWeight[c.Level] * support(c.Supports)
		}
		if near {
			t.Logit /= 2
		}
		l.Terms = append(l.Terms, t)
	}
	var sum float64
	for i, t := range l.Terms {
		if t.Silent == "" {
			l.Terms[i].Logit /= sources[t.Claim.Loc.Source]
			sum += l.Terms[i].Logit
		}
	}
	sum = math.Max(-logitLimit, math.Min(logitLimit, sum))
	l.P = 1 / (1 + math.Exp(-sum))
	return l
}

func support(s int) float64 {
	switch {
	case s > 0:
		return 1
	case s < 0:
		return -1.5
	}
	return -1
}

// Grade is the best kind of evidence behind a link: human, animal or none
// direct.
func (l Link) Grade() string {
	best := "reviews or neighbouring links only"
	for _, t := range l.Terms {
		switch {
		case t.Neighbour || t.Claim.Level == "review":
		case strings.HasPrefix(t.Claim.Level, "human") || t.Claim.Level == "mendelian_randomization":
			return "people"
		default:
			best = "animals or cells"
		}
	}
	return best
}

// Share counts studies in which people responded and in which they did not.
type Share struct{ Up, Null int }

// Mean is the share of responders under a uniform prior: (up+1)/(up+null+2).
func (s Share) Mean() float64 { return float64(s.Up+1) / float64(s.Up+s.Null+2) }

// ResponderShare counts, for one myokine, studies in people with a rise and
// without one after a single session of resistance exercise. A study with both
// counts half to each side, rounded up to one each.
func ResponderShare(p *evidence.Pack, entity string) (s Share) {
	type seen struct{ up, null bool }
	studies := map[string]seen{}
	for _, b := range p.Biomarkers {
		if b.Entity != entity || b.Kind != "acute" || b.Mode != "RT" || b.Species != "human" || b.Matrix == "muscle" || b.Matrix == "brain" {
			continue
		}
		k := p.Cohort(b.StudyID)
		v := studies[k]
		switch b.Direction {
		case "1":
			v.up = true
		case "0", "-1":
			v.null = true
		}
		studies[k] = v
	}
	for _, v := range studies {
		if v.up {
			s.Up++
		}
		if v.null {
			s.Null++
		}
	}
	return s
}
