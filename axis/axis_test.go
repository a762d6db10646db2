package axis

import (
	"math"
	"strings"
	"testing"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/kinetics"
)

func TestEveryParameterHasUnitPriorAndSource(t *testing.T) {
	p, _ := evidence.Embedded()
	m, err := Build(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, par := range m.K.Params {
		if par.Unit == "" || par.Prior == "" || par.Source == "" || par.Meaning == "" {
			t.Errorf("%+v", par)
		}
		if Assumed(par) {
			continue
		}
		if !strings.Contains(par.Source, ":") && par.Source != "person" && par.Source != "calendar" && !strings.HasPrefix(par.Source, "biomarkers acute rows") {
			t.Errorf("%s rests on %q, which is neither a reference nor the word assumed", par.Name, par.Source)
		}
	}
	for _, want := range []string{"irisin.fold", "bdnf.fold", "il6.fold", "il15.fold", "igf1.fold", "memory.gain", "executive.gain", "speed.gain", "visuospatial.gain", "global.gain"} {
		if len(m.K.DependsOn(want)) == 0 {
			t.Errorf("there is no output %s", want)
		}
	}
}

// The build fails on a source that the evidence does not hold or may not cite.
func TestUnknownSourcesAreRefused(t *testing.T) {
	p, _ := evidence.Embedded()
	for _, src := range []string{"claims:E999", "kinetics:nothing", "kinetics:brain_ISF_volume_model", "biomarkers:Nobody1900"} {
		if err := checkSource(p, kinetics.Param{Name: "x", Source: src}); err == nil {
			t.Errorf("%s was accepted", src)
		}
	}
}

// Gates: more support raises the probability, a null lowers it, a claim about
// a neighbour moves it less, and none is ever certain.
func TestGateRule(t *testing.T) {
	p, _ := evidence.Embedded()
	prob := func(src string) float64 {
		return newLink(p, newObserved(p), kinetics.Param{Name: "g.x", Source: src}, 0).P
	}
	if prob("") != 0.5 {
		t.Errorf("without claims %g", prob(""))
	}
	up, near, null, con := prob("claims:E001"), prob("claims:~E001"), prob("claims:E002"), prob("claims:E162")
	if !(up > near && near > 0.5 && null < 0.5 && con < 0.5) {
		t.Errorf("support %g, neighbour %g, null %g, contradiction %g", up, near, null, con)
	}
	if again := prob("claims:E001 claims:E004"); again != up {
		t.Errorf("two claims of one source give %g, one gives %g", again, up)
	}
	if trial := prob("claims:E194"); trial != 0.5 {
		t.Errorf("a trial that enters the likelihood moves its link to %g", trial)
	}
	var all strings.Builder
	for _, c := range p.Claims {
		if c.Supports > 0 {
			all.WriteString("claims:" + c.ID + " ")
		}
	}
	if many := prob(all.String()); math.Abs(many-1/(1+math.Exp(-logitLimit))) > 1e-12 {
		t.Errorf("every supporting claim together gives %g", many)
	}
	l := Link{P: 0.7}
	if l.Probability(Flat) != 0.5 || !(l.Probability(Sceptical) < 0.5) || l.Probability(Claims) != 0.7 {
		t.Error("the rules do not order")
	}
}

func TestResponderShareCountsNulls(t *testing.T) {
	p, _ := evidence.Embedded()
	for _, e := range []string{"IL-6", "BDNF", "irisin", "IL-15", "IGF-1"} {
		s := ResponderShare(p, e)
		if s.Up == 0 || s.Null == 0 || s.Mean() <= 0 || s.Mean() >= 1 {
			t.Errorf("%s: %+v", e, s)
		}
	}
}

// Every myokine of the review leads to its identifier.
func TestEntities(t *testing.T) {
	p, _ := evidence.Embedded()
	for name, gene := range map[string]string{"igf1.k": "3479", "bdnf.fold": "627", "resp.irisin": "252995", "R.il15": "3600", "il6.rest": "3569"} {
		if e, ok := p.Entity(EntityOf(name)); !ok || e.Gene != gene {
			t.Errorf("%s leads to %+v", name, e)
		}
	}
	for _, id := range entities {
		if _, ok := p.Entity(id); !ok {
			t.Errorf("the entity %s is not in the pack", id)
		}
	}
}
