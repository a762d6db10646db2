package kinetics

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/myoaxis/myoaxis/ode"
)

// oral is one compartment with first-order absorption and loss; doses are
// added to the gut.
const oral = `
param ka = 1.1 [1/h] ~ fixed ; assumed ; absorption
param k = 0.15 [1/h] ~ fixed ; assumed ; loss
param v = 20 [l] ~ fixed ; assumed ; volume
state gut = 0 [mg] ; amount in the gut
state blood = 0 [mg] ; amount in blood
flux absorb : gut -> blood = ka*gut ; absorption
flux lose : blood -> . = k*blood ; loss
output conc = blood/v [mg/l] ; concentration
`

func compile(t testing.TB, text string) *System {
	t.Helper()
	m, err := Parse("model", text)
	if err != nil {
		t.Fatal(err)
	}
	return Compile(m)
}

// doses is a task of 28 daily doses with hourly output for person i.
func doses(i int) Task {
	t := Task{T1: 28 * 24, Stops: make([]Stop, 0, 28), Params: []float64{0.8 + 0.01*float64(i%70), 0.1 + 0.002*float64(i%50), 20 + float64(i%13)}}
	for d := range 28 {
		t.Stops = append(t.Stops, Stop{T: 24 * float64(d), Add: []Setting{{0, 100}}})
	}
	t.Times = hourly
	return t
}

var hourly = func() (t []float64) {
	for h := range 28*24 + 1 {
		t = append(t, float64(h))
	}
	return t
}()

// exactConc is the superposition of Bateman functions.
func exactConc(p []float64, t float64) (c float64) {
	ka, k, v := p[0], p[1], p[2]
	for d := 0; d < 28 && 24*float64(d) <= t; d++ {
		s := t - 24*float64(d)
		c += 100 / v * ka / (ka - k) * (math.Exp(-k*s) - math.Exp(-ka*s))
	}
	return c
}

func collect(t testing.TB, e Ensemble) [][]float64 {
	t.Helper()
	got := make([][]float64, e.N)
	var mu sync.Mutex
	e.Out = func(i, k int, _ float64, v []float64) error {
		mu.Lock()
		defer mu.Unlock()
		got[i] = append(got[i], v[0])
		return nil
	}
	if _, err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOralDosesAgainstClosedForm(t *testing.T) {
	s := compile(t, oral)
	e := Ensemble{Sys: s, N: 40, Settings: Settings{Settings: ode.Settings{RTol: 1e-6, ATol: 1e-4}}, Member: func(i int) (Task, error) { return doses(i), nil }}
	worst := 0.0
	for i, row := range collect(t, e) {
		task := doses(i)
		for k, v := range row {
			worst = max(worst, math.Abs(v-exactConc(task.Params, task.Times[k])))
		}
	}
	if worst > 2e-5 { // of a peak near 5
		t.Errorf("largest error %g mg/l", worst)
	}
}

// Results do not depend on lanes, workers or company, to the last bit; one
// alone by the scalar solver agrees within the tolerance.
func TestMembersDoNotDependOnLanes(t *testing.T) {
	for _, text := range []string{oral, switching} {
		s := compile(t, text)
		member := func(i int) (Task, error) {
			if text == switching {
				return Task{T1: 30, Params: []float64{0.5 + 0.05*float64(i%20)}, Times: []float64{0, 1, 5, 10, 29.5, 30}}, nil
			}
			return doses(i), nil
		}
		run := func(lanes, workers, n int) [][]float64 {
			return collect(t, Ensemble{Sys: s, N: n, Lanes: lanes, Workers: workers, Settings: Settings{Settings: ode.Settings{RTol: 1e-7, ATol: 1e-10}}, Member: member})
		}
		want := run(8, 1, 50)
		for _, c := range [][3]int{{16, 1, 50}, {32, 2, 50}, {64, 3, 30}, {8, 2, 9}, {0, 2, 3}, {0, 1, 50}} {
			got := run(c[0], c[1], c[2])
			for i, row := range got {
				for k, v := range row {
					if v != want[i][k] {
						t.Fatalf("%v: member %d output %d: %v, want %v", c, i, k, v, want[i][k])
					}
				}
			}
		}
		scalar := run(1, 2, 50)
		for i, row := range scalar {
			for k, v := range row {
				if math.Abs(v-want[i][k]) > 2e-5*(1+math.Abs(v)) {
					t.Fatalf("member %d output %d: scalar %v, lanes %v", i, k, v, want[i][k])
				}
			}
		}
	}
}

// switching has an event-like jump in its rate at times that differ between
// people.
const switching = `
param a = 1 [1] ~ fixed ; assumed ; rate
state x = 0 [1] ; saw-tooth
state y = 1 [1] ; follower
rate x = a ; up
rate y = 0.3*(floor(x) - y) ; follows
output out = y [1] ; follower
`

// A member that fails is named; of several the first.
func TestFailingMember(t *testing.T) {
	s := compile(t, "param a = 1 [1] ~ fixed ; assumed ; rate\nstate x = 1 [1] ; x\nrate x = a*x*x ; pole\noutput o = x [1] ; x")
	e := Ensemble{Sys: s, N: 100, Out: func(int, int, float64, []float64) error { return nil },
		Member: func(i int) (Task, error) {
			a := 0.01
			if i == 37 || i == 60 {
				a = 1
			}
			return Task{Params: []float64{a}, T1: 2, Times: []float64{2}}, nil
		}}
	_, err := e.Run(context.Background())
	var me *MemberError
	if !errors.As(err, &me) || me.Member != 37 && me.Member != 60 {
		t.Errorf("%v", err)
	}
}

func TestEnsembleStops(t *testing.T) {
	s := compile(t, oral)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := (&Ensemble{Sys: s, N: 100, Member: func(i int) (Task, error) { return doses(i), nil }, Out: func(int, int, float64, []float64) error { return nil }}).Run(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func BenchmarkOralDoses(b *testing.B) {
	s := compile(b, oral)
	const n = 2000
	for b.Loop() {
		e := Ensemble{Sys: s, N: n, Settings: Settings{Settings: ode.Settings{RTol: 1e-6, ATol: 1e-4}}, Member: func(i int) (Task, error) { return doses(i), nil }, Out: func(int, int, float64, []float64) error { return nil }}
		if _, err := e.Run(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "people/s")
}
