package kinetics_test

import (
	"context"
	"fmt"

	"github.com/myoaxis/myoaxis/kinetics"
)

// A thousand people with different rates of loss, in lanes; outputs are
// streamed, so that memory does not grow with their number.
func ExampleEnsemble() {
	m, err := kinetics.Parse("loss", `
param k = 0.1 [1/h] ~ fixed ; assumed ; loss
state blood = 100 [mg] ; amount in blood
rate blood = -k*blood ; loss
output amount = blood [mg] ; amount`)
	if err != nil {
		panic(err)
	}
	last := make([]float64, 1000)
	e := kinetics.Ensemble{
		Sys: kinetics.Compile(m), N: len(last),
		Member: func(i int) (kinetics.Task, error) {
			return kinetics.Task{Params: []float64{0.05 + 0.0001*float64(i)}, T1: 10, Times: []float64{10}}, nil
		},
		Out: func(i, _ int, _ float64, v []float64) error { last[i] = v[0]; return nil },
	}
	if _, err := e.Run(context.Background()); err != nil {
		panic(err)
	}
	fmt.Printf("%.3f %.3f %.3f\n", last[0], last[500], last[999])
	// Output:
	// 60.653 36.788 22.335
}
