// Package odeproblems holds initial-value problems with known answers, for
// tests and work–precision measurements.
package odeproblems

import (
	"math"

	"github.com/myoaxis/myoaxis/ode"
)

// Case is a problem with its interval, start and reference.
type Case struct {
	Name   string
	Source string
	Prob   ode.Problem
	T0, T1 float64
	Y0     []float64
	// Exact is the solution at any time, nil where only End is known.
	Exact func(t float64) []float64
	End   []float64 // reference at T1
	ATol  float64   // absolute tolerance that suits the scales, 0 = RTol
}

func full(n int) (p [][2]int) {
	for i := range n {
		for j := range n {
			p = append(p, [2]int{i, j})
		}
	}
	return p
}

// All returns every problem.
func All() []Case {
	return []Case{Linear(), ProtheroRobinson(), Logistic(), Robertson(), VanDerPol(), HIRES(), Oregonator(), E5(), Pollution(), Brusselator(), OralDoses()}
}

// Linear is a stiff linear system with eigenvalues -1 and -1000.
func Linear() Case {
	return Case{Name: "linear", Source: "closed form", T1: 5, Y0: []float64{2, 0}, Prob: ode.Problem{N: 2, Pattern: full(2),
		F:   func(_ float64, y, dy []float64) { dy[0], dy[1] = -500.5*y[0]+499.5*y[1], 499.5*y[0]-500.5*y[1] },
		Jac: func(_ float64, _, v []float64) { v[0], v[1], v[2], v[3] = -500.5, 499.5, 499.5, -500.5 }},
		Exact: func(t float64) []float64 {
			a, b := math.Exp(-t), math.Exp(-1000*t)
			return []float64{a + b, a - b}
		}}
}

// ProtheroRobinson is y' = -L(y - sin t) + cos t with L = 1000: y = sin t
// (Prothero & Robinson 1974).
func ProtheroRobinson() Case {
	const l = 1000
	return Case{Name: "prothero-robinson", Source: "closed form", T1: 10, Y0: []float64{0}, Prob: ode.Problem{N: 1, Pattern: full(1),
		F:   func(t float64, y, dy []float64) { dy[0] = -l*(y[0]-math.Sin(t)) + math.Cos(t) },
		Jac: func(_ float64, _, v []float64) { v[0] = -l },
		Ft:  func(t float64, _, d []float64) { d[0] = l*math.Cos(t) - math.Sin(t) }},
		Exact: func(t float64) []float64 { return []float64{math.Sin(t)} }}
}

// Logistic is y' = y(1-y)·cos t with y = 1/(1+exp(-sin t)·9).
func Logistic() Case {
	return Case{Name: "logistic", Source: "closed form", T1: 8, Y0: []float64{0.1}, Prob: ode.Problem{N: 1, Pattern: full(1),
		F:   func(t float64, y, dy []float64) { dy[0] = y[0] * (1 - y[0]) * math.Cos(t) },
		Jac: func(t float64, y, v []float64) { v[0] = (1 - 2*y[0]) * math.Cos(t) },
		Ft:  func(t float64, y, d []float64) { d[0] = -y[0] * (1 - y[0]) * math.Sin(t) }},
		Exact: func(t float64) []float64 { return []float64{1 / (1 + 9*math.Exp(-math.Sin(t)))} }}
}

// Robertson is the chemical problem of Robertson (1966); Hairer & Wanner,
// Solving ODEs II, IV.10. The end is our own solution at rtol 1e-13.
func Robertson() Case {
	return Case{Name: "robertson", Source: "Hairer & Wanner IV.10 (1.4)", T1: 40, Y0: []float64{1, 0, 0}, ATol: 1e-10, Prob: ode.Problem{N: 3, Pattern: full(3),
		F: func(_ float64, y, dy []float64) {
			a, b, c := 0.04*y[0], 1e4*y[1]*y[2], 3e7*y[1]*y[1]
			dy[0], dy[1], dy[2] = -a+b, a-b-c, c
		},
		Jac: func(_ float64, y, v []float64) {
			copy(v, []float64{-0.04, 1e4 * y[2], 1e4 * y[1], 0.04, -1e4*y[2] - 6e7*y[1], -1e4 * y[1], 0, 6e7 * y[1], 0})
		}}}
}

// VanDerPol is the oscillator with epsilon = 1e-6 on [0, 2]; Hairer & Wanner
// IV.10 (1.5').
func VanDerPol() Case {
	const eps = 1e-6
	return Case{Name: "van der pol", Source: "Hairer & Wanner IV.10 (1.5')", T1: 2, Y0: []float64{2, 0}, ATol: 1e-8, Prob: ode.Problem{N: 2, Pattern: full(2),
		F: func(_ float64, y, dy []float64) { dy[0], dy[1] = y[1], ((1-y[0]*y[0])*y[1]-y[0])/eps },
		Jac: func(_ float64, y, v []float64) {
			v[0], v[1], v[2], v[3] = 0, 1, (-2*y[0]*y[1]-1)/eps, (1-y[0]*y[0])/eps
		}}}
}

// HIRES is the high irradiance response of morphogenesis (Schäfer 1975);
// Hairer & Wanner IV.10 (1.7).
func HIRES() Case {
	return Case{Name: "hires", Source: "Hairer & Wanner IV.10 (1.7)", T1: 321.8122, Y0: []float64{1, 0, 0, 0, 0, 0, 0, 0.0057}, ATol: 1e-10,
		Prob: ode.Problem{N: 8, Pattern: full(8), F: hires, Jac: differences(8, hires)}}
}

func hires(_ float64, y, d []float64) {
	d[0] = -1.71*y[0] + 0.43*y[1] + 8.32*y[2] + 0.0007
	d[1] = 1.71*y[0] - 8.75*y[1]
	d[2] = -10.03*y[2] + 0.43*y[3] + 0.035*y[4]
	d[3] = 8.32*y[1] + 1.71*y[2] - 1.12*y[3]
	d[4] = -1.745*y[4] + 0.43*y[5] + 0.43*y[6]
	d[5] = -280*y[5]*y[7] + 0.69*y[3] + 1.71*y[4] - 0.43*y[5] + 0.69*y[6]
	d[6] = 280*y[5]*y[7] - 1.81*y[6]
	d[7] = -d[6]
}

// Oregonator is the Belousov–Zhabotinskii reaction (Field & Noyes 1974);
// Hairer & Wanner IV.10 (1.6).
func Oregonator() Case {
	return Case{Name: "oregonator", Source: "Hairer & Wanner IV.10 (1.6)", T1: 30, Y0: []float64{1, 2, 3}, ATol: 1e-8, Prob: ode.Problem{N: 3, Pattern: full(3),
		F: func(_ float64, y, d []float64) {
			d[0] = 77.27 * (y[1] + y[0]*(1-8.375e-6*y[0]-y[1]))
			d[1] = (y[2] - (1+y[0])*y[1]) / 77.27
			d[2] = 0.161 * (y[0] - y[2])
		},
		Jac: func(_ float64, y, v []float64) {
			copy(v, []float64{77.27 * (1 - 2*8.375e-6*y[0] - y[1]), 77.27 * (1 - y[0]), 0, -y[1] / 77.27, -(1 + y[0]) / 77.27, 1 / 77.27, 0.161, 0, -0.161})
		}}}
}

// differences is a Jacobian by central differences, for problems whose
// Jacobian is long to write.
func differences(n int, f func(t float64, y, d []float64)) func(t float64, y, v []float64) {
	return func(t float64, y, v []float64) {
		u := append([]float64(nil), y...)
		a, b := make([]float64, n), make([]float64, n)
		for j := range n {
			h := 1e-6 * (1e-3 + math.Abs(y[j]))
			u[j] = y[j] + h
			f(t, u, a)
			u[j] = y[j] - h
			f(t, u, b)
			u[j] = y[j]
			for i := range n {
				v[i*n+j] = (a[i] - b[i]) / (2 * h)
			}
		}
	}
}

// E5 is a chemical pyrolysis with rates over 16 orders of magnitude (Enright,
// Hull & Lindberg 1975); Hairer & Wanner IV.10 (1.8).
func E5() Case {
	const a, b, m, c = 7.89e-10, 1.1e7, 1e6, 1.13e3
	f := func(_ float64, y, d []float64) {
		d[0] = -a*y[0] - b*y[0]*y[2]
		d[1] = a*y[0] - m*c*y[1]*y[2]
		d[3] = b*y[0]*y[2] - c*y[3]
		d[2] = d[1] - d[3]
	}
	return Case{Name: "e5", Source: "Hairer & Wanner IV.10 (1.8)", T1: 1e5, Y0: []float64{1.76e-3, 0, 0, 0}, ATol: 1e-16, Prob: ode.Problem{N: 4, Pattern: full(4), F: f,
		Jac: func(_ float64, y, v []float64) {
			r1 := []float64{-a - b*y[2], 0, -b * y[0], 0}
			r2 := []float64{a, -m * c * y[2], -m * c * y[1], 0}
			r4 := []float64{b * y[2], 0, b * y[0], -c}
			copy(v, r1)
			copy(v[4:], r2)
			for j := range 4 {
				v[8+j] = r2[j] - r4[j]
			}
			copy(v[12:], r4)
		}}}
}

// Brusselator is the reaction of Lefever & Nicolis (1971) with diffusion on a
// line of 20 points; Hairer & Wanner IV.10 (1.6').
func Brusselator() Case {
	const n = 20
	const alpha = (n + 1) * (n + 1) / 50.0
	f := func(_ float64, y, d []float64) {
		at := func(k, i int) float64 {
			if i < 0 || i >= n {
				return [2]float64{1, 3}[k]
			}
			return y[2*i+k]
		}
		for i := range n {
			u, v := y[2*i], y[2*i+1]
			d[2*i] = 1 + u*u*v - 4*u + alpha*(at(0, i-1)-2*u+at(0, i+1))
			d[2*i+1] = 3*u - u*u*v + alpha*(at(1, i-1)-2*v+at(1, i+1))
		}
	}
	var y0 []float64
	for i := range n {
		y0 = append(y0, 1+math.Sin(2*math.Pi*float64(i+1)/(n+1)), 3)
	}
	return Case{Name: "brusselator", Source: "Hairer & Wanner IV.10 (1.6')", T1: 10, Y0: y0, Prob: ode.Problem{N: 2 * n, Pattern: full(2 * n), F: f, Jac: differences(2*n, f)}}
}

// OralDoses is the amount in gut and blood after one oral dose of 100, with
// first-order absorption and loss (Bateman function).
func OralDoses() Case {
	const ka, k = 1.0, 0.1
	return Case{Name: "oral dose", Source: "closed form", T1: 24, Y0: []float64{100, 0}, Prob: ode.Problem{N: 2, Pattern: [][2]int{{0, 0}, {1, 0}, {1, 1}},
		F:   func(_ float64, y, d []float64) { d[0], d[1] = -ka*y[0], ka*y[0]-k*y[1] },
		Jac: func(_ float64, _, v []float64) { v[0], v[1], v[2] = -ka, ka, -k }},
		Exact: func(t float64) []float64 {
			return []float64{100 * math.Exp(-ka*t), 100 * ka / (ka - k) * (math.Exp(-k*t) - math.Exp(-ka*t))}
		}}
}

// Pollution is the air pollution model of Verwer (1994, SIAM Journal on
// Scientific Computing 15:1243): 20 species, 25 reactions.
func Pollution() Case {
	y0 := make([]float64, 20)
	y0[1], y0[3], y0[6], y0[7], y0[8], y0[16] = 0.2, 0.04, 0.1, 0.3, 0.01, 0.007
	return Case{Name: "pollution", Source: "Verwer 1994", T1: 60, Y0: y0, ATol: 1e-9, Prob: ode.Problem{N: 20, Pattern: full(20), F: pollution, Jac: differences(20, pollution)}}
}

func pollution(_ float64, y, d []float64) {
	r := [25]float64{0.35 * y[0], 26.6 * y[1] * y[3], 1.23e4 * y[1] * y[4], 8.6e-4 * y[6], 8.2e-4 * y[6], 1.5e4 * y[6] * y[5], 1.3e-4 * y[8], 2.4e4 * y[8] * y[5],
		1.65e4 * y[10] * y[1], 9e3 * y[10] * y[0], 0.022 * y[12], 1.2e4 * y[9] * y[1], 1.88 * y[13], 1.63e4 * y[0] * y[5], 4.8e6 * y[2], 3.5e-4 * y[3],
		1.75e-2 * y[3], 1e8 * y[15], 4.44e11 * y[15], 1.24e3 * y[16] * y[5], 2.1 * y[18], 5.78 * y[18], 4.74e-2 * y[0] * y[3], 1.78e3 * y[18] * y[0], 3.12 * y[19]}
	d[0] = -r[0] - r[9] - r[13] - r[22] - r[23] + r[1] + r[2] + r[8] + r[10] + r[11] + r[21] + r[24]
	d[1] = -r[1] - r[2] - r[8] - r[11] + r[0] + r[20]
	d[2] = -r[14] + r[0] + r[16] + r[18] + r[21]
	d[3] = -r[1] - r[15] - r[16] - r[22] + r[14]
	d[4] = -r[2] + 2*r[3] + r[5] + r[6] + r[12] + r[19]
	d[5] = -r[5] - r[7] - r[13] - r[19] + r[2] + 2*r[17]
	d[6] = -r[3] - r[4] - r[5] + r[12]
	d[7] = r[3] + r[4] + r[5] + r[6]
	d[8] = -r[6] - r[7]
	d[9] = -r[11] + r[6] + r[8]
	d[10] = -r[8] - r[9] + r[7] + r[10]
	d[11] = r[8]
	d[12] = -r[10] + r[9]
	d[13] = -r[12] + r[11]
	d[14] = r[13]
	d[15] = -r[17] - r[18] + r[15]
	d[16] = -r[19]
	d[17] = r[19]
	d[18] = -r[20] - r[21] - r[23] + r[22] + r[24]
	d[19] = -r[24] + r[23]
}
