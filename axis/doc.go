// Package axis is the muscle–brain axis as a model: its text (model.txt), the
// causal links with their claims and gates, and the priors. Build compiles it
// to package kinetics. Package calibrate fits it to trials.
package axis
