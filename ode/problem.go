package ode

import (
	"errors"
	"fmt"
)

// Problem is dy/dt = F(t, y) with its Jacobian in sparse form.
type Problem struct {
	N int
	// F writes the derivative into dy. It must not keep or change y.
	F func(t float64, y, dy []float64)
	// Pattern lists the places (row, column) of the Jacobian that may be
	// non-zero; Jac writes their values in that order.
	Pattern [][2]int
	Jac     func(t float64, y, values []float64)
	// Ft writes the partial derivative in time; nil where F does not depend on
	// time between stops.
	Ft func(t float64, y, dfdt []float64)
}

// Stop is a scheduled time at which Do may change the state or what F reads.
// Stops at the same time are done in the order given.
type Stop struct {
	T  float64
	Do func(y []float64)
}

// Settings of a solution. Zero values mean: RTol 1e-6, ATol 1e-8, MaxSteps
// 1,000,000, no largest step.
type Settings struct {
	RTol float64
	ATol float64
	HMax float64
	// MaxSteps bounds the steps tried between the start and the end.
	MaxSteps int
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
}

// Errors of Solve: the step became too small to move time, or too many steps.
var (
	ErrStepTooSmall = errors.New("the step size became too small")
	ErrTooManySteps = errors.New("too many steps")
	ErrNotFinite    = errors.New("the right-hand side is not finite")
)

// SolveError says where a solution broke off.
type SolveError struct {
	T   float64
	Err error
}

func (e *SolveError) Error() string { return fmt.Sprintf("at time %g: %v", e.T, e.Err) }
func (e *SolveError) Unwrap() error { return e.Err }

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
}
