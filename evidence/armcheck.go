package evidence

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// integerScales are instruments scored in whole points, with their range
// (MMSE and MoCA 0-30, 3MS 0-100).
var integerScales = []struct {
	name     *regexp.Regexp
	min, max float64
}{
	{regexp.MustCompile(`^MMSE( total)?$`), 0, 30},
	{regexp.MustCompile(`^MoCA$`), 0, 30},
	{regexp.MustCompile(`^3MS$`), 0, 100},
}

// checkArmResults compares arms with each other, with their own baseline, with
// the scale of the instrument and with the contrast printed for them.
func (p *Pack) checkArmResults() (ps []Problem) {
	usual := p.usualSD()
	for i := range p.ArmResults {
		a := &p.ArmResults[i]
		ps = append(ps, checkScale(a)...)
		if m, ok := usual[a.Instrument]; ok && (a.SDPre < m/2.8 || a.SDPre > m*2.8) {
			ps = append(ps, a.At.problem(Warning, "se-as-sd", "sd_pre", fmt.Sprintf("the SD is %.2g times what other studies find with this instrument", a.SDPre/m), "it may be a standard error"))
			continue
		}
		if r := a.SDPost / a.SDPre; r > 2.8 || r < 1/2.8 {
			ps = append(ps, a.At.problem(Warning, "se-as-sd", "sd_post", fmt.Sprintf("the SD after is %.2g times the SD before", r), "one of them may be a standard error"))
			continue
		}
		for j := range p.ArmResults {
			b := &p.ArmResults[j]
			if j == i || b.StudyID != a.StudyID || b.Instrument != a.Instrument || b.Weeks != a.Weeks {
				continue
			}
			if r := math.Max(b.SDPost/a.SDPost, b.SDPre/a.SDPre); r > 2.8 {
				ps = append(ps, a.At.problem(Warning, "se-as-sd", "sd_post", fmt.Sprintf("the SD of arm %s is %.2g times that of arm %s", b.ArmID, r, a.ArmID), "one of them may be a standard error"))
				break
			}
			if r := math.Sqrt(float64(a.N)); a.ArmKind != b.ArmKind && r > 2.4 {
				if q := b.SDChange / a.SDChange; q > 2.8 && a.N > 0 {
					ps = append(ps, a.At.problem(Warning, "se-as-sd", "sd_change", fmt.Sprintf("the SD of change of arm %s is %.2g times that of arm %s", b.ArmID, q, a.ArmID), "one of them may be a standard error"))
					break
				}
			}
		}
		ps = append(ps, p.checkAgainstContrast(a)...)
	}
	return ps
}

// checkScale applies the range of the scale and the GRIM test (Brown &
// Heathers 2017, 10.1177/1948550616673876): a mean of n whole scores is a
// multiple of 1/n.
func checkScale(a *ArmResult) (ps []Problem) {
	for _, s := range integerScales {
		if !s.name.MatchString(a.Instrument) {
			continue
		}
		for _, col := range []string{"mean_pre", "mean_post"} {
			text := a.At.table.Text(a.At.row, col)
			v := a.At.table.Number(a.At.row, col)
			if math.IsNaN(v) {
				continue
			}
			if v < s.min || v > s.max {
				ps = append(ps, a.At.problem(Warning, "scale-range", col, fmt.Sprintf("%s is outside %g to %g", text, s.min, s.max), "check the instrument and the decimal mark"))
				continue
			}
			adjusted := a.At.table.Text(a.At.row, col+"_ci_low") != ""
			if _, frac, ok := strings.Cut(text, "."); ok && !adjusted && a.N > 0 && !grim(v, a.N, len(frac)) {
				ps = append(ps, a.At.problem(Warning, "grim", col, fmt.Sprintf("no %d whole scores have the mean %s", a.N, text), "check the mean and n; people may have been left out"))
			}
		}
	}
	return ps
}

// grim tells whether a mean printed with d decimals can come from n integers.
func grim(mean float64, n, d int) bool {
	half := 0.5*math.Pow(10, -float64(d)) + 1e-9
	k := math.Round(mean * float64(n))
	return math.Abs(k/float64(n)-mean) <= half
}

// checkAgainstContrast compares the effect that two arms imply with the one
// printed for them: a standard error typed as SD shows as a much larger
// effect, a reversed scale as the opposite sign.
func (p *Pack) checkAgainstContrast(a *ArmResult) []Problem {
	if strings.HasPrefix(a.ArmKind, "control") || math.IsNaN(a.SDPost) || math.IsNaN(a.MeanPre) {
		return nil
	}
	b := p.controlOf(a)
	if b == nil || math.IsNaN(b.SDPost) || math.IsNaN(b.MeanPre) {
		return nil
	}
	g := ((a.MeanPost - a.MeanPre) - (b.MeanPost - b.MeanPre)) / math.Sqrt((a.SDPre*a.SDPre+b.SDPre*b.SDPre)/2)
	if !a.HigherIsBetter {
		g = -g
	}
	if math.Abs(g) > 3 {
		return []Problem{a.At.problem(Warning, "se-as-sd", "sd_post", fmt.Sprintf("the arms differ by %.1f SD", g), "a standard error may have been typed as SD")}
	}
	se := math.Sqrt(1/float64(a.N) + 1/float64(b.N))
	for i := range p.Contrasts {
		c := &p.Contrasts[i]
		if c.StudyID != a.StudyID || !strings.EqualFold(c.Instrument, a.Instrument) || c.Weeks != a.Weeks {
			continue
		}
		if pv, ok := printedP(c); ok && pv > 0.05 && math.Abs(g)/se > 4.5 {
			return []Problem{a.At.problem(Warning, "se-as-sd", "sd_post", fmt.Sprintf("the arms imply t = %.1f, the paper prints p %s", g/se, c.PText), "a standard error may have been typed as SD")}
		}
		if !c.standardised() || math.IsNaN(c.Effect) {
			continue
		}
		e := c.Effect * float64(c.Orientation)
		if math.Abs(g-e) > 2.5*se && math.Abs(g) > 2.5*math.Abs(e) && math.Abs(e) > 0 {
			return []Problem{a.At.problem(Warning, "se-as-sd", "sd_post", fmt.Sprintf("the arms imply an effect of %.2f, the paper prints %.2f", g, e), "a standard error may have been typed as SD")}
		}
		if g*e < 0 && math.Abs(g-e) > 0.12 && math.Abs(g+e) < 0.35*math.Abs(g-e) {
			return []Problem{c.At.problem(Warning, "sign", "effect", fmt.Sprintf("the arms imply an effect of %.2f, the contrast says %.2f", g, e), "check the sign and whether lower is better")}
		}
	}
	return nil
}

func (p *Pack) controlOf(a *ArmResult) *ArmResult {
	for i := range p.ArmResults {
		b := &p.ArmResults[i]
		if b.StudyID == a.StudyID && b.Instrument == a.Instrument && b.Weeks == a.Weeks && strings.HasPrefix(b.ArmKind, "control") {
			return b
		}
	}
	return nil
}

// usualSD is the median baseline SD of every instrument that three or more
// studies used.
func (p *Pack) usualSD() map[string]float64 {
	seen := map[string]map[string]float64{}
	for _, a := range p.ArmResults {
		if math.IsNaN(a.SDPre) {
			continue
		}
		if seen[a.Instrument] == nil {
			seen[a.Instrument] = map[string]float64{}
		}
		seen[a.Instrument][a.StudyID] = math.Max(seen[a.Instrument][a.StudyID], a.SDPre)
	}
	out := map[string]float64{}
	for inst, studies := range seen {
		if len(studies) < 3 {
			continue
		}
		var v []float64
		for _, sd := range studies {
			v = append(v, sd)
		}
		slices.Sort(v)
		out[inst] = v[len(v)/2]
	}
	return out
}
