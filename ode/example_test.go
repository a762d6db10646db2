package ode_test

import (
	"fmt"

	"github.com/myoaxis/myoaxis/ode"
)

// A dose of 100 every day, lost at 0.1 an hour.
func ExampleSolver() {
	p := ode.Problem{N: 1, Pattern: [][2]int{{0, 0}},
		F:   func(_ float64, y, dy []float64) { dy[0] = -0.1 * y[0] },
		Jac: func(_ float64, _, v []float64) { v[0] = -0.1 }}
	dose := func(y []float64) { y[0] += 100 }
	stops := []ode.Stop{{T: 0, Do: dose}, {T: 24, Do: dose}}
	s := ode.New(p, ode.Settings{Method: ode.Rodas5P})
	err := s.Solve([]float64{0}, 0, 48, stops, []float64{12, 36, 48}, func(_ int, t float64, y []float64) {
		fmt.Printf("%g h: %.2f\n", t, y[0])
	})
	fmt.Println(err)
	// Output:
	// 12 h: 30.12
	// 36 h: 32.85
	// 48 h: 9.89
	// <nil>
}
