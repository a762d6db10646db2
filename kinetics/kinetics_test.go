package kinetics

import (
	"errors"
	"math"
	"strings"
	"testing"
)

const sample = `
param k = 0.3 [1/h] ~ lognormal(0.3) ; assumed ; loss
param a = 2 [1] ~ fixed ; assumed ; exponent
input u [1] ; drive
state A = 1 [1] ; pool
state B = 0.5 [1] ; pool
let s = A^a + B*exp(-B) # a part used twice
flux ab : A -> B = k*s ; transfer
flux out : B -> . = k*B/(1+max(A, B)) ; loss
rate A = u*sqrt(A+1)*log(2+t) - 0.1*min(A, 3)
output total = A + B [1] ; both
`

func TestJacobianAgainstDifferences(t *testing.T) {
	m, err := Parse("sample", sample)
	if err != nil {
		t.Fatal(err)
	}
	s := Compile(m)
	in := s.NewInstance()
	in.SetInput(0, 1.7)
	y := []float64{1.3, 0.4}
	v := make([]float64, len(s.Pattern))
	in.Jac(0.7, y, v)
	up, dn := make([]float64, 2), make([]float64, 2)
	for k, p := range s.Pattern {
		h := 1e-6
		z := append([]float64(nil), y...)
		z[p[1]] += h
		in.F(0.7, z, up)
		z[p[1]] -= 2 * h
		in.F(0.7, z, dn)
		if d := (up[p[0]] - dn[p[0]]) / (2 * h); math.Abs(d-v[k]) > 1e-8 {
			t.Errorf("J%v = %g, by differences %g", p, v[k], d)
		}
	}
	ft := make([]float64, 2)
	in.Ft(0.7, y, ft)
	in.F(0.7+1e-6, y, up)
	in.F(0.7-1e-6, y, dn)
	if d := (up[0] - dn[0]) / 2e-6; math.Abs(d-ft[0]) > 1e-8 || !s.TimeDep {
		t.Errorf("df/dt = %g, by differences %g", ft[0], d)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"param k = 1 [1/h] ; assumed ; x":                             "m:1:9",
		"param k = 1 ~ fixed ; assumed ; x":                           "unit",
		"param k = 1 [1] ~ fixed ; ; x":                               "source",
		"state A = 1 [1]\nrate A = -k*A":                              "m:2:11",
		"state A = 1 [1]\nrate A = (A":                                "bracket",
		"state A = 1 [1]":                                             "neither rate nor flux",
		"state A = 1 [1]\nstate A = 2 [1]":                            "twice",
		"hello":                                                       "m:1:1",
		"state A = 1 [1]\nflux f : A -> Z = A":                        "not a state",
		"state A = 1 [1]\nrate A = exp(A, A)":                         "takes 1",
		"state A = 1 [1]\nrate A = " + strings.Repeat("(", 300) + "A": "deeply",
	} {
		_, err := Parse("m", text)
		var te *TextError
		if !errors.As(err, &te) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("m", text)
		if err != nil {
			_ = err.Error()
			return
		}
		if len(m.States) < 20 {
			s := Compile(m)
			y := m.Initial()
			s.NewInstance().F(0, y, make([]float64, len(y)))
		}
	})
}
