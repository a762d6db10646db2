// Package population turns persons into model parameters and simulates
// programmes for one person or for a virtual population: priors and gates are
// sampled, one draw a virtual person, in parallel and reproducibly.
package population

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/training"
)

// Person is whom a programme is for. Zero values are not valid: begin with
// DefaultPerson.
type Person struct {
	Age      float64 // years, 50-110
	Sex      string  // f or m
	Status   string  // healthy, mci, frail, dementia
	APOE4    int     // copies, 0-2
	BDNF     string  // val/val, val/met, met/met
	Strength float64 // SD against peers
	Trained  bool
}

// DefaultPerson is a healthy, untrained woman of 70.
func DefaultPerson() Person {
	return Person{Age: 70, Sex: "f", Status: "healthy", BDNF: "val/val"}
}

var personKeys = map[string]string{"age": "age=72", "sex": "sex=f or sex=m", "status": "status=healthy, mci, frail or dementia",
	"apoe4": "apoe4=0, 1 or 2", "bdnf": "bdnf=val/val, val/met or met/met", "strength": "strength=-0.5sd", "trained": "trained=no or yes"}

// ParsePerson reads "age=72 sex=f status=mci apoe4=1 bdnf=val/met
// strength=-0.5sd trained=no"; what is left out keeps the default.
func ParsePerson(text string) (Person, error) {
	p := DefaultPerson()
	if len(text) > 1000 {
		return p, &training.SyntaxError{Text: text, Pos: 1000, Message: "the description is too long", Hint: "at most 1000 characters"}
	}
	seen := map[string]bool{}
	pos := 0
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' }) {
		at := pos + strings.Index(text[pos:], word)
		pos = at + len(word)
		fail := func(off int, msg, hint string) error {
			return &training.SyntaxError{Text: text, Pos: at + off, Message: msg, Hint: hint}
		}
		key, val, ok := strings.Cut(word, "=")
		hint, known := personKeys[key]
		if !ok || !known {
			return p, fail(0, fmt.Sprintf("%q is not understood", word), "write for example age=72 sex=f status=healthy apoe4=0 bdnf=val/val strength=0sd trained=no")
		}
		if seen[key] {
			return p, fail(0, key+" is given twice", "give it once")
		}
		seen[key] = true
		if msg := p.set(key, val); msg != "" {
			return p, fail(len(key)+1, msg, hint)
		}
	}
	return p, nil
}

func (p *Person) set(key, val string) (problem string) {
	number := func(text string, low, high float64, what string) (float64, string) {
		v, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil || math.IsNaN(v):
			return 0, fmt.Sprintf("%q is not a number", text)
		case v < low || v > high:
			return 0, fmt.Sprintf("%s %g is outside %g to %g, where the evidence and the model apply", what, v, low, high)
		}
		return v, ""
	}
	choice := func(at *string, options ...string) string {
		if !slices.Contains(options, val) {
			return fmt.Sprintf("%q is not one of %s", val, strings.Join(options, ", "))
		}
		*at = val
		return ""
	}
	switch key {
	case "age":
		p.Age, problem = number(val, 50, 105, "age")
	case "sex":
		problem = choice(&p.Sex, "f", "m")
	case "status":
		problem = choice(&p.Status, "healthy", "mci", "frail", "dementia")
	case "apoe4":
		var s string
		if problem = choice(&s, "0", "1", "2"); problem == "" {
			p.APOE4 = int(s[0] - '0')
		}
	case "bdnf":
		problem = choice(&p.BDNF, "val/val", "val/met", "met/met")
	case "strength":
		p.Strength, problem = number(strings.TrimSuffix(strings.ToLower(val), "sd"), -3, 3, "strength")
	case "trained":
		var s string
		if problem = choice(&s, "no", "yes"); problem == "" {
			p.Trained = s == "yes"
		}
	}
	return problem
}

func (p Person) String() string {
	trained := "no"
	if p.Trained {
		trained = "yes"
	}
	return fmt.Sprintf("age=%g sex=%s status=%s apoe4=%d bdnf=%s strength=%gsd trained=%s", p.Age, p.Sex, p.Status, p.APOE4, p.BDNF, p.Strength, trained)
}

// Values are the person's model parameters. The decline multiplier of MCI is
// the ratio of hippocampal loss, MCI-stable against control-stable (Jack et
// al. 2000: 2.55/1.73), of dementia AD against control (3.5/1.73); frailty as
// healthy (assumed). Sex and APOE4 change nothing: the evidence pack holds no
// effect of them that is consistent (claims E099, E152-E155).
func (p Person) Values() map[string]float64 {
	v := map[string]float64{"age": p.Age, "strength0": p.Strength, "trained": 0, "met": 0, "decline.status": 1}
	if p.Trained {
		v["trained"] = 1
	}
	if p.BDNF != "val/val" {
		v["met"] = 1
	}
	switch p.Status {
	case "mci":
		v["decline.status"] = 2.55 / 1.73
	case "dementia":
		v["decline.status"] = 3.5 / 1.73
	}
	return v
}
