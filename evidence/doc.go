// Package evidence holds what the published record says: studies, arms,
// contrasts, biomarker observations, kinetics, mechanism claims and printed
// pooled estimates. Text is the truth: a pack is a Frictionless data package
// (datapackage.json and CSV files), the project's own is embedded, a user's is
// a folder of the same shape. Loading never stops at the first fault: every
// problem is reported with its file, line and column.
//
// The package knows nothing of models, pooling or figures.
package evidence
