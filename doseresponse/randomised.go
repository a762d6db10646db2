package doseresponse

import (
	"fmt"
	"math"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
)

// RandomisedArm is one arm of a trial that randomised the dose.
type RandomisedArm struct {
	Label   string
	Dose    float64  // NaN where the paper gives words only
	Results []string // "domain: what was reported"
}

// RandomisedDose is a trial whose arms differ in a dose: within-trial
// evidence, unlike the curves.
type RandomisedDose struct {
	Study, Variable string
	Arms            []RandomisedArm
	Source          evidence.Locator
}

// RandomisedDoses lists the trials whose training arms differ in frequency,
// load, sets or weeks, with what they report for each arm.
func RandomisedDoses(p *evidence.Pack) (out []RandomisedDose) {
	byStudy := map[string][]evidence.Arm{}
	var order []string
	for _, a := range p.Arms {
		if s, ok := p.Study(a.StudyID); !ok || s.Randomised == "no" || a.Kind != "RT" || math.IsNaN(a.Weeks) { // no weeks: a single session
			continue
		}
		if byStudy[a.StudyID] == nil {
			order = append(order, a.StudyID)
		}
		byStudy[a.StudyID] = append(byStudy[a.StudyID], a)
	}
	for _, id := range order {
		arms := byStudy[id]
		if len(arms) < 2 {
			continue
		}
		for _, v := range []struct {
			name string
			of   func(a evidence.Arm) float64
		}{{"frequency", func(a evidence.Arm) float64 { return a.Frequency }}, {"load", loadOf}, {"sets", func(a evidence.Arm) float64 { return a.Sets.Mid() }}, {"weeks", func(a evidence.Arm) float64 { return a.Weeks }}} {
			if !differ(arms, v.of) && !(v.name == "load" && wordsDiffer(arms)) {
				continue
			}
			r := RandomisedDose{Study: id, Variable: v.name, Source: arms[0].Loc}
			for _, a := range arms {
				r.Arms = append(r.Arms, RandomisedArm{a.ID, v.of(a), results(p, a)})
			}
			out = append(out, r)
		}
	}
	return out
}

// loadOf is the load in percent of 1RM, or minus the repetitions maximum,
// which falls as load rises.
func loadOf(a evidence.Arm) float64 {
	if l := a.Pct1RM.Mid(); !math.IsNaN(l) {
		return l
	}
	return -a.RM.Mid()
}

func differ(arms []evidence.Arm, of func(evidence.Arm) float64) bool {
	for _, a := range arms[1:] {
		if x, y := of(arms[0]), of(a); !math.IsNaN(x) && !math.IsNaN(y) && x != y {
			return true
		}
	}
	return false
}

// wordsDiffer tells whether the arms are named by different intensities.
func wordsDiffer(arms []evidence.Arm) bool {
	words := map[string]bool{}
	for _, a := range arms {
		for _, w := range []string{"high intensity", "moderate intensity", "low intensity"} {
			if strings.HasPrefix(strings.ToLower(a.ID), w) {
				words[w] = true
			}
		}
	}
	return len(words) > 1
}

func results(p *evidence.Pack, a evidence.Arm) (out []string) {
	for _, c := range p.Contrasts {
		if c.StudyID != a.StudyID || c.Timing != "end" || c.OverlapOf != "" || !sameArm(a, c) {
			continue
		}
		what := c.PText
		if !math.IsNaN(c.Effect) {
			what = fmt.Sprintf("%s %g", c.EffectType, c.Effect)
		}
		out = append(out, fmt.Sprintf("%s (%s): %s", c.Domain, c.Instrument, what))
	}
	return out
}

// sameArm matches an arm and a contrast by frequency, else by the first word
// of the arm's name.
func sameArm(a evidence.Arm, c evidence.Contrast) bool {
	if !math.IsNaN(a.Frequency) && !math.IsNaN(c.Frequency.Low) && a.Frequency != c.Frequency.Low {
		return false
	}
	first, _, _ := strings.Cut(strings.ToLower(a.ID), " ")
	text := strings.ToLower(c.ArmText)
	return strings.Contains(text, first) || !math.IsNaN(a.Frequency) && !strings.Contains(text, "intensity (")
}
