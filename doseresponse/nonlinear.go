package doseresponse

import (
	"fmt"
	"math"

	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
)

// profileScale maximises the likelihood over the scale of a nonlinear form, on
// a grid of multiples of the largest dose refined by golden section. The scale
// is sought between 1/200 and 20 times that dose: beyond, the curve cannot be
// told from a step or a line.
func profileScale(trials []Trial, form Form, o CurveOptions) (float64, error) {
	top := 0.0
	for _, t := range trials {
		for _, d := range t.Dose {
			top = math.Max(top, d)
		}
	}
	if top == 0 {
		return 0, fmt.Errorf("%w: all doses are zero", ErrTooFewDoses)
	}
	if o.Method != "fixed" {
		o.Method = "ml"
	}
	o.Stages = 1
	var last error
	at := func(logScale float64) float64 {
		form.Scale = top * math.Exp(logScale)
		c, err := fitForm(trials, form, o)
		if err != nil {
			last = err
			return math.Inf(-1)
		}
		return c.LogLik
	}
	low, high := math.Log(1.0/200), math.Log(20)
	const n = 30
	best, bestL := -1, math.Inf(-1)
	for i := range n + 1 {
		if l := at(low + (high-low)*float64(i)/n); l > bestL {
			best, bestL = i, l
		}
	}
	if best < 0 {
		return 0, last
	}
	h := (high - low) / n
	a, b := low+h*math.Max(0, float64(best-1)), low+h*math.Min(n, float64(best+1))
	g := (math.Sqrt(5) - 1) / 2
	x, y := b-g*(b-a), a+g*(b-a)
	fx, fy := at(x), at(y)
	for b-a > 1e-8 {
		if fx >= fy {
			b, y, fy = y, x, fx
			x = b - g*(b-a)
			fx = at(x)
		} else {
			a, x, fx = x, y, fy
			y = a + g*(b-a)
			fy = at(y)
		}
	}
	return top * math.Exp((a+b)/2), nil
}

// withScale extends the covariance by the scale: the curve is linearised in it
// and all coefficients fitted together, at the fitted variances between trials.
func (c *Curve) withScale(trials []Trial) error {
	h := 1e-5 * c.Form.Scale
	up, down := c.Form, c.Form
	up.Scale += h
	down.Scale -= h
	q := len(c.Coef)
	one := make([]float64, q)
	for i := range one {
		one[i] = 1
	}
	last := q - 1 // the coefficient of the nonlinear term
	info := mat.NewSymDense(q+1, nil)
	for _, t := range trials {
		x := c.Form.contrast(t, one)
		xu, xd := up.contrast(t, one), down.contrast(t, one)
		n := len(t.Y)
		v := mat.NewSymDense(n, nil)
		d := mat.NewDense(n, q+1, nil)
		for i := range n {
			for k := range q {
				d.Set(i, k, x.At(i, k))
			}
			d.Set(i, q, c.Coef[last]*(xu.At(i, last)-xd.At(i, last))/(2*h)*c.Form.Scale) // in logs
			for j := range i + 1 {
				v.SetSym(i, j, t.S.At(i, j)+c.between(t, x, i, j))
			}
		}
		var ch mat.Cholesky
		if !ch.Factorize(v) {
			return &ArmError{t.ID, "the covariance of its contrasts is not positive definite"}
		}
		var wd, add mat.Dense
		if ch.SolveTo(&wd, d) != nil {
			return synthesis.ErrNotConverged
		}
		add.Mul(d.T(), &wd)
		for i := range q + 1 {
			for j := range i + 1 {
				info.SetSym(i, j, info.At(i, j)+add.At(i, j))
			}
		}
	}
	cov := mat.NewSymDense(q+1, nil)
	var ch mat.Cholesky
	if !ch.Factorize(info) || ch.Cond() > 1e14 || ch.InverseTo(cov) != nil {
		return fmt.Errorf("%w: the data cannot tell the scale of dose of an %s curve", ErrTooFewDoses, c.Form.Shape)
	}
	unit := make([]float64, q+1)
	for i := range unit {
		unit[i] = 1
	}
	unit[q] = c.Form.Scale
	rescaleSym(cov, unit, 1)
	c.Cov = cov
	return nil
}

// between is the covariance of contrasts i and j of a trial from what varies
// between trials and outcomes.
func (c *Curve) between(t Trial, x *mat.Dense, i, j int) (s float64) {
	a, b := x.RawRowView(i), x.RawRowView(j)
	product := func(psi *mat.SymDense) (s float64) {
		for k := range a {
			for l := range b {
				s += a[k] * psi.At(k, l) * b[l]
			}
		}
		return s
	}
	if c.Psi != nil {
		s += product(c.Psi)
	}
	if c.Within != nil && (t.Set == nil || t.Set[i] == t.Set[j]) {
		s += product(c.Within)
	}
	if c.Form.Intercept {
		s += c.study
		if i == j {
			s += c.Tau2 - c.study
		}
	}
	return s
}
