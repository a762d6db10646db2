package ode

import (
	"errors"
	"fmt"
)

// Problem is M·dy/dt = F(t, y) with its Jacobian in sparse form.
type Problem struct {
	N int
	// F writes the right-hand side into dy. It must not keep or change y.
	F func(t float64, y, dy []float64)
	// Pattern lists the places (row, column) of the Jacobian that may be
	// non-zero; Jac writes their values in that order.
	Pattern [][2]int
	Jac     func(t float64, y, values []float64)
	// Ft writes the partial derivative in time; nil where F does not depend on
	// time between stops.
	Ft func(t float64, y, dfdt []float64)
	// Mass lists the entries of M; nil is the identity. A row without entries
	// is an algebraic equation F = 0, of index 1.
	Mass []MassEntry
	// Blocks is the number of sensitivity blocks: the state is then 1 + Blocks
	// parts of equal size, in which the first does not depend on the others and
	// the Jacobian of every other part in itself is that of the first. Pattern
	// holds the rows of the first part, and of the others the columns of the
	// first part only; one factorisation of the first part serves all.
	Blocks int
	// InexactJac says that Jac or Ft leaves something out (delayed terms):
	// Rosenbrock methods are then not chosen.
	InexactJac bool
}

// MassEntry is one entry of the mass matrix.
type MassEntry struct {
	Row, Col int
	V        float64
}

// algebraic tells for each row whether it has no mass; nil where none has.
func (p Problem) algebraic() []bool {
	if p.Mass == nil {
		return nil
	}
	a := make([]bool, p.N)
	for i := range a {
		a[i] = true
	}
	for _, e := range p.Mass {
		a[e.Row] = false
	}
	return a
}

// massTimes writes M·x into out.
func (p Problem) massTimes(x, out []float64) {
	if p.Mass == nil {
		copy(out, x)
		return
	}
	clear(out)
	for _, e := range p.Mass {
		out[e.Row] += e.V * x[e.Col]
	}
}

// Stop is a scheduled time at which Do may change the state or what F reads.
// Stops at the same time are done in the order given.
type Stop struct {
	T  float64
	Do func(y []float64)
}

// Method names a solver.
type Method string

// Auto starts with Tsit5 and goes on with a stiff method once the problem
// turns out stiff; with a mass matrix it is Rodas5P, and for large stiff
// problems BDF.
const (
	Auto    Method = ""
	Rodas5P Method = "rodas5p"
	Tsit5   Method = "tsit5"
	TRBDF2  Method = "trbdf2"
	BDF     Method = "bdf"
)

// LargeSystem is the number of states from which Auto takes BDF in place of
// Rodas5P.
const LargeSystem = 300

// Settings of a solution. Zero values mean: Auto, RTol 1e-6, ATol 1e-8,
// MaxSteps 1,000,000, no largest step.
type Settings struct {
	Method Method
	RTol   float64
	ATol   float64
	// ATolEach holds an absolute tolerance for each state; nil: ATol for all.
	ATolEach []float64
	HMax     float64
	// MaxSteps bounds the steps tried in one Integrate.
	MaxSteps int
	// NonNegative lists states that are set to zero where a step takes them
	// below; Stats counts how often and how far.
	NonNegative []int
	// Check is asked now and then; an error ends the solution with it.
	Check func() error
}

// Errors of settings and solutions.
var (
	ErrStepTooSmall = errors.New("the step size became too small")
	ErrTooManySteps = errors.New("too many steps")
	ErrNotFinite    = errors.New("the right-hand side is not finite")
	ErrTolerance    = errors.New("tolerances must be positive and finite")
	ErrMethod       = errors.New("there is no such method")
)

func positive(v float64) bool { return v > 0 && v <= 1e300 }

// Validate checks what a user may have set.
func (s Settings) Validate() error {
	s = s.orDefault()
	if !positive(s.RTol) || !positive(s.ATol) {
		return ErrTolerance
	}
	for _, v := range s.ATolEach {
		if !positive(v) {
			return ErrTolerance
		}
	}
	switch s.Method {
	case Auto, Rodas5P, Tsit5, TRBDF2, BDF:
		return nil
	}
	return fmt.Errorf("%w as %q", ErrMethod, string(s.Method))
}

func (s Settings) orDefault() Settings {
	if s.RTol == 0 {
		s.RTol = 1e-6
	}
	if s.ATol == 0 {
		s.ATol = 1e-8
	}
	if s.MaxSteps == 0 {
		s.MaxSteps = 1_000_000
	}
	return s
}

// Stats counts the work of a solution.
type Stats struct {
	Steps, Rejected, Evaluations, Jacobians, Factorisations, Solves, Stops int
	DensePivots                                                            int // factorisations that needed row exchanges
	Guards                                                                 int // times found at which the equations changed
	Switches                                                               int // changes from an explicit to a stiff method
	Projections                                                            int // states set from below zero to zero
	MostNegative                                                           float64
}

// Add adds the counts of another solution.
func (s *Stats) Add(o Stats) {
	s.Steps += o.Steps
	s.Rejected += o.Rejected
	s.Evaluations += o.Evaluations
	s.Jacobians += o.Jacobians
	s.Factorisations += o.Factorisations
	s.Solves += o.Solves
	s.Stops += o.Stops
	s.DensePivots += o.DensePivots
	s.Guards += o.Guards
	s.Switches += o.Switches
	s.Projections += o.Projections
	s.MostNegative = min(s.MostNegative, o.MostNegative)
}

// SolveError says where a solution broke off; State is the index of the state
// that is not finite, -1 where there is none.
type SolveError struct {
	T     float64
	State int
	Err   error
}

func (e *SolveError) Error() string { return fmt.Sprintf("at time %g: %v", e.T, e.Err) }
func (e *SolveError) Unwrap() error { return e.Err }
