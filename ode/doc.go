// Package ode solves initial-value problems M·dy/dt = f(t, y) whose equations
// are changed at scheduled times (training sessions) and at times found along
// the solution (events). Methods: Rodas5P (stiff, differential-algebraic),
// Tsit5 (non-stiff, notices stiffness), TR-BDF2 (stiff, tolerates an inexact
// Jacobian) and BDF of orders 1 to 5 (large systems). One-step methods restart
// free. Times and states are in the caller's units.
package ode
