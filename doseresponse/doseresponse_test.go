package doseresponse

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
	"github.com/myoaxis/myoaxis/synthesis"
)

func made(seed uint64, f func(d float64) float64) (used []synthesis.Used) {
	r := rand.New(rand.NewPCG(seed, 2))
	for j := range 40 {
		d := float64(1 + r.IntN(5))
		s := 0.1 + 0.1*r.Float64()
		y := f(d) + 0.1*r.NormFloat64() + s*r.NormFloat64()
		used = append(used, synthesis.Used{Cohort: fmt.Sprint(j), Contrast: evidence.Contrast{ID: fmt.Sprint(j), Frequency: evidence.Range{Low: d, High: d}, Weeks: 10 * d}, Result: reported.FromEstimate(y, s)})
	}
	return used
}

func TestFindsTheSlope(t *testing.T) {
	v, _ := ByName("frequency")
	r, err := Fit(made(1, func(d float64) float64 { return 0.1 + 0.2*d }), v, Linear, []float64{1, 3, 7}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if e := r.Curve[1].Estimate; math.Abs(e-0.7) > 0.1 || r.FlatVsBest > 0.01 {
		t.Errorf("at 3: %g, weight of no slope %g", e, r.FlatVsBest)
	}
	if !r.Curve[2].Extrapolated || r.Curve[1].Extrapolated {
		t.Error("extrapolation is not flagged")
	}
}

// The unit of dose changes nothing: weeks are ten times the frequency here.
func TestUnitOfDoseChangesNothing(t *testing.T) {
	used := made(2, func(d float64) float64 { return 0.8 * d / (1 + d) })
	a, _ := ByName("frequency")
	b, _ := ByName("weeks")
	for _, s := range Shapes {
		x, err := Fit(used, a, s, []float64{1, 2.5, 5}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		y, err := Fit(used, b, s, []float64{10, 25, 50}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Curve {
			if math.Abs(x.Curve[i].Estimate-y.Curve[i].Estimate) > 1e-6 || math.Abs(x.Curve[i].Low-y.Curve[i].Low) > 1e-5 {
				t.Errorf("%s: %+v %+v", s, x.Curve[i], y.Curve[i])
			}
		}
	}
}

func TestTooFewDoses(t *testing.T) {
	v, _ := ByName("frequency")
	if _, err := Fit(made(1, func(float64) float64 { return 0 })[:4], v, Linear, nil, 0.95); !errors.Is(err, ErrTooFewDoses) {
		t.Errorf("%v", err)
	}
}

// Three doses carry a line, not a curve.
func TestCurvesNeedDoses(t *testing.T) {
	used := made(3, func(d float64) float64 { return 0.3 })
	var three []synthesis.Used
	for _, u := range used {
		if u.Contrast.Frequency.Low <= 3 {
			three = append(three, u)
		}
	}
	v, _ := ByName("frequency")
	if _, err := Fit(three, v, Quadratic, nil, 0.95); !errors.Is(err, ErrTooFewDoses) {
		t.Errorf("%v", err)
	}
	r, err := Fit(three, v, Average, nil, 0.95)
	if err != nil || len(r.Weights) != 2 {
		t.Errorf("%v, %v", err, r)
	}
}

func TestRandomisedDosesOfThePack(t *testing.T) {
	p, _ := evidence.Embedded()
	found := map[string]string{}
	for _, r := range RandomisedDoses(p) {
		found[r.Study+"/"+r.Variable] = fmt.Sprint(r.Arms)
	}
	for _, want := range []string{"LiuAmbrose2010/frequency", "Cassilhas2007/load", "Marston2019/load"} {
		if found[want] == "" {
			t.Errorf("%s is missing (%v)", want, found)
		}
	}
}
