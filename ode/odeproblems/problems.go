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
	return []Case{Linear(), ProtheroRobinson(), Logistic(), Robertson(), VanDerPol(), HIRES(), Oregonator()}
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
