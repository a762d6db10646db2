package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/synthesis"
)

// doseDimensions are the choices a curve's multiverse varies.
var doseDimensions = []string{"dose", "measure or covariance", "assumed correlations", "shape", "method", "inclusion"}

// multiverse refits the curve under every defensible choice that the file
// allows and asks each for the effect at the median studied dose. Alternative
// doses are given as --by a,b,c.
func (f *doseFlags) multiverse(a *app, path string) (*multiverseOut, error) {
	if f.agent != "" || f.reported != "" || f.cluster != "" || f.stages != 1 {
		return nil, usage(fmt.Errorf("--multiverse varies shape, method, measure, correlations, dose and inclusion itself"), "leave out --agent, --reported, --cluster and --stages")
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	t, err := f.read(a, path)
	if err != nil {
		return nil, err
	}
	var us []synthesis.Universe
	quiet := *a
	for _, by := range splitExpressions(f.by) {
		for _, v := range f.doseVariants() {
			g := *f
			v.set(&g)
			g.by = by
			d, err := g.readDoses(&quiet, t)
			if err != nil {
				return nil, err
			}
			quiet.sys.Stderr = io.Discard
			if v.needs != "" && v.needs != d.kind {
				continue
			}
			more, err := g.doseUniverses(d, []string{by, v.measure, v.correlation})
			if err != nil {
				return nil, dataFaultUnlessUsage(path, err)
			}
			us = append(us, more...)
		}
	}
	out := newMultiverse(doseDimensions, us)
	out.Claim = strings.Replace(out.Claim, "the mean effect", "the effect at the median studied dose", 1)
	return out, nil
}

// splitExpressions cuts at commas outside brackets.
func splitExpressions(s string) (out []string) {
	depth, from := 0, 0
	for i, r := range s {
		switch r {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

// doseVariant is one way to make the contrasts.
type doseVariant struct {
	measure, correlation string
	needs                string // kind of data it applies to; "" any
	set                  func(g *doseFlags)
}

// doseVariants: for arms the scales of the same kind and, where they matter,
// correlations between outcomes and between before and after; for relative
// risks both reconstructions; for effects correlations within a study.
func (f *doseFlags) doseVariants() (out []doseVariant) {
	const arms, risks, effects = "arms with means", "relative risks against a reference dose", "effects of one dose each"
	scales := []string{"SMD", "COHEN", "GLASS"}
	if f.scale == "MD" || f.scale == "MDH" {
		scales = []string{"MD", "MDH"}
	}
	rhos := []float64{f.rho}
	if f.outcome+f.time != "" {
		rhos = []float64{0.3, 0.6, 0.8}
	}
	rs := []float64{f.corr}
	if f.sdPre != "" && !math.IsNaN(f.corr) {
		rs = correlations
	}
	for _, s := range scales {
		for _, rho := range rhos {
			for _, r := range rs {
				name := fmt.Sprintf("outcomes %g", rho)
				if len(rs) > 1 {
					name += fmt.Sprintf(", before–after %g", r)
				}
				out = append(out, doseVariant{s, name, arms, func(g *doseFlags) { g.scale, g.rho, g.corr = s, rho, r }})
			}
		}
	}
	for _, c := range []string{"gl", "hamling"} {
		out = append(out, doseVariant{c, "none", risks, func(g *doseFlags) { g.covariance = c }})
	}
	for _, rho := range []float64{0.3, 0.6, 0.8} {
		out = append(out, doseVariant{"as given", fmt.Sprintf("within a study %g", rho), effects, func(g *doseFlags) { g.rho = rho }})
	}
	return out
}

// doseUniverses are those of one way to make the contrasts.
func (f *doseFlags) doseUniverses(d *doseData, choices []string) (out []synthesis.Universe, err error) {
	trials, err := d.build(func(low, high float64) float64 { return (low + high) / 2 })
	if err != nil {
		return nil, err
	}
	average := *f
	average.shape = "average"
	forms, err := average.forms(d)
	if err != nil {
		return nil, err
	}
	doses := slices.Sorted(slices.Values(d.middle))
	doses = slices.DeleteFunc(doses, func(x float64) bool { return x <= f.reference })
	if len(doses) == 0 {
		return nil, &synthesis.DataError{Message: "no dose lies above the reference dose"}
	}
	at, ref := synthesis.Quantile(doses, 0.5), f.reference
	if d.intercept {
		ref = math.NaN()
	}
	methods := []string{"fixed", "ml", "reml"}
	out = make([]synthesis.Universe, (len(trials)+1)*len(forms)*len(methods))
	synthesis.Parallel(len(out), func(n int) {
		form, method, k := forms[n/len(methods)%len(forms)], methods[n%len(methods)], n/(len(methods)*len(forms))-1
		use, name := trials, "all"
		if k >= 0 {
			use, name = slices.Delete(slices.Clone(trials), k, k+1), "without "+trials[k].ID
		}
		u := synthesis.Universe{Choices: append(slices.Clone(choices), string(form.Shape), strings.ToUpper(method), name)}
		c, err := doseresponse.FitCurve(use, form, doseresponse.CurveOptions{Method: method, Level: f.level / 100})
		if err != nil {
			u.Err = fmt.Sprintf("%s: %v", form.Shape, err)
		} else {
			var se float64
			u.Estimate, se, _ = c.At(at, ref)
			u.Low, u.High, _, _ = c.Interval(at, ref)
			u.K, u.P = c.Points, doseresponse.NormalP(u.Estimate/se)
		}
		out[n] = u
	})
	return out, nil
}
