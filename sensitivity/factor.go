package sensitivity

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/myoaxis/myoaxis/kinetics"
)

// Factor is an uncertain input: Quantile maps (0, 1) to its values.
type Factor struct {
	Name     string
	Quantile func(u float64) float64
}

// Uniform is a factor between lo and hi.
func Uniform(name string, lo, hi float64) Factor {
	return Factor{name, func(u float64) float64 { return lo + u*(hi-lo) }}
}

// LogUniform is a factor between lo > 0 and hi whose logarithm is uniform.
func LogUniform(name string, lo, hi float64) Factor {
	return Factor{name, func(u float64) float64 { return lo * math.Pow(hi/lo, u) }}
}

// Evaluate computes the outputs for each point; points and outputs are in the
// order given, and every row of outputs has the same length.
type Evaluate func(ctx context.Context, points [][]float64) ([][]float64, error)

// Settings of an analysis. Zero values: N 512 (Sobol: rows of each sample
// matrix; Morris: trajectories, 20), Bootstrap 500, Level 0.95.
type Settings struct {
	N, Bootstrap int
	Level        float64
	Seed         uint64
}

// Errors of an analysis.
var (
	ErrNoFactors = errors.New("there are no factors")
	ErrNotFinite = errors.New("an output is not finite for some inputs")
	ErrSettings  = errors.New("sample sizes and level are out of range")
)

func (s Settings) orDefault(n int) (Settings, error) {
	if s.N == 0 {
		s.N = n
	}
	if s.Bootstrap == 0 {
		s.Bootstrap = 500
	}
	if s.Level == 0 {
		s.Level = 0.95
	}
	if s.N < 2 || s.N > 10_000_000 || s.Bootstrap < 10 || s.Bootstrap > 1_000_000 || !(s.Level > 0 && s.Level < 1) {
		return s, ErrSettings
	}
	return s, nil
}

// Index is an estimate with its bootstrap interval.
type Index struct{ Estimate, Low, High float64 }

// bootstrap makes an Index of a statistic of rows: stat is called with the rows
// drawn, first with all of them.
func bootstrap(rows int, s Settings, rng *rand.Rand, stat func(draw []int) float64) Index {
	draw := make([]int, rows)
	for i := range draw {
		draw[i] = i
	}
	out := Index{Estimate: stat(draw)}
	values := make([]float64, s.Bootstrap)
	for b := range values {
		for i := range draw {
			draw[i] = rng.IntN(rows)
		}
		values[b] = stat(draw)
	}
	slices.Sort(values)
	tail := (1 - s.Level) / 2
	at := func(p float64) float64 { return values[min(len(values)-1, int(p*float64(len(values))))] }
	out.Low, out.High = at(tail), at(1-tail)
	return out
}

func finite(rows [][]float64) error {
	for _, r := range rows {
		for _, v := range r {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return ErrNotFinite
			}
		}
	}
	return nil
}

// Target is an output of a model at one of the times of its task.
type Target struct{ Output, Time int }

// OfEnsemble evaluates targets of a kinetic model: task makes the run of a
// point.
func OfEnsemble(sys *kinetics.System, set kinetics.Settings, task func(point []float64) kinetics.Task, targets []Target) Evaluate {
	return func(ctx context.Context, points [][]float64) ([][]float64, error) {
		out := make([][]float64, len(points))
		for i := range out {
			out[i] = make([]float64, len(targets))
		}
		e := kinetics.Ensemble{Sys: sys, Settings: set, N: len(points),
			Member: func(i int) (kinetics.Task, error) { return task(points[i]), nil },
			Out: func(i, k int, _ float64, v []float64) error {
				for j, t := range targets {
					if t.Time == k {
						out[i][j] = v[t.Output]
					}
				}
				return nil
			}}
		_, err := e.Run(ctx)
		return out, err
	}
}
