package ode

import (
	"math"

	"github.com/myoaxis/myoaxis/internal/lane"
)

// rodas5p is the stiffly accurate, A-stable Rosenbrock method of order 5(4)
// with 8 stages and an interpolant of order 4 by Steinebach (2023, BIT
// Numerical Mathematics 63:27), in the transformed variables of Hairer &
// Wanner (Solving ODEs II, IV.7). TestConvergenceOrder measures both orders.
type rodas5p struct {
	s    *Solver
	lu   *lu
	jac  []float64
	k    [8][]float64
	u    []float64
	ft   []float64
	y1   []float64
	d    [3][]float64 // dense output
	done bool         // d belongs to the step tried last
	sum  []float64    // with a mass matrix: what it is applied to
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

func newRodas5P(s *Solver) *rodas5p {
	p := s.prob
	r := &rodas5p{s: s, lu: newLU(p), jac: make([]float64, len(p.Pattern))}
	vec := func() []float64 { return make([]float64, p.N) }
	for i := range r.k {
		r.k[i] = vec()
	}
	for i := range r.d {
		r.d[i] = vec()
	}
	r.u, r.ft, r.y1, r.sum = vec(), vec(), vec(), vec()
	return r
}

func (r *rodas5p) begin(float64, []float64) {}
func (r *rodas5p) end() []float64           { return r.y1 }

// factor is the usual step control of a method whose error estimate is of the
// order 1/exponent - 1.
func factor(err, exponent float64) float64 {
	if err == 0 {
		return 6
	}
	return bounded(0.9 * lane.Exp(-exponent*lane.Log(err)))
}

// bounded keeps the change of a step size between a fifth and six times.
func bounded(f float64) float64 { return min(6, max(0.2, f)) }

func (r *rodas5p) accept(_, h float64, _ []float64, err float64) float64 { return h * factor(err, 0.2) }

func (r *rodas5p) shrink(h, err float64) float64 { return shrunk(h, err, 0.2) }

func shrunk(h, err, exponent float64) float64 {
	if math.IsNaN(err) || math.IsInf(err, 0) {
		return h * 0.1
	}
	return h * min(0.9, factor(err, exponent))
}

// prepare computes the Jacobian and the time derivative at the start of a step.
func (r *rodas5p) prepare(t float64, y []float64) bool {
	p := &r.s.prob
	p.Jac(t, y, r.jac)
	r.s.Stats.Jacobians++
	if p.Ft != nil {
		p.Ft(t, y, r.ft)
	}
	return finite(r.jac)
}

func finite(v []float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// try leaves the result of a step in y1 and the stages in k.
func (r *rodas5p) try(t, h float64, y []float64) float64 {
	p, st := &r.s.prob, &r.s.Stats
	st.Factorisations++
	r.done = false
	if !r.lu.factorise(1/(gamma*h), r.jac) {
		return math.NaN()
	}
	st.DensePivots += r.lu.exchanged()
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
		p.F(t+rT[s]*h, r.u, k)
		r.past(s, h, k)
		if p.Ft != nil && rD[s] != 0 {
			axpy(h*rD[s], r.ft, k)
		}
		r.lu.solve(k)
	}
	st.Evaluations += 8
	st.Solves += 8
	axpy(1, r.k[7], r.y1)
	return r.s.errorNorm(r.k[7], y, r.y1)
}

// past adds M·Σ c·k/h over the earlier stages.
func (r *rodas5p) past(s int, h float64, k []float64) {
	if r.s.prob.Mass == nil {
		for j := range s {
			axpy(rC[s][j]/h, r.k[j], k)
		}
		return
	}
	clear(r.sum)
	for j := range s {
		axpy(rC[s][j]/h, r.k[j], r.sum)
	}
	for _, e := range r.s.prob.Mass {
		k[e.Row] += e.V * r.sum[e.Col]
	}
}

func axpy(a float64, x, y []float64) {
	if a == 0 {
		return
	}
	for i, v := range x {
		y[i] += a * v
	}
}

// at evaluates the interpolant of order 4.
func (r *rodas5p) at(th float64, y, out []float64) {
	if !r.done {
		for q := range r.d {
			clear(r.d[q])
			for j := range 8 {
				axpy(rH[q][j], r.k[j], r.d[q])
			}
		}
		r.done = true
	}
	for i := range out {
		out[i] = (1-th)*y[i] + th*(r.y1[i]+(1-th)*(r.d[0][i]+th*(r.d[1][i]+th*r.d[2][i])))
	}
}
