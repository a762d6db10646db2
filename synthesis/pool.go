package synthesis

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
)

// Options of a pooled analysis. The zero value is the default.
type Options struct {
	Selection Selection
	Level     float64 // confidence level, default 0.95
	Omega     float64 // probability that a non-significant outcome is mentioned, default 1
	Prior     Prior
	// Quick leaves out the sensitivity analyses (leave-one-out and the omega
	// curve).
	Quick bool
}

// Estimate is a pooled effect with its intervals, in SD units; ends that the
// data do not bound are infinite.
type Estimate struct {
	Rows, Cohorts     int
	Value, SE         float64
	Low, High         float64 // profile-likelihood confidence interval
	PredLow, PredHigh float64
	TauB, TauW        float64
	LogLik            float64
}

// OmegaPoint is the pooled effect at one probability of mention, with the
// profile log-likelihood relative to its largest value on the grid.
type OmegaPoint struct {
	Omega, Value, Low, High, RelLogLik float64
}

// LeaveOut is the pooled effect without one cohort.
type LeaveOut struct {
	Cohort    string
	Value, SE float64
}

// Pool is a pooled analysis of one domain.
type Pool struct {
	Domain      string
	All         *Estimate // every usable row; nil where none
	NumericOnly *Estimate // what dropping the partial rows would have given
	WithoutUnm  *Estimate // outcomes not mentioned left out
	Posterior   *Posterior
	Forms       map[reported.Form]int
	NumericStud int // studies with a numeric row
	Omega       []OmegaPoint
	LeaveOneOut []LeaveOut
	Flow        Flow
	Used        []Used
	Note        string // why something is missing
	Fit         *Fit
}

// OmegaGrid are the probabilities of mention shown in sensitivity curves.
var OmegaGrid = []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}

// PoolDomain pools one domain ("overall" for all of them together).
func PoolDomain(p *evidence.Pack, o Options) (*Pool, error) {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Omega == 0 {
		o.Omega = 1
	}
	used, flow := Select(p, o.Selection)
	out := &Pool{Domain: o.Selection.Domain, Flow: flow, Used: used, Forms: map[reported.Form]int{}}
	if out.Domain == "" {
		out.Domain = "overall"
	}
	numeric := map[string]bool{}
	for _, u := range used {
		out.Forms[u.Result.Form]++
		if u.Result.Numeric {
			numeric[u.Contrast.StudyID] = true
		}
	}
	out.NumericStud = len(numeric)
	if len(used) == 0 {
		out.Note = "no result is left to pool"
		return out, nil
	}
	rows := Intercept(used)
	var err error
	out.All, out.Fit, err = estimate(rows, o.Omega, o.Level)
	if err != nil {
		return nil, err
	}
	if n := only(used, func(u Used) bool { return u.Result.Numeric }); len(n) > 1 && clusters(n) > 1 {
		if out.NumericOnly, _, err = estimate(n, o.Omega, o.Level); err != nil {
			return nil, err
		}
	} else {
		out.Note = "fewer than two cohorts carry numbers, so there is nothing to pool without the partial reports"
	}
	if o.Selection.Unmentioned != UnmentionedNo && out.Forms[reported.Unmentioned] > 0 {
		if n := only(used, func(u Used) bool { return u.Result.Form != reported.Unmentioned }); len(n) > 0 {
			if out.WithoutUnm, _, err = estimate(n, o.Omega, o.Level); err != nil {
				return nil, err
			}
		}
	}
	post := Bayes(out.Fit, o.Prior, o.Level)
	out.Posterior = &post
	if !o.Quick {
		out.Omega = omegaCurve(rows, o.Level, out.Fit)
		out.LeaveOneOut = leaveOneOut(rows, o.Omega, out.Fit)
	}
	return out, nil
}

func only(used []Used, keep func(Used) bool) []Row {
	return Intercept(slices.DeleteFunc(slices.Clone(used), func(u Used) bool { return !keep(u) }))
}

func clusters(rows []Row) int {
	m := map[string]bool{}
	for _, r := range rows {
		m[r.Cluster] = true
	}
	return len(m)
}

func estimate(rows []Row, omega, level float64) (*Estimate, *Fit, error) {
	f, err := Maximise(rows, omega)
	if err != nil {
		return nil, nil, err
	}
	if err := f.Information(); err != nil {
		return nil, nil, err
	}
	e := &Estimate{Rows: f.K, Cohorts: f.Clusters, Value: f.Beta[0], SE: f.SE[0], TauB: f.TauB, TauW: f.TauW, LogLik: f.LogLik}
	if e.Low, e.High, err = f.ProfileCI(0, level); err != nil {
		return nil, nil, err
	}
	e.PredLow, e.PredHigh = f.PredictionInterval(e.Value, e.Low, e.High, level)
	return e, f, nil
}

// omegaCurve refits at each probability of mention. A value that cannot be
// fitted is left out.
func omegaCurve(rows []Row, level float64, at *Fit) (curve []OmegaPoint) {
	best := math.Inf(-1)
	fits := make([]*Fit, len(OmegaGrid))
	Parallel(len(fits), func(i int) { fits[i] = refit(newProblem(rows, OmegaGrid[i]), at) })
	for i, f := range fits {
		om := OmegaGrid[i]
		if f == nil {
			continue
		}
		half := reported.Significance(1-level) * f.SE[0]
		curve = append(curve, OmegaPoint{om, f.Beta[0], f.Beta[0] - half, f.Beta[0] + half, f.LogLik})
		best = math.Max(best, f.LogLik)
	}
	for i := range curve {
		curve[i].RelLogLik -= best
	}
	return curve
}

func leaveOneOut(rows []Row, omega float64, at *Fit) (out []LeaveOut) {
	var names []string
	for _, r := range rows {
		if !slices.Contains(names, r.Cluster) {
			names = append(names, r.Cluster)
		}
	}
	if len(names) < 2 {
		return nil
	}
	fits := make([]*Fit, len(names))
	Parallel(len(names), func(i int) {
		kept := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Cluster == names[i] })
		fits[i] = refit(newProblem(kept, omega), at)
	})
	for i, f := range fits {
		if f != nil {
			out = append(out, LeaveOut{names[i], f.Beta[0], f.SE[0]})
		}
	}
	return out
}

// refit starts from a fit of nearly the same data; nil where it fails.
func refit(pr problem, at *Fit) *Fit {
	f, err := pr.fit(&params{at.Beta, math.Max(at.TauB*at.TauB, 1e-4), math.Max(at.TauW*at.TauW, 1e-4)}, -1, 0)
	if err != nil || f.Information() != nil {
		return nil
	}
	return f
}

// Parallel runs n independent jobs on all cores; job i may write to place i
// only, so the outcome does not depend on the number of cores.
func Parallel(n int, job func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				job(i)
			}
		})
	}
	wg.Wait()
}
