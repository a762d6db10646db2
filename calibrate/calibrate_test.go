package calibrate

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/reported"
	"gonum.org/v1/gonum/stat/distuv"
)

func embedded(t testing.TB) (*evidence.Pack, *axis.Model) {
	t.Helper()
	p, _ := evidence.Embedded()
	m, err := axis.Build(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

// Every row of the tables with evidence is an observation, a prior, or left out
// with a reason; no row is two of them.
func TestEveryRowIsListed(t *testing.T) {
	p, m := embedded(t)
	d := NewProblem(p, m).Data
	seen := map[string]int{}
	for _, o := range d.Observations {
		seen[o.ID]++
	}
	for _, u := range d.Unused {
		if u.Reason == "" {
			t.Errorf("%s %s is left out without a reason", u.Table, u.ID)
		}
		seen[u.ID]++
	}
	for _, u := range d.Prior {
		seen[u.ID]++
	}
	var ids []string
	for _, c := range p.Contrasts {
		ids = append(ids, c.ID)
	}
	for _, a := range p.ArmResults {
		ids = append(ids, a.ID)
	}
	for _, b := range p.Biomarkers {
		ids = append(ids, b.ID)
	}
	for _, k := range p.Kinetics {
		ids = append(ids, k.ID)
	}
	for _, k := range p.Claims {
		ids = append(ids, k.ID)
	}
	for _, x := range p.Mediations {
		ids = append(ids, x.ID)
	}
	for _, x := range p.Muscle {
		ids = append(ids, x.ID)
	}
	for _, id := range ids {
		if seen[id] != 1 {
			t.Errorf("%s is listed %d times", id, seen[id])
		}
	}
}

// No pooled estimate enters the likelihood, nor a row that is the source of a
// prior.
func TestNothingCountsTwice(t *testing.T) {
	p, m := embedded(t)
	d := NewProblem(p, m).Data
	prior := map[string]bool{}
	for _, u := range d.Prior {
		prior[u.ID] = true
	}
	for _, o := range d.Observations {
		if prior[o.ID] {
			t.Errorf("%s is an observation and a prior", o.ID)
		}
		if strings.HasPrefix(o.ID, "pool") {
			t.Errorf("%s is pooled", o.ID)
		}
	}
	for _, o := range d.Observations {
		if o.Class == Cognition && o.Study == "FiataroneSingh2014_SMART" && (o.Domain == "global" || o.Domain == "executive") {
			t.Errorf("%s stands beside its own mediation rows", o.ID)
		}
	}
}

// The cluster likelihood against two-dimensional quadrature by brute force,
// and with numbers alone against the multivariate normal.
func TestClusterLikelihood(t *testing.T) {
	mk := func(r reported.Result, mention bool) *reported.Result { r.Mentionable = mention; return &r }
	rows := []report{
		{mk(reported.FromEstimate(0.5, 0.3), false), 0.2}, {mk(reported.FromNotSignificant(0.05, 0, 0.25), true), 0.1},
		{mk(reported.FromThreshold(0.05, 1, 0.4), true), 0.3}, {mk(reported.FromDirection(-1, 0.3), true), 0.1}, {mk(reported.FromEstimate(0.1, 0.2), true), 0},
	}
	for _, sp := range []spreads{{0.3, 0.1, 0.4}, {0.05, 0, 1}, {1, 0.3, 0.9}} {
		var want float64
		const h = 0.002
		for u := -8 * sp.between; u <= 8*sp.between; u += h * sp.between {
			f := distuv.Normal{Sigma: sp.between}.Prob(u) * h * sp.between
			for _, r := range rows {
				v := sp.within * sp.within
				l := r.r.LogLik(r.pred+u, v, sp.mention).L - r.r.LogMention(r.pred+u, v, sp.mention).L
				f *= math.Exp(l)
			}
			want += f
		}
		if got := sp.logLik(rows); math.Abs(got-math.Log(want)) > 2e-3 {
			t.Errorf("%+v: %.5f, brute force %.5f", sp, got, math.Log(want))
		}
	}
	sp := spreads{0.3, 0.1, 1}
	two := []report{{mk(reported.FromEstimate(0.5, 0.3), false), 0.2}, {mk(reported.FromEstimate(-0.1, 0.2), false), 0.1}}
	a, b, c := 0.09+0.01+0.09, 0.04+0.01+0.09, 0.09
	det := a*b - c*c
	x, y := 0.3, -0.2
	want := -math.Log(2*math.Pi) - 0.5*math.Log(det) - 0.5*(b*x*x-2*c*x*y+a*y*y)/det
	if got := sp.logLik(two); math.Abs(got-want) > 1e-10 {
		t.Errorf("numbers alone: %g, multivariate normal %g", got, want)
	}
}

func TestPhi(t *testing.T) {
	for z := -9.0; z < 9; z += 0.0137 {
		if d := math.Abs(phi(z) - distuv.UnitNormal.CDF(z)); d > 2e-9 {
			t.Fatalf("phi(%g) is off by %g", z, d)
		}
	}
	if phi(math.Inf(1)) != 1 || phi(math.Inf(-1)) != 0 || !math.IsNaN(phi(math.NaN())) {
		t.Error("phi at the ends")
	}
}

// conjugate is a target with a known posterior: y_i ~ N(z_0, 1) and a gate that
// adds 2 to the mean of the second cluster.
type conjugate struct{ y [2]float64 }

func (c conjugate) spaceOf() Space {
	return Space{Coords: []Coord{{Name: "a", Kind: normal, Spread: 1, Param: -1, Block: "a"}}, Gates: []GateCoord{{"g", -1, 0.3}}}
}
func (c conjugate) moduleDeps() []deps { return []deps{{coords: []int{0}, gates: []int{0}}} }
func (c conjugate) clusters() int      { return 2 }
func (c conjugate) moduleOf(int) int   { return 0 }
func (c conjugate) observations() int  { return 2 }
func (c conjugate) latents() bool      { return false }
func (c conjugate) predict(_ int, s state, pred [][]float64) {
	for l := range pred[0] {
		pred[0][l], pred[1][l] = s.z[0][l], s.z[0][l]+2*s.gates[0][l]
	}
}
func (c conjugate) logLik(k int, _ state, pred [][]float64, out []float64) {
	for l := range out {
		d := c.y[k] - pred[k][l]
		out[l] = -0.5 * d * d
	}
}

// The sampler finds the posterior of a conjugate problem with a gate, whose
// moments are known in closed form.
func TestSamplerOnAConjugateProblem(t *testing.T) {
	sweeps := 3000
	if testing.Short() {
		sweeps = 1500
	}
	c := conjugate{[2]float64{1, 2.5}}
	ch, err := sample(context.Background(), Settings{Seed: 5, Warm: 200, Sweeps: sweeps, Chains: 2 * Lanes}, "", func() (target, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
	// given the gate: z | y ~ N((y0 + y1 - 2g)/3, 1/3); evidence by the marginal normal
	ev := func(g float64) float64 {
		a, b := c.y[0], c.y[1]-2*g
		return math.Exp(-0.5 * (a*a + b*b - (a+b)*(a+b)/3))
	}
	p1 := 0.3 * ev(1) / (0.3*ev(1) + 0.7*ev(0))
	mean := (1-p1)*(c.y[0]+c.y[1])/3 + p1*(c.y[0]+c.y[1]-2)/3
	x, g := slices.Concat(ch.column(0)...), slices.Concat(ch.column(1)...)
	mx, _ := meanVar(x)
	mg, _ := meanVar(g)
	if math.Abs(mg-p1) > 0.015 || math.Abs(mx-mean) > 0.015 {
		t.Errorf("gate %.3f (exact %.3f), mean %.3f (exact %.3f)", mg, p1, mx, mean)
	}
	if r := RHat(ch.column(0)); r > 1.01 {
		t.Errorf("R-hat %g", r)
	}
}

// A second, independent sampler on a smaller model: the strength and mass data
// alone, by importance sampling from the prior, against the chains.
func TestIndependentSampler(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	p, m := embedded(t)
	pr := NewProblem(p, m)
	var obs []Observation
	for _, o := range pr.Data.Observations {
		if o.Class == Muscle && (o.Study == "GalvaoTaaffe_sets" || o.Study == "Ofsteng2024" || o.Study == "Beneka_inBorde2015") {
			obs = append(obs, o)
		}
	}
	build := func() (target, error) { return newFitTarget(m, pr.Space, obs, Lanes) }
	ch, err := sample(context.Background(), Settings{Seed: 7, Warm: 400, Sweeps: 2500, Chains: 2 * Lanes}, "", build)
	if err != nil {
		t.Fatal(err)
	}
	tg, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s := newSampler(tg, Lanes, 0, func(l int) (uint64, uint64) { return 99, uint64(l) })
	const batches = 6000
	names := []string{"strength.max", "drive.half", "load.exp", "tau.muscle"}
	ix := make([]int, len(names))
	var lw []float64
	draws := make([][]float64, len(names))
	for i, n := range names {
		ix[i] = pr.Space.mustIndex(n)
	}
	for range batches {
		s.drawPrior(pr.Space)
		for k := range s.deps {
			tg.predict(k, s.cur, s.pred)
		}
		for c := range s.ll {
			tg.logLik(c, s.cur, s.pred, s.ll[c])
		}
		for l := range Lanes {
			lw = append(lw, s.total(l))
			for i, c := range ix {
				draws[i] = append(draws[i], math.Abs(s.cur.z[c][l])*b2f(pr.Space.Coords[c].Kind == halfNormal)+s.cur.z[c][l]*b2f(pr.Space.Coords[c].Kind != halfNormal))
			}
		}
	}
	top := slices.Max(lw)
	var sw, sw2 float64
	for i := range lw {
		lw[i] = math.Exp(lw[i] - top)
		sw += lw[i]
		sw2 += lw[i] * lw[i]
	}
	ess := sw * sw / sw2
	if ess < 200 {
		t.Fatalf("importance sampling has only %.0f effective draws", ess)
	}
	for i, c := range ix {
		var mi, vi float64
		for k, w := range lw {
			mi += w / sw * draws[i][k]
		}
		for k, w := range lw {
			vi += w / sw * (draws[i][k] - mi) * (draws[i][k] - mi)
		}
		x := slices.Concat(ch.column(c)...)
		if pr.Space.Coords[c].Kind == halfNormal {
			for k := range x {
				x[k] = math.Abs(x[k])
			}
		}
		mc, vc := meanVar(x)
		se := math.Sqrt(vi/ess + vc/ESS(ch.column(c)))
		if math.Abs(mi-mc) > 4*se || math.Abs(math.Log(vi/vc)) > 0.35 {
			t.Errorf("%s: importance sampling %.3f (SD %.3f), chains %.3f (SD %.3f), effective draws %.0f", names[i], mi, math.Sqrt(vi), mc, math.Sqrt(vc), ess)
		}
	}
}

// A killed run goes on to the same bytes, on any number of cores; a damaged or
// foreign checkpoint is refused.
func TestResume(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	p, m := embedded(t)
	set := Settings{Seed: 3, Warm: 20, Sweeps: 20, SaveEvery: 15, Draws: 50}
	var states [][]byte
	set.Save = func(b []byte) error { states = append(states, b); return nil }
	whole, err := Run(context.Background(), p, m, set)
	var loose *ConvergenceError
	if !errors.As(err, &loose) {
		t.Fatalf("twenty sweeps converged: %v", err)
	}
	if len(states) < 2 {
		t.Fatal("nothing was saved")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i, st := range states {
		again := set
		again.Resume, again.Save = st, nil
		got, err := Run(context.Background(), p, m, again)
		if !errors.As(err, &loose) {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Encode(), whole.Encode()) {
			t.Errorf("the run resumed from state %d ends in other bytes", i)
		}
	}
	var re *ResumeError
	for _, bad := range [][]byte{states[0][:len(states[0])/2], []byte("x"), {}} {
		again := set
		again.Resume = bad
		if _, err := Run(context.Background(), p, m, again); !errors.As(err, &re) {
			t.Errorf("a damaged checkpoint gives %v", err)
		}
	}
	other := set
	other.Seed, other.Resume = 4, states[0]
	if _, err := Run(context.Background(), p, m, other); !errors.As(err, &re) {
		t.Errorf("a checkpoint of another seed gives %v", err)
	}
}

// The shipped posterior belongs to the pack and the model, is converged, small,
// and refused when damaged or foreign.
func TestShipped(t *testing.T) {
	p, m := embedded(t)
	post, err := Shipped(p, m)
	if err != nil {
		t.Fatal(err)
	}
	if post.WorstRHat > MaxRHat || post.LeastESS < MinESS {
		t.Errorf("R-hat %g, effective draws %g", post.WorstRHat, post.LeastESS)
	}
	if len(shipped) > 2<<20 {
		t.Errorf("the posterior is %d bytes", len(shipped))
	}
	if !bytes.Equal(post.Encode(), shipped) {
		t.Error("read and written again it has other bytes")
	}
	if ShippedValidation(post) == nil {
		t.Error("the validation belongs to another posterior: myoaxis validate --refit --out calibrate/validation.json")
	}
	if ShippedRules(post) == nil {
		t.Error("the rules belong to another posterior: myoaxis calibrate --compare-rules calibrate/rules.json")
	}
	var fe *FileError
	bad := slices.Clone(shipped)
	bad[len(bad)/2] ^= 1
	for name, data := range map[string][]byte{"a flipped bit": bad, "half a file": shipped[:len(shipped)/2], "nothing": {}, "text": []byte("hello")} {
		if _, err := Decode(data, post.Pack, m); !errors.As(err, &fe) {
			t.Errorf("%s gives %v", name, err)
		}
	}
	_, err = Decode(shipped, "another pack", m)
	if !errors.As(err, &fe) || !strings.Contains(err.Error(), "another pack") || !strings.Contains(err.Error(), post.Pack) {
		t.Errorf("another pack gives %v", err)
	}
	foreign := *post
	foreign.Header.Model = "deadbeef"
	if _, err := Decode(foreign.Encode(), post.Pack, m); !errors.As(err, &fe) || !strings.Contains(err.Error(), "deadbeef") || !strings.Contains(err.Error(), ModelHash()) {
		t.Errorf("another model gives %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	p, m := embedded(f)
	hash := PackHash(p)
	f.Add(shipped[:200])
	f.Add([]byte(magic + "{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if post, err := Decode(data, hash, m); (post == nil) == (err == nil) {
			t.Fatal("neither a posterior nor an error")
		}
	})
}

// R-hat and effective sample size: independent draws, a chain apart, an
// autocorrelated chain of known efficiency.
func TestDiagnostics(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	iid := make([][]float64, 4)
	for c := range iid {
		for range 1000 {
			iid[c] = append(iid[c], r.NormFloat64())
		}
	}
	if x := RHat(iid); x > 1.01 {
		t.Errorf("independent chains have R-hat %g", x)
	}
	if e := ESS(iid); e < 3000 || e > 5500 {
		t.Errorf("4000 independent draws count as %g", e)
	}
	apart := slices.Clone(iid)
	apart[0] = slices.Clone(iid[0])
	for i := range apart[0] {
		apart[0][i] += 3
	}
	if x := RHat(apart); x < 1.2 {
		t.Errorf("a chain apart has R-hat %g", x)
	}
	const rho = 0.8 // efficiency (1-rho)/(1+rho)
	ar := make([][]float64, 4)
	for c := range ar {
		x := 0.0
		for range 4000 {
			x = rho*x + math.Sqrt(1-rho*rho)*r.NormFloat64()
			ar[c] = append(ar[c], x)
		}
	}
	if e, want := ESS(ar), 16000*(1-rho)/(1+rho); e < 0.8*want || e > 1.25*want {
		t.Errorf("autocorrelated draws count as %.0f, theory %.0f", e, want)
	}
}

// The fit of the generalised Pareto distribution finds the shape that made the
// data; smoothed weights estimate a known expectation.
func TestPSIS(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, k := range []float64{0.2, 0.5, 0.9} {
		x := make([]float64, 2000)
		for i := range x {
			x[i] = (math.Pow(1-r.Float64(), -k) - 1) / k
		}
		slices.Sort(x)
		if got, _ := fitPareto(x); math.Abs(got-k) > 0.1 {
			t.Errorf("shape %g is found as %.3f", k, got)
		}
	}
	// proposal N(0,1), target N(0.5,1): the mean under the weights is 0.5
	var lw, x []float64
	for range 4000 {
		z := r.NormFloat64()
		x, lw = append(x, z), append(lw, 0.5*z-0.125)
	}
	w, k := PSIS(lw)
	m := 0.0
	for i := range w {
		m += w[i] * x[i]
	}
	if math.Abs(m-0.5) > 0.06 || k > 0.5 {
		t.Errorf("mean %.3f, k %.2f", m, k)
	}
}

// Ranks of simulation-based calibration are uniform, at a size for every day;
// docs/calibration.md holds the large run.
func TestSBC(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	p, m := embedded(t)
	pr := NewProblem(p, m)
	pr.Data.Observations = slices.DeleteFunc(slices.Clone(pr.Data.Observations), func(o Observation) bool {
		return o.Class != Muscle && !(o.Class == Acute && o.Entity == "irisin") && !(o.Class == Chronic && o.Entity == "irisin")
	})
	s, err := RunSBC(context.Background(), pr, SBCSettings{Replicates: 192, Warm: 60, Draws: 9, Thin: 2, Seed: 11})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range s.Names {
		if counts, pv := s.Uniformity(i, 5); pv < 1e-4 {
			t.Errorf("%s: ranks %v, p %g", n, counts, pv)
		}
	}
}

// A wrong likelihood is found by simulation-based calibration: the check can
// fail.
func TestSBCFindsAFault(t *testing.T) {
	ranks := &SBC{Replicates: 160, Draws: 9, Names: []string{"x"}, Ranks: [][]int{make([]int, 160)}}
	r := rand.New(rand.NewPCG(9, 9))
	for i := range ranks.Ranks[0] {
		ranks.Ranks[0][i] = min(r.IntN(10), r.IntN(10))
	}
	if _, p := ranks.Uniformity(0, 5); p > 1e-4 {
		t.Errorf("skewed ranks have p %g", p)
	}
}

// A pack with too little is refused; one with new studies is scored and lists
// what it could not use.
func TestTooFew(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	p, m := embedded(t)
	small := *p
	small.Contrasts, small.Biomarkers, small.Muscle, small.Mediations, small.ArmResults = p.Contrasts[:5], nil, nil, nil, nil
	var few *TooFewError
	if _, err := Run(context.Background(), &small, m, Settings{}); !errors.As(err, &few) {
		t.Errorf("five contrasts give %v", err)
	}
	if _, err := NewStudies(context.Background(), p, p, m, mustShipped(t, p, m), 1); !errors.As(err, &few) {
		t.Errorf("the posterior's own studies give %v", err)
	}
}

func mustShipped(t *testing.T, p *evidence.Pack, m *axis.Model) *Posterior {
	t.Helper()
	post, err := Shipped(p, m)
	if err != nil {
		t.Fatal(err)
	}
	return post
}

// After every move the cached predictions and likelihoods are those of the
// present state: nothing is stale.
func TestNothingIsStale(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	p, m := embedded(t)
	pr := NewProblem(p, m)
	ft, err := newFitTarget(m, pr.Space, pr.Data.Observations, Lanes)
	if err != nil {
		t.Fatal(err)
	}
	s := newSampler(ft, Lanes, 20, func(l int) (uint64, uint64) { return 3, uint64(l) })
	copyRows := func(rows [][]float64) (out [][]float64) {
		for _, r := range rows {
			out = append(out, slices.Clone(r))
		}
		return out
	}
	for range 3 {
		for i, move := range s.moves(s.sweep) {
			move()
			pred, ll := copyRows(s.pred), copyRows(s.ll)
			s.restart()
			for k := range pred {
				if !slices.Equal(pred[k], s.pred[k]) {
					t.Fatalf("sweep %d, move %d: the prediction of %s is stale", s.sweep, i, ft.obs[k].ID)
				}
			}
			for k := range ll {
				if !slices.Equal(ll[k], s.ll[k]) {
					t.Fatalf("sweep %d, move %d: the likelihood of %+v is stale", s.sweep, i, ft.cs[k])
				}
			}
		}
		s.sweep++
	}
}

// Evidence with a further pack is other evidence: its hash differs, and the
// shipped posterior is refused.
func TestMergedPackIsAnotherPack(t *testing.T) {
	p, m := embedded(t)
	more, ps := evidence.LoadAll(evidence.EmbeddedSource(), evidence.Source{Prefix: "new/", FS: fstest.MapFS{
		"studies.csv":   {Data: []byte("study_id,cohort_id,source,locator\nNew1,New1,https://example.org/1,Table 2\n")},
		"contrasts.csv": {Data: []byte("obs_id,study_id,form,source,locator\nNew1-01,New1,ns,https://example.org/1,Table 2\n")},
	}})
	_ = ps // faults of so small a pack do not matter here
	if PackHash(more) == PackHash(p) {
		t.Error("a further pack leaves the hash as it was")
	}
	var fe *FileError
	if _, err := Shipped(more, m); !errors.As(err, &fe) {
		t.Errorf("the posterior is taken for other evidence: %v", err)
	}
}

// A marker row whose fold contradicts its values is left out and says so.
func TestContradictingUnits(t *testing.T) {
	b := evidence.Biomarker{Form: "numeric_fold", Fold: 1.2, ValuePre: 10, ValuePost: 12, N: 20}
	if _, reason := markerResult(b, 0.3); reason != "" {
		t.Errorf("a consistent row is left out: %s", reason)
	}
	b.ValuePost = 12000
	if _, reason := markerResult(b, 0.3); !strings.Contains(reason, "units") {
		t.Errorf("nanograms against picograms: %q", reason)
	}
}

// The pooled strength gain (29 ± 2 %, 47 studies) is no source of a prior and
// not in the likelihood; the calibrated gain of common training covers it.
func TestPooledStrengthGainIsPredicted(t *testing.T) {
	p, m := embedded(t)
	kept, ok := p.Kinetic("strength_gain_RT_legpress")
	if !ok {
		t.Fatal("the pooled gain is not in the pack")
	}
	pd, err := NewPredictor(m, mustShipped(t, p, m), []string{"strength"})
	if err != nil {
		t.Fatal(err)
	}
	weeks := make([]Week, 20)
	for k := range weeks {
		weeks[k] = Week{2.5, 0.7, 1}
	}
	out, err := pd.Predict(Scenario{Weeks: weeks, At: []float64{20}})
	if err != nil {
		t.Fatal(err)
	}
	if i := NewInterval(out[0][0]); kept.Value/100 < i.Low || kept.Value/100 > i.High {
		t.Errorf("predicted gain %+v, pooled %g %%", i, kept.Value)
	}
}

// Protocols in words.
func TestProtocol(t *testing.T) {
	for text, want := range map[string][4]float64{"3x10 @80% 1RM": {3, 10, 80, 80}, "3x6-10 reps @75% 1RM, 13 exercises": {3, 8, 75, 75}, "HIGH: 2x10-15 @80% 1RM": {2, 12.5, 80, 80}, "8 exercises, 3x10 at 80% 1RM": {3, 10, 80, 80}, "progressive strength training 70-80% 1RM, 3x/wk": {math.NaN(), math.NaN(), 70, 80}} {
		sets, reps, load := protocol(text)
		got := [4]float64{sets.Mid(), reps.Mid(), load.Low, load.High}
		for i := range got {
			if got[i] != want[i] && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
				t.Errorf("%q reads as %v", text, got)
				break
			}
		}
	}
}

// What the prediction of the calibration sees is what the model says: the
// forward map and the predictor agree.
func TestForwardAndPredictorAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	p, m := embedded(t)
	pr := NewProblem(p, m)
	post := mustShipped(t, p, m)
	i := slices.IndexFunc(pr.Data.Observations, func(o Observation) bool { return o.ID == "LiuAmbrose2010-02" })
	o := pr.Data.Observations[i]
	tg, err := newFitTarget(m, post.Space, []Observation{o}, Lanes)
	if err != nil {
		t.Fatal(err)
	}
	a := predictions(tg, 0, post)[0]
	pd, err := NewPredictor(m, post, []string{o.Quantity})
	if err != nil {
		t.Fatal(err)
	}
	per, load := o.Dose.at(0.5)
	weeks := make([]Week, int(o.Dose.Weeks))
	for k := range weeks {
		weeks[k] = Week{per, load, 1}
	}
	b, err := pd.Predict(Scenario{Weeks: weeks, At: []float64{o.Dose.Weeks}, Person: map[string]float64{"age": o.Dose.Age, "trained": 0, "met": 0}})
	if err != nil {
		t.Fatal(err)
	}
	for k := range a {
		if math.Abs(a[k]-b[0][0][k]) > 0.01*math.Max(math.Abs(a[k]), 0.05) {
			t.Fatalf("draw %d: %g and %g", k, a[k], b[0][0][k])
		}
	}
}
