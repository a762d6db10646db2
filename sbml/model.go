package sbml

import "github.com/myoaxis/myoaxis/formula"

// Document is an SBML file.
type Document struct {
	Level, Version int
	Model          *Model
	// Definitions and External are those of the package comp.
	Definitions []*Model
	External    []*External
	// Warnings were found while reading: packages left out, and the like.
	Warnings []Problem
	// Namespaces are the prefixes declared above notes and annotations.
	Namespaces map[string]string
}

// Base is what every element of SBML may have. Notes and Annotation hold the
// inside of these elements as written.
type Base struct {
	ID, Name, MetaID  string
	SBO               string
	Notes, Annotation string
	Line, Col         int

	replaced   []*elementRef // comp: what this element stands for
	replacedBy *elementRef
}

// Model is one model: its lists in the order of the file.
type Model struct {
	Base
	// Level is that of the document: some rules differ between Levels.
	Level                                                                       int
	SubstanceUnits, TimeUnits, VolumeUnits, AreaUnits, LengthUnits, ExtentUnits string
	ConversionFactor                                                            string

	Functions    []*Function
	Units        []*UnitDefinition
	Compartments []*Compartment
	Species      []*Species
	Parameters   []*Parameter
	Initial      []*InitialAssignment
	Rules        []*Rule
	Constraints  []*Constraint
	Reactions    []*Reaction
	Events       []*Event
	Submodels    []*Submodel

	ports []*elementRef
	// fluxBalance is the place of what the package fbc says, nil where nothing.
	fluxBalance *Base
}

// Function is a function definition; Math is a lambda, nil where it is missing.
type Function struct {
	Base
	Math *formula.Expr
}

// UnitDefinition is a product of units.
type UnitDefinition struct {
	Base
	Units []Unit
}

// Unit is (Multiplier · 10^Scale · Kind)^Exponent.
type Unit struct {
	Kind                        string
	Exponent, Scale, Multiplier float64
}

// Compartment is a space of 0 to 3 dimensions; Size is NaN where it is not set.
type Compartment struct {
	Base
	Dimensions float64
	Size       float64
	Units      string
	Outside    string
	Constant   bool
}

// Species is a pool; InitialAmount and InitialConcentration are NaN where not
// set.
type Species struct {
	Base
	Compartment                         string
	InitialAmount, InitialConcentration float64
	SubstanceUnits                      string
	HasOnlySubstanceUnits               bool
	Boundary, Constant                  bool
	ConversionFactor                    string
}

// Parameter is a quantity; Value is NaN where it is not set.
type Parameter struct {
	Base
	Value    float64
	Units    string
	Constant bool
}

// InitialAssignment sets the start value of a symbol.
type InitialAssignment struct {
	Base
	Symbol string
	Math   *formula.Expr
}

// RuleKind is assignment, rate or algebraic.
type RuleKind string

// Kinds of rules.
const (
	Assignment RuleKind = "assignmentRule"
	Rate       RuleKind = "rateRule"
	Algebraic  RuleKind = "algebraicRule"
)

// Rule fixes a variable, its rate, or (without Variable) an equation.
type Rule struct {
	Base
	Kind     RuleKind
	Variable string
	Math     *formula.Expr
}

// Constraint is a condition under which the model is meant to hold.
type Constraint struct {
	Base
	Math    *formula.Expr
	Message string
}

// Reaction changes species; Law is nil where there is none.
type Reaction struct {
	Base
	Reversible, Fast               bool
	Compartment                    string
	Reactants, Products, Modifiers []*SpeciesRef
	Law                            *KineticLaw
}

// SpeciesRef names a species of a reaction. Stoichiometry is NaN where it is
// not set; Math is the stoichiometryMath of Level 2.
type SpeciesRef struct {
	Base
	Species       string
	Stoichiometry float64
	Math          *formula.Expr
	Constant      bool
}

// KineticLaw is the rate of a reaction in extent per time.
type KineticLaw struct {
	Base
	Math   *formula.Expr
	Locals []*Parameter
}

// Event changes variables when its trigger turns true.
type Event struct {
	Base
	Trigger                  *formula.Expr
	TriggerInitial           bool
	Persistent               bool
	Delay, Priority          *formula.Expr
	UseValuesFromTriggerTime bool
	// TriggerBase, DelayBase and PriorityBase are the elements around them.
	TriggerBase, DelayBase, PriorityBase Base
	Assignments                          []*EventAssignment
}

// EventAssignment sets a variable when the event is executed.
type EventAssignment struct {
	Base
	Variable string
	Math     *formula.Expr
}

// Submodel is an instance of another model (package comp).
type Submodel struct {
	Base
	Model                    string
	TimeFactor, ExtentFactor string
	Deletions                []*elementRef
}

// External is a model definition in another file (package comp).
type External struct {
	Base
	Source, Model string
}

// elementRef points at an element of a submodel (package comp): by port, id,
// unit or metaid, and from there deeper.
type elementRef struct {
	Base
	submodel, port, id, unit, meta string
	deletion, factor               string
	inner                          *elementRef
}
