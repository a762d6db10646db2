package calibrate

import (
	"math"

	"github.com/myoaxis/myoaxis/reported"
)

// cluster is one cohort in one class of observations (for markers, one cohort
// and one marker). Its random effect u ~ N(0, τ²) is integrated out.
type cluster struct {
	class  Class
	cohort string
	entity string // markers
	share  int    // acute: coordinate of the share of studies with a response, -1 without a mixture
	rows   []int  // observations
	unit   int    // unit of leave-one-study-out
}

// unit is a cohort within a class: what leave-one-study-out leaves out.
type unit struct {
	Class    Class
	Cohort   string
	Clusters []int
	Rows     []int
}

func makeClusters(obs []Observation, space Space) (cs []cluster, units []unit, of []int) {
	of = make([]int, len(obs))
	at, un := map[[3]string]int{}, map[[2]string]int{}
	for i, o := range obs {
		key := [3]string{o.Class.String(), o.Cohort, ""}
		shareAt := -1
		if o.Class == Acute || o.Class == Chronic {
			key[2] = o.Entity
			if o.Class == Acute && markers[o.Entity].mixture {
				shareAt = space.mustIndex("resp." + shareName[o.Entity])
			}
		}
		k, ok := at[key]
		if !ok {
			u, seen := un[[2]string{key[0], key[1]}]
			if !seen {
				u = len(units)
				un[[2]string{key[0], key[1]}] = u
				units = append(units, unit{Class: o.Class, Cohort: o.Cohort})
			}
			k = len(cs)
			at[key] = k
			cs = append(cs, cluster{class: o.Class, cohort: o.Cohort, entity: key[2], share: shareAt, unit: u})
			units[u].Clusters = append(units[u].Clusters, k)
		}
		cs[k].rows = append(cs[k].rows, i)
		units[cs[k].unit].Rows = append(units[cs[k].unit].Rows, i)
		of[i] = k
	}
	return cs, units, of
}

var shareName = map[string]string{"IL-6": "il6", "irisin": "irisin", "IL-15": "il15", "BDNF": "bdnf", "IGF-1": "igf1"}

// spreads are the values of the likelihood's coordinates for one lane.
type spreads struct {
	between, within float64 // SD of u, and of single outcomes around it
	mention         float64
}

// report is a row as the likelihood reads it, with its prediction.
type report struct {
	r    *reported.Result
	pred float64
}

// logLik of reports that share u ~ N(0, between²): numeric reports are
// combined in closed form; the rest is integrated over what they leave of u
// by the trapezoid rule.
func (sp spreads) logLik(rows []report) float64 {
	tb := math.Max(sp.between, 1e-6)
	prec, mean, l := 1/(tb*tb), 0.0, 0.0
	partial := false
	for i := range rows {
		r := rows[i].r
		if !r.Numeric {
			partial = true
			continue
		}
		partial = partial || r.Mentionable && sp.mention < 1
		v := r.S*r.S + sp.within*sp.within
		d := r.Y - rows[i].pred
		prec += 1 / v
		mean += d / v
		l -= 0.5 * (math.Log(2*math.Pi*v) + d*d/v)
	}
	l += 0.5*mean*mean/prec - 0.5*math.Log(tb*tb*prec)
	if !partial {
		return l
	}
	mu, sd := mean/prec, 1/math.Sqrt(prec)
	var sum float64
	for k, t := range nodes {
		sum += weights[k] * sp.product(rows, mu+sd*t)
	}
	return l + math.Log(math.Max(sum, 1e-300))
}

// product of the probabilities of the reports at u, but for the densities of
// numeric ones.
func (sp spreads) product(rows []report, u float64) float64 {
	p := 1.0
	for i := range rows {
		r := rows[i].r
		m := rows[i].pred + u
		inv := 1 / math.Sqrt(r.S*r.S+sp.within*sp.within)
		omega := 1.0
		if r.Mentionable {
			omega = sp.mention
		}
		if r.Numeric {
			if omega < 1 {
				if math.Abs(r.Y) < r.C*r.S {
					p *= omega
				}
				p /= 1 - (1-omega)*silence(r, m, inv)
			}
			continue
		}
		p *= sp.partial(r, m, inv, omega)
	}
	return p
}

// partial is the probability of a partial report, given that it is mentioned.
func (sp spreads) partial(r *reported.Result, m, inv, omega float64) float64 {
	var f float64
	quiet := -1.0
	for _, piece := range r.Pieces {
		mass := between(piece.Low, piece.High, m, inv)
		if piece.NonSignif {
			if piece.High == r.C*r.S && piece.Low == -piece.High {
				quiet = mass
			}
			mass *= omega
		}
		f += mass
	}
	if omega == 1 {
		return f
	}
	if quiet < 0 {
		quiet = silence(r, m, inv)
	}
	return f / (1 - (1-omega)*quiet)
}

// silence is the probability of a non-significant result.
func silence(r *reported.Result, m, inv float64) float64 {
	c := r.C * r.S
	return between(-c, c, m, inv)
}

func between(low, high, m, inv float64) float64 {
	b, a := 1.0, 0.0
	if high < math.MaxFloat64 {
		b = phi((high - m) * inv)
	}
	if low > -math.MaxFloat64 {
		a = phi((low - m) * inv)
	}
	if b < a {
		return 0
	}
	return b - a
}

// nodes and weights of the trapezoid rule for a standard normal on ±4.
var nodes, weights = func() (t, w []float64) {
	var sum float64
	for i := -5; i <= 5; i++ {
		x := 0.8 * float64(i)
		t = append(t, x)
		w = append(w, math.Exp(-0.5*x*x))
		sum += w[len(w)-1]
	}
	for i := range w {
		w[i] /= sum
	}
	return t, w
}()

// mixed is the log-likelihood of a cluster in which a study without any
// response has probability 1-share.
func mixed(share, response, none float64) float64 {
	a, b := math.Log(math.Max(share, 1e-12))+response, math.Log(math.Max(1-share, 1e-12))+none
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}
