package population

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Cohorts that can be drawn; older is a mixture of the others by age.
var Cohorts = []string{"older", "healthy", "mci", "frail", "dementia"}

// The joint distribution of a cohort of older adults. The evidence pack holds
// no joint distribution of these traits, so every number here is assumed, in
// round figures, and meant to be replaced by a cohort of the user's own
// (ReadCohort):
//   - age: normal 74 (7) cut at 60 and 95; 55 % women, 0.5 % more a year over 74;
//   - one APOE ε4 allele on each chromosome with probability 0.14, BDNF Met with
//     0.2, both independent of age;
//   - log odds of dementia -3.2 + 0.12 a year over 74 + 0.9 an ε4 allele, of MCI
//     -1.6 + 0.06 a year + 0.4 an allele, of frailty -2.2 + 0.10 a year, against healthy;
//   - strength against peers: normal, mean 0 healthy, -0.3 MCI, -1 frail, -0.7
//     dementia, SD 1;
//   - already training: 12 % healthy, 8 % MCI, 2 % frail and dementia.
const (
	meanAge, sdAge = 74.0, 7.0
	lowAge, topAge = 60.0, 95.0
)

// DrawCohort draws n persons; status "older" mixes all.
func DrawCohort(status string, n int, seed uint64) ([]Person, error) {
	if !slices.Contains(Cohorts, status) {
		return nil, fmt.Errorf("%q is no cohort", status)
	}
	out := make([]Person, n)
	for i := range out {
		r := rand.New(rand.NewPCG(seed, 1<<42+uint64(i)))
		for {
			out[i] = drawPerson(r)
			if status == "older" || out[i].Status == status {
				break
			}
		}
	}
	return out, nil
}

func drawPerson(r *rand.Rand) Person {
	p := DefaultPerson()
	for {
		if p.Age = meanAge + sdAge*r.NormFloat64(); p.Age >= lowAge && p.Age <= topAge {
			break
		}
	}
	p.Age = math.Round(p.Age*10) / 10
	over := p.Age - meanAge
	if r.Float64() >= 0.55+0.005*over {
		p.Sex = "m"
	}
	for range 2 {
		if r.Float64() < 0.14 {
			p.APOE4++
		}
	}
	met := 0
	for range 2 {
		if r.Float64() < 0.2 {
			met++
		}
	}
	p.BDNF = []string{"val/val", "val/met", "met/met"}[met]
	e4 := float64(p.APOE4)
	odds := []float64{1, math.Exp(-1.6 + 0.06*over + 0.4*e4), math.Exp(-2.2 + 0.1*over), math.Exp(-3.2 + 0.12*over + 0.9*e4)}
	at := r.Float64() * (odds[0] + odds[1] + odds[2] + odds[3])
	k := 0
	for k < 3 && at >= odds[k] {
		at -= odds[k]
		k++
	}
	p.Status = []string{"healthy", "mci", "frail", "dementia"}[k]
	p.Strength = clampTo(math.Round(([]float64{0, -0.3, -1, -0.7}[k]+r.NormFloat64())*100)/100, -3, 3)
	p.Trained = r.Float64() < []float64{0.12, 0.08, 0.02, 0.02}[k]
	return p
}

func clampTo(v, low, high float64) float64 { return math.Min(math.Max(v, low), high) }

// CohortError is a fault of a cohort file at a line and column.
type CohortError struct {
	File         string
	Line, Column int
	Message      string
	Hint         string
}

func (e *CohortError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s (%s)", e.File, e.Line, e.Column, e.Message, e.Hint)
}

// MaxCohort bounds the persons of a file.
const MaxCohort = 1_000_000

// ReadCohort reads persons from CSV: a header with some of age, sex, status,
// apoe4, bdnf, strength, trained, and a person a line; columns that are left
// out, and empty cells, take the default person's value. Other columns are
// refused unless they are called id. All faults are joined.
func ReadCohort(file string, r io.Reader) ([]Person, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	head, err := c.Read()
	if err != nil {
		return nil, &CohortError{file, 1, 1, "the file has no header", "for example age,sex,status,strength"}
	}
	cols := slices.Clone(head)
	var faults []error
	for i, name := range cols {
		cols[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if _, ok := personKeys[cols[i]]; !ok && cols[i] != "id" {
			faults = append(faults, &CohortError{file, 1, i + 1, fmt.Sprintf("the column %q is not known", name), "columns: age, sex, status, apoe4, bdnf, strength, trained, id"})
		}
		if slices.Contains(cols[:i], cols[i]) {
			faults = append(faults, &CohortError{file, 1, i + 1, fmt.Sprintf("the column %q stands twice", name), "keep one"})
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	var out []Person
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			faults = append(faults, &CohortError{file, pe.Line, pe.Column, pe.Err.Error(), "check the quotes"})
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		if len(row) != len(cols) {
			faults = append(faults, &CohortError{file, line, 1, fmt.Sprintf("%d cells under %d columns", len(row), len(cols)), "a cell for each column"})
			continue
		}
		p := DefaultPerson()
		for i, name := range cols {
			v := strings.TrimSpace(row[i])
			if name == "id" || v == "" {
				continue
			}
			if msg := p.set(name, v); msg != "" {
				faults = append(faults, &CohortError{file, line, i + 1, msg, personKeys[name]})
			}
		}
		if len(faults) > 50 {
			faults = append(faults, &CohortError{file, line, 1, "more faults follow", "mend these first"})
			break
		}
		if out = append(out, p); len(out) > MaxCohort {
			return nil, &CohortError{file, line, 1, fmt.Sprintf("more than %d persons", MaxCohort), "take a sample"}
		}
	}
	if len(faults) == 0 && len(out) == 0 {
		faults = append(faults, &CohortError{file, 1, 1, "the file holds no person", "a line for each person"})
	}
	return out, errors.Join(faults...)
}

// Describe is a cohort in words.
func Describe(people []Person) string {
	if len(people) == 0 {
		return "nobody"
	}
	var age, women float64
	n := map[string]int{}
	for _, p := range people {
		age += p.Age / float64(len(people))
		if p.Sex == "f" {
			women += 100 / float64(len(people))
		}
		n[p.Status]++
	}
	parts := []string{}
	for _, s := range Cohorts[1:] {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, n[s]))
		}
	}
	return fmt.Sprintf("%d people, mean age %.1f, %.0f %% women; %s", len(people), age, women, strings.Join(parts, ", "))
}
