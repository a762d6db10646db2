package effect

import (
	"math"
	"testing"
)

// J is the ratio of gamma functions; its usual approximation is 1 - 3/(4df-1).
func TestJ(t *testing.T) {
	for _, df := range []float64{3, 10, 48, 1000} {
		exact := math.Gamma(df/2) / (math.Sqrt(df/2) * math.Gamma((df-1)/2))
		if df > 300 {
			exact = 1 - 3/(4*df-1)
		}
		if math.Abs(J(df)-exact) > 1e-6 {
			t.Errorf("J(%g) = %.9f, want %.9f", df, J(df), exact)
		}
	}
}

// Shift, scale and exchange laws of the standardised mean difference, and its
// agreement with the t statistic of the same data.
func TestSMDLaws(t *testing.T) {
	a, b := Group{20, 10, 3}, Group{25, 8, 2.5}
	g, v, err := SMD(a, b)
	if err != nil {
		t.Fatal(err)
	}
	g2, v2, _ := SMD(Group{20, 10*7 + 3, 21}, Group{25, 8*7 + 3, 17.5})
	g3, v3, _ := SMD(b, a)
	if math.Abs(g-g2) > 1e-12 || math.Abs(v-v2) > 1e-12 || g != -g3 || v != v3 {
		t.Errorf("%g %g %g", g, g2, g3)
	}
	sp := math.Sqrt((19*9 + 24*6.25) / 43.0)
	tstat := 2 / (sp * math.Sqrt(1/20.0+1/25.0))
	if d := FromZ(tstat, 20, 25); math.Abs(d-g) > 1e-12 {
		t.Errorf("from t %g, from means %g", d, g)
	}
	for _, bad := range []Group{{1, 0, 1}, {10, 0, 0}, {10, 0, math.NaN()}} {
		if _, _, err := SMD(bad, b); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
