// Package kinetics is the model intermediate representation: symbols with
// units, expressions, fluxes between pools, rates, inputs and outputs, read
// from model text, checked, differentiated symbolically and compiled to an op
// tape. It knows nothing of what the model is about.
//
// Model text has one statement a line:
//
//	param  NAME = VALUE [UNIT] ~ PRIOR ; SOURCE ; meaning
//	state  NAME = VALUE [UNIT] ; meaning
//	input  NAME [UNIT] ; meaning
//	let    NAME = EXPRESSION ; meaning
//	flux   NAME : FROM -> TO = EXPRESSION ; meaning      ("." is outside)
//	rate   STATE = EXPRESSION ; meaning
//	output NAME = EXPRESSION [UNIT] ; meaning
//
// A flux leaves FROM and enters TO, so that mass balance holds by
// construction. Several rates of one state add up. "t" is the time; functions
// are exp, log, sqrt, pow, max, min and floor.
package kinetics
