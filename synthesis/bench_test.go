package synthesis

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func BenchmarkREML1000(b *testing.B) {
	y, v := manyEffects(1000)
	for b.Loop() {
		if _, err := Mean(y, v, MetaOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkREMLMillion(b *testing.B) {
	y, v := manyEffects(1_000_000)
	b.ResetTimer()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Mean(y, v, MetaOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBootstrap10000(b *testing.B) {
	y, v := manyEffects(48)
	for b.Loop() {
		if _, err := Bootstrap(y, v, nil, MetaOptions{}, 10000, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGosh100000(b *testing.B) {
	y, v := manyEffects(19)
	for b.Loop() {
		if _, _, err := Gosh(y, v, MetaOptions{}, 100_000, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrimFill1000(b *testing.B) {
	y, v := manyEffects(1000)
	for b.Loop() {
		if _, err := TrimAndFill(y, v, "L0", "", MetaOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBetaSelection1000(b *testing.B) {
	y, v := manyEffects(1000)
	for b.Loop() {
		if _, err := SelectModel(y, v, BetaWeight, nil, "greater", 0.95); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkThreeLevel1000(b *testing.B) {
	y, v, study, effect := manyLevels()
	levels := Nested([]Column{study, effect})
	for b.Loop() {
		if _, err := AnalyseMixed(y, Sampling{V: v}, ones(len(y)), []string{Intercepted}, Random{Levels: levels}, MetaOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// manyEffects are reproducible effects with heterogeneity.
func manyEffects(k int) (y, v []float64) {
	s := uint64(1)
	next := func() float64 {
		s = s*6364136223846793005 + 1442695040888963407
		return float64(s>>11) / (1 << 53)
	}
	for range k {
		vi := 0.02 + 0.2*next()
		z := math.Sqrt(-2*math.Log(next()+1e-300)) * math.Cos(2*math.Pi*next())
		y, v = append(y, 0.25+z*math.Sqrt(vi+0.06)), append(v, vi)
	}
	return y, v
}

// manyLevels are 1,000 effects in 250 studies.
func manyLevels() (y, v []float64, study, effect Column) {
	y, v = manyEffects(1000)
	study, effect = Column{Name: "study"}, Column{Name: "effect"}
	for i := range y {
		study.Values, effect.Values = append(study.Values, strconv.Itoa(i/4)), append(effect.Values, strconv.Itoa(i))
		y[i] += 0.2 * math.Sin(float64(i/4))
	}
	return y, v, study, effect
}

func BenchmarkBayes(b *testing.B) {
	y, v := manyEffects(48)
	for b.Loop() {
		if _, err := AnalyseBayes(y, v, TauPrior{Family: "half-normal", Scale: 0.5}, MuPrior{}, 0.95); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInfluence1000(b *testing.B) {
	y, v := manyEffects(1000)
	for b.Loop() {
		if _, err := Influences(y, v, ones(1000), []string{Intercepted}, MetaOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMultiverse reports refits a minute.
func BenchmarkMultiverse(b *testing.B) {
	y, v := manyEffects(48)
	rows := order(48)
	n := 0
	for b.Loop() {
		n += len(Multiverse([]Variant{{Y: y, V: v, Rows: rows}}, strconv.Itoa, 0.95))
	}
	b.ReportMetric(float64(n)/b.Elapsed().Minutes(), "refits/min")
}

// TestWriteBenchData writes the benchmarks' data for bench/meta.R, which times
// metafor on the same numbers.
func TestWriteBenchData(t *testing.T) {
	dir := os.Getenv("MYOAXIS_BENCH_DATA")
	if dir == "" {
		t.Skip("MYOAXIS_BENCH_DATA names no folder")
	}
	write := func(name string, y, v []float64, study []string) {
		var b strings.Builder
		b.WriteString("yi,vi,study,es\n")
		for i := range y {
			s := "0"
			if study != nil {
				s = study[i]
			}
			fmt.Fprintf(&b, "%.17g,%.17g,%s,%d\n", y[i], v[i], s, i)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []int{19, 48, 1000} {
		y, v := manyEffects(k)
		write(fmt.Sprintf("effects%d.csv", k), y, v, nil)
	}
	y, v, study, _ := manyLevels()
	write("levels1000.csv", y, v, study.Values)
}
