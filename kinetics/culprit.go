package kinetics

import "math"

// culprit writes the innermost part of an expression that is not finite at a
// time and state although its operands are; "" where there is none.
func (r *runner) culprit(root Ref, t float64, y []float64) string {
	if y == nil {
		return ""
	}
	m := r.s.Model
	r.in.load(t, y)
	values := map[Ref]float64{}
	found := None
	m.g.reach([]Ref{root}, func(id Ref) {
		n := m.g.nodes[id]
		var v float64
		switch n.op {
		case opConst:
			v = n.v
		case opParam:
			v = r.in.reg[r.s.pAt+int32(n.a)]
		case opInput:
			v = r.in.reg[r.s.iAt+int32(n.a)]
		case opDelay:
			v = r.in.reg[r.s.dAt+int32(n.a)]
		case opTime:
			v = t
		case opState:
			v = y[n.a]
		default:
			v = apply(n.op, values[n.a], values[n.b], values[n.c])
		}
		values[id] = v
		if found == None && !n.op.leaf() && (math.IsNaN(v) || math.IsInf(v, 0)) {
			found = id
		}
	})
	if found == None {
		return ""
	}
	e, ok := m.Formula(found, Namer{
		Param: func(i int) string { return m.Params[i].Name },
		State: func(i int) string { return m.States[i].Name },
		Input: func(i int) string { return m.Inputs[i].Name },
		Known: func(Ref) (string, bool) { return "", false }})
	if !ok {
		return ""
	}
	if s := e.String(); len(s) <= 120 {
		return s
	}
	return ""
}
