package kinetics

import (
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/internal/lane"
)

// Relaxation computes some outputs of a model with long steps: each state
// follows y' = L·y + N with L its own entry of the Jacobian, which is solved
// exactly, and N is taken to second order (ETD2RK: Cox & Matthews 2002,
// J. Comput. Phys. 176:430, eq. 22-23). States much faster than the step go to
// their quasi-steady value, so the step follows the slow ones. It leaves out
// every state the outputs do not rest on. Sources of error are the coupling of
// fast states with each other and the curvature of N; TestRelaxation measures
// it against the solver.
type Relaxation struct {
	s      *System
	keep   []int // states in the order of the tapes
	uses   []int
	Width  int
	in     *laneInstance
	pre    laneTape
	outs   laneTape
	fixed  bool // the diagonal depends on parameters and inputs only
	buf    []float64
	fresh  bool
	known  []float64 // steps whose weights for the present diagonal are in buf
	time   []float64
	result []float64
}

// keptWeights bounds the number of steps whose weights are kept.
const keptWeights = 12

// rows of buf, each the length of keep
const (
	rowY = iota
	rowF
	rowL
	rowD // P1·f
	rowA
	rowG
	rowWeights // h·φ1(hL) and h·φ2(hL), a pair for each step kept
	rowsOfBuf  = rowWeights + 2*keptWeights
)

// NewRelaxation prepares the named outputs (or states) for width members in
// lockstep (a multiple of lane.Width). Models with events, delays, comparisons in the rates
// or a mass matrix are refused.
func NewRelaxation(m *Model, outputs []string, width int) (*Relaxation, error) {
	m.g.mu.Lock()
	defer m.g.mu.Unlock()
	if len(m.Events) > 0 || len(m.delays) > 0 || len(m.Mass) > 0 || len(m.discreteNodes()) > 0 || m.relax != nil {
		return nil, fmt.Errorf("a model with events, delays, comparisons or algebraic equations has no relaxation form")
	}
	var exprs []Ref
	for _, name := range outputs {
		id, ok := m.names[name]
		if !ok {
			if i, err := m.stateIndex(name); err == nil {
				id, ok = m.State(i), true
			}
		}
		if !ok {
			return nil, fmt.Errorf("the model has no output %q", name)
		}
		exprs = append(exprs, id)
	}
	r := &Relaxation{Width: width}
	r.keep, r.uses = m.reached(exprs)
	var deriv, diag []Ref
	for _, i := range r.keep {
		deriv = append(deriv, m.deriv[i])
		diag = append(diag, m.g.diff(m.deriv[i], opState, i))
	}
	m.g.reciprocals(deriv)
	s := &System{Model: m}
	c := newCompiler(m, s, 0)
	s.rhs, s.jac, s.outs = c.tape(deriv), c.tape(diag), c.tape(exprs)
	s.pre, s.nReg = c.blocks(c.pre), c.next
	r.fixed = true
	for _, d := range diag {
		r.fixed = r.fixed && c.isFixed(d)
	}
	r.s, r.in = s, newLaneInstance(s, width)
	r.pre, r.outs = newLaneTape(&tape{blocks: s.pre}, width), newLaneTape(&s.outs, width)
	r.buf = make([]float64, rowsOfBuf*len(r.keep)*width)
	r.time = make([]float64, width)
	r.result = make([]float64, len(outputs)*width)
	return r, nil
}

// reached lists the states and parameters the expressions rest on, through the
// rates.
func (m *Model) reached(exprs []Ref) (states, params []int) {
	need, used := make([]bool, len(m.States)), make([]bool, len(m.Params))
	seen := map[Ref]bool{}
	var visit func(Ref)
	visit = func(id Ref) {
		if seen[id] {
			return
		}
		seen[id] = true
		switch n := m.g.nodes[id]; n.op {
		case opState:
			need[n.a] = true
			visit(m.deriv[n.a])
		case opParam:
			used[n.a] = true
		}
		m.g.operands(id, visit)
	}
	for _, id := range exprs {
		visit(id)
	}
	return indices(need), indices(used)
}

func indices(set []bool) (out []int) {
	for i, in := range set {
		if in {
			out = append(out, i)
		}
	}
	return out
}

// Uses lists the parameters the outputs rest on, ascending.
func (r *Relaxation) Uses() []int { return r.uses }

// Params returns the row of a parameter, one value a lane, to be written
// before Begin.
func (r *Relaxation) Params(i int) []float64 {
	at := (int(r.s.pAt) + i) * r.Width
	return r.in.reg[at : at+r.Width]
}

// Begin puts every lane at time 0 with the given start values of all states (a
// row a state, as kinetics.Model.States).
func (r *Relaxation) Begin(initial func(state int, row []float64)) {
	for k, i := range r.keep {
		initial(i, r.row(rowY, k))
	}
	clear(r.time)
	for i := range r.s.Model.Inputs {
		clear(r.input(i))
	}
	r.changed()
}

func (r *Relaxation) input(i int) []float64 {
	at := (int(r.s.iAt) + i) * r.Width
	return r.in.reg[at : at+r.Width]
}

// SetInput sets an input of every lane.
func (r *Relaxation) SetInput(i int, v []float64) { copy(r.input(i), v); r.changed() }

func (r *Relaxation) changed() { r.fresh = true; r.in.run(&r.pre) }

func (r *Relaxation) row(kind, k int) []float64 {
	at := (kind*len(r.keep) + k) * r.Width
	return r.buf[at : at+r.Width]
}

func (r *Relaxation) rows(kind int) []float64 {
	n := len(r.keep) * r.Width
	return r.buf[kind*n : (kind+1)*n]
}

// load puts states into the registers.
func (r *Relaxation) load(kind int) {
	copy(r.in.reg[int(r.s.tAt)*r.Width:], r.time)
	for k, i := range r.keep {
		copy(r.in.reg[(int(r.s.yAt)+i)*r.Width:][:r.Width], r.row(kind, k))
	}
}

func (r *Relaxation) rates(from, to int) {
	r.load(from)
	r.in.run(&r.in.rhs)
	r.copyOut(&r.in.rhs, r.rows(to))
}

func (r *Relaxation) copyOut(t *laneTape, out []float64) {
	w := r.Width
	for _, o := range t.runs {
		copy(out[o.out*w:][:o.n*w], r.in.reg[o.reg*w:])
	}
}

// Step advances every lane by h.
func (r *Relaxation) Step(h float64) {
	r.rates(rowY, rowF)
	if !r.fixed || r.fresh {
		r.diagonal()
	}
	p1, p2 := r.weigh(h)
	r.combine(lane.OpMul, rowD, p1, rowF)
	r.combine(lane.OpAdd, rowA, rowY, rowD)
	for l := range r.time {
		r.time[l] += h
	}
	r.rates(rowA, rowG)
	r.combine(lane.OpSub, rowG, rowG, rowF)
	r.combine(lane.OpMul, rowD, rowD, rowL)
	r.combine(lane.OpSub, rowG, rowG, rowD)
	r.combine(lane.OpMul, rowG, rowG, p2)
	r.combine(lane.OpAdd, rowY, rowA, rowG)
}

// combine is dst = a op b over whole rows.
func (r *Relaxation) combine(k lane.Kind, dst, a, b int) {
	n := int32(len(r.keep) * r.Width)
	lane.Run(k, r.buf, []lane.Instr{{Dst: int32(dst) * n, A: int32(a) * n, B: int32(b) * n, C: 0}}, int(n))
}

// diagonal reads the diagonal of the Jacobian; weights of another one are
// forgotten.
func (r *Relaxation) diagonal() {
	r.fresh = false
	r.in.run(&r.in.jac)
	l := r.rows(rowA) // free at this point
	r.copyOut(&r.in.jac, l)
	if !slices.Equal(l, r.rows(rowL)) {
		copy(r.rows(rowL), l)
		r.known = r.known[:0]
	}
}

// weigh returns the rows of the weights of a step.
func (r *Relaxation) weigh(h float64) (p1, p2 int) {
	k := slices.Index(r.known, h)
	if k < 0 {
		if len(r.known) == keptWeights {
			r.known = r.known[:0]
		}
		k = len(r.known)
		r.known = append(r.known, h)
		r.weights(h, r.rows(rowWeights+2*k), r.rows(rowWeights+2*k+1))
	}
	return rowWeights + 2*k, rowWeights + 2*k + 1
}

// weights sets h·φ1(hL) and h·φ2(hL) for L <= 0; φ1(z) = (eᶻ-1)/z and φ2(z) =
// (φ1(z)-1)/z, by their series near 0.
func (r *Relaxation) weights(h float64, p1, p2 []float64) {
	for i, v := range r.rows(rowL) {
		z := h * v
		if math.Abs(z) < 1e-3 {
			p1[i] = h * (1 + z/2*(1+z/3*(1+z/4)))
			p2[i] = h * (1 + z/3*(1+z/4*(1+z/5))) / 2
			continue
		}
		inv := 1 / z
		f := -inv
		if z > -40 {
			f = (lane.Exp(z) - 1) * inv
		}
		p1[i], p2[i] = h*f, h*(f-1)*inv
	}
}

// Outputs returns the named outputs now, a row of lanes each; the slice belongs
// to the Relaxation.
func (r *Relaxation) Outputs() []float64 {
	r.load(rowY)
	r.in.run(&r.outs)
	r.copyOut(&r.outs, r.result)
	return r.result
}
