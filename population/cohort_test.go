package population

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// Cohorts keep their status, follow the assumed margins, and depend on the
// seed alone.
func TestDrawCohort(t *testing.T) {
	older, err := DrawCohort("older", 20000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var age, e4, trained float64
	status := map[string]int{}
	for _, p := range older {
		age += p.Age / 20000
		e4 += float64(p.APOE4) / 40000
		status[p.Status]++
		if p.Trained {
			trained++
		}
		if p.Age < lowAge || p.Age > topAge || math.Abs(p.Strength) > 3 {
			t.Fatalf("%v", p)
		}
	}
	if math.Abs(age-74.3) > 0.5 || math.Abs(e4-0.14) > 0.01 || len(status) != 4 || trained == 0 {
		t.Errorf("age %.2f, allele %.3f, %v", age, e4, status)
	}
	for _, s := range Cohorts[1:] {
		ps, err := DrawCohort(s, 50, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range ps {
			if p.Status != s {
				t.Fatalf("%s holds %v", s, p)
			}
			if _, err := ParsePerson(p.String()); err != nil {
				t.Fatalf("%v does not read back: %v", p, err)
			}
		}
	}
	again, _ := DrawCohort("older", 10, 1)
	for i, p := range again {
		if p != older[i] {
			t.Fatal("the same seed draws other people")
		}
	}
	if _, err := DrawCohort("martians", 5, 1); err == nil {
		t.Error("martians are drawn")
	}
}

func TestReadCohort(t *testing.T) {
	got, err := ReadCohort("x.csv", strings.NewReader("id,Age,sex,strength,trained\na,72,m,-0.5,yes\nb,,f,,\n"))
	if err != nil || len(got) != 2 || got[0].Age != 72 || got[0].Sex != "m" || !got[0].Trained || got[1] != DefaultPerson() {
		t.Errorf("%v %v", got, err)
	}
	for text, want := range map[string]string{
		"":                        "x.csv:1:1",
		"age,height\n70,1.8\n":    "x.csv:1:2",
		"age,age\n70,71\n":        "x.csv:1:2",
		"age,sex\n70\n":           "x.csv:2:1",
		"age,sex\n700,f\n72,x\n":  "x.csv:3:2",
		"age\n":                   "no person",
		"age,sex\n\"70,f\n":       "x.csv:",
		"age\n70\nseventy\n":      "x.csv:3:1",
		"apoe4,bdnf\n3,val/leu\n": "x.csv:2:2",
	} {
		_, err := ReadCohort("x.csv", strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
	var ce *CohortError
	if _, err := ReadCohort("x.csv", strings.NewReader("age\n7\n")); !errors.As(err, &ce) || ce.Hint == "" {
		t.Errorf("%v", err)
	}
}

func FuzzReadCohort(f *testing.F) {
	f.Add("age,sex\n70,f\n")
	f.Add("id,strength\n\"a\",-1sd\n")
	f.Fuzz(func(t *testing.T, text string) {
		ps, err := ReadCohort("f.csv", strings.NewReader(text))
		if (err == nil) != (len(ps) > 0) && err == nil {
			t.Fatal("neither persons nor an error")
		}
	})
}
