package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/myoaxis/myoaxis/internal/lane"
	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
)

// oralModel is one compartment with first-order absorption; 28 daily doses of
// 100 mg.
const oralModel = `
param ka = 1 [1/h] ~ fixed ; assumed ; absorption
param k = 0.1 [1/h] ~ fixed ; assumed ; loss
param v = 20 [l] ~ fixed ; assumed ; volume
state gut = 0 [mg] ; amount in the gut
state blood = 0 [mg] ; amount in blood
flux absorb : gut -> blood = ka*gut ; absorption
flux lose : blood -> . = k*blood ; loss
output conc = blood/v [mg/l] ; concentration`

// oral runs people with hourly output at rtol 1e-6 and compares some with the
// closed form.
func oral(people string) error {
	n, err := strconv.Atoi(people)
	if err != nil {
		return err
	}
	m, err := kinetics.Parse("oral", oralModel)
	if err != nil {
		return err
	}
	var times []float64
	for h := range 28*24 + 1 {
		times = append(times, float64(h))
	}
	params := func(i int) []float64 {
		return []float64{0.8 + 0.01*float64(i%70), 0.1 + 0.002*float64(i%50), 20 + float64(i%13)}
	}
	var worst atomic.Uint64
	e := kinetics.Ensemble{Sys: kinetics.Compile(m), N: n, Settings: kinetics.Settings{Settings: ode.Settings{RTol: 1e-6, ATol: 1e-4}},
		Member: func(i int) (kinetics.Task, error) {
			t := kinetics.Task{T1: 28 * 24, Times: times, Params: params(i), Stops: make([]kinetics.Stop, 28)}
			for d := range t.Stops {
				t.Stops[d] = kinetics.Stop{T: 24 * float64(d), Add: []kinetics.Setting{{Index: 0, Value: 100}}}
			}
			return t, nil
		},
		Out: func(i, _ int, t float64, v []float64) error {
			if i%1000 != 0 {
				return nil
			}
			d := math.Float64bits(math.Abs(v[0] - exactConc(params(i), t)))
			for old := worst.Load(); d > old && !worst.CompareAndSwap(old, d); old = worst.Load() {
			}
			return nil
		}}
	start := time.Now()
	st, err := e.Run(context.Background())
	if err != nil {
		return err
	}
	s := time.Since(start).Seconds()
	fmt.Printf("oral doses: %d people in %.2f s, %.0f people/s on %d cores (%s kernels), %d steps a person, largest error %.2g mg/l of a peak near 8\n",
		n, s, float64(n)/s, runtime.GOMAXPROCS(0), lane.Set(), st.Steps/n, math.Float64frombits(worst.Load()))
	return nil
}

// exactConc is the superposition of Bateman functions.
func exactConc(p []float64, t float64) (c float64) {
	ka, k, v := p[0], p[1], p[2]
	for d := 0; d < 28 && 24*float64(d) <= t; d++ {
		s := t - 24*float64(d)
		c += 100 / v * ka / (ka - k) * (math.Exp(-k*s) - math.Exp(-ka*s))
	}
	return c
}
