package kinetics

import (
	"slices"

	"github.com/myoaxis/myoaxis/internal/lane"
)

// instr is one operation of a tape: reg[dst] = op(reg[a], reg[b], reg[c]).
type instr struct{ dst, a, b, c int32 }

// block is a run of independent operations of one kind, so that the tape
// branches once a block and not once an operation.
type block struct {
	op   Op
	code []instr
}

// tape computes some nodes of the graph. Registers begin with constants,
// parameters, inputs and modes, which change only between steps, then delayed
// values, time and states.
type tape struct {
	blocks []block
	out    []int32
}

// compiler gives each node a register. Nodes that depend on parameters,
// inputs and modes only go to the pre tape, run when those change.
type compiler struct {
	g     *graph
	s     *System
	reg   map[Ref]int32
	fixed map[Ref]bool
	next  int32
	pre   []Ref
	inPre map[Ref]bool
}

func newCompiler(m *Model, s *System, modes int) *compiler {
	c := &compiler{g: m.g, s: s, reg: map[Ref]int32{}, fixed: map[Ref]bool{}, inPre: map[Ref]bool{}}
	s.pAt = 0
	s.iAt = s.pAt + int32(len(m.Params))
	s.mAt = s.iAt + int32(len(m.Inputs))
	s.dAt = s.mAt + int32(modes)
	s.tAt = s.dAt + int32(len(m.delays))
	s.yAt = s.tAt + 1
	c.next = s.yAt + int32(len(m.States))
	for id, n := range m.g.nodes {
		if n.op == opConst {
			c.reg[Ref(id)] = c.next
			s.consts = append(s.consts, n.v)
			c.next++
		}
	}
	return c
}

// register gives the place of a node whose operands have theirs.
func (c *compiler) register(id Ref) int32 {
	if r, ok := c.reg[id]; ok {
		return r
	}
	n := c.g.nodes[id]
	var r int32
	switch n.op {
	case opParam:
		r = c.s.pAt + int32(n.a)
	case opInput:
		r = c.s.iAt + int32(n.a)
	case opMode:
		r = c.s.mAt + int32(n.a)
	case opDelay:
		r = c.s.dAt + int32(n.a)
	case opTime:
		r = c.s.tAt
	case opState:
		r = c.s.yAt + int32(n.a)
	default:
		r = c.next
		c.next++
	}
	c.reg[id] = r
	return r
}

// isFixed tells whether a node changes between steps only.
func (c *compiler) isFixed(id Ref) bool {
	if f, ok := c.fixed[id]; ok {
		return f
	}
	n := c.g.nodes[id]
	f := n.op == opConst || n.op == opParam || n.op == opInput || n.op == opMode
	if !n.op.leaf() {
		f = true
		c.g.operands(id, func(a Ref) { f = f && c.isFixed(a) })
	}
	c.fixed[id] = f
	return f
}

// tape lists the operations for the given nodes, but for those of the pre tape.
func (c *compiler) tape(ids []Ref) tape {
	var t tape
	var todo []Ref
	for _, id := range ids { // results side by side, so that they are copied at once
		c.register(id)
	}
	c.g.reach(ids, func(id Ref) {
		c.register(id)
		switch {
		case c.g.nodes[id].op.leaf():
		case !c.isFixed(id):
			todo = append(todo, id)
		case !c.inPre[id]:
			c.inPre[id] = true
			c.pre = append(c.pre, id)
		}
	})
	for _, id := range ids {
		t.out = append(t.out, c.reg[id])
	}
	t.blocks = c.blocks(todo)
	return t
}

// live is a tape that computes everything itself, for use before the pre tape
// has run.
func (c *compiler) live(ids []Ref) tape {
	var t tape
	var todo []Ref
	c.g.reach(ids, func(id Ref) {
		c.register(id)
		if !c.g.nodes[id].op.leaf() {
			todo = append(todo, id)
		}
	})
	for _, id := range ids {
		t.out = append(t.out, c.reg[id])
	}
	t.blocks = c.blocks(todo)
	return t
}

// blocks orders operations so that those of one kind that are ready together
// stand together; of several kinds the one with most ready operations goes
// first.
func (c *compiler) blocks(todo []Ref) (out []block) {
	waits := map[Ref]int{}
	users := map[Ref][]Ref{}
	for _, id := range todo {
		waits[id] = 0
	}
	var ready [opCount][]Ref
	for _, id := range todo {
		c.g.operands(id, func(a Ref) {
			if _, in := waits[a]; in {
				waits[id]++
				users[a] = append(users[a], id)
			}
		})
		if waits[id] == 0 {
			o := c.g.nodes[id].op
			ready[o] = append(ready[o], id)
		}
	}
	for left := len(todo); left > 0; {
		best := Op(0)
		for o := range ready {
			if len(ready[o]) > len(ready[best]) {
				best = Op(o)
			}
		}
		now := ready[best]
		ready[best] = nil
		slices.Sort(now)
		bl := block{op: best}
		for _, id := range now {
			bl.code = append(bl.code, c.instr(id))
			for _, u := range users[id] {
				if waits[u]--; waits[u] == 0 {
					o := c.g.nodes[u].op
					ready[o] = append(ready[o], u)
				}
			}
		}
		left -= len(now)
		out = append(out, bl)
	}
	return out
}

func (c *compiler) instr(id Ref) instr {
	n := c.g.nodes[id]
	i := instr{c.reg[id], c.reg[n.a], c.reg[n.a], c.reg[n.a]}
	if !n.op.unary() {
		i.b, i.c = c.reg[n.b], c.reg[n.b]
	}
	if n.op == Select {
		i.c = c.reg[n.c]
	}
	return i
}

// Instance holds the registers of one run. It is not safe for concurrent use.
type Instance struct {
	s   *System
	reg []float64
	// delayed fills the registers of delayed values; nil where there are none.
	delayed func(t float64, y []float64)
}

// NewInstance prepares a run with default parameters and inputs at zero.
func (s *System) NewInstance() *Instance {
	in := &Instance{s: s, reg: make([]float64, s.nReg)}
	copy(in.reg[int(s.yAt)+len(s.Model.States):], s.consts)
	in.SetParams(s.Model.Values())
	return in
}

// SetParams sets every parameter.
func (in *Instance) SetParams(p []float64) {
	copy(in.reg[in.s.pAt:in.s.iAt], p)
	run(in.s.pre, in.reg)
}

// SetInput sets one input.
func (in *Instance) SetInput(i int, v float64) {
	in.reg[in.s.iAt+int32(i)] = v
	run(in.s.pre, in.reg)
}

// setInput is SetInput before the pre tape is run.
func (in *Instance) setInput(i int, v float64) { in.reg[in.s.iAt+int32(i)] = v }

// clearInputs sets every input to zero.
func (in *Instance) clearInputs() { clear(in.reg[in.s.iAt:in.s.mAt]) }

func (in *Instance) params() []float64 { return in.reg[in.s.pAt:in.s.iAt] }
func (in *Instance) modes() []float64  { return in.reg[in.s.mAt:in.s.dAt] }

func (in *Instance) load(t float64, y []float64) {
	in.reg[in.s.tAt] = t
	copy(in.reg[in.s.yAt:], y)
	if in.delayed != nil {
		in.delayed(t, y)
	}
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
		case Add:
			for _, c := range code {
				r[c.dst] = r[c.a] + r[c.b]
			}
		case Sub:
			for _, c := range code {
				r[c.dst] = r[c.a] - r[c.b]
			}
		case Mul:
			for _, c := range code {
				r[c.dst] = r[c.a] * r[c.b]
			}
		case Div:
			for _, c := range code {
				r[c.dst] = r[c.a] / r[c.b]
			}
		case Exp:
			for _, c := range code {
				r[c.dst] = lane.Exp(r[c.a])
			}
		default:
			for _, c := range code {
				r[c.dst] = apply(blocks[i].op, r[c.a], r[c.b], r[c.c])
			}
		}
	}
}
