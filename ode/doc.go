// Package ode solves stiff initial-value problems dy/dt = f(t, y) whose
// right-hand side is changed at scheduled times (training sessions). One-step
// methods restart free at such stops; the solver steps exactly onto them and
// never searches for them. Times and states are in the caller's units.
package ode
