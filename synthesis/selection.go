package synthesis

import (
	"math"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat/distuv"
)

// SelectionModel is a step-function selection model: the chance of being
// reported depends on the p-value, 1 below the first step and Delta[j] above
// step j (Vevea & Hedges 1995, 10.1007/BF02294384), fitted by ML.
type SelectionModel struct {
	Steps        []float64
	Alternative  string // greater, less or two.sided
	Estimate, SE float64
	Low, High    float64
	P            float64
	Tau2         float64
	Delta        []float64 // one a step; metafor's bound of 100 applies
	LogLik       float64
	LRT, LRTP    float64 // against no selection
	Counts       []int   // effects in each interval of p
}

// maxDelta bounds the relative chance of being reported.
const maxDelta = 100

// SelectBySteps fits the model to effects with known variances.
func SelectBySteps(y, v []float64, steps []float64, alternative string, level float64) (*SelectionModel, error) {
	if err := checkData(y, v, len(y), 2+len(steps)); err != nil {
		return nil, err
	}
	for i, s := range steps {
		if !(s > 0 && s < 1) || i > 0 && s <= steps[i-1] {
			return nil, &DataError{"steps are p-values between 0 and 1 in ascending order"}
		}
	}
	m := &SelectionModel{Steps: steps, Alternative: alternative, Counts: make([]int, len(steps)+1)}
	s := newStepData(y, v, steps, alternative)
	for _, k := range s.interval {
		m.Counts[k]++
	}
	for _, n := range m.Counts {
		if n == 0 {
			return nil, &DataError{"an interval between the steps holds no effect: use fewer steps"}
		}
	}
	plain, err := mean(y, v, MetaOptions{Method: ML})
	if err != nil {
		return nil, err
	}
	x, err := s.maximise(plain, len(steps))
	if err != nil {
		return nil, err
	}
	return m, m.fill(s, x, plain, level)
}

// stepData holds, for every effect, its interval of p and the cuts of y.
type stepData struct {
	y, v     []float64
	cuts     []float64 // z at each step
	alt      string
	interval []int
}

func newStepData(y, v, steps []float64, alt string) *stepData {
	s := &stepData{y: y, v: v, alt: alt}
	for _, p := range steps {
		if alt == "two.sided" {
			p /= 2
		}
		s.cuts = append(s.cuts, distuv.UnitNormal.Quantile(1-p))
	}
	for i := range y {
		z := y[i] / math.Sqrt(v[i])
		switch alt {
		case "less":
			z = -z
		case "two.sided":
			z = math.Abs(z)
		}
		k := 0
		for k < len(s.cuts) && z < s.cuts[k] {
			k++
		}
		s.interval = append(s.interval, k)
	}
	return s
}

// probs are the probabilities of the intervals for effect i at mean mu and
// variance v+tau².
func (s *stepData) probs(i int, mu, tau2 float64) []float64 {
	sd := math.Sqrt(s.v[i] + tau2)
	tail := func(z float64) float64 { // P(more significant than z)
		c := z * math.Sqrt(s.v[i])
		up := distuv.UnitNormal.Survival((c - mu) / sd)
		low := distuv.UnitNormal.CDF((-c - mu) / sd)
		switch s.alt {
		case "less":
			return low
		case "two.sided":
			return up + low
		}
		return up
	}
	out := make([]float64, len(s.cuts)+1)
	last := 0.0
	for k, z := range s.cuts {
		t := tail(z)
		out[k] = t - last
		last = t
	}
	out[len(s.cuts)] = 1 - last
	return out
}

// params: mu, tau² and the weights from the unbounded vector x.
func selectionParams(x []float64) (mu, tau2 float64, delta []float64) {
	delta = []float64{1}
	for _, t := range x[2:] {
		delta = append(delta, maxDelta/(1+math.Exp(-t)))
	}
	return x[0], x[1] * x[1], delta
}

func (s *stepData) logLik(x []float64) (l float64) {
	mu, tau2, delta := selectionParams(x)
	for i := range s.y {
		t := s.v[i] + tau2
		e := s.y[i] - mu
		var a float64
		for k, p := range s.probs(i, mu, tau2) {
			a += delta[k] * p
		}
		l += math.Log(delta[s.interval[i]]) - 0.5*math.Log(2*math.Pi*t) - 0.5*e*e/t - math.Log(a)
	}
	return l
}

// maximise searches from several starting weights and keeps the best.
func (s *stepData) maximise(plain *Meta, steps int) ([]float64, error) {
	p := optimize.Problem{Func: func(x []float64) float64 { return -s.logLik(x) }}
	var best []float64
	top := math.Inf(1)
	for _, d := range []float64{0.1, 0.5, 1, 5, 50} {
		x := []float64{plain.Terms[0].Estimate, math.Sqrt(plain.Tau2) + 0.05*math.Sqrt(s.v[0])}
		for range steps {
			x = append(x, math.Log(d/(maxDelta-d)))
		}
		for range 3 { // restarts shake off a collapsed simplex
			r, err := optimize.Minimize(p, x, &optimize.Settings{FuncEvaluations: 20000, Converger: &optimize.FunctionConverge{Absolute: 1e-13, Iterations: 200}}, &optimize.NelderMead{})
			if err != nil || r == nil {
				break
			}
			x = r.X
			if r.F < top {
				top, best = r.F, append([]float64(nil), r.X...)
			}
		}
	}
	if best == nil {
		return nil, ErrNotConverged
	}
	return best, nil
}

func (m *SelectionModel) fill(s *stepData, x []float64, plain *Meta, level float64) error {
	mu, tau2, delta := selectionParams(x)
	m.Estimate, m.Tau2, m.Delta, m.LogLik = mu, tau2, delta[1:], s.logLik(x)
	m.LRT = math.Max(0, 2*(m.LogLik-plain.LogLik))
	m.LRTP = distuv.ChiSquared{K: float64(len(m.Steps))}.Survival(m.LRT)
	// the information on (mu, tau², delta), weights at their bound held fixed
	free := []int{0}
	z := []float64{mu, tau2}
	if tau2 > 1e-10 {
		free = append(free, 1)
	}
	for j, d := range delta[1:] {
		z = append(z, d)
		if d < 0.999*maxDelta && d > 1e-6 {
			free = append(free, j+2)
		}
	}
	f := func(u []float64) float64 {
		q := append([]float64(nil), z...)
		for r, i := range free {
			q[i] = u[r]
		}
		w := []float64{q[0], math.Sqrt(math.Max(q[1], 0))}
		for _, d := range q[2:] {
			d = math.Min(math.Max(d, 1e-12), maxDelta*(1-1e-12))
			w = append(w, math.Log(d/(maxDelta-d)))
		}
		return -s.logLik(w)
	}
	u := make([]float64, len(free))
	for r, i := range free {
		u[r] = z[i]
	}
	h := mat.NewSymDense(len(free), nil)
	fd.Hessian(h, f, u, &fd.Settings{Step: 1e-4 * math.Max(0.05, math.Sqrt(tau2))})
	var ch mat.Cholesky
	m.SE, m.Low, m.High, m.P = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if ch.Factorize(h) {
		inv := mat.NewSymDense(len(free), nil)
		if ch.InverseTo(inv) == nil {
			m.SE = math.Sqrt(inv.At(0, 0))
			c := distuv.UnitNormal.Quantile(0.5+level/2) * m.SE
			m.Low, m.High = mu-c, mu+c
			m.P = 2 * distuv.UnitNormal.Survival(math.Abs(mu/m.SE))
		}
	}
	return nil
}
