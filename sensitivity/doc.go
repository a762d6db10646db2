// Package sensitivity tells which uncertain inputs of a model drive an output:
// variance-based indices (Sobol) and elementary effects (Morris), with bootstrap
// intervals, on ensembles. Local (forward) sensitivities are in package
// kinetics.
package sensitivity
