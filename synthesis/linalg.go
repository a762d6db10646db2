package synthesis

import "math"

// Small dense Cholesky routines on row-major slices. Fits of a few
// coefficients or of one study's block run millions of times in resampling;
// gonum's types would spend most of that time on allocation.

// cholesky replaces the lower triangle of a (n by n) by its factor L with
// a = LL'; false where a is not positive definite.
func cholesky(a []float64, n int) bool {
	for j := range n {
		row := a[j*n : j*n+j+1]
		d := row[j]
		for _, l := range row[:j] {
			d -= l * l
		}
		if !(d > 0) || math.IsInf(d, 0) {
			return false
		}
		d = math.Sqrt(d)
		row[j] = d
		for i := j + 1; i < n; i++ {
			s := a[i*n+j]
			for k, l := range row[:j] {
				s -= a[i*n+k] * l
			}
			a[i*n+j] = s / d
		}
	}
	return true
}

// cholLogDet is the log determinant of LL'.
func cholLogDet(l []float64, n int) (s float64) {
	for i := range n {
		s += 2 * math.Log(l[i*n+i])
	}
	return s
}

// forward solves Lz = b in place.
func forward(l []float64, n int, b []float64) {
	for i := range n {
		s := b[i]
		for k, x := range l[i*n : i*n+i] {
			s -= x * b[k]
		}
		b[i] = s / l[i*n+i]
	}
}

// cholSolve solves LL'x = b in place.
func cholSolve(l []float64, n int, b []float64) {
	forward(l, n, b)
	for i := n - 1; i >= 0; i-- {
		s := b[i]
		for k := i + 1; k < n; k++ {
			s -= l[k*n+i] * b[k]
		}
		b[i] = s / l[i*n+i]
	}
}

// cholInverse writes the full inverse of LL' to dst.
func cholInverse(l []float64, n int, dst []float64) {
	clear(dst)
	for j := range n { // columns of L^-1 into the lower triangle
		dst[j*n+j] = 1 / l[j*n+j]
		for i := j + 1; i < n; i++ {
			var s float64
			for k := j; k < i; k++ {
				s -= l[i*n+k] * dst[k*n+j]
			}
			dst[i*n+j] = s / l[i*n+i]
		}
	}
	for i := range n { // L^-T L^-1, from the top: row i needs rows below it
		for j := 0; j <= i; j++ {
			var s float64
			for k := i; k < n; k++ {
				s += dst[k*n+i] * dst[k*n+j]
			}
			dst[i*n+j] = s
		}
	}
	for i := range n {
		for j := range i {
			dst[j*n+i] = dst[i*n+j]
		}
	}
}

// independent lists the columns of x (k by p, row-major) that are not linear
// combinations of those before them: modified Gram–Schmidt, twice over.
func independent(x []float64, p int) (keep []int) {
	k := len(x) / p
	var basis [][]float64
	for j := range p {
		c := make([]float64, k)
		for i := range c {
			c[i] = x[i*p+j]
		}
		whole := length(c)
		if whole == 0 {
			continue
		}
		for range 2 {
			for _, b := range basis {
				var d float64
				for i := range c {
					d += b[i] * c[i]
				}
				for i := range c {
					c[i] -= d * b[i]
				}
			}
		}
		left := length(c)
		if left < 1e-11*whole {
			continue
		}
		for i := range c {
			c[i] /= left
		}
		basis, keep = append(basis, c), append(keep, j)
	}
	return keep
}

// length is the Euclidean norm, safe from overflow.
func length(x []float64) float64 {
	var top, s float64
	for _, v := range x {
		top = math.Max(top, math.Abs(v))
	}
	if top == 0 || math.IsInf(top, 0) {
		return top
	}
	for _, v := range x {
		s += v / top * (v / top)
	}
	return top * math.Sqrt(s)
}

// UpperTail is P(Z > z) of a standard normal, exact far out in the tail where
// one minus the distribution function is zero.
func UpperTail(z float64) float64 { return 0.5 * math.Erfc(z/math.Sqrt2) }
