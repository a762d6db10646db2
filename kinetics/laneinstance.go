package kinetics

import "github.com/myoaxis/myoaxis/internal/lane"

// laneKinds are the operations with kernels; Gt and Ge are Lt and Le with their
// operands exchanged.
var laneKinds = map[Op]lane.Kind{Add: lane.OpAdd, Sub: lane.OpSub, Mul: lane.OpMul, Div: lane.OpDiv, Max: lane.OpMax, Min: lane.OpMin, Pow: lane.OpPow,
	Lt: lane.OpLt, Le: lane.OpLe, Gt: lane.OpLt, Ge: lane.OpLe, Neg: lane.OpNeg, Sqrt: lane.OpSqrt, Exp: lane.OpExp, Log: lane.OpLog, Select: lane.OpSelect}

// laneBlock is a block for lanes; op is used where there is no kernel.
type laneBlock struct {
	op      Op
	kernel  bool
	kind    lane.Kind
	code    []lane.Instr
	general []instr
}

type laneTape struct {
	blocks []laneBlock
	out    []int32
	runs   []outRun
}

// outRun is a run of outputs that stand side by side among the registers.
type outRun struct{ reg, out, n int }

func newLaneTape(t *tape, w int) laneTape {
	lt := laneTape{out: t.out}
	for i, r := range t.out {
		if k := len(lt.runs) - 1; k >= 0 && lt.runs[k].reg+lt.runs[k].n == int(r) {
			lt.runs[k].n++
		} else {
			lt.runs = append(lt.runs, outRun{int(r), i, 1})
		}
	}
	for _, b := range t.blocks {
		lb := laneBlock{op: b.op, general: b.code}
		if lb.kind, lb.kernel = laneKinds[b.op]; lb.kernel {
			for _, c := range b.code {
				i := lane.Instr{Dst: c.dst * int32(w), A: c.a * int32(w), B: c.b * int32(w), C: c.c * int32(w)}
				if b.op == Gt || b.op == Ge {
					i.A, i.B = i.B, i.A
				}
				lb.code = append(lb.code, i)
			}
		}
		lt.blocks = append(lt.blocks, lb)
	}
	return lt
}

// laneInstance holds the registers of w people: register r of person l is at
// r·w + l.
type laneInstance struct {
	s            *System
	w            int
	reg          []float64
	rhs, jac, ft laneTape
	guards       laneTape
}

func newLaneInstance(s *System, w int) *laneInstance {
	in := &laneInstance{s: s, w: w, reg: make([]float64, int(s.nReg)*w), rhs: newLaneTape(&s.rhs, w), jac: newLaneTape(&s.jac, w), ft: newLaneTape(&s.ft, w), guards: newLaneTape(&s.guards, w)}
	at := int(s.yAt) + len(s.Model.States)
	for i, v := range s.consts {
		for l := range w {
			in.reg[(at+i)*w+l] = v
		}
	}
	return in
}

func (in *laneInstance) run(t *laneTape) {
	for i := range t.blocks {
		b := &t.blocks[i]
		if b.kernel {
			lane.Run(b.kind, in.reg, b.code, in.w)
			continue
		}
		for _, c := range b.general {
			for l := range in.w {
				in.reg[int(c.dst)*in.w+l] = apply(b.op, in.reg[int(c.a)*in.w+l], in.reg[int(c.b)*in.w+l], in.reg[int(c.c)*in.w+l])
			}
		}
	}
}

func (in *laneInstance) eval(t *laneTape, time, y, out []float64) {
	w := in.w
	copy(in.reg[int(in.s.tAt)*w:], time)
	copy(in.reg[int(in.s.yAt)*w:], y)
	in.run(t)
	for _, r := range t.runs {
		copy(out[r.out*w:][:r.n*w], in.reg[r.reg*w:])
	}
}

func (in *laneInstance) f(t, y, dy []float64)   { in.eval(&in.rhs, t, y, dy) }
func (in *laneInstance) jacF(t, y, v []float64) { in.eval(&in.jac, t, y, v) }
func (in *laneInstance) ftF(t, y, v []float64)  { in.eval(&in.ft, t, y, v) }

// take copies what a scalar instance holds fixed (parameters, inputs, modes and
// what is computed from them) into the registers of person l.
func (in *laneInstance) take(l int, from *Instance) {
	for r := range in.s.dAt {
		in.reg[int(r)*in.w+l] = from.reg[r]
	}
	for _, b := range in.s.pre {
		for _, c := range b.code {
			in.reg[int(c.dst)*in.w+l] = from.reg[c.dst]
		}
	}
}
