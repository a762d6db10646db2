package kinetics

// instr is one operation of a tape: reg[dst] = op(reg[a], reg[b]).
type instr struct{ dst, a, b int32 }

// block is a run of independent operations of one kind, so that the tape
// branches once a block and not once an operation.
type block struct {
	op   op
	code []instr
}

// tape computes some nodes of the graph. Registers begin with constants,
// parameters and inputs, which change only between stops, then time and
// states.
type tape struct {
	blocks []block
	out    []int32
}

// System is a compiled model, safe for concurrent use; each run needs its own
// Instance.
type System struct {
	Model   *Model
	Pattern [][2]int // non-zero Jacobian entries (row, column)
	TimeDep bool     // whether the right-hand side depends on t between stops

	consts                  []float64
	nReg                    int32
	pAt, iAt, tAt, yAt      int32
	pre, rhs, jac, ft, outs tape
}

// Compile turns a model into tapes: right-hand side, Jacobian, time derivative
// and outputs. What depends on parameters alone is computed once per Instance.
func Compile(m *Model) *System {
	s := &System{Model: m}
	var jac, ft []int
	for i, d := range m.deriv {
		for j := range m.States {
			e := m.g.diff(d, opState, j)
			if m.g.isConst(e, 0) {
				continue
			}
			s.Pattern = append(s.Pattern, [2]int{i, j})
			jac = append(jac, e)
		}
		e := m.g.diff(d, opTime, 0)
		s.TimeDep = s.TimeDep || !m.g.isConst(e, 0)
		ft = append(ft, e)
	}
	var outs []int
	for _, o := range m.Outputs {
		outs = append(outs, o.expr)
	}
	for _, f := range m.Fluxes {
		outs = append(outs, f.expr)
	}
	c := newCompiler(m, s)
	s.rhs = c.tape(m.deriv)
	s.jac = c.tape(jac)
	s.ft = c.tape(ft)
	s.outs = c.tape(outs)
	s.pre.blocks = c.blocks(c.pre)
	s.nReg = c.next
	return s
}

// compiler gives each node a register. Nodes that depend on parameters and
// inputs only go to the pre tape, run when those change.
type compiler struct {
	g      *graph
	s      *System
	reg    map[int]int32
	fixed  map[int]bool
	next   int32
	pre    []int
	preHas map[int]bool
}

func newCompiler(m *Model, s *System) *compiler {
	c := &compiler{g: m.g, s: s, reg: map[int]int32{}, fixed: map[int]bool{}, preHas: map[int]bool{}}
	for id, n := range m.g.nodes {
		if n.op == opConst {
			c.reg[id] = c.next
			s.consts = append(s.consts, n.v)
			c.next++
		}
	}
	s.pAt = c.next
	s.iAt = s.pAt + int32(len(m.Params))
	s.tAt = s.iAt + int32(len(m.Inputs))
	s.yAt = s.tAt + 1
	c.next = s.yAt + int32(len(m.States))
	for id, n := range m.g.nodes {
		switch n.op {
		case opConst:
			c.fixed[id] = true
		case opParam:
			c.reg[id], c.fixed[id] = s.pAt+int32(n.a), true
		case opInput:
			c.reg[id], c.fixed[id] = s.iAt+int32(n.a), true
		case opTime:
			c.reg[id] = s.tAt
		case opState:
			c.reg[id] = s.yAt + int32(n.a)
		default:
			c.fixed[id] = c.fixed[n.a] && (isUnary(n.op) || c.fixed[n.b])
			c.reg[id] = c.next
			c.next++
		}
	}
	return c
}

func isUnary(o op) bool { return o == opNeg || o == opExp || o == opLog || o == opSqrt }

// tape lists the operations for the given nodes in order.
func (c *compiler) tape(ids []int) tape {
	var t tape
	var todo []int
	have := map[int]bool{}
	var visit func(id int)
	visit = func(id int) {
		n := c.g.nodes[id]
		if n.op <= opTime || have[id] || c.preHas[id] {
			return
		}
		have[id] = true
		visit(n.a)
		if !isUnary(n.op) {
			visit(n.b)
		}
		if c.fixed[id] {
			c.pre, c.preHas[id] = append(c.pre, id), true
		} else {
			todo = append(todo, id)
		}
	}
	for _, id := range ids {
		visit(id)
		t.out = append(t.out, c.reg[id])
	}
	t.blocks = c.blocks(todo)
	return t
}

// blocks orders operations so that those of one kind that are ready together
// stand together; of several kinds the one with most ready operations goes
// first.
func (c *compiler) blocks(todo []int) (out []block) {
	waiting := map[int]bool{}
	for _, id := range todo {
		waiting[id] = true
	}
	ready := func(id int) bool {
		n := c.g.nodes[id]
		return !waiting[n.a] && (isUnary(n.op) || !waiting[n.b])
	}
	for len(todo) > 0 {
		var count [opStep + 1]int
		best := op(0)
		for _, id := range todo {
			if ready(id) {
				o := c.g.nodes[id].op
				if count[o]++; count[o] > count[best] {
					best = o
				}
			}
		}
		var now, later []int
		for _, id := range todo {
			if c.g.nodes[id].op == best && ready(id) {
				now = append(now, id)
			} else {
				later = append(later, id)
			}
		}
		bl := block{op: best}
		for _, id := range now {
			n := c.g.nodes[id]
			b := n.a
			if !isUnary(n.op) {
				b = n.b
			}
			bl.code = append(bl.code, instr{c.reg[id], c.reg[n.a], c.reg[b]})
			delete(waiting, id)
		}
		out = append(out, bl)
		todo = later
	}
	return out
}

// Instance holds the registers of one run. It is not safe for concurrent use.
type Instance struct {
	s   *System
	reg []float64
}

// NewInstance prepares a run with default parameters and inputs at zero.
func (s *System) NewInstance() *Instance {
	in := &Instance{s, make([]float64, s.nReg)}
	copy(in.reg, s.consts)
	in.SetParams(s.Model.Values())
	return in
}

// SetParams sets every parameter.
func (in *Instance) SetParams(p []float64) {
	copy(in.reg[in.s.pAt:in.s.iAt], p)
	run(in.s.pre.blocks, in.reg)
}

// SetInput sets one input.
func (in *Instance) SetInput(i int, v float64) {
	in.reg[in.s.iAt+int32(i)] = v
	run(in.s.pre.blocks, in.reg)
}

func (in *Instance) load(t float64, y []float64) {
	in.reg[in.s.tAt] = t
	copy(in.reg[in.s.yAt:], y)
}

func (in *Instance) eval(tp *tape, t float64, y, out []float64) {
	in.load(t, y)
	run(tp.blocks, in.reg)
	for i, r := range tp.out {
		out[i] = in.reg[r]
	}
}

// F is the right-hand side.
func (in *Instance) F(t float64, y, dy []float64) { in.eval(&in.s.rhs, t, y, dy) }

// Jac writes the Jacobian in the order of Pattern.
func (in *Instance) Jac(t float64, y, v []float64) { in.eval(&in.s.jac, t, y, v) }

// Ft is the partial derivative of the right-hand side in time.
func (in *Instance) Ft(t float64, y, v []float64) { in.eval(&in.s.ft, t, y, v) }

// Outputs writes the outputs and, behind them, the fluxes.
func (in *Instance) Outputs(t float64, y, v []float64) { in.eval(&in.s.outs, t, y, v) }

func run(blocks []block, r []float64) {
	for i := range blocks {
		code := blocks[i].code
		switch blocks[i].op {
		case opAdd:
			for _, c := range code {
				r[c.dst] = r[c.a] + r[c.b]
			}
		case opSub:
			for _, c := range code {
				r[c.dst] = r[c.a] - r[c.b]
			}
		case opMul:
			for _, c := range code {
				r[c.dst] = r[c.a] * r[c.b]
			}
		case opDiv:
			for _, c := range code {
				r[c.dst] = r[c.a] / r[c.b]
			}
		default:
			for _, c := range code {
				r[c.dst] = apply(blocks[i].op, r[c.a], r[c.b])
			}
		}
	}
}
