package reported

import "math"

// Derivs is a log-likelihood at a mean m and total variance v, with its first
// two derivatives in m and its first in v.
type Derivs struct{ L, D1, D2, DV float64 }

// LogLik evaluates the log-probability of the report, and of its being
// mentioned, when its estimate is normal with mean m and variance S²+v (v >= 0
// is the spread between effects). omega in (0, 1] is the probability that a
// non-significant outcome is mentioned; it acts on Mentionable results only.
// LogMention is the log-probability of being mentioned alone, by which a
// likelihood given what abstracts mention is divided.
//
// All probabilities are integrals of the normal density, so they obey the heat
// equation df/dv = ½ d²f/dm²; DV uses it.
func (r Result) LogLik(m, v, omega float64) Derivs {
	sd := math.Sqrt(r.S*r.S + v)
	var d Derivs
	if !r.Mentionable {
		omega = 1
	}
	if r.Numeric {
		z := (r.Y - m) / sd
		d.L = -0.5*z*z - math.Log(sd) - 0.5*math.Log(2*math.Pi)
		d.D1 = z / sd
		d.D2 = -1 / (sd * sd)
		d.DV = 0.5 * (d.D2 + d.D1*d.D1)
		if omega < 1 && math.Abs(r.Y) < r.C*r.S {
			d.L += math.Log(omega)
		}
	} else {
		d = r.partial(m, sd, omega)
	}
	return d.times(r.Weight)
}

// LogMention is the log-probability that the result is mentioned at all:
// 1 - (1-omega)·P(not significant); 0 for results that are always read.
func (r Result) LogMention(m, v, omega float64) Derivs {
	if !r.Mentionable || omega == 1 {
		return Derivs{}
	}
	sd, c := math.Sqrt(r.S*r.S+v), r.C*r.S
	q := logMass((-c-m)/sd, (c-m)/sd, sd)
	mass := (1 - omega) * math.Exp(q.L)
	return fromMass(1-mass, -mass*q.D1, -mass*(q.D2+q.D1*q.D1)).times(r.Weight)
}

func (d Derivs) times(w float64) Derivs { return Derivs{w * d.L, w * d.D1, w * d.D2, w * d.DV} }

// partial is the log of the weighted sum of the normal mass of the pieces.
func (r Result) partial(m, sd, omega float64) Derivs {
	if len(r.Pieces) == 1 || omega == 1 {
		lo, hi := r.Span()
		d := logMass((lo-m)/sd, (hi-m)/sd, sd)
		if len(r.Pieces) == 1 && r.Pieces[0].NonSignif {
			d.L += math.Log(omega)
		}
		return d
	}
	var f, f1, f2 float64
	for _, p := range r.Pieces {
		w := 1.0
		if p.NonSignif {
			w = omega
		}
		g := logMass((p.Low-m)/sd, (p.High-m)/sd, sd)
		mass := w * math.Exp(g.L)
		f += mass
		f1 += mass * g.D1
		f2 += mass * (g.D2 + g.D1*g.D1)
	}
	return fromMass(f, f1, f2)
}

// fromMass turns a mass and its first two derivatives in m into those of its
// logarithm.
func fromMass(f, f1, f2 float64) Derivs {
	d1 := f1 / f
	return Derivs{math.Log(f), d1, f2/f - d1*d1, 0.5 * f2 / f}
}

// logMass is log(Phi(b) - Phi(a)) with derivatives in the mean, where a and b
// move by -1/sd per unit of mean. It stays exact in far tails.
func logMass(a, b, sd float64) Derivs {
	var l, ra, rb float64 // ra, rb: density over mass at the ends
	if mass := 0.5 * (math.Erfc(-b/math.Sqrt2) - math.Erfc(-a/math.Sqrt2)); mass > 1e-3 {
		l, ra, rb = math.Log(mass), density(a)/mass, density(b)/mass
	} else {
		l = logDiffPhi(a, b)
		ra, rb = ratio(a, l), ratio(b, l)
	}
	d1 := (ra - rb) / sd
	var s float64
	if !math.IsInf(a, 0) {
		s += a * ra
	}
	if !math.IsInf(b, 0) {
		s -= b * rb
	}
	curve := s / (sd * sd) // second derivative of the mass over the mass
	return Derivs{l, d1, curve - d1*d1, 0.5 * curve}
}

// density is the standard normal density, zero at infinity.
func density(x float64) float64 {
	if math.IsInf(x, 0) {
		return 0
	}
	return math.Exp(-0.5*x*x) / math.Sqrt(2*math.Pi)
}

func ratio(x, logMass float64) float64 {
	if math.IsInf(x, 0) {
		return 0
	}
	return math.Exp(-0.5*x*x - 0.5*math.Log(2*math.Pi) - logMass)
}

// logDiffPhi is log(Phi(b) - Phi(a)) for a < b.
func logDiffPhi(a, b float64) float64 {
	if a > 0 {
		a, b = -b, -a
	}
	lb := logPhi(b)
	if math.IsInf(a, -1) {
		return lb
	}
	if b > 0 { // the interval holds zero: no cancellation
		return math.Log1p(-0.5*math.Erfc(b/math.Sqrt2) - 0.5*math.Erfc(-a/math.Sqrt2))
	}
	return lb + math.Log1p(-math.Exp(logPhi(a)-lb))
}

// logPhi is the log of the standard normal distribution function.
func logPhi(x float64) float64 {
	switch {
	case x > 5:
		return math.Log1p(-0.5 * math.Erfc(x/math.Sqrt2))
	case x > -35:
		return math.Log(0.5 * math.Erfc(-x/math.Sqrt2))
	}
	i := 1 / (x * x) // Abramowitz & Stegun 26.2.12
	return -0.5*x*x - math.Log(-x) - 0.5*math.Log(2*math.Pi) + math.Log1p(-i*(1-i*(3-15*i)))
}
