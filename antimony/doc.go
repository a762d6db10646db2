// Package antimony reads and writes models in the core of the Antimony
// language (Smith, Bergmann, Chandran & Sauro 2009): species, compartments and
// parameters, reactions, initial values, assignment and rate rules, events,
// functions and units. It turns text into sbml.Document and back; what the
// language cannot say is refused, or listed as lost.
//
//	model example()
//	  compartment C = 1;
//	  species S1 in C = 10, $S2 in C;   // $ is a boundary species
//	  J0: S1 -> S2; k*S1;
//	  k = 0.1;                          // initial value
//	  x := 2*S1;                        // assignment rule
//	  y' = -y; y = 1;                   // rate rule
//	  0 = S1 + z - 10;                  // algebraic rule
//	  E0: at 2 after time > 5, priority = 1: S1 = 10;
//	end
package antimony
