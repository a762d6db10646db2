package evidence

import (
	"fmt"
	"math"
	"regexp"
	"strings"
)

// plausibility runs the checks that look at more than one cell. Faults that
// make a row unusable are errors; those a reader must judge are warnings.
func (p *Pack) plausibility() (ps []Problem) {
	for i := range p.Contrasts {
		ps = append(ps, p.checkContrast(&p.Contrasts[i])...)
	}
	ps = append(ps, p.checkDuplicates()...)
	ps = append(ps, p.checkArmResults()...)
	ps = append(ps, p.checkCohorts()...)
	ps = append(ps, p.checkUnits()...)
	for i := range p.Arms {
		ps = append(ps, checkCERT(&p.Arms[i])...)
	}
	return ps
}

func (p *Pack) checkContrast(c *Contrast) (ps []Problem) {
	add := func(s Severity, code, col, msg, hint string) { ps = append(ps, c.At.problem(s, code, col, msg, hint)) }
	ps = append(ps, checkFormComplete(c)...)
	if hasCI := !math.IsNaN(c.CILow) && !math.IsNaN(c.CIHigh); hasCI {
		switch {
		case c.CILow >= c.CIHigh:
			add(Error, "ci-order", "ci_low", "the lower limit is not below the upper", "check the two limits")
		case !math.IsNaN(c.Effect) && (c.Effect < c.CILow || c.Effect > c.CIHigh):
			add(Error, "ci-excludes-estimate", "effect", "the interval does not hold the estimate", "check sign and decimal marks")
		default:
			ps = append(ps, checkInterval(c)...)
		}
	}
	if c.standardised() && math.Abs(c.Effect) > 3 {
		add(Warning, "effect-huge", "effect", fmt.Sprintf("a standardised effect of %g is not believable", c.Effect), "was a standard error used as standard deviation?")
	}
	if c.Direction != 0 && c.Orientation != 0 && !math.IsNaN(c.Effect) && c.Effect != 0 && c.Form != "mediation" {
		if math.Signbit(c.Effect*float64(c.Orientation)) != (c.Direction < 0) {
			add(Warning, "sign", "direction", "the direction and the oriented effect disagree", "check the sign of the effect and whether lower is better")
		}
	}
	if c.EffectType == "MD" && c.Orientation != 0 && (c.Orientation == 1) != c.HigherIsBetter && c.OrientationReason == "" {
		add(Warning, "sign", "orientation", "the orientation contradicts the scale of the instrument", "say why in orientation_reason, or correct it")
	}
	ps = append(ps, p.checkCounts(c)...)
	ps = append(ps, p.checkWeeks(c)...)
	return ps
}

func (c *Contrast) standardised() bool { return c.EffectType == "SMD" || c.EffectType == "cohens_d" }

// checkFormComplete reports a form whose numbers are missing.
func checkFormComplete(c *Contrast) (ps []Problem) {
	need := map[string][]string{"estimate_ci": {"effect", "ci_low", "ci_high", "orientation"}, "md_ci": {"effect", "ci_low", "ci_high", "orientation"},
		"estimate_se": {"effect", "se", "orientation"}, "estimate_n": {"effect", "n_rt", "n_control", "orientation"},
		"p_exact": {"p_value", "direction"}, "p_threshold": {"alpha", "direction"}, "direction_only": {"direction"}}
	for _, col := range need[c.Form] {
		if c.At.table.Text(c.At.row, col) == "" {
			ps = append(ps, c.At.problem(Error, "form-incomplete", col, fmt.Sprintf("the form %s needs %s", c.Form, col), "fill the cell or choose the form that fits what was printed"))
		}
	}
	return ps
}

// checkInterval compares an interval with its own symmetry, with n and with p.
func checkInterval(c *Contrast) (ps []Problem) {
	half := (c.CIHigh - c.CILow) / 2
	if math.IsNaN(c.Effect) {
		return nil
	}
	if math.Abs((c.CIHigh+c.CILow)/2-c.Effect) > 0.25*half && c.OverlapOf == "" {
		ps = append(ps, c.At.problem(Warning, "ci-asymmetric", "ci_low", "the interval is not centred on the estimate", "was the ratio scale or another estimate used?"))
	}
	se := half / 1.959964
	if c.standardised() && c.NRT > 1 && c.NControl > 1 {
		n1, n2 := float64(c.NRT), float64(c.NControl)
		want := math.Sqrt(1/n1 + 1/n2 + c.Effect*c.Effect/(2*(n1+n2)))
		if r := se / want; r < 0.6 || r > 1.7 {
			ps = append(ps, c.At.problem(Warning, "ci-n", "ci_low", fmt.Sprintf("the interval is %.2g times as wide as n allows", r), "check n and the limits; an adjusted analysis can be narrower"))
		}
	}
	z := math.Abs(c.Effect) / se
	if p, ok := printedP(c); ok {
		sig := p <= 0.05
		if sig != (z > 1.96) && math.Abs(z-1.96) > 0.25 {
			ps = append(ps, c.At.problem(Warning, "ci-p", "p_value", fmt.Sprintf("the interval gives z = %.2f, which does not fit p %s", z, c.PText), "check the interval and the p-value"))
		}
	}
	return ps
}

var pNumber = regexp.MustCompile(`^([<>]?)=?\s*(0?\.\d+)$`)

// printedP turns a printed p into a number on the right side of 0.05.
func printedP(c *Contrast) (float64, bool) {
	if !math.IsNaN(c.PValue) {
		return c.PValue, true
	}
	m := pNumber.FindStringSubmatch(c.PText)
	if m == nil {
		return 0, false
	}
	var p float64
	fmt.Sscanf(m[2], "%g", &p)
	if m[1] == ">" {
		return math.Max(p, 0.051), true
	}
	return p, true
}

// checkCounts catches the whole sample typed as one arm.
func (p *Pack) checkCounts(c *Contrast) (ps []Problem) {
	s, ok := p.Study(c.StudyID)
	if !ok || c.NRT == 0 {
		return nil
	}
	if s.NTotal > 0 && c.NControl > 0 && (c.NRT >= s.NTotal || c.NRT+c.NControl > s.NTotal+s.NTotal/20+1) {
		return []Problem{c.At.problem(Warning, "n-total", "n_rt", fmt.Sprintf("the arms hold %d people, the study %d", c.NRT+c.NControl, s.NTotal), "n_rt is the training arm, not the whole sample")}
	}
	for i := range p.ArmResults {
		a := &p.ArmResults[i]
		if a.StudyID == c.StudyID && strings.EqualFold(a.Instrument, c.Instrument) && a.N > 0 && c.NControl > 0 && a.ArmKind == c.Kind && float64(c.NRT) > 1.6*float64(a.N) {
			return []Problem{c.At.problem(Warning, "n-total", "n_rt", fmt.Sprintf("n_rt is %d, the arm table has %d", c.NRT, a.N), "n_rt is the training arm, not the whole sample")}
		}
	}
	return nil
}

var monthText = regexp.MustCompile(`(?i)\b(\d+)[ -]months?\b`)

// checkWeeks catches months typed as weeks, by the text of the arm and by the
// other rows of the study.
func (p *Pack) checkWeeks(c *Contrast) []Problem {
	if math.IsNaN(c.Weeks) {
		return nil
	}
	if m := monthText.FindStringSubmatch(c.ArmText); m != nil {
		var months float64
		fmt.Sscanf(m[1], "%g", &months)
		if c.Weeks < 3*months {
			return []Problem{c.At.problem(Warning, "weeks-months", "weeks", fmt.Sprintf("%g weeks, but the arm is described as %s months", c.Weeks, m[1]), "one month is 4.35 weeks")}
		}
	}
	for i := range p.Arms {
		a := &p.Arms[i]
		if a.StudyID != c.StudyID || math.IsNaN(a.Weeks) {
			continue
		}
		if r := a.Weeks / c.Weeks; c.Timing == "end" && (r > 3.4 && r < 5 || r > 0.2 && r < 0.294) {
			return []Problem{c.At.problem(Warning, "weeks-months", "weeks", fmt.Sprintf("%g weeks here, %g in the prescription", c.Weeks, a.Weeks), "one of them may be in months")}
		}
	}
	return nil
}

func (p *Pack) checkDuplicates() (ps []Problem) {
	seen := map[string]int{}
	for i := range p.Contrasts {
		c := &p.Contrasts[i]
		key := fmt.Sprint(c.StudyID, "|", c.Instrument, "|", c.ArmText, "|", c.Timing, "|", c.Weeks, "|", c.Frequency, "|", c.Form, "|", c.Effect, "|", c.PText, "|", c.NRT, "|", c.NControl, "|", p.studyAge(c))
		if line, dup := seen[key]; dup {
			ps = append(ps, c.At.problem(Warning, "duplicate-row", "obs_id", fmt.Sprintf("the row repeats line %d", line), "remove one, or say in arm_text how the arms differ"))
			continue
		}
		seen[key] = c.At.table.Lines[c.At.row]
	}
	return ps
}

// studyAge keeps rows apart that a paper gives for two age groups; the pack
// stores them under one study with different locators.
func (p *Pack) studyAge(c *Contrast) string { return c.Loc.Locator + c.Note }

// checkCohorts finds studies that look like the same people under two ids.
func (p *Pack) checkCohorts() (ps []Problem) {
	type key struct {
		age, female float64
		n           int
	}
	first := map[key]Study{}
	for _, s := range p.Studies {
		if math.IsNaN(s.Age) || math.IsNaN(s.FemalePct) || s.Age == math.Trunc(s.Age) {
			continue
		}
		k := key{s.Age, s.FemalePct, s.NTotal}
		f, ok := first[k]
		if !ok {
			first[k] = s
			continue
		}
		if f.Cohort != s.Cohort {
			ps = append(ps, s.At.problem(Warning, "same-cohort", "cohort_id", fmt.Sprintf("%s and %s have the same age, sex share and size", f.ID, s.ID), "one cohort is one cluster: give both the same cohort_id, or leave as it is if they differ"))
		}
	}
	return ps
}

// KnownUnits are the concentration units the pack accepts.
var KnownUnits = map[string]bool{"": true, "ng/mL": true, "pg/mL": true, "ug/L": true, "ng/L": true, "mg/L": true, "mmol/L": true, "log pg/mL": true,
	"as printed ng/mL": true, "ng/min net cerebral release (a-jv difference x flow)": true}

func (p *Pack) checkUnits() (ps []Problem) {
	for i := range p.Biomarkers {
		if b := &p.Biomarkers[i]; !KnownUnits[b.Unit] {
			ps = append(ps, b.At.problem(Error, "unit", "unit", fmt.Sprintf("the unit %q is not known", b.Unit), "use ng/mL, pg/mL, ug/L, ng/L, mg/L or mmol/L"))
		}
	}
	return ps
}

// checkCERT lists the exercise-reporting items an arm leaves open (Slade et
// al. 2016, Consensus on Exercise Reporting Template, 10.1136/bjsports-2016-096651).
func checkCERT(a *Arm) []Problem {
	var missing []string
	for _, it := range []struct {
		name string
		open bool
	}{{"sets", math.IsNaN(a.Sets.Low)}, {"reps", math.IsNaN(a.Reps.Low)},
		{"load", math.IsNaN(a.Pct1RM.Low) && math.IsNaN(a.RM.Low) && math.IsNaN(a.RPE.Low)},
		{"progression", a.Progression == ""}, {"adherence", math.IsNaN(a.AdherencePct)}} {
		if it.open {
			missing = append(missing, it.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return []Problem{a.At.problem(Warning, "cert", "arm_id", "the prescription leaves open: "+strings.Join(missing, ", "), "look in the full paper or its protocol")}
}
