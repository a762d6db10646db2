package axis

import (
	_ "embed"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/kinetics"
)

//go:embed model.txt
var modelText string

// Text is the model as text.
func Text() string { return modelText }

// PriorKind is the shape of a parameter's prior.
type PriorKind int

// Fixed values; values of the person; lognormal with the value as median;
// normal with the value as mean; gates and responders with a probability.
const (
	Fixed PriorKind = iota
	PersonValue
	LogNormal
	Normal
	Gate
	Responder
)

// Prior is a parsed prior: Spread is the SD (of the logarithm for LogNormal),
// P the probability of 1 for gates and responders.
type Prior struct {
	Kind   PriorKind
	Spread float64
	P      float64
	Entity string // responders
}

// Quantile of the prior at q in (0, 1), with z the standard normal quantile of
// q. A normal prior of a positive quantity is cut at zero.
func (p Prior) Quantile(value, q, z float64) float64 {
	switch p.Kind {
	case LogNormal:
		return value * math.Exp(p.Spread*z)
	case Normal:
		return value + p.Spread*z
	case Gate, Responder:
		if q < p.P {
			return 1
		}
		return 0
	}
	return value
}

// NonNegative tells whether a normal prior stands for a size and is cut at
// zero; shifts of resting levels and direct effects may take either sign.
func (p Prior) NonNegative(name string) bool {
	switch name {
	case "hab.max", "strength.loss", "mass.loss", "bdnf.brain", "igf1.free":
		return p.Kind == Normal
	}
	return false
}

// Link is a causal link that may be absent.
type Link struct {
	ID      string // e.g. "irisin_bb"
	Meaning string
	Param   int // its gate in the model
	P       float64
	Terms   []GateTerm
}

// Model is the compiled axis with its priors and links.
type Model struct {
	K      *kinetics.Model
	Sys    *kinetics.System
	Priors []Prior // by parameter
	Links  []Link
}

// Build reads the model text, checks that every source it names is in the
// pack (a *SourceError where not), and computes the gate and responder
// probabilities from the pack.
func Build(p *evidence.Pack) (*Model, error) {
	k, err := kinetics.Parse("axis/model.txt", modelText)
	if err != nil {
		return nil, err
	}
	m := &Model{K: k, Priors: make([]Prior, len(k.Params))}
	seen := newObserved(p)
	for i, par := range k.Params {
		if err := checkSource(p, par); err != nil {
			return nil, err
		}
		if m.Priors[i], err = parsePrior(par); err != nil {
			return nil, err
		}
		switch m.Priors[i].Kind {
		case Gate:
			l := newLink(p, seen, par, i)
			m.Priors[i].P = l.P
			m.Links = append(m.Links, l)
		case Responder:
			m.Priors[i].P = 0.5 // mean of the uniform prior of the share; the rows enter through the likelihood
		}
	}
	m.Sys = kinetics.Compile(k)
	return m, nil
}

var priorForm = regexp.MustCompile(`^(fixed|person|gate|lognormal\(([0-9.]+)\)|normal\(([0-9.]+)\)|responder\(([^)]+)\))$`)

func parsePrior(par kinetics.Param) (Prior, error) {
	g := priorForm.FindStringSubmatch(par.Prior)
	fail := func() (Prior, error) {
		return Prior{}, fmt.Errorf("axis/model.txt:%d:1: the prior %q of %s is not understood", par.Line, par.Prior, par.Name)
	}
	if g == nil {
		return fail()
	}
	spread := func(s string) float64 { v, _ := strconv.ParseFloat(s, 64); return v }
	switch {
	case g[1] == "fixed":
		return Prior{Kind: Fixed}, nil
	case g[1] == "person":
		return Prior{Kind: PersonValue}, nil
	case g[1] == "gate":
		return Prior{Kind: Gate}, nil
	case g[2] != "":
		return Prior{Kind: LogNormal, Spread: spread(g[2])}, nil
	case g[3] != "":
		return Prior{Kind: Normal, Spread: spread(g[3])}, nil
	}
	return Prior{Kind: Responder, Entity: g[4]}, nil
}

// SourceRefs splits a source field into its references: "assumed", "person",
// or TABLE:ID.
func SourceRefs(source string) []string { return strings.Fields(source) }

// SourceError says that a parameter of the model rests on a record which the
// evidence does not hold, or holds as unusable.
type SourceError struct {
	Line       int // of the model text
	Param, Ref string
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("axis/model.txt:%d:1: %s rests on %s, which the evidence does not hold", e.Line, e.Param, e.Ref)
}

// checkSource fails where a parameter names a claim, value or study that the
// pack does not hold.
func checkSource(p *evidence.Pack, par kinetics.Param) error {
	for _, ref := range SourceRefs(par.Source) {
		table, id, ok := strings.Cut(ref, ":")
		if !ok {
			continue
		}
		found := false
		switch table {
		case "kinetics":
			var k evidence.Kinetic
			k, found = p.Kinetic(id)
			found = found && k.Quality != "unusable"
		case "claims":
			_, found = p.Claim(strings.TrimPrefix(id, "~"))
		case "biomarkers":
			for _, b := range p.Biomarkers {
				found = found || b.ID == id || b.StudyID == id
			}
		}
		if !found {
			return &SourceError{par.Line, par.Name, ref}
		}
	}
	return nil
}

// Assumed tells whether a parameter rests on an assumption.
func Assumed(par kinetics.Param) bool { return par.Source == "assumed" }

// entities says which entity of the pack a model name is about, by the first
// part of the name ("il6.k", "resp.il6", "il6.fold").
var entities = map[string]string{"il6": "IL6", "irisin": "FNDC5", "il15": "IL15", "bdnf": "BDNF", "BB": "BDNF", "igf1": "IGF1", "lactate": "lactate", "catb": "CTSB", "il10": "IL10", "tnf": "TNF", "crp": "CRP", "vegf": "VEGFA", "pgc": "PPARGC1A", "PGC": "PPARGC1A",
	"ni": "neuroinflammation", "NI": "neuroinflammation", "neuroinflammation": "neuroinflammation", "memory": "cognition", "executive": "cognition", "speed": "cognition", "visuospatial": "cognition", "global": "cognition"}

// EntityOf returns the id of the entity a parameter, state or output is about,
// "" where there is none.
func EntityOf(name string) string {
	head, rest, _ := strings.Cut(name, ".")
	if head == "resp" || head == "R" {
		head = rest
	}
	return entities[head]
}
