package ode

import (
	"math"
)

// Rodas5P is the stiffly accurate, A-stable Rosenbrock method of order 5(4)
// with 8 stages and an interpolant of order 4 by Steinebach (2023, BIT
// Numerical Mathematics 63:27), in the transformed variables of Hairer &
// Wanner (Solving ODEs II, IV.7). TestConvergenceOrder measures both orders.
type Rodas5P struct {
	prob Problem
	set  Settings
	lu   *lu
	jac  []float64
	k    [8][]float64
	u    []float64
	du   []float64
	ft   []float64
	y1   []float64
	d    [3][]float64 // dense output
	// Stats counts the work since New.
	Stats Stats
}

const gamma = 0.21193756319429014

var (
	rA = [6][5]float64{
		1: {3.0},
		2: {2.849394379747939, 0.45842242204463923},
		3: {-6.954028509809101, 2.489845061869568, -10.358996098473584},
		4: {2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641},
		5: {-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946},
	}
	rC = [8][7]float64{
		1: {-14.155112264123755},
		2: {-17.97296035885952, -2.859693295451294},
		3: {147.12150275711716, -1.41221402718213, 71.68940251302358},
		4: {165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306},
		5: {24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471},
		6: {30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623, -28.087943162872662},
		7: {37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002, -54.66780262877968, -9.48861652309627},
	}
	rT = [8]float64{0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1, 1, 1}
	rD = [8]float64{0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069}
	rH = [3][8]float64{
		{25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493},
		{-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372},
		{11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722},
	}
)

// NewRodas5P prepares a solver; it can be used for many solutions of the same
// problem, one at a time.
func NewRodas5P(p Problem, s Settings) *Rodas5P {
	r := &Rodas5P{prob: p, set: s.orDefault(), lu: newLU(p.N, p.Pattern), jac: make([]float64, len(p.Pattern))}
	vec := func() []float64 { return make([]float64, p.N) }
	for i := range r.k {
		r.k[i] = vec()
	}
	for i := range r.d {
		r.d[i] = vec()
	}
	r.u, r.du, r.ft, r.y1 = vec(), vec(), vec(), vec()
	return r
}

// Solve carries y from t0 to t1 > t0, stepping onto every stop in between, and
// calls out at each output time (ascending, within [t0, t1]) with the state,
// valid during the call only. At a stop, output comes before the change. y is
// overwritten with the final state.
func (r *Rodas5P) Solve(y []float64, t0, t1 float64, stops []Stop, times []float64, out func(i int, t float64, y []float64)) error {
	t, next, o := t0, 0, 0
	h := 0.0
	for next < len(stops) && stops[next].T < t0 {
		next++
	}
	buf := make([]float64, r.prob.N)
	for o < len(times) && times[o] <= t0 {
		out(o, t0, y)
		o++
	}
	tries := 0
	for {
		for next < len(stops) && stops[next].T <= t {
			stops[next].Do(y)
			r.Stats.Stops++
			next++
			h = 0
		}
		if t >= t1 {
			return nil
		}
		end := t1
		if next < len(stops) {
			end = min(end, stops[next].T)
		}
		if h == 0 {
			h = r.firstStep(t, y)
		}
		if !r.linearise(t, y) {
			return &SolveError{t, ErrNotFinite}
		}
		for {
			if tries++; tries > r.set.MaxSteps {
				return &SolveError{t, ErrTooManySteps}
			}
			step, last := r.fit(h, end-t)
			errNorm := r.step(t, step, y)
			if errNorm <= 1 {
				tn := t + step
				if last {
					tn = end
				}
				r.Stats.Steps++
				if o < len(times) && times[o] <= tn {
					r.interpolant()
					for ; o < len(times) && times[o] <= tn; o++ {
						r.at((times[o]-t)/step, y, buf)
						out(o, times[o], buf)
					}
				}
				copy(y, r.y1)
				t = tn
				h = r.newStep(h, step, errNorm, last)
				break
			}
			r.Stats.Rejected++
			if math.IsNaN(errNorm) {
				h = step * 0.1
			} else {
				h = step * max(0.2, 0.9*math.Pow(errNorm, -0.2))
			}
			if t+h <= t {
				return &SolveError{t, ErrStepTooSmall}
			}
		}
	}
}

// fit shortens a step that would pass or nearly reach the end.
func (r *Rodas5P) fit(h, left float64) (step float64, last bool) {
	if r.set.HMax > 0 {
		h = min(h, r.set.HMax)
	}
	switch {
	case h >= left*(1-1e-12):
		return left, true
	case h > 0.5*left:
		return left / 2, false
	}
	return h, false
}

// newStep proposes the next step; one cut short by a stop does not shrink it.
func (r *Rodas5P) newStep(h, step, errNorm float64, last bool) float64 {
	grow := 6.0
	if errNorm > 0 {
		grow = min(6, max(0.2, 0.9*math.Pow(errNorm, -0.2)))
	}
	if last || step < h {
		return max(h*min(grow, 1), step*grow)
	}
	return step * grow
}

// firstStep is the starting step of Hairer, Nørsett & Wanner (II.4), with one
// evaluation.
func (r *Rodas5P) firstStep(t float64, y []float64) float64 {
	r.prob.F(t, y, r.du)
	r.Stats.Evaluations++
	var d0, d1 float64
	for i, v := range y {
		sc := r.set.ATol + r.set.RTol*math.Abs(v)
		d0 = max(d0, math.Abs(v)/sc)
		d1 = max(d1, math.Abs(r.du[i])/sc)
	}
	if d0 < 1e-5 || d1 < 1e-5 {
		return 1e-3
	}
	return min(0.01*d0/d1, math.Pow(1/d1, 0.5))
}

// linearise computes the Jacobian and the time derivative at the start of a
// step.
func (r *Rodas5P) linearise(t float64, y []float64) bool {
	r.prob.Jac(t, y, r.jac)
	r.Stats.Jacobians++
	if r.prob.Ft != nil {
		r.prob.Ft(t, y, r.ft)
	}
	for _, v := range r.jac {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// step tries one step from y and leaves the result in y1 and the stages in k;
// it returns the error in units of the tolerance.
func (r *Rodas5P) step(t, h float64, y []float64) float64 {
	r.Stats.Factorisations++
	if !r.lu.factorise(1/(gamma*h), r.prob.Pattern, r.jac) {
		return math.NaN()
	}
	r.Stats.DensePivots = r.lu.densePivots
	for s := range 8 {
		copy(r.u, y)
		switch {
		case s < 6:
			for j := range s {
				axpy(rA[s][j], r.k[j], r.u)
			}
		case s == 6:
			copy(r.u, r.y1)
			axpy(1, r.k[5], r.u)
			copy(r.y1, r.u)
		default:
			copy(r.u, r.y1)
			axpy(1, r.k[6], r.u)
			copy(r.y1, r.u)
		}
		if s == 5 {
			copy(r.y1, r.u)
		}
		k := r.k[s]
		r.prob.F(t+rT[s]*h, r.u, k)
		for j := range s {
			axpy(rC[s][j]/h, r.k[j], k)
		}
		if r.prob.Ft != nil && rD[s] != 0 {
			axpy(h*rD[s], r.ft, k)
		}
		r.lu.solve(k)
	}
	r.Stats.Evaluations += 8
	r.Stats.Solves += 8
	axpy(1, r.k[7], r.y1)
	var sum float64
	for i := range y {
		sc := r.set.ATol + r.set.RTol*max(math.Abs(y[i]), math.Abs(r.y1[i]))
		e := r.k[7][i] / sc
		sum += e * e
	}
	return math.Sqrt(sum / float64(len(y)))
}

func axpy(a float64, x, y []float64) {
	if a == 0 {
		return
	}
	for i, v := range x {
		y[i] += a * v
	}
}

// interpolant prepares dense output for the step just taken.
func (r *Rodas5P) interpolant() {
	for q := range r.d {
		clear(r.d[q])
		for j := range 8 {
			axpy(rH[q][j], r.k[j], r.d[q])
		}
	}
}

// at evaluates the interpolant of order 4 at th in [0, 1] of the step.
func (r *Rodas5P) at(th float64, y, out []float64) {
	for i := range out {
		out[i] = (1-th)*y[i] + th*(r.y1[i]+(1-th)*(r.d[0][i]+th*(r.d[1][i]+th*r.d[2][i])))
	}
}
