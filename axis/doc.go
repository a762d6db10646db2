// Package axis is the muscle–brain axis as a model: its text (model.txt), the
// causal links with their claims and gates, and the priors. Build compiles it
// to package kinetics. Nothing here has been fitted to trials: until
// calibration exists, what it predicts is prior predictive.
package axis
