package sensitivity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/myoaxis/myoaxis/kinetics"
)

// ishigami is the test function of Ishigami & Homma (1990) with a = 7, b = 0.1.
func ishigami(_ context.Context, points [][]float64) ([][]float64, error) {
	out := make([][]float64, len(points))
	for i, p := range points {
		s := math.Sin(p[1])
		out[i] = []float64{math.Sin(p[0]) + 7*s*s + 0.1*math.Pow(p[2], 4)*math.Sin(p[0])}
	}
	return out, nil
}

func box() []Factor {
	return []Factor{Uniform("x1", -math.Pi, math.Pi), Uniform("x2", -math.Pi, math.Pi), Uniform("x3", -math.Pi, math.Pi)}
}

// The closed form: V1 = ½(1 + bπ⁴/5)², V2 = a²/8, V13 = b²π⁸(1/18 - 1/50).
func TestSobolAgainstClosedForm(t *testing.T) {
	p4 := math.Pow(math.Pi, 4)
	v1, v2, v13 := 0.5*math.Pow(1+0.1*p4/5, 2), 49.0/8, 0.01*p4*p4*(1.0/18-1.0/50)
	v := v1 + v2 + v13
	first, total := []float64{v1 / v, v2 / v, 0}, []float64{(v1 + v13) / v, v2 / v, v13 / v}
	r, err := Sobol(context.Background(), box(), ishigami, Settings{N: 4096, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for k := range 3 {
		for what, c := range map[string]struct {
			got  Index
			want float64
		}{"first": {r.First[0][k], first[k]}, "total": {r.Total[0][k], total[k]}} {
			if math.Abs(c.got.Estimate-c.want) > 0.02 || c.got.Low > c.want+0.01 || c.got.High < c.want-0.01 {
				t.Errorf("%s of x%d: %+v, want %.4f", what, k+1, c.got, c.want)
			}
		}
	}
	again, _ := Sobol(context.Background(), box(), ishigami, Settings{N: 4096, Seed: 1})
	if !reflect.DeepEqual(r, again) {
		t.Error("the same seed gives other numbers")
	}
}

// A linear function has constant effects: mu is the coefficient, sigma 0.
func TestMorrisOfALinearFunction(t *testing.T) {
	f := func(_ context.Context, points [][]float64) ([][]float64, error) {
		out := make([][]float64, len(points))
		for i, p := range points {
			out[i] = []float64{3*p[0] - 2*p[1], p[0] * p[1]}
		}
		return out, nil
	}
	r, err := Morris(context.Background(), []Factor{Uniform("a", 0, 1), Uniform("b", 0, 1), Uniform("c", 0, 1)}, f, Settings{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{3, -2, 0} {
		want *= 0.99 // the grid ends 0.005 inside
		if math.Abs(r.Mu[0][k].Estimate-want) > 1e-9 || math.Abs(r.MuStar[0][k].Estimate-math.Abs(want)) > 1e-9 || r.Sigma[0][k].Estimate > 1e-9 {
			t.Errorf("factor %d: %+v %+v", k, r.Mu[0][k], r.Sigma[0][k])
		}
	}
	if r.Sigma[1][0].Estimate < 0.1 {
		t.Error("an interaction has no spread")
	}
}

func TestFaults(t *testing.T) {
	bad := func(_ context.Context, p [][]float64) ([][]float64, error) {
		out := make([][]float64, len(p))
		for i := range out {
			out[i] = []float64{math.NaN()}
		}
		return out, nil
	}
	if _, err := Sobol(context.Background(), box(), bad, Settings{N: 8}); !errors.Is(err, ErrNotFinite) {
		t.Error(err)
	}
	if _, err := Morris(context.Background(), nil, ishigami, Settings{}); !errors.Is(err, ErrNoFactors) {
		t.Error(err)
	}
	if _, err := Sobol(context.Background(), box(), ishigami, Settings{N: -1}); !errors.Is(err, ErrSettings) {
		t.Error(err)
	}
}

// Which of absorption, loss and volume decides the concentration after an hour?
func ExampleSobol() {
	m, _ := kinetics.Parse("oral", `
param ka = 1 [1/h] ~ fixed ; assumed ; absorption
param k = 0.1 [1/h] ~ fixed ; assumed ; loss
param v = 20 [l] ~ fixed ; assumed ; volume
state gut = 100 [mg] ; gut
state blood = 0 [mg] ; blood
flux absorb : gut -> blood = ka*gut ; absorption
flux lose : blood -> . = k*blood ; loss
output conc = blood/v [mg/l] ; concentration`)
	sys := kinetics.Compile(m)
	factors := []Factor{LogUniform("ka", 0.5, 2), LogUniform("k", 0.05, 0.2), LogUniform("v", 15, 25)}
	task := func(p []float64) kinetics.Task { return kinetics.Task{Params: p, T1: 1, Times: []float64{1}} }
	r, err := Sobol(context.Background(), factors, OfEnsemble(sys, kinetics.Settings{}, task, []Target{{}}), Settings{Seed: 1})
	if err != nil {
		panic(err)
	}
	for k, f := range factors {
		fmt.Printf("%-2s total %.2f (%.2f to %.2f)\n", f.Name, r.Total[0][k].Estimate, r.Total[0][k].Low, r.Total[0][k].High)
	}
	// Output:
	// ka total 0.70 (0.62 to 0.77)
	// k  total 0.01 (0.01 to 0.01)
	// v  total 0.32 (0.29 to 0.37)
}
