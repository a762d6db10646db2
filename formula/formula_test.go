package formula

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// What is written is read back as the same tree.
func TestWrittenIsReadBack(t *testing.T) {
	for _, text := range []string{"a + b*c", "(a + b)*c", "-x^2", "(-x)^2", "a - (b - c)", "a/(b/c)", "a/b/c", "2^3^2", "(2^3)^2", "!(a < b) && c >= d || e != f", "piecewise(1, x > 0, 2)",
		"sqrt(x)", "root(3, x)", "log10(x)", "ln(x)", "exp(-k*t)", "acos(x) + arccsch(y)", "f(x, y)", "delay(x, 3)", "rateOf(x)", "time + avogadro", "x % 3", "1e-300*x", "nan", "-inf", "a*-b", "max(a, b, c)", "factorial(3)", "ceil(x)", "true", "- -x"} {
		e, err := Parse(text, Modern)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		s := e.String()
		again, err := Parse(s, Modern)
		if err != nil || again.String() != s {
			t.Errorf("%s: written %s, read %v (%v)", text, s, again, err)
		}
	}
}

func TestValues(t *testing.T) {
	var eval func(e *Expr) float64
	eval = func(e *Expr) float64 {
		if e.Kind == Number {
			return e.Value
		}
		a := make([]float64, len(e.Args))
		for i, x := range e.Args {
			a[i] = eval(x)
		}
		switch e.Name {
		case "plus":
			s := 0.0
			for _, v := range a {
				s += v
			}
			return s
		case "times":
			s := 1.0
			for _, v := range a {
				s *= v
			}
			return s
		case "minus":
			if len(a) == 1 {
				return -a[0]
			}
			return a[0] - a[1]
		case "divide":
			return a[0] / a[1]
		case "power":
			return math.Pow(a[0], a[1])
		}
		panic(e.Name)
	}
	for text, want := range map[string]float64{"2 + 3*4": 14, "-2^2": -4, "2^-1": 0.5, "2^3^2": 512, "8/4/2": 1, "8 - 4 - 2": 2, "-2*3": -6, "2 - -3": 5, "1.5e1 + .5": 15.5} {
		e, err := Parse(text, Modern)
		if err != nil || eval(e) != want {
			t.Errorf("%s = %v, want %g (%v)", text, eval(e), want, err)
		}
	}
}

// log is natural in both dialects, as in libAntimony 3.3.0 and SBML Level 1.
func TestDialects(t *testing.T) {
	for _, d := range []Dialect{Level1, Modern} {
		e, _ := Parse("log(x) + log10(x)", d)
		if e.Args[0].Name != "ln" || e.Args[1].Name != "log" || !e.Args[1].Args[0].IsNumber(10) {
			t.Errorf("%v", e)
		}
	}
	if e, _ := Parse("time", Level1); e.Kind != Symbol {
		t.Error("Level 1 has no symbol for the time")
	}
}

// Comparisons chain, and a number may carry its unit.
func TestChainsAndUnits(t *testing.T) {
	e, err := Parse("1 < 2 < x && (a < b) < c", Modern)
	if err != nil || len(e.Args[0].Args) != 3 || len(e.Args[1].Args) != 2 {
		t.Errorf("%v %v", e, err)
	}
	if e, err := Parse("2 mole / C", Modern); err != nil || e.Args[0].Units != "mole" {
		t.Errorf("%v %v", e, err)
	}
}

func TestSyntaxErrorsNameThePlace(t *testing.T) {
	for text, pos := range map[string]int{"a +": 3, "(a": 2, "a b": 2, "2 mole q": 7, "1.2.3": 0, "f(a,": 4, "sin()": 3, "power(1)": 5, "@": 0, strings.Repeat("(", 2000): 249} {
		_, err := Parse(text, Modern)
		var s *SyntaxError
		if !errors.As(err, &s) {
			t.Errorf("%.20s: %v", text, err)
		} else if s.Pos != pos && len(text) < 100 {
			t.Errorf("%.20s: at %d, want %d (%v)", text, s.Pos, pos, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a + f(b, 3)^2 && !c")
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = Parse(text, Level1)
		e, err := Parse(text, Modern)
		if err != nil {
			return
		}
		if again, err := Parse(e.String(), Modern); err != nil || again.String() != e.String() {
			t.Errorf("%q: written %q, read %v %v", text, e, again, err)
		}
	})
}
