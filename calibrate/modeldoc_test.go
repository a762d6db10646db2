package calibrate

import (
	"fmt"
	"strings"

	"github.com/myoaxis/myoaxis/axis"
)

// ModelDocument is docs/model.md: the model as a paper would print it, from the
// model text, the links and the posterior.
func ModelDocument(m *axis.Model, post *Posterior) string {
	d := &document{m: m, learned: map[string]Change{}}
	for _, c := range Learned(m, post) {
		d.learned[c.Name] = c
	}
	d.line("# The model\n")
	d.line("Written by `go test ./calibrate -run TestDocuments -update` from `axis/model.txt` and the shipped posterior (pack %s, model %s). Time is in hours; `t` is the time since the programme began.", post.Pack, post.Model)
	d.line("Posterior columns give the median with the central 95 %%; *learned* is the share of the prior variance that the data took away. Priors: `lognormal(s)` has the printed value as median, `normal(s)` as mean.\n")
	d.sections()
	d.likelihood()
	d.links()
	d.assumptions()
	d.b.WriteString(dropped)
	return d.b.String()
}

type document struct {
	m       *axis.Model
	learned map[string]Change
	b       strings.Builder
	assumed []string
}

func (d *document) line(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n", args...) }

// sections follows the headings of the model text.
func (d *document) sections() {
	for _, part := range strings.Split(axis.Text(), "# ---- ")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		d.line("## %s\n", strings.ToUpper(head[:1])+head[1:])
		var equations, params []string
		for _, l := range strings.Split(body, "\n") {
			code, note := cutNote(l)
			kind, rest, _ := strings.Cut(code, " ")
			switch kind {
			case "param":
				name, _, _ := strings.Cut(rest, " ")
				params = append(params, name)
			case "state", "input", "let", "rate", "flux", "output":
				if note != "" {
					code += "    # " + note
				}
				equations = append(equations, code)
			}
		}
		if len(equations) > 0 {
			d.line("```\n%s\n```\n", strings.Join(equations, "\n"))
		}
		d.parameters(params)
	}
}

func cutNote(l string) (code, note string) {
	code, note, _ = strings.Cut(l, ";")
	if k := strings.IndexByte(code, '#'); k >= 0 {
		code = code[:k]
	}
	return strings.TrimSpace(code), strings.TrimSpace(note)
}

func (d *document) parameters(names []string) {
	if len(names) == 0 {
		return
	}
	d.line("| parameter | meaning | unit | prior | posterior | learned | source |\n|---|---|---|---|---|---|---|")
	for _, n := range names {
		p := d.m.K.Params[d.m.K.Param(n)]
		source := strings.ReplaceAll(p.Source, "|", "/")
		if p.Source == "assumed" {
			d.assumed = append(d.assumed, fmt.Sprintf("`%s` = %g %s ~ %s: %s", n, p.Value, p.Unit, p.Prior, p.Meaning))
			source = fmt.Sprintf("assumed (A%d)", len(d.assumed))
		}
		prior := fmt.Sprintf("%g ~ %s", p.Value, p.Prior)
		c, ok := d.learned[n]
		post, learned := "–", "–"
		if ok && c.Gate {
			prior, post = fmt.Sprintf("gate, probability %.2f", c.Prior.Median), fmt.Sprintf("%.2f", c.Posterior.Median)
		} else if ok {
			post, learned = span(c.Posterior), fmt.Sprintf("%.0f %%", 100*c.Learned)
		}
		d.line("| `%s` | %s | %s | %s | %s | %s | %s |", n, p.Meaning, p.Unit, prior, post, learned, source)
	}
	d.line("")
}

func span(i Interval) string { return fmt.Sprintf("%.3g (%.3g to %.3g)", i.Median, i.Low, i.High) }

func (d *document) likelihood() {
	d.line("## The likelihood\n")
	d.line("An observation i of a cohort c is a report of y ~ N(m + u + w, s²): m the model's prediction, u ~ N(0, τ²) shared by the cohort (for markers: by the cohort's rows of one marker), w ~ N(0, τ_w²) of the row, s its sampling error. Printed numbers enter by their density, partial reports by the probability of the range they leave open, given that they are mentioned at all (non-significant results of abstracts are mentioned with probability ω). After one session a study has a response with the marker's share π, else none. u is integrated out: in closed form over numbers, by the trapezoid rule over partial reports.\n")
	d.line("| quantity | meaning | prior | posterior | learned |\n|---|---|---|---|---|")
	for _, c := range likelihoodCoords {
		l := d.learned[c.Name]
		d.line("| `%s` | %s | %s (assumed) | %s | %.0f %% |", c.Name, l.Meaning, c.Prior, span(l.Posterior), 100*l.Learned)
	}
	d.line("")
}

func (d *document) links() {
	d.line("## Links and their claims\n")
	d.line("The prior inclusion probability follows the rule of `axis/gates.go`; a claim without weight says why.\n")
	d.line("| link | prior | posterior | claims (logit) |\n|---|---|---|---|")
	for _, l := range d.m.Links {
		name := d.m.K.Params[l.Param].Name
		var terms []string
		for _, t := range l.Terms {
			s := fmt.Sprintf("%s (%+.2f)", t.Claim.ID, t.Logit)
			if t.Neighbour {
				s += " neighbouring"
			}
			if t.Silent != "" {
				s = fmt.Sprintf("%s (no weight: %s)", t.Claim.ID, t.Silent)
			}
			terms = append(terms, s)
		}
		c := d.learned[name]
		d.line("| `%s`: %s | %.2f | %.2f | %s |", name, l.Meaning, c.Prior.Median, c.Posterior.Median, strings.Join(terms, "; "))
	}
	d.line("")
}

func (d *document) assumptions() {
	d.line("## Assumptions\n")
	for i, a := range structural {
		d.line("S%d. %s", i+1, a)
	}
	d.line("")
	for i, a := range d.assumed {
		d.line("A%d. %s", i+1, a)
	}
	d.line("")
}

// structural are assumptions of form and of the likelihood.
var structural = []string{
	"Only the shift of a resting level and the weekly number of pulses reach the brain; one weight says what a pulse is worth.",
	"Adaptation saturates with a two-week average of the stimulus; the stimulus is volume times relative load to a power.",
	"Brain states and cognition relax to targets that are linear in their inputs.",
	"Working memory and attention are read as executive function; language has no quantity.",
	"Trials set loads anew by the 1RM of the day.",
	"What a paper leaves open of its dose lies in 1.5 to 3.5 sessions a week, 0.6 to 1.4 reference sessions, 50 to 80 % of 1RM; one latent quantity a cohort says where.",
	"The SD between persons of the logarithm of a marker's change is the median of the rows that print SDs, with a correlation of 0.6 between before and after.",
	"A domain score of the mediation trial is read as SD.",
	"Sex and APOE4 change nothing: the evidence holds no consistent effect.",
	"Changes in plasma differ from those in serum by one ratio for all markers.",
}

const dropped = `## Tried and dropped

- Shares of responders from counts of the acute rows: the same rows enter the likelihood, so they would count twice. The shares have a uniform prior.
- Medians of priors taken from marker rows and from the pooled strength gain: replaced by wide assumed priors; the pooled gain is kept back as a check.
- One random effect for all markers of a study: a study in which IL-6 falls more is not one in which IGF-1 rises more. Each marker of a study has its own.
- No spread between rows of one study for markers: one 3.8-fold rise beside two nulls of the same men then ruled the fit.
- The whole model solved at every proposal: the relaxation form (` + "`kinetics/relax.go`" + `) is more than ten times faster and within 6 % of the change of a slow output.
- Reweighting the posterior to other rules for links: with this many gates the weights collapse on a few draws. The rules are calibrated anew.
`

// CalibrationDocument is docs/calibration.md: how the posterior was checked.
func CalibrationDocument(post *Posterior, v *Validation, r *RuleSensitivity, s *SBCReport) string {
	d := &document{}
	d.line("# Calibration and validation\n")
	d.line("Written by `go test ./calibrate -run TestDocuments -update` from the shipped posterior, its validation and `calibrate/sbc.json`.\n")
	d.line("## The posterior\n")
	d.line("%d chains, %d sweeps of warm-up and %d kept; %d draws are shipped. Largest R-hat %.3f (published below %g), fewest effective draws %.0f (at least %d). Pack %s, model %s, seed %d. `myoaxis calibrate --out FILE` makes the same bytes (amd64).\n", post.Chains, post.Warm, post.Sweeps, post.Draws, post.WorstRHat, MaxRHat, post.LeastESS, MinESS, post.Pack, post.Model, post.Seed)
	d.line("## Prediction of studies left out\n")
	d.line("%s\n", Sentence(v))
	d.line("| results | model | studies | rows | log predictive density (SE) | against the axis (SE) | in 50 %% | in 80 %% | in 95 %% | Pareto k > 0.7 | refitted |\n|---|---|---|---|---|---|---|---|---|---|---|")
	for _, x := range v.Verdicts {
		diff := "–"
		if x.Model != "axis" {
			diff = fmt.Sprintf("%+.1f (%.1f)", x.Difference, x.DifferenceSE)
		}
		d.line("| %s | %s | %d | %d | %.1f (%.1f) | %s | %.0f | %.0f | %.0f | %d | %d |", x.Class, x.Model, x.Studies, x.Rows, x.ELPD, x.ELPDSE, diff, 100*x.Cover50, 100*x.Cover80, 100*x.Cover95, x.HighK, x.Refitted)
	}
	d.line("\nPIT histograms (ten bins) of the axis:\n")
	for _, x := range v.Verdicts {
		if x.Model == "axis" && x.Rows > 0 {
			d.line("- %s: %v", x.Class, x.PIT)
		}
	}
	d.line("\n| randomised dose of strength | predicted (95 %%) | observed (95 %%) |\n|---|---|---|")
	for _, c := range v.Checks {
		d.line("| %s, %s (%s) | %.3f (%.3f to %.3f) | %.3f (%.3f to %.3f) |", c.Name, c.Unit, c.Source, c.Median, c.Low, c.High, c.Observed, c.ObsLow, c.ObsHigh)
	}
	d.line("\n## Other rules for the links\n")
	d.line("Gains at the end of `%s`. *flat*: every link at ½; *sceptical*: 1.5 taken from every logit.\n", r.Programme)
	d.line("| rule | domain | gain, SD (95 %%) | share through the axis (95 %%) | largest R-hat |\n|---|---|---|---|---|")
	for _, o := range r.Rules {
		for _, x := range o.Domains {
			d.line("| %s | %s | %.2f (%.2f to %.2f) | %.2f (%.2f to %.2f) | %.3f |", o.Rule, x.Domain, x.Gain.Median, x.Gain.Low, x.Gain.High, x.Share.Median, x.Share.Low, x.Share.High, o.WorstRHat)
		}
	}
	d.sbc(s)
	return d.b.String()
}

func (d *document) sbc(s *SBCReport) {
	least, low := 1.0, 0
	for _, r := range s.Rows {
		least = min(least, r.P)
		if r.P <= 0.01 {
			low++
		}
	}
	d.line("\n## A second sampler\n")
	d.line("On the strength and mass trials alone (`TestIndependentSampler`) importance sampling from the prior gives the same means and spreads as the chains, within Monte Carlo error; on a conjugate problem with a gate (`TestSamplerOnAConjugateProblem`) the chains give the closed form.\n")
	d.line("## Simulation-based calibration of the sampler\n")
	d.line("%d data sets were simulated from the prior on the design of the whole evidence; ranks of the truth among %d draws (%d sweeps apart) in %d bins. The chain stands at the truth at a random place of its course and runs both ways from there (Gandy & Scott 2020), with proposals learned from the data alone. Smallest p of the χ² tests against uniform: %.4f; %d of %d are at or below 0.01, and %.1f would be by chance.\n", s.Replicates, s.Draws, s.Thin, SBCBins, least, low, len(s.Rows), 0.01*float64(len(s.Rows)))
	d.line("| quantity | ranks | p |\n|---|---|---|")
	for _, r := range s.Rows {
		d.line("| `%s` | %s %v | %.3f |", r.Name, bars(r.Counts), r.Counts, r.P)
	}
}

// bars draws counts as block characters.
func bars(n []int) string {
	top := 1
	for _, v := range n {
		top = max(top, v)
	}
	var b strings.Builder
	for _, v := range n {
		b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, v*8/top)])
	}
	return b.String()
}
