package lane

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// ulps is the distance of got from the exact value in units of the last place.
func ulps(got float64, exact *big.Float) float64 {
	e, _ := exact.Float64()
	if math.IsInf(e, 0) || e == 0 {
		return math.Abs(truth(got != e))
	}
	u := math.Nextafter(math.Abs(e), math.Inf(1)) - math.Abs(e)
	d := new(big.Float).SetPrec(200).Sub(big.NewFloat(got).SetPrec(200), exact)
	f, _ := d.Quo(d, big.NewFloat(u)).Float64()
	return math.Abs(f)
}

// bigExp is e^x to about 150 bits.
func bigExp(x *big.Float) *big.Float {
	const prec = 200
	n := 0
	y := new(big.Float).SetPrec(prec).Set(x)
	for y.MantExp(nil) > -8 {
		y.Quo(y, big.NewFloat(2))
		n++
	}
	sum, term := big.NewFloat(1).SetPrec(prec), big.NewFloat(1).SetPrec(prec)
	for i := 1; i < 40; i++ {
		term = new(big.Float).SetPrec(prec).Mul(term, y)
		term.Quo(term, big.NewFloat(float64(i)))
		sum = new(big.Float).SetPrec(prec).Add(sum, term)
	}
	for range n {
		sum = new(big.Float).SetPrec(prec).Mul(sum, sum)
	}
	return sum
}

// bigLog is log x by Newton's method on bigExp.
func bigLog(x float64) *big.Float {
	const prec = 200
	y := big.NewFloat(math.Log(x)).SetPrec(prec)
	bx := big.NewFloat(x).SetPrec(prec)
	for range 3 {
		e := bigExp(new(big.Float).SetPrec(prec).Neg(y))
		d := new(big.Float).SetPrec(prec).Mul(bx, e)
		d.Sub(d, big.NewFloat(1))
		// log(1+d) = d - d²/2
		h := new(big.Float).SetPrec(prec).Mul(d, d)
		h.Quo(h, big.NewFloat(2))
		y = new(big.Float).SetPrec(prec).Add(y, d.Sub(d, h))
	}
	return y
}

func TestAccuracy(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	n := 3000
	if testing.Short() {
		n = 300
	}
	var we, wl, wp float64
	for range n {
		x := rng.Float64()*1400 - 700
		if rng.IntN(2) == 0 {
			x = rng.NormFloat64()
		}
		we = max(we, ulps(Exp(x), bigExp(big.NewFloat(x))))
		z := math.Exp(rng.NormFloat64() * 50)
		if rng.IntN(2) == 0 {
			z = 1 + rng.NormFloat64()*0.01
		}
		lz := bigLog(z)
		wl = max(wl, ulps(Log(z), lz))
		y := rng.NormFloat64() * 3
		if rng.IntN(3) == 0 {
			y = (rng.Float64()*1300 - 650) / math.Log(z)
		}
		if math.Abs(y*math.Log(z)) < 690 {
			p := bigExp(new(big.Float).SetPrec(200).Mul(lz, big.NewFloat(y).SetPrec(200)))
			if u := ulps(Pow(z, y), p); u > wp {
				wp = u
			}
		}
	}
	t.Logf("largest error in units of the last place: exp %.3f, log %.3f, pow %.3f", we, wl, wp)
	if we > 1 || wl > 1 || wp > 1 {
		t.Errorf("errors above one unit: exp %.3f, log %.3f, pow %.3f", we, wl, wp)
	}
}

func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	same := func(a, b float64) bool { return a == b || a != a && b != b }
	// the system's own functions are wrong at the edges; these are exact
	for x, want := range map[float64]float64{0: 1, 800: inf, inf: inf, math.Inf(-1): 0, -746: 0, -1e300: 0, 709.8: inf} {
		if g := Exp(x); g != want {
			t.Errorf("exp(%g) = %g", x, g)
		}
	}
	for x, want := range map[float64]float64{0: -inf, 1: 0, inf: inf, 5e-324: -744.4400719213812, 1e-310: -713.8013788281542} {
		if g := Log(x); g != want {
			t.Errorf("log(%g) = %g", x, g)
		}
	}
	if e := Exp(709.7); ulps(e, bigExp(big.NewFloat(709.7))) > 1 {
		t.Errorf("exp(709.7) = %g", e)
	}
	for _, x := range []float64{nan, -1} {
		if Log(x) == Log(x) {
			t.Errorf("log(%g) is a number", x)
		}
	}
	if Exp(nan) == Exp(nan) {
		t.Error("exp(NaN) is a number")
	}
	for _, x := range []float64{0, 1, -1, 1e308, inf, -inf, nan, -745, 5e-324, 1e-310} {
		for _, y := range []float64{0, 1, -1, 2, 0.5, 3, 1e10, inf, -inf, nan, -3} {
			if g, w := Pow(x, y), math.Pow(x, y); !same(g, w) && math.Abs(g/w-1) > 1e-14 {
				t.Errorf("pow(%g, %g) = %g, want %g", x, y, g, w)
			}
		}
	}
}
