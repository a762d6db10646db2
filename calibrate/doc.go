// Package calibrate fits the muscle–brain axis to the evidence: a posterior over
// parameters, shares of responders and gates, given every usable observation
// of the pack through the reported-forms likelihood; the validation of that
// posterior on studies it has not seen; and the file it is shipped in.
//
//	observation.go  what is observed, on which condition, and what is left out and why
//	cognition.go, markers.go, muscle.go, mediation.go  rows of the pack -> observations
//	dose.go         a trial's training as inputs of the model; what the paper leaves open
//	space.go        coordinates: priors as functions of standard normals, gates
//	forward.go      predictions for many parameter sets at once
//	likelihood.go   clusters: one cohort, its random effect integrated out
//	sampler.go, chain.go, reference.go  the sampler
//	diagnostics.go  R-hat, effective sample size, Pareto-smoothed importance sampling
//	posterior.go    the shipped file; hashes, checks
//	sbc.go          simulation-based calibration
//	compare.go      models that know no biology
//	validate.go     leave-one-study-out, new packs
package calibrate
