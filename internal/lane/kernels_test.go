//go:build amd64

package lane

import (
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/cpu"
)

// sets are the kernels this machine can run.
func sets(t *testing.T) (out []*set) {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		out = append(out, setAVX2)
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		out = append(out, setAVX512)
	} else {
		t.Log("this machine has no AVX-512: its kernels are not run here")
	}
	return out
}

var awkward = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 2, 3, 1e-310, 5e-324, 2.2250738585072014e-308, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 709.7, 709.8, -745, -746, 800, 1e10, -1e10, math.Sqrt2, 0.7071067811865476, 1 - 1e-16, 1 + 2e-16}

func value(rng *rand.Rand) float64 {
	switch rng.IntN(6) {
	case 0:
		return awkward[rng.IntN(len(awkward))]
	case 1:
		return math.Float64frombits(rng.Uint64())
	case 2:
		return rng.Float64() * 700
	}
	return rng.NormFloat64() * 3
}

// Every kernel gives the bits of its twin, special values among them; a NaN may
// be any NaN.
func TestKernelsGiveTheBitsOfTheTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range sets(t) {
		for w := Width; w <= 64; w *= 2 {
			const regs = 40
			reg := make([]float64, regs*w)
			var code []Instr
			for i := range 10 {
				code = append(code, Instr{int32((30 + i) * w), int32(rng.IntN(30) * w), int32(rng.IntN(30) * w), int32(rng.IntN(30) * w)})
			}
			for k := range kinds {
				for range 40 {
					for i := range reg {
						reg[i] = value(rng)
					}
					want := append([]float64(nil), reg...)
					twins[k](want, code, w)
					got := append([]float64(nil), reg...)
					if k == OpPow {
						if s.pow(&got[0], &code[0], len(code), w) != 0 {
							twins[k](got, code, w)
						}
					} else {
						s.block[k](&got[0], &code[0], len(code), w)
					}
					for i := range got {
						if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
							c := code[max(0, i/w-30)]
							t.Fatalf("%s kind %d w %d: %x, twin %x (a %g b %g)", s.name, k, w, math.Float64bits(got[i]), math.Float64bits(want[i]), reg[int(c.A)+i%w], reg[int(c.B)+i%w])
						}
					}
				}
			}
			arrays(t, s, rng, w)
		}
	}
}

// pow on ordinary values takes the fast path.
func TestPowFastPath(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, s := range sets(t) {
		reg := make([]float64, 3*8)
		for i := range reg {
			reg[i] = rng.Float64()*4 + 1e-3
		}
		want := append([]float64(nil), reg...)
		code := []Instr{{16, 0, 8, 0}}
		twins[OpPow](want, code, 8)
		if s.pow(&reg[0], &code[0], 1, 8) != 0 {
			t.Error("ordinary values are special")
		}
		for i := range reg {
			if reg[i] != want[i] {
				t.Errorf("%s: %v, twin %v", s.name, reg[i], want[i])
			}
		}
	}
}

func arrays(t *testing.T, s *set, rng *rand.Rand, w int) {
	t.Helper()
	const rows = 5
	vec := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		return v
	}
	a, b, c, d := vec(rows*w), vec(rows*w), vec(w), vec(rows*w)
	same := func(what string, got, want []float64) {
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s %s w %d: %v, twin %v", s.name, what, w, got[i], want[i])
			}
		}
	}
	x, y := append([]float64(nil), a...), append([]float64(nil), a...)
	s.axpy(&x[0], &b[0], &c[0], rows, w)
	axpyTwin(y, b, c, w)
	same("axpy", x, y)
	big := vec(4 * rows * w)
	s.combine(&x[0], &b[0], &big[0], &c[0], rows*w, 4, rows*w)
	combineTwin(y, b, big, c[:4], rows*w)
	same("combine", x, y)
	p, q := append([]float64(nil), c...), append([]float64(nil), c...)
	s.norm(&p[0], &a[0], &b[0], &d[0], 1e-3, 1e-2, rows, w)
	normTwin(q, a, b, d, 1e-3, 1e-2, w)
	same("norm", p, q)
}

func BenchmarkExp(b *testing.B) {
	const w = 32
	reg := make([]float64, 2*w)
	for i := range reg {
		reg[i] = float64(i) * 0.1
	}
	code := []Instr{{w, 0, 0, 0}}
	b.Run(Set(), func(b *testing.B) {
		for b.Loop() {
			Run(OpExp, reg, code, w)
		}
	})
	b.Run("twin", func(b *testing.B) {
		for b.Loop() {
			twins[OpExp](reg, code, w)
		}
	})
}
