// Package reported turns one published result, in whatever form it was
// printed, into a log-likelihood of the true effect. A point estimate gives a
// normal density; "p < 0.05" gives the probability of landing beyond the
// threshold; "not significant" the probability of landing between the two.
// Synthesis and calibration use the same likelihood.
//
// Scale: standardised mean differences oriented so that positive means the
// trained group did better. Nothing here reads files.
package reported

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Form names how a result was printed.
type Form string

// The forms a result can take. Estimate covers everything that fixes a value
// and its standard error; Unmentioned is an outcome that was measured and not
// spoken of again.
const (
	Estimate      Form = "estimate"
	ExactP        Form = "exact_p"
	Threshold     Form = "p_below_threshold"
	NotSignif     Form = "not_significant"
	NotSignifSide Form = "not_significant_direction_known"
	Direction     Form = "direction_only"
	Unmentioned   Form = "measured_not_mentioned"
)

// Forms in the order tables list them.
var Forms = []Form{Estimate, ExactP, Threshold, NotSignif, NotSignifSide, Direction, Unmentioned}

// Result is one reported result. The estimate a trial would have printed is
// y ~ N(theta, S²); Numeric results know y, the others know that y lies in one
// of the Pieces.
type Result struct {
	Form    Form
	Numeric bool
	Y       float64 // estimate, numeric results only
	S       float64 // sampling standard deviation, > 0
	C       float64 // z-threshold of significance, e.g. 1.96
	Pieces  []Piece // partial results: where y lies
	// Weight multiplies the log-likelihood (1 = full evidence).
	Weight float64
	// Mentionable marks results read from abstracts only, to which selective
	// mention applies: a non-significant outcome is mentioned with
	// probability omega.
	Mentionable bool
}

// Piece is an interval of y, in units of the effect; ends may be infinite.
// NonSignif marks the part of y's range where the result is not significant.
type Piece struct {
	Low, High float64
	NonSignif bool
}

// Significance returns the two-sided z-threshold of a significance level in
// (0, 1).
func Significance(alpha float64) float64 {
	return distuv.UnitNormal.Quantile(1 - alpha/2)
}

// SamplingSD is the sampling SD of a standardised mean difference d between
// groups of n1 and n2 (Hedges & Olkin 1985): sqrt(1/n1 + 1/n2 + d²/(2(n1+n2))).
func SamplingSD(d, n1, n2 float64) float64 {
	return math.Sqrt(1/n1 + 1/n2 + d*d/(2*(n1+n2)))
}

// FromEstimate is a printed estimate with standard error s > 0.
func FromEstimate(y, s float64) Result {
	return Result{Form: Estimate, Numeric: true, Y: y, S: s, C: Significance(0.05), Weight: 1}
}

// FromP is an exact two-sided p with a direction (+1 or -1) from groups of n1
// and n2: y = ±z_p·s with s the sampling SD at y, solved together.
func FromP(p float64, direction int, n1, n2 float64) (Result, error) {
	if !(p > 0 && p <= 1) {
		return Result{}, fmt.Errorf("p = %g is not in (0, 1]", p)
	}
	y := EffectAtZ(Significance(p), n1, n2)
	r := FromEstimate(float64(direction)*y, SamplingSD(y, n1, n2))
	r.Form = ExactP
	return r, nil
}

// EffectAtZ is the effect whose z statistic is z: y = z·s(y). A z beyond what
// groups of this size can give is cut at 90 % of that limit.
func EffectAtZ(z, n1, n2 float64) float64 {
	limit := 0.9 * math.Sqrt(2*(n1+n2))
	z = math.Min(z, limit)
	return z * math.Sqrt((1/n1+1/n2)/(1-z*z/(2*(n1+n2))))
}

// FromThreshold is "p < alpha" with a direction; s is the sampling SD.
func FromThreshold(alpha float64, direction int, s float64) Result {
	c := Significance(alpha)
	p := Piece{Low: c * s, High: math.Inf(1)}
	if direction < 0 {
		p = Piece{Low: math.Inf(-1), High: -c * s}
	}
	return Result{Form: Threshold, S: s, C: Significance(0.05), Pieces: []Piece{p}, Weight: 1}
}

// FromNotSignificant is "not significant" at alpha; direction 0 where unknown.
func FromNotSignificant(alpha float64, direction int, s float64) Result {
	c := Significance(alpha)
	r := Result{Form: NotSignif, S: s, C: c, Weight: 1, Pieces: []Piece{{-c * s, c * s, true}}}
	switch {
	case direction > 0:
		r.Form, r.Pieces = NotSignifSide, []Piece{{0, c * s, true}}
	case direction < 0:
		r.Form, r.Pieces = NotSignifSide, []Piece{{-c * s, 0, true}}
	}
	return r
}

// FromDirection is a direction without any test.
func FromDirection(direction int, s float64) Result {
	c := Significance(0.05)
	ps := []Piece{{0, c * s, true}, {c * s, math.Inf(1), false}}
	if direction < 0 {
		ps = []Piece{{math.Inf(-1), -c * s, false}, {-c * s, 0, true}}
	}
	return Result{Form: Direction, S: s, C: c, Pieces: ps, Weight: 1}
}

// Span is the range of y that the report leaves open: a point for numeric
// results, an interval, possibly half-open, for partial ones.
func (r Result) Span() (low, high float64) {
	if r.Numeric {
		return r.Y, r.Y
	}
	return r.Pieces[0].Low, r.Pieces[len(r.Pieces)-1].High
}
