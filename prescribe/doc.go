// Package prescribe answers questions with a posterior of the axis: what a
// programme does (outcome.go), through which myokine (paths.go), over doses
// (surface.go), what drives the answer and which measurement would narrow it
// (drivers.go, agenda.go), and which programmes are worth considering for a
// person (candidates.go, prescribe.go). It draws nothing and reads no files.
package prescribe
