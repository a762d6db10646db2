// Package sbml reads, checks, flattens and writes models in the Systems
// Biology Markup Language, Levels 1 to 3, and turns them into package
// kinetics. What it cannot represent exactly it refuses with a typed error
// that names the place.
package sbml
