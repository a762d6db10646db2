package synthesis

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Variant is one way to compute the effect sizes from the data: a measure, a
// correlation assumed, a way to treat dependence. Rows number the studies or
// effects, so that leaving one out means the same in every variant.
type Variant struct {
	Choices []string // one for each of VariantDimensions
	Y, V    []float64
	Rows    []int
}

// Universe is one set of choices with its result. Err says why it has none.
type Universe struct {
	Choices                []string // one for each dimension
	Estimate, Low, High, P float64
	K                      int
	Err                    string
}

// Supports says whether the universe has the sign wanted and an interval
// without zero.
func (u Universe) Supports(sign float64) bool {
	return u.Err == "" && (sign > 0 && u.Low > 0 || sign < 0 && u.High < 0)
}

// The bias models of a multiverse.
var biasModels = []string{"none", "trim and fill L0", "PET-PEESE", "step selection 0.025"}

// MultiverseDimensions are the dimensions that every universe has after those
// of its variant.
var MultiverseDimensions = []string{"estimator", "test", "bias model", "inclusion"}

// multiverseMethods leaves out the equal-effects model: it is another question.
var multiverseMethods = []Method{DL, HE, HS, SJ, ML, REML, EB, PM}

// Multiverse refits the mean under every combination of variant, estimator,
// test, bias model and inclusion (Steegen et al. 2016,
// 10.1177/1745691616658637; Voracek et al. 2019, 10.1027/2151-2604/a000357).
// Inclusion is all effects, each left out in turn (up to 500), without the least precise
// third, and without effects whose studentised residual is beyond 1.96. Bias
// models that have their own estimator and test take one universe each.
func Multiverse(variants []Variant, label func(row int) string, level float64) []Universe {
	type job struct {
		v    Variant
		name string
		keep []int
	}
	var jobs []job
	for _, v := range variants {
		for _, inc := range inclusions(v, label) {
			jobs = append(jobs, job{v, inc.name, inc.keep})
		}
	}
	parts := make([][]Universe, len(jobs))
	workers := runtime.GOMAXPROCS(0)
	Parallel(workers, func(worker int) {
		for j := worker; j < len(jobs); j += workers {
			parts[j] = jobs[j].v.universes(jobs[j].name, jobs[j].keep, level)
		}
	})
	var out []Universe
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// maxLeaveOut bounds the effects that are each left out in turn: one of more
// cannot change much.
const maxLeaveOut = 500

type inclusion struct {
	name string
	keep []int
}

func inclusions(v Variant, label func(int) string) []inclusion {
	all := make([]int, len(v.Y))
	for i := range all {
		all[i] = i
	}
	out := []inclusion{{"all", all}}
	without := func(name string, drop func(i int) bool) {
		keep := slices.DeleteFunc(slices.Clone(all), drop)
		if len(keep) >= 2 && len(keep) < len(all) {
			out = append(out, inclusion{name, keep})
		}
	}
	for i := range all {
		if len(all) > maxLeaveOut {
			break
		}
		without("without "+label(v.Rows[i]), func(j int) bool { return i == j })
	}
	sorted := slices.Sorted(slices.Values(v.V))
	cut := sorted[len(sorted)*2/3]
	without("without the least precise third", func(i int) bool { return v.V[i] >= cut })
	one := interceptOnly(v.Y, v.V)
	if t2, err := one.tau2(REML); err == nil && len(v.Y) > 3 {
		one.solve(t2)
		outlier := make([]bool, len(v.Y))
		for i, w := range one.w {
			h := w * one.cov[0]
			outlier[i] = math.Abs(one.resid[i])/math.Sqrt((v.V[i]+t2)*(1-h)) > 1.96
		}
		without("without outliers", func(i int) bool { return outlier[i] })
	}
	return out
}

// universes are those of one variant and inclusion.
func (v Variant) universes(name string, keep []int, level float64) (out []Universe) {
	k := len(keep)
	w := room(k, 1)
	w.y, w.v, w.x = w.y[:0], w.v[:0], w.x[:0]
	for _, i := range keep {
		w.y, w.v, w.x = append(w.y, v.Y[i]), append(w.v, v.V[i]), append(w.x, 1)
	}
	add := func(method, test, bias string, e, low, high, p float64, n int, err error) {
		u := Universe{Choices: append(slices.Clone(v.Choices), method, test, bias, name), Estimate: e, Low: low, High: high, P: p, K: n}
		if err != nil {
			u.Err = err.Error()
		}
		out = append(out, u)
	}
	y, vs := slices.Clone(w.y), slices.Clone(w.v)
	for _, m := range multiverseMethods {
		v.estimators(w, m, level, func(test Test, e, low, high, p float64) {
			add(string(m), string(test), biasModels[0], e, low, high, p, k, nil)
		})
		f, err := TrimAndFill(y, vs, "L0", "", MetaOptions{Method: m, Level: level})
		if err != nil {
			add(string(m), "z", biasModels[1], math.NaN(), math.NaN(), math.NaN(), math.NaN(), k, err)
			continue
		}
		t := f.Meta.Terms[0]
		add(string(m), "z", biasModels[1], t.Estimate, t.Low, t.High, t.P, f.Meta.K, nil)
	}
	t, err := PETPEESE(y, vs, level)
	add("weighted least squares", "t", biasModels[2], t.Estimate, t.Low, t.High, t.P, k, err)
	s, err := SelectModel(y, vs, StepFunction, []float64{0.025}, direction(w), level)
	if err != nil {
		s = &SelectionModel{Estimate: math.NaN(), Low: math.NaN(), High: math.NaN(), P: math.NaN()}
	}
	add("ML", "z", biasModels[3], s.Estimate, s.Low, s.High, s.P, k, err)
	return out
}

// direction in which effects would be favoured: that of the mean.
func direction(w *wls) string {
	w.solve(0)
	if w.beta[0] < 0 {
		return "less"
	}
	return "greater"
}

// estimators is one tau² under every test.
func (v Variant) estimators(w *wls, m Method, level float64, add func(test Test, e, low, high, p float64)) {
	t2, err := w.tau2(m)
	if err != nil {
		return
	}
	d := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(w.y) - 1)}
	normal, student := distuv.UnitNormal.Quantile(0.5+level/2), d.Quantile(0.5+level/2)
	w.solve(t2)
	for _, test := range Tests {
		var crit float64
		var p func(float64) float64
		if test == TestZ {
			crit = normal
			p = func(z float64) float64 { return 2 * UpperTail(z) }
		} else {
			crit, p = student, func(z float64) float64 { return 2 * d.Survival(z) }
		}
		se := math.Sqrt(test.scale(w.rss, d.Nu) * w.cov[0])
		e := w.beta[0]
		add(test, e, e-crit*se, e+crit*se, p(math.Abs(e/se)))
	}
}

// PETPEESE is the conditional estimator: PEESE where PET finds an effect above
// zero (in the direction of the mean, one-sided 5 %), else PET (Stanley &
// Doucouliagos 2014, 10.1002/jrsm.1095).
func PETPEESE(y, v []float64, level float64) (Term, error) {
	pet, err := Egger(y, v, "sei", level)
	if err != nil {
		nan := math.NaN()
		return Term{Estimate: nan, Low: nan, High: nan, P: nan}, err
	}
	if pet.Limit.P >= 0.1 {
		return pet.Limit, nil
	}
	peese, err := Egger(y, v, "vi", level)
	if err != nil {
		return pet.Limit, nil
	}
	return peese.Limit, nil
}

// Averaged replaces the effects of every cluster by their mean, with the
// variance it has when sampling errors within a cluster are correlated by rho.
func Averaged(y, v []float64, cluster []string, rho float64) (my, mv []float64, rows []int, err error) {
	if !(rho >= 0 && rho <= 1) {
		return nil, nil, nil, &DataError{fmt.Sprintf("the correlation %g does not lie between 0 and 1", rho)}
	}
	ids := number(cluster)
	groups := map[int][]int{}
	n := 0
	for i, g := range ids {
		if g == n {
			rows = append(rows, i)
			n++
		}
		groups[g] = append(groups[g], i)
	}
	for g := range n {
		var s, sd, own float64
		m := float64(len(groups[g]))
		for _, i := range groups[g] {
			s += y[i] / m
			sd += math.Sqrt(v[i])
			own += v[i]
		}
		my, mv = append(my, s), append(mv, (own*(1-rho)+rho*sd*sd)/(m*m))
	}
	return my, mv, rows, nil
}
