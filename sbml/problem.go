package sbml

import (
	"errors"
	"fmt"
)

// Kinds of errors; errors.Is tells them apart.
var (
	ErrInvalid     = errors.New("invalid SBML")
	ErrUnsupported = errors.New("unsupported SBML")
)

// Problem is a fault of a document with its place; Element is the path or id
// of the element it is about.
type Problem struct {
	File      string
	Line, Col int
	Element   string
	Message   string
	Hint      string
	Warning   bool
	Kind      error // ErrInvalid or ErrUnsupported
}

func (p *Problem) Error() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Col)
	if p.Warning {
		s += "warning: "
	}
	if p.Element != "" {
		s += p.Element + ": "
	}
	s += p.Message
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

func (p *Problem) Unwrap() error { return p.Kind }

func invalid(b *Base, element, format string, args ...any) *Problem {
	return &Problem{Line: b.Line, Col: b.Col, Element: element, Message: fmt.Sprintf(format, args...), Kind: ErrInvalid}
}

func unsupported(b *Base, element, format string, args ...any) *Problem {
	p := invalid(b, element, format, args...)
	p.Kind = ErrUnsupported
	return p
}

// InFile names the file of a problem that has none yet, however deep in an
// error.
func InFile(err error, file string) error {
	var p *Problem
	if errors.As(err, &p) && p.File == "" {
		p.File = file
	}
	return err
}

// WithHint adds advice to a problem.
func (p *Problem) WithHint(h string) *Problem {
	p.Hint = h
	return p
}
