//go:build !amd64

package lane

// Set names the kernels in use.
func Set() string { return "go" }

func run(k Kind, reg []float64, code []Instr, w int) { twins[k](reg, code, w) }

func axpy(dst, src, c []float64, w int) { axpyTwin(dst, src, c, w) }

func combine(dst, base, x, c []float64, stride int) { combineTwin(dst, base, x, c, stride) }

func norm(sum, e, y, y1 []float64, at, rt float64, w int) { normTwin(sum, e, y, y1, at, rt, w) }
