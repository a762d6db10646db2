package ode

import "github.com/myoaxis/myoaxis/internal/lane"

// laneLU factorises W = shift·I - J for all lanes: the elimination over the
// pattern, found once, is a list of operations on registers. W = L·D·U with
// units on the diagonals of L and U, so that a solution is three blocks.
type laneLU struct {
	w      int
	reg    []float64
	nnz    int32 // registers: the filled matrix, 1/D, shift, one, zero, the right-hand side
	inv    int32
	shift  int32
	one    int32
	rhs    int32
	jacAt  int32
	blocks []laneBlock // assembly and factorisation
	lower  []lane.Instr
	scale  []lane.Instr
	upper  []lane.Instr
}

type laneBlock struct {
	kind lane.Kind
	code []lane.Instr
}

func newLaneLU(p LaneProblem) *laneLU {
	f := newLU(Problem{N: p.N, Pattern: p.Pattern})
	n := int32(p.N)
	u := &laneLU{w: p.W, nnz: int32(len(f.cols))}
	u.inv = u.nnz
	u.shift = u.inv + n
	u.one, u.rhs = u.shift+1, u.shift+2
	u.jacAt = u.rhs + n
	u.reg = make([]float64, int(u.jacAt+int32(len(p.Pattern)))*p.W)
	for l := range p.W {
		u.reg[int(u.one)*p.W+l] = 1
	}
	u.assemble(f)
	u.eliminate(f)
	for i := range f.n {
		b := u.rhs + int32(f.order[i])
		for k := f.rowStart[i]; k < f.diag[i]; k++ {
			u.lower = append(u.lower, lane.Instr{Dst: b, A: int32(k), B: u.rhs + int32(f.order[f.cols[k]])})
		}
		u.scale = append(u.scale, lane.Instr{Dst: b, A: b, B: u.inv + int32(i)})
	}
	for i := f.n - 1; i >= 0; i-- {
		b := u.rhs + int32(f.order[i])
		for k := f.diag[i] + 1; k < f.rowStart[i+1]; k++ {
			u.upper = append(u.upper, lane.Instr{Dst: b, A: int32(k), B: u.rhs + int32(f.order[f.cols[k]])})
		}
	}
	for _, c := range append([][]lane.Instr{u.lower, u.scale, u.upper}, u.codes()...) {
		for i := range c { // from registers to places
			c[i].Dst, c[i].A, c[i].B = c[i].Dst*int32(p.W), c[i].A*int32(p.W), c[i].B*int32(p.W)
		}
	}
	return u
}

func (u *laneLU) codes() (out [][]lane.Instr) {
	for _, b := range u.blocks {
		out = append(out, b.code)
	}
	return out
}

func (u *laneLU) add(kind lane.Kind, code ...lane.Instr) {
	if len(code) == 0 {
		return
	}
	if n := len(u.blocks); n > 0 && u.blocks[n-1].kind == kind {
		u.blocks[n-1].code = append(u.blocks[n-1].code, code...)
		return
	}
	u.blocks = append(u.blocks, laneBlock{kind, code})
}

// assemble writes shift·I - J into the filled matrix, which was cleared.
func (u *laneLU) assemble(f *lu) {
	var diag, off []lane.Instr
	for _, d := range f.diag {
		diag = append(diag, lane.Instr{Dst: int32(d), A: int32(d), B: u.shift})
	}
	for k, s := range f.slot {
		off = append(off, lane.Instr{Dst: int32(s), A: int32(s), B: u.jacAt + int32(k)})
	}
	u.add(lane.OpAdd, diag...)
	u.add(lane.OpSub, off...)
}

// eliminate goes pivot by pivot: multipliers, then all updates.
func (u *laneLU) eliminate(f *lu) {
	for j := range f.n {
		u.add(lane.OpDiv, lane.Instr{Dst: u.inv + int32(j), A: u.one, B: int32(f.diag[j])})
		var mul, upd, unit []lane.Instr
		for i := j + 1; i < f.n; i++ {
			k := f.find(i, j)
			if k < 0 {
				continue
			}
			mul = append(mul, lane.Instr{Dst: int32(k), A: int32(k), B: u.inv + int32(j)})
			for q := f.diag[j] + 1; q < f.rowStart[j+1]; q++ {
				upd = append(upd, lane.Instr{Dst: int32(f.find(i, f.cols[q])), A: int32(k), B: int32(q)})
			}
		}
		for q := f.diag[j] + 1; q < f.rowStart[j+1]; q++ {
			unit = append(unit, lane.Instr{Dst: int32(q), A: int32(q), B: u.inv + int32(j)})
		}
		u.add(lane.OpMul, mul...)
		u.add(lane.OpFnma, upd...)
		u.add(lane.OpMul, unit...)
	}
}

// find is the place of an entry of the filled matrix, -1 where it is zero.
func (f *lu) find(row, col int) int {
	for k := f.rowStart[row]; k < f.rowStart[row+1]; k++ {
		if f.cols[k] == col {
			return k
		}
	}
	return -1
}

func (u *laneLU) factorise(shift, jac []float64) {
	w := u.w
	clear(u.reg[:int(u.nnz)*w])
	copy(u.reg[int(u.shift)*w:], shift[:w])
	copy(u.reg[int(u.jacAt)*w:], jac)
	for _, b := range u.blocks {
		lane.Run(b.kind, u.reg, b.code, w)
	}
}

// solve overwrites b with the solution of W x = b.
func (u *laneLU) solve(b []float64) {
	r := u.reg[int(u.rhs)*u.w:][:len(b)]
	copy(r, b)
	lane.Run(lane.OpFnma, u.reg, u.lower, u.w)
	lane.Run(lane.OpMul, u.reg, u.scale, u.w)
	lane.Run(lane.OpFnma, u.reg, u.upper, u.w)
	copy(b, r)
}
