package ode

import "math"

// tsit5 is the explicit method of order 5(4) with 7 stages, the last of which
// is the first of the next step, and an interpolant of order 4 by Tsitouras
// (2011, Computers & Mathematics with Applications 62:770). Coefficients:
// checked against the order conditions in TestTsit5OrderConditions.
type tsit5 struct {
	s     *Solver
	k     [7][]float64
	u, y1 []float64
	g6, e []float64
	h     float64 // of the step tried last
	poly  [][4]float64
	done  bool // poly belongs to the step tried last
	have  bool // k[0] is the derivative at the start of the step
	slow  int  // steps in a row at the border of stability
}

var (
	tC = [7]float64{0, 0.161, 0.327, 0.9, 0.9800255409045097, 1, 1}
	tA = [7][6]float64{
		1: {0.161},
		2: {-0.008480655492356989, 0.335480655492357},
		3: {2.8971530571054935, -6.359448489975075, 4.3622954328695815},
		4: {5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525},
		5: {5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383},
		6: {0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774},
	}
	tE = [7]float64{-0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552, -0.45808210592918697, 0.015151515151515152}
	// tD are the coefficients of θ, θ², θ³, θ⁴ in the weight of each stage.
	tD = [7][4]float64{
		{1, -2.763706197274826, 2.9132554618219126, -1.0530884977290216},
		{0, 0.13169999999999998, -0.2234, 0.1017},
		{0, 3.9302962368947516, -5.941033872131505, 2.490627285651253},
		{0, -12.411077166933676, 30.33818863028232, -16.548102889244902},
		{0, 37.50931341651104, -88.1789048947664, 47.37952196281928},
		{0, -27.896526289197286, 65.09189467479366, -34.87065786149661},
		{0, 1.5, -4, 2.5},
	}
)

func newTsit5(s *Solver) *tsit5 {
	m := &tsit5{s: s}
	for i := range m.k {
		m.k[i] = make([]float64, s.prob.N)
	}
	m.u, m.y1 = make([]float64, s.prob.N), make([]float64, s.prob.N)
	m.poly = make([][4]float64, s.prob.N)
	m.g6, m.e = make([]float64, s.prob.N), make([]float64, s.prob.N)
	return m
}

func (m *tsit5) begin(float64, []float64) { m.have, m.slow = false, 0 }
func (m *tsit5) end() []float64           { return m.y1 }
func (m *tsit5) stiff() bool              { return m.slow >= 8 }

func (m *tsit5) prepare(t float64, y []float64) bool {
	if !m.have {
		m.s.prob.F(t, y, m.k[0])
		m.s.Stats.Evaluations++
		m.have = true
	}
	return finite(m.k[0])
}

func (m *tsit5) try(t, h float64, y []float64) float64 {
	m.h, m.done = h, false
	for s := 1; s < 7; s++ {
		u := m.u
		if s == 6 {
			copy(m.g6, m.u)
			u = m.y1
		}
		copy(u, y)
		for j := range s {
			axpy(h*tA[s][j], m.k[j], u)
		}
		m.s.prob.F(t+tC[s]*h, u, m.k[s])
	}
	m.s.Stats.Evaluations += 6
	clear(m.e)
	for j, c := range tE {
		axpy(h*c, m.k[j], m.e)
	}
	return m.s.errorNorm(m.e, y, m.y1)
}

// accept also measures stiffness: the last two stages sit at the same time, so
// the ratio of their differences estimates the largest eigenvalue (Hairer &
// Wanner, Solving ODEs II, IV.2); where accuracy and not stability sets the step,
// its product with the step stays below 2.
func (m *tsit5) accept(_, h float64, _ []float64, err float64) float64 {
	var num, den float64
	for i := range m.y1 {
		a, b := m.k[6][i]-m.k[5][i], m.y1[i]-m.g6[i]
		num += a * a
		den += b * b
	}
	if den > 0 && h*math.Sqrt(num/den) > 2.2 {
		m.slow++
	} else {
		m.slow = max(0, m.slow-1)
	}
	m.k[0], m.k[6] = m.k[6], m.k[0]
	return h * factor(err, 0.2)
}

func (m *tsit5) shrink(h, err float64) float64 { return shrunk(h, err, 0.2) }

// at evaluates the interpolant, a polynomial in θ whose coefficients are made
// once a step.
func (m *tsit5) at(th float64, y, out []float64) {
	if !m.done {
		for i := range m.poly {
			var c [4]float64
			for j := range tD {
				k := m.k[j][i]
				for q := range c {
					c[q] += tD[j][q] * k
				}
			}
			for q := range c {
				m.poly[i][q] = m.h * c[q]
			}
		}
		m.done = true
	}
	for i := range out {
		c := &m.poly[i]
		out[i] = y[i] + th*(c[0]+th*(c[1]+th*(c[2]+th*c[3])))
	}
}
