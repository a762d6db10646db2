package antimony_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/myoaxis/myoaxis/antimony"
	"github.com/myoaxis/myoaxis/sbml"
)

const example = `
// a model with one of everything
function mm(s, vmax, km)
  vmax*s/(km + s)
end
model everything()
  unit mM = 1e-3 mole / litre
  compartment C = 2, D = 1
  species S1 in C = 10, $S2 in C = 3/C
  substanceOnly species S3 in D = 4
  S1 is "substrate"; S1 has mM
  J0: S1 + 2 S2 -> S3; mm(S1, v, 0.5)  /* Michaelis
     and Menten */
  J1: n S3 => ; k*S3
  n = 2
  v = 1.5; k = 0.1
  x := S1 + time
  y' = -k*y; y = 1
  0 = z + y - 3
  var z
  E0: at 2 after S1 < 5, priority = 3, persistent = false:
      S1 = 10,
      y = y + 1
end
`

func TestEverything(t *testing.T) {
	doc, err := antimony.Parse("m.ant", example)
	if err != nil {
		t.Fatal(err)
	}
	m := doc.Model
	if m.ID != "everything" || len(m.Reactions) != 2 || len(m.Species) != 3 || len(m.Events) != 1 || len(m.Rules) != 3 || len(m.Functions) != 1 || len(m.Units) != 1 {
		t.Errorf("%+v", m)
	}
	for _, s := range m.Species {
		switch s.ID {
		case "S1":
			if s.InitialConcentration != 10 || s.Name != "substrate" || s.Boundary {
				t.Errorf("%+v", s)
			}
		case "S2":
			if s.InitialAmount != 3 || !s.Boundary {
				t.Errorf("%+v", s)
			}
		case "S3":
			if s.InitialAmount != 4 || !s.HasOnlySubstanceUnits {
				t.Errorf("%+v", s)
			}
		}
	}
	if e := m.Events[0]; e.Delay == nil || e.Priority == nil || e.Persistent || len(e.Assignments) != 2 {
		t.Errorf("%+v", e)
	}
	if p := doc.Check("m.ant", nil); p.Errors() > 0 {
		t.Errorf("%v", p)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"model m\n J0: A -> B; k*(A\nend":              "m.ant:3:",
		"model m\n x = 3 +* 4\nend":                    "m.ant:2:9",
		"model m\n hello world\nend":                   "m.ant:2:2: this is no statement",
		"model m\n x = 1\n x = 2\nend":                 "m.ant:3:2: x has two initial values",
		"model m\n x := 1":                             "end is missing",
		"model m(a, b)\nend":                           "m.ant:1:1",
		"model m\nend\nmodel n\nend":                   "m.ant:3:1",
		"model m\n A: sub()\nend":                      "m.ant:2:4",
		"model m\n E: at x > 1\nend":                   "assignments",
		"model m\n E: at x > 1, t1=3: x = 1\nend":      "m.ant:2:",
		"model m\n species S in C; compartment S\nend": "declared",
		"model m\n /* open":                            "m.ant:2:2: a comment is not closed",
		"model m\n x is \"open\nend":                   "quotes",
		"model m\n unit u = 3 $\nend":                  "no unit",
		"model m\n J: 2 -> B; 1\nend":                  "m.ant:2:",
		"function f(x) x +\nend":                       "m.ant:1:",
	} {
		_, err := antimony.Parse("m.ant", text)
		var p *sbml.Problem
		if !errors.As(err, &p) || !strings.Contains(err.Error(), want) || p.Line < 1 || p.Col < 1 {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add("S1 -> S2; k1*S1; k1 = 0.1; S1 = 10")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := antimony.Parse("m.ant", text)
		if err != nil {
			return
		}
		out, _, err := antimony.Write(doc.Model)
		if err != nil {
			return
		}
		if _, err := antimony.Parse("m.ant", out); err != nil {
			t.Errorf("%v\n%s\nfrom\n%s", err, out, text)
		}
	})
}

// A model as text, checked, run and printed.
func Example() {
	doc, err := antimony.Parse("decay.ant", `
model decay()
  compartment C = 1
  species S in C = 10
  J: S -> ; k*S
  k = 0.5
end`)
	if err != nil {
		panic(err)
	}
	b, err := sbml.Build(doc.Model)
	if err != nil {
		panic(err)
	}
	r, err := b.Run(context.Background(), &sbml.TimeCourse{Duration: 2, Steps: 2, Variables: []string{"[S]"}})
	if err != nil {
		panic(err)
	}
	for i, row := range r.Values {
		fmt.Printf("%g: %.4f\n", r.Times[i], row[0])
	}
	// Output:
	// 0: 10.0000
	// 1: 6.0653
	// 2: 3.6788
}
