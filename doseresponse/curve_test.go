package doseresponse

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// threeArms are trials of made-up means with a curved dose–response and trial
// effects; unit multiplies the dose.
func threeArms(t *testing.T, unit float64) (out []Trial) {
	t.Helper()
	for i := range 8 {
		shift := 0.3 * math.Sin(float64(3*i))
		var arms []Arm
		for _, d := range []float64{0, 1 + 0.5*float64(i%3), 3 + float64(i%2)} {
			arms = append(arms, Arm{Dose: d * unit, Effect: 1 + shift*d/3 + 2*d/(1.5+d) + 0.05*math.Cos(float64(7*i)+d), SD: 1 + 0.1*float64(i%4), N: 40})
		}
		tr, err := FromMeans(string(rune('a'+i)), arms, MD)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tr)
	}
	return out
}

func forms() []Form {
	return []Form{{Shape: Linear}, {Shape: Quadratic}, {Shape: Spline, Knots: []float64{0, 1.5, 4}}, {Shape: Emax}, {Shape: Exponential}, {Shape: LogLinear}}
}

// The unit of dose cannot change an effect, its interval, the spread between
// trials or the weight of a shape, whatever the shape, method and stages.
func TestUnitOfDose(t *testing.T) {
	for _, f := range forms() {
		for _, o := range []CurveOptions{{Method: "fixed"}, {Method: "ml"}, {Method: "reml"}, {Method: "reml", Stages: 2}, {Method: "mm", Stages: 2}} {
			base, err := FitCurve(threeArms(t, 1), f, o)
			if err != nil {
				t.Fatalf("%v %v: %v", f, o, err)
			}
			g := f
			g.Knots = nil
			for _, k := range f.Knots {
				g.Knots = append(g.Knots, 1000*k)
			}
			big, err := FitCurve(threeArms(t, 1000), g, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range []float64{0.5, 2, 5} {
				e, se, tau := base.At(d, 0)
				e2, se2, tau2 := big.At(1000*d, 0)
				for _, p := range [][2]float64{{e, e2}, {se, se2}, {tau, tau2}} {
					if math.Abs(p[0]-p[1]) > 1e-5*(0.05+math.Abs(p[0])) {
						t.Errorf("%v %v at %g: %.9g, in thousandths %.9g", f.Shape, o, d, p[0], p[1])
					}
				}
			}
			if math.Abs(base.AIC-big.AIC) > 1e-5 {
				t.Errorf("%v %v: AIC %.9g, in thousandths %.9g", f.Shape, o, base.AIC, big.AIC)
			}
		}
	}
}

// One stage and two stages are the same model where every trial can carry the
// coefficients.
func TestOneStageIsTwoStages(t *testing.T) {
	for _, method := range []string{"fixed", "ml", "reml"} {
		one, err := FitCurve(threeArms(t, 1), Form{Shape: Quadratic}, CurveOptions{Method: method, Stages: 1})
		if err != nil {
			t.Fatal(err)
		}
		two, err := FitCurve(threeArms(t, 1), Form{Shape: Quadratic}, CurveOptions{Method: method, Stages: 2})
		if err != nil {
			t.Fatal(err)
		}
		for i := range one.Coef {
			if math.Abs(one.Coef[i]-two.Coef[i]) > 1e-6*math.Abs(two.Coef[i]) {
				t.Errorf("%s: one stage %v, two stages %v", method, one.Coef, two.Coef)
			}
		}
	}
}

// The curve's derivative, peak and inverse agree with the curve itself.
func TestCurveInverse(t *testing.T) {
	c, err := FitCurve(threeArms(t, 1), Form{Shape: Quadratic}, CurveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, _, _ := c.At(2, 0)
	d, low, high := c.DoseOf(e, 0)
	if math.Abs(d-2) > 1e-3 || !(low < d) || !(high > d || math.IsNaN(high)) {
		t.Errorf("dose of the effect at 2: %g (%g to %g)", d, low, high)
	}
	if peak, inside := c.Peak(0, 1); inside {
		if s, _ := c.Slope(peak); math.Abs(s) > 1e-4 {
			t.Errorf("slope %g at the peak", s)
		}
	}
	a, _, _ := c.At(2.001, 0)
	b, _, _ := c.At(1.999, 0)
	if s, _ := c.Slope(2); math.Abs(s-(a-b)/0.002) > 1e-5 {
		t.Errorf("slope %g, difference %g", s, (a-b)/0.002)
	}
}

// The covariance of contrasts reconstructed from a table without adjustment is
// the ordinary one: the log odds share the reference's variance.
func TestReconstructionOfCrudeTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(t, "arms")
		var arms []Arm
		var a, b []float64
		for i := range n {
			a, b = append(a, float64(rapid.IntRange(5, 200).Draw(t, "cases"))), append(b, float64(rapid.IntRange(5, 300).Draw(t, "controls")))
			arm := Arm{Dose: float64(i), Cases: a[i], N: a[i] + b[i], SE: math.NaN()}
			if i > 0 {
				arm.Effect = math.Log(a[i] * b[0] / (b[i] * a[0]))
				arm.SE = math.Sqrt(1/a[i] + 1/b[i] + 1/a[0] + 1/b[0])
			}
			arms = append(arms, arm)
		}
		tr, err := FromRelativeRisks("x", CaseControl, arms, "gl")
		if err != nil {
			t.Fatal(err)
		}
		for i := range n - 1 {
			for j := range i {
				if math.Abs(tr.S.At(i, j)-1/a[0]-1/b[0]) > 1e-9 {
					t.Fatalf("covariance %g, want %g", tr.S.At(i, j), 1/a[0]+1/b[0])
				}
			}
		}
	})
}

func TestBadArms(t *testing.T) {
	var bad *ArmError
	for name, err := range map[string]error{
		"one arm":      second(FromMeans("x", []Arm{{Dose: 1, Effect: 1, SD: 1, N: 9}}, MD)),
		"no SD":        second(FromMeans("x", []Arm{{Dose: 0, Effect: 1, SD: 1, N: 9}, {Dose: 1, Effect: 1, N: 9}}, MD)),
		"no reference": second(FromRelativeRisks("x", CaseControl, []Arm{{Dose: 1, SE: 1}, {Dose: 2, SE: 1}}, "gl")),
		"no cases":     second(FromRelativeRisks("x", CaseControl, []Arm{{SE: math.NaN(), Cases: 4, N: 9}, {Dose: 1, SE: 1}, {Dose: 2, SE: 1, Cases: 2, N: 6}}, "gl")),
	} {
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := HarrellKnots([]float64{1, 1, 1, 2}, 3); err == nil {
		t.Error("coinciding knots were accepted")
	}
}

func second(_ Trial, err error) error { return err }
