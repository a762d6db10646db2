package cli

import (
	"errors"
	"fmt"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/dataset"
	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/prescribe"
	"github.com/myoaxis/myoaxis/sbml"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/training"
)

// Exit codes.
const (
	ExitOK          = 0
	ExitData        = 1 // the data has errors
	ExitUsage       = 2
	ExitNumerical   = 3
	ExitUnsupported = 4
	ExitIO          = 5
)

// Fault is an error with its exit code and a hint. Quiet faults have been
// printed already.
type Fault struct {
	Code  int
	Err   error
	Hint  string
	Quiet bool
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

func usage(err error, hint string) error { return &Fault{Code: ExitUsage, Err: err, Hint: hint} }

// classify gives every error of the packages its exit code.
func classify(err error) *Fault {
	var f *Fault
	var load *evidence.LoadError
	var syntax *training.SyntaxError
	var solve *ode.SolveError
	var source *axis.SourceError
	var condition *dataset.ConditionError
	var run *kinetics.RunError
	var file *calibrate.FileError
	var resume *calibrate.ResumeError
	var loose *calibrate.ConvergenceError
	var few *calibrate.TooFewError
	var constraint *prescribe.ConstraintError
	var support *prescribe.NoSupportError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &load):
		return &Fault{Code: ExitData, Err: err, Hint: "myoaxis evidence check lists all of them"}
	case errors.As(err, &source):
		return &Fault{Code: ExitData, Err: err, Hint: "the model needs its sources; add your pack to the built-in one with --evidence embedded --evidence DIR"}
	case errors.As(err, &condition):
		return &Fault{Code: ExitUsage, Err: fmt.Errorf("--where: %w", err), Hint: condition.Hint}
	case errors.As(err, &syntax):
		return &Fault{Code: ExitUsage, Err: err}
	case errors.As(err, &file):
		return &Fault{Code: ExitData, Err: err, Hint: file.Hint}
	case errors.As(err, &resume):
		return &Fault{Code: ExitData, Err: err, Hint: "remove the .partial file to begin anew"}
	case errors.As(err, &loose):
		return &Fault{Code: ExitNumerical, Err: err, Hint: "--sweeps 4000; or --unconverged to write it with that warning in its header"}
	case errors.As(err, &few):
		return &Fault{Code: ExitUnsupported, Err: err, Hint: "add the pack to the built-in one: --evidence embedded --evidence DIR"}
	case errors.As(err, &constraint):
		return &Fault{Code: ExitUsage, Err: err, Hint: constraint.Hint}
	case errors.As(err, &support):
		return &Fault{Code: ExitUnsupported, Err: err, Hint: "--extrapolate answers nevertheless and marks every programme"}
	case errors.As(err, &run):
		return &Fault{Code: ExitNumerical, Err: err, Hint: "check the model at that time: start values, divisions, events"}
	case errors.Is(err, sbml.ErrInvalid):
		return &Fault{Code: ExitData, Err: err, Hint: "myoaxis sbml check lists every fault"}
	case errors.Is(err, sbml.ErrUnsupported):
		return &Fault{Code: ExitUnsupported, Err: err}
	case errors.As(err, &solve), errors.Is(err, synthesis.ErrNotConverged):
		return &Fault{Code: ExitNumerical, Err: err, Hint: "please report this with the command and the seed"}
	case errors.Is(err, doseresponse.ErrTooFewDoses), errors.Is(err, synthesis.ErrNoRows):
		return &Fault{Code: ExitUnsupported, Err: err, Hint: "choose another dose or domain; myoaxis pool shows what each holds"}
	}
	return &Fault{Code: ExitUsage, Err: err, Hint: "myoaxis --help shows the commands"}
}
