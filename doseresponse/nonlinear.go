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
	one := []float64{1}
	info := mat.NewSymDense(2, nil)
	for _, t := range trials {
		x := c.Form.contrast(t, one)
		xu, xd := up.contrast(t, one), down.contrast(t, one)
		n := len(t.Y)
		v := mat.NewSymDense(n, nil)
		d := mat.NewDense(n, 2, nil)
		for i := range n {
			d.Set(i, 0, x.At(i, 0))
			d.Set(i, 1, c.Coef[0]*(xu.At(i, 0)-xd.At(i, 0))/(2*h)*c.Form.Scale) // in logs
			for j := range i + 1 {
				s := t.S.At(i, j)
				if c.Psi != nil {
					s += x.At(i, 0) * c.Psi.At(0, 0) * x.At(j, 0)
				}
				v.SetSym(i, j, s)
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
		for i := range 2 {
			for j := range i + 1 {
				info.SetSym(i, j, info.At(i, j)+add.At(i, j))
			}
		}
	}
	cov := mat.NewSymDense(2, nil)
	var ch mat.Cholesky
	if !ch.Factorize(info) || ch.Cond() > 1e14 || ch.InverseTo(cov) != nil {
		return fmt.Errorf("%w: the data cannot tell the scale of dose of an %s curve", ErrTooFewDoses, c.Form.Shape)
	}
	cov.SetSym(0, 1, cov.At(0, 1)*c.Form.Scale)
	cov.SetSym(1, 1, cov.At(1, 1)*c.Form.Scale*c.Form.Scale)
	c.Cov = cov
	return nil
}
