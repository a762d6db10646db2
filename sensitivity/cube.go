package sensitivity

import "gonum.org/v1/gonum/mat"

// unitCube is the uniform distribution on (0, 1)^d, as samplemv wants it.
type unitCube struct{ d int }

func (c unitCube) Quantile(x, p []float64) []float64 {
	if x == nil {
		x = make([]float64, c.d)
	}
	copy(x, p)
	return x
}

func newBatch(n, d int) *mat.Dense { return mat.NewDense(n, d, nil) }
