package cli

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
)

// multiverseOut is the JSON of a multiverse.
type multiverseOut struct {
	Claim      string         `json:"claim"`
	Universes  int            `json:"universes"`
	Failed     int            `json:"not_fitted"`
	Support    report.Full    `json:"share_supporting"`
	SameSign   report.Full    `json:"share_same_sign"`
	Median     report.Full    `json:"median_estimate"`
	Low        report.Full    `json:"lowest_estimate"`
	High       report.Full    `json:"highest_estimate"`
	Dimensions []dimensionOut `json:"dimensions"`
	Curve      []universeOut  `json:"curve"`
	Failures   []failureOut   `json:"failures"`
}

type failureOut struct {
	Reason    string `json:"reason"`
	Universes int    `json:"universes"`
}

type dimensionOut struct {
	Name    string      `json:"name"`
	Choices []choiceOut `json:"choices"`
}

type choiceOut struct {
	Choice    string      `json:"choice"`
	Universes int         `json:"universes"`
	Support   report.Full `json:"share_supporting"`
	Median    report.Full `json:"median_estimate"`
}

type universeOut struct {
	Choices  []string    `json:"choices"`
	K        int         `json:"k"`
	Estimate report.Full `json:"estimate"`
	CILow    report.Full `json:"ci_low"`
	CIHigh   report.Full `json:"ci_high"`
	P        report.Full `json:"p"`
	Supports bool        `json:"supports"`
}

// alternatives are the measures that answer the same question from the same
// columns.
var alternatives = [][]string{{"SMD", "SMDH", "SMD1"}, {"OR", "PETO"}, {"RR"}, {"RD", "AS"}, {"MD"}, {"ROM"}, {"SMCC", "SMCR"}}

// correlations are those tried where before and after are compared.
var correlations = []float64{0.3, 0.5, 0.7, 0.9}

func (f *metaFlags) multiverse(a *app, path string) error {
	if f.mods+f.random+f.rve+f.vfile+f.sharedControl+f.weights != "" {
		return usage(fmt.Errorf("--multiverse refits the mean effect"), "use it with --measure, --r, --cluster, --where and --level only")
	}
	names, variants, label, err := f.variants(a, path)
	if err != nil {
		return err
	}
	us := synthesis.Multiverse(variants, label, f.level/100)
	out := newMultiverse(append(names, synthesis.MultiverseDimensions...), us)
	if a.json {
		return a.printJSON(out)
	}
	return out.text(a.sys.Stdout)
}

// variants computes the effect sizes in every defensible way that the data
// allow; the first is the one asked for.
func (f *metaFlags) variants(a *app, path string) (names []string, out []synthesis.Variant, label func(int) string, err error) {
	names = []string{"measure", "correlation before–after", "dependence"}
	measures := []string{f.measure}
	for _, group := range alternatives {
		if slices.Contains(group, f.measure) && !f.given("ti") && !f.given("fi") && !f.given("pi") {
			for _, m := range group {
				if m != f.measure {
					measures = append(measures, m)
				}
			}
		}
	}
	quiet := *a
	for n, m := range measures {
		g := *f
		g.measure = m
		rs := []float64{f.corr}
		if !math.IsNaN(f.corr) {
			for _, r := range correlations {
				if r != f.corr {
					rs = append(rs, r)
				}
			}
		}
		for k, r := range rs {
			g.corr = r
			if n+k == 1 {
				quiet.sys.Stderr = io.Discard
			}
			d, err := g.prepare(&quiet, path)
			if err != nil {
				if n+k > 0 { // an alternative the data do not allow
					continue
				}
				return nil, nil, nil, err
			}
			if label == nil {
				label = func(row int) string { return rowLabel(d, row) }
			}
			name, assumed := m, "as reported"
			if m == "" {
				name = "as given"
			}
			if !math.IsNaN(r) {
				assumed = fmt.Sprintf("%g", r)
			}
			vs, err := g.dependence(d, []string{name, assumed})
			if err != nil {
				return nil, nil, nil, err
			}
			out = append(out, vs...)
		}
	}
	return names, out, label, nil
}

// dependence: effects as independent, and where there are clusters, averaged
// within them under several correlations.
func (f *metaFlags) dependence(d *metaData, choices []string) ([]synthesis.Variant, error) {
	rows := slices.Clone(d.rows)
	out := []synthesis.Variant{{Choices: append(slices.Clone(choices), "effects as independent"), Y: d.y, V: d.v, Rows: rows}}
	if f.cluster == "" {
		return out, nil
	}
	if err := column(d.table, f.cluster, "cluster"); err != nil {
		return nil, err
	}
	out = nil // known clusters: taking their effects as independent is not defensible
	for _, rho := range []float64{0.3, 0.5, 0.6, 0.8} {
		y, v, first, err := synthesis.Averaged(d.y, d.v, d.texts(f.cluster), rho)
		if err != nil {
			return nil, err
		}
		rs := make([]int, len(first))
		for i, k := range first {
			rs[i] = d.rows[k]
		}
		out = append(out, synthesis.Variant{Choices: append(slices.Clone(choices), fmt.Sprintf("averaged by %s, rho %g", f.cluster, rho)), Y: y, V: v, Rows: rs})
	}
	return out, nil
}

func newMultiverse(names []string, us []synthesis.Universe) *multiverseOut {
	out := &multiverseOut{Universes: len(us), Failures: []failureOut{}}
	var est []float64
	failed := map[string]int{}
	for _, u := range us {
		if u.Err != "" {
			out.Failed++
			failed[u.Err]++
			continue
		}
		est = append(est, u.Estimate)
	}
	for _, reason := range slices.Sorted(maps.Keys(failed)) {
		out.Failures = append(out.Failures, failureOut{reason, failed[reason]})
	}
	slices.Sort(est)
	n := func(v float64) report.Full { return report.Full(v) }
	out.Median, out.Low, out.High = n(synthesis.Quantile(est, 0.5)), n(synthesis.Quantile(est, 0)), n(synthesis.Quantile(est, 1))
	sign := 1.0
	out.Claim = "the mean effect is above zero"
	if float64(out.Median) < 0 {
		sign, out.Claim = -1, "the mean effect is below zero"
	}
	var support, same int
	for _, u := range us {
		if u.Err != "" {
			continue
		}
		s := u.Supports(sign)
		if s {
			support++
		}
		if u.Estimate*sign > 0 {
			same++
		}
		out.Curve = append(out.Curve, universeOut{u.Choices, u.K, n(u.Estimate), n(u.Low), n(u.High), n(u.P), s})
	}
	fitted := float64(len(us) - out.Failed)
	out.Support, out.SameSign = n(float64(support)/fitted), n(float64(same)/fitted)
	slices.SortStableFunc(out.Curve, func(a, b universeOut) int {
		switch {
		case a.Estimate < b.Estimate:
			return -1
		case a.Estimate > b.Estimate:
			return 1
		}
		return 0
	})
	for i, name := range names {
		out.Dimensions = append(out.Dimensions, newDimension(name, i, us, sign))
	}
	return out
}

func newDimension(name string, i int, us []synthesis.Universe, sign float64) dimensionOut {
	d := dimensionOut{Name: name}
	est := map[string][]float64{}
	support := map[string]int{}
	var order []string
	for _, u := range us {
		c := u.Choices[i]
		if u.Err != "" {
			continue
		}
		if _, ok := est[c]; !ok {
			order = append(order, c)
		}
		est[c] = append(est[c], u.Estimate)
		if u.Supports(sign) {
			support[c]++
		}
	}
	for _, c := range order {
		slices.Sort(est[c])
		d.Choices = append(d.Choices, choiceOut{c, len(est[c]), report.Full(float64(support[c]) / float64(len(est[c]))), report.Full(synthesis.Quantile(est[c], 0.5))})
	}
	return d
}

func (o *multiverseOut) text(w io.Writer) error {
	fmt.Fprintf(w, "%d universes (%d could not be fitted)\n", o.Universes, o.Failed)
	fmt.Fprintf(w, "claim: %s\nsupported, with an interval that excludes zero, by %.1f %% of them; %.1f %% have its sign\n", o.Claim, 100*float64(o.Support), 100*float64(o.SameSign))
	fmt.Fprintf(w, "estimates %.4g to %.4g, median %.4g\n\n", float64(o.Low), float64(o.High), float64(o.Median))
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(t, "choice\tuniverses\tsupport\tmedian estimate")
	for _, d := range o.Dimensions {
		if len(d.Choices) < 2 {
			continue
		}
		fmt.Fprintf(t, "%s\t\t\t\n", d.Name)
		for _, c := range d.Choices {
			fmt.Fprintf(t, "  %s\t%d\t%.0f %%\t%.4g\n", c.Choice, c.Universes, 100*float64(c.Support), float64(c.Median))
		}
	}
	t.Flush()
	for _, f := range o.Failures {
		fmt.Fprintf(w, "not fitted, %d: %s\n", f.Universes, f.Reason)
	}
	_, err := fmt.Fprintln(w, "\nA share of universes is no probability: it says how far the conclusion hangs on choices that others would have made differently.")
	return err
}
