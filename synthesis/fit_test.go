package synthesis

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/myoaxis/myoaxis/reported"
)

func numericRows(seed uint64, k int) []Row {
	r := rand.New(rand.NewPCG(seed, 1))
	var rows []Row
	for j := range k {
		u := 0.3 * r.NormFloat64()
		for i := range 1 + r.IntN(4) {
			s := 0.15 + 0.3*r.Float64()
			y := 0.25 + u + 0.2*r.NormFloat64() + s*r.NormFloat64()
			rows = append(rows, Row{ID: strconv.Itoa(j*10 + i), Cluster: strconv.Itoa(j), X: []float64{1}, Result: reported.FromEstimate(y, s)})
		}
	}
	return rows
}

// denseLogLik is an independent route: the multivariate normal density with
// block covariance vb·11' + diag(s²+vw), by Sherman–Morrison.
func denseLogLik(rows []Row, mu, vb, vw float64) float64 {
	groups := map[string][]Row{}
	for _, r := range rows {
		groups[r.Cluster] = append(groups[r.Cluster], r)
	}
	var sum float64
	for _, g := range groups {
		var sw, swr, swrr, ld float64
		for _, r := range g {
			d := r.Result.S*r.Result.S + vw
			e := r.Result.Y - mu
			sw, swr, swrr, ld = sw+1/d, swr+e/d, swrr+e*e/d, ld+math.Log(d)
		}
		ld += math.Log1p(vb * sw)
		sum -= 0.5 * (float64(len(g))*math.Log(2*math.Pi) + ld + swrr - vb*swr*swr/(1+vb*sw))
	}
	return sum
}

func TestNumericRowsGiveTheMultivariateNormal(t *testing.T) {
	rows := numericRows(3, 12)
	pr := newProblem(rows, 1)
	for _, q := range []params{{[]float64{0.2}, 0.09, 0.04}, {[]float64{-1}, 0, 0.2}, {[]float64{0.5}, 1.5, 0}} {
		got, want := pr.logLik(q, nil), denseLogLik(rows, q.beta[0], q.vb, q.vw)
		if math.Abs(got-want) > 1e-10*math.Abs(want) {
			t.Errorf("%+v: %.15g, dense %.15g", q, got, want)
		}
	}
}

// mlTau2 is the ordinary univariate random-effects ML fit by its scoring
// equations, the route metafor takes.
func mlTau2(rows []Row) (mu, tau2, ll float64) {
	tau2 = 0.1
	for range 10000 {
		var sw, swy float64
		for _, r := range rows {
			w := 1 / (r.Result.S*r.Result.S + tau2)
			sw, swy = sw+w, swy+w*r.Result.Y
		}
		mu = swy / sw
		var num, den float64
		for _, r := range rows {
			w := 1 / (r.Result.S*r.Result.S + tau2)
			e := r.Result.Y - mu
			num, den = num+w*w*(e*e-r.Result.S*r.Result.S), den+w*w
		}
		next := math.Max(0, num/den)
		if math.Abs(next-tau2) < 1e-16 {
			break
		}
		tau2 = next
	}
	for _, r := range rows {
		v := r.Result.S*r.Result.S + tau2
		e := r.Result.Y - mu
		ll -= 0.5 * (math.Log(2*math.Pi*v) + e*e/v)
	}
	return mu, tau2, ll
}

// With full reports and one outcome per cohort the fit is the ordinary
// random-effects ML fit.
func TestFullReportsEqualOrdinaryML(t *testing.T) {
	for seed := range uint64(20) {
		rows := numericRows(seed+100, 15)
		var one []Row
		seen := map[string]bool{}
		for _, r := range rows {
			if !seen[r.Cluster] {
				one, seen[r.Cluster] = append(one, r), true
			}
		}
		f, err := Maximise(one, 1)
		if err != nil {
			t.Fatal(err)
		}
		mu, tau2, ll := mlTau2(one)
		got := f.TauB*f.TauB + f.TauW*f.TauW // only their sum is identified
		if math.Abs(f.Beta[0]-mu) > 1e-8 || math.Abs(got-tau2) > 1e-7 || math.Abs(f.LogLik-ll) > 1e-8 {
			t.Errorf("seed %d: mu %.12g (%.12g), tau2 %.12g (%.12g), ll %.12g (%.12g)", seed, f.Beta[0], mu, got, tau2, f.LogLik, ll)
		}
	}
}

// metafor 3.8-1 (R 4.2.2), rma(yi, vi, method="ML") on the BCG trials; inputs
// and values in ../testdata/oracle/metafor.
func TestAgainstMetaforML(t *testing.T) {
	var rows []Row
	y, v := bcg(t)
	for i := range y {
		rows = append(rows, Row{Cluster: strconv.Itoa(i), X: []float64{1}, Result: reported.FromEstimate(y[i], math.Sqrt(v[i]))})
	}
	f, err := Maximise(rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Information(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"beta", f.Beta[0], metaforBCG.beta}, {"se", f.SE[0], metaforBCG.se}, {"tau2", f.TauB*f.TauB + f.TauW*f.TauW, metaforBCG.tau2}, {"logLik", f.LogLik, metaforBCG.logLik}} {
		if math.Abs(c.got-c.want) > 1e-8*math.Max(1, math.Abs(c.want)) {
			t.Errorf("%s: %.12g, metafor %.12g", c.name, c.got, c.want)
		}
	}
}

func mixedRows(seed uint64) []Row {
	rows := numericRows(seed, 14)
	for i := range rows {
		s := rows[i].Result.S
		switch z := rows[i].Result.Y / s; {
		case i%3 == 0:
		case z > 1.96:
			rows[i].Result = reported.FromThreshold(0.05, 1, s)
		case z < -1.96:
			rows[i].Result = reported.FromThreshold(0.05, -1, s)
		default:
			rows[i].Result = reported.FromNotSignificant(0.05, 0, s)
		}
	}
	return rows
}

// A report that says nothing changes nothing.
func TestVacuousReportChangesNothing(t *testing.T) {
	rows := mixedRows(5)
	f, err := Maximise(rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	empty := reported.Result{S: 0.3, C: 1.96, Weight: 1, Pieces: []reported.Piece{{Low: math.Inf(-1), High: math.Inf(1)}}}
	with := append(rows[:len(rows):len(rows)], Row{Cluster: "0", X: []float64{1}, Result: empty}, Row{Cluster: "new", X: []float64{1}, Result: empty})
	g, err := Maximise(with, 1)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(f.Beta[0]-g.Beta[0]) > 1e-7 || math.Abs(f.LogLik-g.LogLik) > 1e-9 {
		t.Errorf("with %v %v, without %v %v", g.Beta, g.LogLik, f.Beta, f.LogLik)
	}
}

func TestRowOrderAndSignInvariance(t *testing.T) {
	rows := mixedRows(6)
	f, _ := Maximise(rows, 1)
	perm := rand.New(rand.NewPCG(1, 2)).Perm(len(rows))
	shuffled, flipped := make([]Row, len(rows)), make([]Row, len(rows))
	for i, k := range perm {
		shuffled[i] = rows[k]
	}
	for i, r := range rows {
		flipped[i] = r
		flipped[i].Result = flip(r.Result)
	}
	g, err := Maximise(shuffled, 1)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Maximise(flipped, 1)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(f.Beta[0]-g.Beta[0]) > 1e-7 || math.Abs(f.TauB-g.TauB) > 1e-5 {
		t.Errorf("order matters: %v %v", f.Beta, g.Beta)
	}
	if math.Abs(f.Beta[0]+h.Beta[0]) > 1e-7 {
		t.Errorf("sign matters: %v %v", f.Beta, h.Beta)
	}
}

func flip(r reported.Result) reported.Result {
	r.Y = -r.Y
	var ps []reported.Piece
	for i := len(r.Pieces) - 1; i >= 0; i-- {
		p := r.Pieces[i]
		ps = append(ps, reported.Piece{Low: -p.High, High: -p.Low, NonSignif: p.NonSignif})
	}
	r.Pieces = ps
	return r
}

func TestGradient(t *testing.T) {
	rows := mixedRows(9)
	for i := range rows {
		rows[i].Result.Mentionable = i%2 == 0
	}
	pr := newProblem(rows, 0.4)
	q := params{[]float64{0.1}, 0.05, 0.03}
	g := make([]float64, 3)
	pr.logLik(q, g)
	h := 1e-5
	for i := range 3 {
		up, dn := params{[]float64{q.beta[0]}, q.vb, q.vw}, params{[]float64{q.beta[0]}, q.vb, q.vw}
		switch i {
		case 0:
			up.beta[0] += h
			dn.beta[0] -= h
		case 1:
			up.vb += h
			dn.vb -= h
		case 2:
			up.vw += h
			dn.vw -= h
		}
		if d := (pr.logLik(up, nil) - pr.logLik(dn, nil)) / (2 * h); math.Abs(d-g[i]) > 1e-5*(1+math.Abs(d)) {
			t.Errorf("gradient %d: %g, by differences %g", i, g[i], d)
		}
	}
}

// The adaptive quadrature agrees with a fine trapezoid over the random effect.
func TestQuadrature(t *testing.T) {
	rows := mixedRows(11)
	pr := newProblem(rows, 1)
	q := params{[]float64{0.2}, 0.09, 0.02}
	var want float64
	for _, c := range pr.clusters {
		mean := make([]float64, len(c))
		for i := range mean {
			mean[i] = q.beta[0]
		}
		var sum float64
		const n, width = 20000, 12.0
		for k := range n + 1 {
			z := -width + 2*width*float64(k)/n
			l := pr.sample(c, mean, math.Sqrt(q.vb)*z, q.vw, 0).lw
			sum += math.Exp(l-0.5*z*z) / math.Sqrt(2*math.Pi) * 2 * width / n
		}
		want += math.Log(sum)
	}
	if got := pr.logLik(q, nil); math.Abs(got-want) > 1e-9 {
		t.Errorf("%.13g, trapezoid %.13g", got, want)
	}
}
