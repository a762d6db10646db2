package sbml_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/myoaxis/myoaxis/antimony"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/sbml"
)

// built builds a model from Antimony, through SBML.
func built(t testing.TB, text string) *sbml.Built {
	t.Helper()
	doc, err := antimony.Parse("model.ant", text)
	if err != nil {
		t.Fatal(err)
	}
	xml, err := sbml.Write(doc.Model, nil)
	if err != nil {
		t.Fatal(err)
	}
	return loaded(t, string(xml))
}

func loaded(t testing.TB, xml string) *sbml.Built {
	t.Helper()
	b, err := sbml.Load(fstest.MapFS{"model.xml": {Data: []byte(xml)}}, "model.xml")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func course(duration float64, steps int, vars string) *sbml.TimeCourse {
	return &sbml.TimeCourse{Duration: duration, Steps: steps, Variables: strings.Split(vars, ","), Absolute: 1e-6, Relative: 1e-6}
}

// Each feature has a closed form; these models are ours and need no suite.
func TestFeatures(t *testing.T) {
	for _, c := range []struct {
		name, text, variable string
		want                 func(t float64) float64
	}{
		{"reaction", "model m\n compartment C = 2\n species A in C = 5, B in C = 0\n J: A -> B; C*k*A\n k = 0.3\nend", "A", func(t float64) float64 { return 10 * math.Exp(-0.3*t) }},
		{"concentration", "model m\n compartment C = 2\n species A in C = 5, B in C = 0\n J: A -> 2 B; C*k*A\n k = 0.3\nend", "[B]", func(t float64) float64 { return 10 * (1 - math.Exp(-0.3*t)) }},
		{"assignment and rate rule", "model m\n x' = -x; x = 2\n y := x^2 + time\nend", "y", func(t float64) float64 { return 4*math.Exp(-2*t) + t }},
		{"initial assignment", "model m\n a = 3; b = 2*a + 1\n x' = 1; x = b\nend", "x", func(t float64) float64 { return 7 + t }},
		{"linear algebraic rule", "model m\n x' = 1; x = 1\n var z\n const k = 10\n 0 = x + 2*z - k\nend", "z", func(t float64) float64 { return (9 - t) / 2 }},
		{"nonlinear algebraic rule", "model m\n x' = 1; x = 1\n var z = 1\n 0 = z^3 - x\nend", "z", func(t float64) float64 { return math.Cbrt(1 + t) }},
		{"event on a state", "model m\n x' = 1; x = 0\n E: at x >= 1: x = 0\nend", "x", func(t float64) float64 { return math.Mod(t, 1) }},
		{"event with delay", "model m\n x' = 0; x = 0\n E: at 1.5 after time > 1: x = 7\nend", "x", func(t float64) float64 { return truth(t >= 2.5) * 7 }},
		{"event values of trigger time", "model m\n x' = 1; x = 0\n var y = 0\n E: at 2 after time > 1: y = x\nend", "y", func(t float64) float64 { return truth(t >= 3) }},
		{"event values of execution time", "model m\n x' = 1; x = 0\n var y = 0\n E: at 2 after time > 1, fromTrigger=false: y = x\nend", "y", func(t float64) float64 { return truth(t >= 3) * 3 }},
		{"event that does not persist", "model m\n x' = 0; x = 0\n E: at 2 after (time > 1) && (time < 2), persistent=false: x = 7\nend", "x", func(float64) float64 { return 0 }},
		{"event at the start", "model m\n x' = 0; x = 0\n E: at time >= 0, t0=false: x = 7\nend", "x", func(float64) float64 { return 7 }},
		{"priorities", "model m\n var x = 0\n A: at time > 1, priority=1, fromTrigger=false: x = 2*x + 1\n B: at time > 1, priority=2: x = 10\nend", "x", func(t float64) float64 { return truth(t > 1) * 21 }},
		{"delay", "model m\n x' = 1; x = 0\n y := delay(x, 1)\nend", "y", func(t float64) float64 { return max(0, t-1) }},
		{"delay differential equation", "model m\n x' = -delay(x, 1); x = 1\nend", "x", func(t float64) float64 {
			switch { // method of steps
			case t <= 1:
				return 1 - t
			case t <= 2:
				return 1 - t + (t-1)*(t-1)/2
			}
			return math.NaN()
		}},
		{"rateOf", "model m\n compartment C = 2\n species A in C = 5\n J: A -> ; C*0.3*A\n y := rateOf(A)\nend", "y", func(t float64) float64 { return -1.5 * math.Exp(-0.3*t) }},
		{"piecewise rate", "model m\n x' = piecewise(1, time < 1, 3); x = 0\nend", "x", func(t float64) float64 { return min(t, 1) + 3*max(0, t-1) }},
		{"floor in a rate", "model m\n x' = floor(time); x = 0\nend", "x", func(t float64) float64 { f := math.Floor(t); return f*(f-1)/2 + (t-f)*f }},
		{"function", "model m\n function f(a, b)\n  a*b + 1\n end\n x := f(time, 3)\nend", "x", func(t float64) float64 { return 3*t + 1 }},
		{"variable stoichiometry", "model m\n species A = 0\n J: -> n A; 1\n n = 2\n E: at time >= 1: n = 5\nend", "A", func(t float64) float64 { return 2*min(t, 1) + 5*max(0, t-1) }},
		{"varying compartment", "model m\n compartment C\n C' = 1; C = 1\n species A in C = 3\nend", "[A]", func(t float64) float64 { return 3 / (1 + t) }},
		{"rate rule of a concentration", "model m\n compartment C\n C' = 1; C = 1\n species A in C = 3\n A' = 0.5\nend", "[A]", func(t float64) float64 { return 3 + 0.5*t }},
		{"trigonometric", "model m\n x := arccot(1 + time) + sech(time)\nend", "x", func(t float64) float64 { return math.Atan(1/(1+t)) + 1/math.Cosh(t) }},
	} {
		s := course(3.4, 20, c.variable)
		r, err := built(t, c.text).Run(context.Background(), s)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, row := range r.Values {
			want := c.want(r.Times[i])
			if !math.IsNaN(want) && math.Abs(row[0]-want) > 2e-6*(1+math.Abs(want)) {
				t.Errorf("%s at %g: %g, want %g", c.name, r.Times[i], row[0], want)
				break
			}
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// What only older Levels have.
func TestOlderLevels(t *testing.T) {
	level1 := `<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m"><listOfCompartments><compartment name="C" volume="2"/></listOfCompartments>
	<listOfSpecies><species name="A" compartment="C" initialAmount="4"/><species name="B" compartment="C" initialAmount="0"/></listOfSpecies>
	<listOfParameters><parameter name="k" value="0.5"/></listOfParameters>
	<listOfReactions><reaction name="J"><listOfReactants><speciesReference species="A"/></listOfReactants><listOfProducts><speciesReference species="B" stoichiometry="3" denominator="2"/></listOfProducts><kineticLaw formula="k*A*C"/></reaction></listOfReactions></model></sbml>`
	fast := `<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m"><listOfCompartments><compartment id="C" size="1"/></listOfCompartments>
	<listOfSpecies><species id="A" compartment="C" initialAmount="3"/><species id="B" compartment="C" initialAmount="0"/><species id="D" compartment="C" initialAmount="0"/></listOfSpecies>
	<listOfReactions><reaction id="F" fast="true"><listOfReactants><speciesReference species="A"/></listOfReactants><listOfProducts><speciesReference species="B"/></listOfProducts><kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/><apply><times/><cn>2</cn><ci>A</ci></apply><ci>B</ci></apply></math></kineticLaw></reaction>
	<reaction id="S"><listOfReactants><speciesReference species="B"/></listOfReactants><listOfProducts><speciesReference species="D"/></listOfProducts><kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><cn>0.3</cn><ci>B</ci></apply></math></kineticLaw></reaction></listOfReactions></model></sbml>`
	for _, c := range []struct {
		xml, variable string
		want          func(t float64) float64
	}{
		{level1, "B", func(t float64) float64 { return 6 * (1 - math.Exp(-0.5*t)) }},
		{fast, "A", func(t float64) float64 { return math.Exp(-0.2 * t) }}, // B = 2A, (A+B)' = -0.3·B
	} {
		r, err := loaded(t, c.xml).Run(context.Background(), course(2, 10, c.variable))
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range r.Values {
			if want := c.want(r.Times[i]); math.Abs(row[0]-want) > 1e-6 {
				t.Errorf("%s at %g: %g, want %g", c.variable, r.Times[i], row[0], want)
			}
		}
	}
}

// A submodel with conversion factors and a replacement.
func TestSubmodels(t *testing.T) {
	xml := `<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" level="3" version="1" comp:required="true">
	<model id="m"><listOfParameters><parameter id="k" value="2" constant="true"><comp:listOfReplacedElements><comp:replacedElement comp:idRef="k" comp:submodelRef="A"/></comp:listOfReplacedElements></parameter><parameter id="sixty" value="60" constant="true"/></listOfParameters>
	<comp:listOfSubmodels><comp:submodel comp:id="A" comp:modelRef="d" comp:timeConversionFactor="sixty"/></comp:listOfSubmodels></model>
	<comp:listOfModelDefinitions><comp:modelDefinition id="d"><listOfParameters><parameter id="k" value="5" constant="true"/><parameter id="x" value="0" constant="false"/></listOfParameters>
	<listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>k</ci></math></rateRule></listOfRules></comp:modelDefinition></comp:listOfModelDefinitions></sbml>`
	r, err := loaded(t, xml).Run(context.Background(), course(60, 2, "A__x"))
	if err != nil || math.Abs(r.Values[2][0]-2) > 1e-9 {
		t.Errorf("%v %v", r, err)
	}
}

// Results are the same whatever the output grid, to the last bit.
func TestResultsDoNotDependOnTheGrid(t *testing.T) {
	for _, text := range []string{
		"model m\n x' = y; x = 1\n y' = -x - 0.1*y; y = 0\n E: at x < -0.5: y = y + 0.3\nend",
		"model m\n x' = -delay(x, 0.7); x = 1\nend",
	} {
		b := built(t, text)
		coarse, err := b.Run(context.Background(), course(10, 5, "x"))
		if err != nil {
			t.Fatal(err)
		}
		fine, err := b.Run(context.Background(), course(10, 500, "x"))
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range coarse.Values {
			if row[0] != fine.Values[100*i][0] {
				t.Errorf("at %g: %v and %v", coarse.Times[i], row[0], fine.Values[100*i][0])
			}
		}
	}
}

// Simultaneous events without priority go in an order set by the seed.
func TestSeedSetsTheOrderOfEqualEvents(t *testing.T) {
	b := built(t, "model m\n var x = 0\n A: at time > 1, fromTrigger=false: x = 2*x + 1\n B: at time > 1, fromTrigger=false: x = 2*x + 2\nend")
	seen := map[float64]int{}
	for seed := range uint64(40) {
		set := kinetics.Settings{Seed: seed}
		last := math.NaN()
		for range 2 {
			r, err := b.RunWith(context.Background(), course(2, 1, "x"), set)
			if err != nil {
				t.Fatal(err)
			}
			if v := r.Values[1][0]; !math.IsNaN(last) && v != last {
				t.Fatal("the same seed gives another order")
			} else {
				last = v
			}
		}
		seen[last]++
	}
	if seen[4] < 8 || seen[5] < 8 || seen[4]+seen[5] != 40 {
		t.Errorf("%v", seen)
	}
}

// Faulty models and runs end in typed errors that name the place.
func TestFaultyModels(t *testing.T) {
	for _, c := range []struct {
		text, want string
		kind       error
	}{
		{"model m\n a := b + 1\n b := a\nend", "depends on itself", sbml.ErrInvalid},
		{"model m\n var k\n x' = -k*x; x = 1\nend", "no value", sbml.ErrInvalid},
		{"model m\n const k = 1\n x' = 1; x = 1\n 0 = x - k\nend", "over-determined", sbml.ErrInvalid},
		{"model m\n var y = 1; var z = 2\n x' = 1; x = 1\n 0 = x - y - z\nend", "under-determined", sbml.ErrInvalid},
		{"model m\n k = 0\n x' = 1/k; x = 1\nend", "the rate of x, in 1/k", ode.ErrNotFinite},
		{"model m\n k = 0\n x = 1/k\n x' = -x\nend", "x, in 1/k", kinetics.ErrNoValue},
		{"model m\n x' = x^2; x = 1\nend", "time 1.0000", ode.ErrStepTooSmall},
		{"model m\n x' = ln(1 - x); x = 0.5\n y' = 1 + ln(2 - y); y = 1\nend", "", nil},
		{"model m\n a = 0; b = 0\n A: at a == b, t0=false: a = a + 1\n B: at a > b, t0=false: b = b + 1\n x' = 1; x = 0\nend", "without end", kinetics.ErrEventsWithoutEnd},
		{"model m\n x' = piecewise(-1, x > 0, 1); x = 1\nend", "to and fro", kinetics.ErrSwitching},
		{"model m\n x' = 0; x = 1\n E: at (-1) after time > 1: x = 2\nend", "negative", kinetics.ErrNegativeDelay},
		{"model m\n x' = 1; x = 1\n var z = 1\n 0 = z^2 + x\nend", "equation of z", kinetics.ErrNoConsistent},
	} {
		doc, err := antimony.Parse("model.ant", c.text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := sbml.Build(doc.Model)
		if err == nil {
			_, err = b.Run(context.Background(), course(5, 5, "x"))
		}
		if c.kind == nil {
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %q (%v)", c.text, err, c.want, c.kind)
		}
	}
}

// Hostile and broken XML is refused with its place.
func TestHostileXML(t *testing.T) {
	head := `<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">`
	for xml, kind := range map[string]error{
		"":               sbml.ErrInvalid,
		"hello":          sbml.ErrInvalid,
		head + "<model>": sbml.ErrInvalid,
		"<a/><b/>":       sbml.ErrInvalid,
		`<!DOCTYPE sbml [<!ENTITY a "a">]>` + head + "<model/></sbml>": sbml.ErrUnsupported,
		head + "<model><notes>&a;</notes></model></sbml>":              sbml.ErrInvalid,
		head + strings.Repeat("<a>", 100000):                           sbml.ErrUnsupported,
		head + "<model><listOfSpeciess/></model></sbml>":               sbml.ErrInvalid,
		`<sbml level="4" version="1"><model/></sbml>`:                  sbml.ErrUnsupported,
		`<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" xmlns:q="http://www.sbml.org/sbml/level3/version1/qual/version1" level="3" version="1" q:required="true"><model/></sbml>`:          sbml.ErrUnsupported,
		head + `<model><listOfParameters><parameter id="k" value="many" constant="true"/></listOfParameters></model></sbml>`:                                                                            sbml.ErrInvalid,
		head + `<model><listOfRules><assignmentRule variable="k"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><int/><ci>x</ci></apply></math></assignmentRule></listOfRules></model></sbml>`: sbml.ErrUnsupported,
	} {
		_, err := sbml.Read("m.xml", []byte(xml))
		if !errors.Is(err, kind) || !strings.HasPrefix(fmt.Sprint(err), "m.xml:") {
			t.Errorf("%.60q: %v, want %v", xml, err, kind)
		}
	}
}

// The examples are sound and run.
func TestExamples(t *testing.T) {
	for name, variable := range map[string]string{"oral": "conc", "feedback": "[A]"} {
		file := "../examples/models/" + name + ".ant"
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := antimony.Parse(file, string(text))
		if err != nil {
			t.Fatal(err)
		}
		if p := doc.Check(file, nil); len(p) > 0 {
			t.Errorf("%v", p)
		}
		r, err := built(t, string(text)).Run(context.Background(), course(168, 7, variable))
		if err != nil {
			t.Fatal(err)
		}
		if name == "oral" { // superposition of seven Bateman functions, just before the eighth dose
			want := 0.0
			for d := range 7 {
				s := 168 - 24*float64(d)
				want += 100.0 / 20 / 0.9 * (math.Exp(-0.1*s) - math.Exp(-s))
			}
			if math.Abs(r.Values[7][0]-want) > 1e-6 {
				t.Errorf("%g, want %g", r.Values[7][0], want)
			}
		}
	}
}

// Latin-1 and a byte order mark are read; other encodings are refused.
func TestEncodings(t *testing.T) {
	body := `<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m" name="caf%s"/></sbml>`
	for text, want := range map[string]string{
		`<?xml version="1.0" encoding="ISO-8859-1"?>` + fmt.Sprintf(body, "\xe9"):          "café",
		"\xef\xbb\xbf" + `<?xml version="1.0" encoding="UTF-8"?>` + fmt.Sprintf(body, "é"): "café",
	} {
		doc, err := sbml.Read("m.xml", []byte(text))
		if err != nil || doc.Model.Name != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := sbml.Read("m.xml", []byte(`<?xml version="1.0" encoding="EBCDIC"?>`+fmt.Sprintf(body, "e"))); err == nil || !strings.Contains(err.Error(), "EBCDIC") {
		t.Error(err)
	}
}

// Flux balance is refused, not run as a model without rates.
func TestFluxBalanceIsRefused(t *testing.T) {
	xml := `<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version2" level="3" version="1" fbc:required="false"><model id="m"><fbc:listOfObjectives fbc:activeObjective="o"/></model></sbml>`
	if _, err := sbml.Load(fstest.MapFS{"m.xml": {Data: []byte(xml)}}, "m.xml"); !errors.Is(err, sbml.ErrUnsupported) || !strings.Contains(fmt.Sprint(err), "m.xml:1:") {
		t.Error(err)
	}
}

// Check lists every fault, not the first.
func TestCheckListsAll(t *testing.T) {
	xml := `<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model>
<listOfSpecies><species id="A" compartment="nowhere" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/></listOfSpecies>
<listOfParameters><parameter id="k" value="1" units="furlong" constant="true"/><parameter id="k" value="2" constant="true"/></listOfParameters>
<listOfRules><rateRule variable="q"><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>nothing</ci></math></rateRule></listOfRules></model></sbml>`
	doc, err := sbml.Read("m.xml", []byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	all := doc.Check("m.xml", nil).Error()
	for _, want := range []string{"m.xml:2:", "nowhere", "furlong", "two things", `no variable "q"`, "m.xml:4:", "nothing"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}

// Units that do not fit are warnings with their place.
func TestUnits(t *testing.T) {
	doc, err := antimony.Parse("m.ant", "model m\n unit mM = 1e-3 mole / litre\n unit per_s = 1 / second\n x has mM; x = 1\n y has per_s; y = 2\n z has mM\n z := x + y\nend")
	if err != nil {
		t.Fatal(err)
	}
	p := doc.Check("m.ant", nil)
	if p.Errors() != 0 || !strings.Contains(p.Error(), "put together") {
		t.Errorf("%v", p)
	}
}

// Notes and annotations survive a round trip.
func TestAnnotationsSurvive(t *testing.T) {
	xml := `<sbml xmlns="http://www.sbml.org/sbml/level2/version4" xmlns:bq="http://biomodels.net/biology-qualifiers/" level="2" version="4"><model id="m" metaid="mm"><notes><p xmlns="http://www.w3.org/1999/xhtml">A &lt; B</p></notes><annotation><bq:is>x</bq:is></annotation></model></sbml>`
	doc, err := sbml.Read("m.xml", []byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	out, err := sbml.Write(doc.Model, doc.Namespaces)
	if err != nil {
		t.Fatal(err)
	}
	again, err := sbml.Read("m.xml", out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if again.Model.Notes != doc.Model.Notes || again.Model.Annotation != doc.Model.Annotation || again.Model.MetaID != "mm" || !strings.Contains(string(out), `xmlns:bq="http://biomodels.net`) {
		t.Errorf("%s", out)
	}
}

// Sensitivities go through events, at fixed times and at times that depend on
// the state, and through jumps of rates at fixed times; the others are refused.
func TestSensitivitiesThroughEvents(t *testing.T) {
	for _, c := range []struct{ text, factors string }{
		{"model m\n x' = -k*x + piecewise(c, time > 1.5, 0); x = 1\n y' = x - q*y; y = 0\n k = 0.4; c = 0.7; q = 0.2; d = 0.5\n D: at 0.3 after time > 0.7: x = x*(1 + d) + c\nend", "k,c,q,d"},
		{"model m\n x' = k; x = 0\n y' = x - q*y; y = 0\n k = 0.7; q = 0.3; c = 1.1\n D: at x >= c: x = x - c\nend", "k,q,c"},
		{"model m\n x' = v; x = 1\n v' = -k; v = 0\n y' = x*x; y = 0\n k = 3; d = 0.7\n B: at x < 0: v = -d*v\nend", "k,d"},
		{"model m\n x' = k*x; x = 1\n y' = x; y = 0\n k = 0.5; q = 2\n D: at x > q + 0.1*time: y = y*y + time, x = x/q\nend", "k,q"},
	} {
		checkSensitivities(t, built(t, c.text), strings.Split(c.factors, ","))
	}
	for _, text := range []string{
		"model m\n x' = 1; x = 0\n E: at (x > 1) && (time > k): x = 0\n k = 1\nend",
		"model m\n x' = 1; x = 0\n E: at 1 after x > k: x = 0\n k = 1\nend",
		"model m\n x' = piecewise(1, x < 1, 2); x = 0\n k = 1\nend",
		"model m\n x' = 1; x = 0\n y' = 1; y = 0\n E: at x > k: x = 0, y = 7\n F: at y > 5: y = 0\n k = 1\nend",
	} {
		b := built(t, text)
		if _, err := b.K.Sensitivities([]int{b.K.Param("k")}, nil); !errors.Is(err, kinetics.ErrNoSensitivities) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// checkSensitivities compares dy/dp at time 3 with central differences.
func checkSensitivities(t *testing.T, b *sbml.Built, factors []string) {
	t.Helper()
	var params []int
	for _, n := range factors {
		params = append(params, b.K.Param(n))
	}
	m, err := b.K.Sensitivities(params, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := b.Output("y")
	run := func(s *kinetics.System, p []float64) (out []float64) {
		set := kinetics.Settings{Settings: ode.Settings{RTol: 1e-10, ATol: 1e-13}}
		_, err := s.Simulate(context.Background(), kinetics.Task{Params: p, T1: 3, Times: []float64{3}}, set, func(_ int, _ float64, v []float64) error {
			out = append(out, v...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	got := run(kinetics.Compile(m), nil)
	for k, p := range params {
		vary := func(h float64) float64 {
			v := b.K.Values()
			v[p] += h
			return run(b.Sys, v)[at]
		}
		want := (vary(1e-4) - vary(-1e-4)) / 2e-4
		if d := got[len(b.K.Outputs)+at*len(params)+k]; math.Abs(d-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("dy/d%s = %g, by differences %g", b.K.Params[p].Name, d, want)
		}
	}
}

// Events, their assignments and jumps of rates give the same in lanes, to the
// last bit, whatever the company, and agree with a run alone.
func TestEventsInLanes(t *testing.T) {
	b := built(t, "model m\n x' = a; x = 0\n y' = k*(piecewise(2, x > 0.5, 1) - y); y = 0\n var k = 1\n a = 1\n E: at x >= 1: x = 0, k = k + 0.1\n F: at 0.3 after y > 1.2: y = y - 0.5\nend")
	at := b.Output("y")
	run := func(lanes, n int) [][]float64 {
		out := make([][]float64, n)
		e := kinetics.Ensemble{Sys: b.Sys, N: n, Lanes: lanes, Settings: kinetics.Settings{Settings: ode.Settings{RTol: 1e-8, ATol: 1e-10}},
			Member: func(i int) (kinetics.Task, error) {
				p := b.K.Values()
				p[b.K.Param("a")] = 0.6 + 0.01*float64(i)
				return kinetics.Task{Params: p, T1: 12, Times: []float64{1.05, 3.3, 7.7, 11.9}}, nil
			},
			Out: func(i, _ int, _ float64, v []float64) error { out[i] = append(out[i], v[at]); return nil }}
		if _, err := e.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := run(8, 60)
	for _, got := range [][][]float64{run(16, 60), run(32, 40), run(64, 60)} {
		for i, row := range got {
			for k, v := range row {
				if v != want[i][k] {
					t.Fatalf("member %d output %d: %v and %v", i, k, v, want[i][k])
				}
			}
		}
	}
	for i, row := range run(1, 60) {
		for k, v := range row {
			if math.Abs(v-want[i][k]) > 1e-6 {
				t.Fatalf("member %d output %d: alone %v, in lanes %v", i, k, v, want[i][k])
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model><listOfParameters><parameter id="k" value="1" constant="false"/></listOfParameters><listOfRules><rateRule variable="k"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><cn type="e-notation">1<sep/>2</cn><ci>k</ci></apply></math></rateRule></listOfRules></model></sbml>`))
	f.Add([]byte(`<sbml level="1" version="2"><model><listOfRules><parameterRule name="k" formula="a+b"/></listOfRules></model></sbml>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := sbml.Read("m.xml", data)
		if err != nil {
			return
		}
		_ = doc.Check("m.xml", nil)
		flat, err := doc.Flat(nil)
		if err != nil {
			return
		}
		if out, err := sbml.Write(flat, doc.Namespaces); err == nil {
			_, _ = sbml.Read("m.xml", out)
		}
	})
}
