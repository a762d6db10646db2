package sbml

import (
	"math"

	"github.com/myoaxis/myoaxis/formula"
	"github.com/myoaxis/myoaxis/kinetics"
)

// matchAlgebraic finds which variable each algebraic rule fixes: variables that
// nothing else sets are matched to the rules they occur in (Kuhn's algorithm),
// those that events set only where nothing else is left. It returns the index
// of the rule by variable.
func matchAlgebraic(m *Model) (map[string]int, error) {
	any := false
	for _, r := range m.Rules {
		any = any || r.Kind == Algebraic && r.Math != nil
	}
	if !any {
		return nil, nil
	}
	b, err := newBuilder(m, nil)
	if err != nil {
		return nil, err
	}
	g := &matching{owner: map[string]int{}, candidates: map[int][]string{}, b: b}
	for i, r := range m.Rules {
		if r.Kind != Algebraic || r.Math == nil {
			continue
		}
		if _, err := (env{b: b}).expr(r.Math); err != nil {
			return nil, err
		}
		g.candidates[i] = b.free(r.Math)
		g.rules = append(g.rules, i)
	}
	for _, events := range []bool{false, true} {
		for _, i := range g.rules {
			if !g.matched(i) {
				g.augment(i, events, map[string]bool{})
			}
		}
	}
	for _, i := range g.rules {
		r := m.Rules[i]
		if !g.matched(i) {
			return nil, invalid(&r.Base, "algebraicRule", "the model is over-determined: nothing is free to satisfy this rule")
		}
	}
	if m.Level == 1 { // knows no constants, so that every symbol looks free
		return g.owner, nil
	}
	return g.owner, g.ambiguous(m)
}

// matching is a bipartite matching of rules and variables.
type matching struct {
	b          *builder
	rules      []int
	candidates map[int][]string
	owner      map[string]int
}

func (g *matching) matched(rule int) bool {
	for _, r := range g.owner {
		if r == rule {
			return true
		}
	}
	return false
}

func (g *matching) augment(rule int, events bool, seen map[string]bool) bool {
	for _, id := range g.candidates[rule] {
		if seen[id] || g.b.ids[id].assigned && !events {
			continue
		}
		seen[id] = true
		other, taken := g.owner[id]
		if !taken || g.augment(other, events, seen) {
			g.owner[id] = rule
			return true
		}
	}
	return false
}

// ambiguous finds a rule that could as well fix another variable, with nothing
// to tell which is meant.
func (g *matching) ambiguous(m *Model) error {
	for _, i := range g.rules {
		for _, id := range g.candidates[i] {
			s := g.b.ids[id]
			if _, taken := g.owner[id]; !taken && !s.assigned {
				r := m.Rules[i]
				return invalid(&r.Base, "algebraicRule", "the model is under-determined: the rule could fix %s as well as another variable", id).WithHint("make one of them constant")
			}
		}
	}
	return nil
}

// free lists the variables that an expression names, itself or through rules
// and rate laws, and that nothing sets; species come first, sizes last.
func (b *builder) free(e *formula.Expr) (out []string) {
	used := map[*symbol]bool{}
	var visit func(x *formula.Expr)
	visit = func(x *formula.Expr) {
		s, ok := b.ids[x.Name]
		if x.Kind != formula.Symbol || !ok || used[s] {
			return
		}
		used[s] = true
		if s.assignment != nil {
			s.assignment.Math.Walk(visit)
		}
		if s.reaction != nil && s.reaction.Law != nil && s.reaction.Law.Math != nil {
			s.reaction.Law.Math.Walk(visit)
		}
	}
	e.Walk(visit)
	for _, kind := range []symbolKind{speciesSymbol, referenceSymbol, parameterSymbol, compartmentSymbol} {
		for _, s := range b.order {
			if s.kind == kind && used[s] && s.param >= 0 && !s.constant {
				out = append(out, s.base.ID)
			}
		}
	}
	return out
}

// residual is an algebraic rule with the variable it fixes.
type residual struct {
	s       *symbol
	ref     kinetics.Ref // in the run
	atBegin kinetics.Ref
}

// algebraic builds the algebraic rules and solves those that are linear in
// their variable; the others are returned.
func (b *builder) algebraic() ([]residual, error) {
	var all []residual
	for _, s := range b.order {
		if !s.unknown {
			continue
		}
		rule := b.m.Rules[b.unknowns[s.base.ID]]
		x, err := env{b: b}.expr(rule.Math)
		if err != nil {
			return nil, err
		}
		y, err := env{b: b, phase: starting}.expr(rule.Math)
		if err != nil {
			return nil, err
		}
		all = append(all, residual{s, x, y})
	}
	left := b.eliminate(all, b.solved, func(r residual) kinetics.Ref { return r.ref })
	b.eliminate(all, b.solvedBegin, func(r residual) kinetics.Ref { return r.atBegin })
	for _, r := range left {
		b.nonlinear = append(b.nonlinear, r.s)
	}
	return left, nil
}

// eliminate solves r = 0 for one variable after the other where the derivative
// of r is free of it, and puts the solutions into the rest.
func (b *builder) eliminate(all []residual, solved map[kinetics.Ref]kinetics.Ref, side func(residual) kinetics.Ref) (left []residual) {
	put := func(x kinetics.Ref, swap map[kinetics.Ref]kinetics.Ref) kinetics.Ref {
		return b.k.Substitute(x, map[kinetics.Ref]kinetics.Ref{}, swap)
	}
	left = all
	for progress := true; progress; {
		progress = false
		var later []residual
		for _, r := range left {
			x := put(side(r), solved)
			z := b.k.ParamRef(r.s.param)
			slope := b.k.ByParam(x, r.s.param)
			v, constant := b.k.Value(slope)
			inSlope := false
			b.k.Leaves(slope, func(int) {}, func(p int) { inSlope = inSlope || p == r.s.param }, func(int) {})
			if inSlope || constant && (v == 0 || math.IsNaN(v)) {
				later = append(later, r)
				continue
			}
			rest := put(x, map[kinetics.Ref]kinetics.Ref{z: b.k.Const(0)})
			solution := b.k.Op(kinetics.Neg, b.k.Op(kinetics.Div, rest, slope))
			for w, old := range solved {
				solved[w] = put(old, map[kinetics.Ref]kinetics.Ref{z: solution})
			}
			solved[z] = solution
			progress = true
		}
		left = later
	}
	return left
}

// finish puts solved unknowns into the model and makes the others algebraic
// states.
func (b *builder) finish(left []residual) {
	swap := map[kinetics.Ref]kinetics.Ref{}
	for _, r := range left {
		guess := r.s.start
		if math.IsNaN(guess) {
			guess = 1 // where Newton's method begins
		}
		z := b.k.AddState(kinetics.State{Name: r.s.base.ID, Init: guess, Line: r.s.base.Line})
		r.s.state = len(b.k.States) - 1
		b.k.SetRate(r.s.state, r.ref)
		swap[b.k.ParamRef(r.s.param)] = z
		if r.s.initial != nil || !math.IsNaN(r.s.conc) {
			if v, err := b.amountOrValue(r.s); err == nil {
				b.k.SetStateInitial(r.s.state, v)
			}
		}
	}
	if len(left) > 0 {
		b.massRows(left)
	}
	if len(swap)+len(b.solved) == 0 {
		return
	}
	memo, memoSolved, memoBegin := map[kinetics.Ref]kinetics.Ref{}, map[kinetics.Ref]kinetics.Ref{}, map[kinetics.Ref]kinetics.Ref{}
	b.k.Rewrite(func(r kinetics.Ref) kinetics.Ref {
		return b.k.Substitute(b.k.Substitute(r, memoSolved, b.solved), memo, swap)
	}, func(r kinetics.Ref) kinetics.Ref { return b.k.Substitute(r, memoBegin, b.solvedBegin) })
}

func (b *builder) amountOrValue(s *symbol) (kinetics.Ref, error) {
	if s.kind == speciesSymbol {
		return b.amountOf(s, starting)
	}
	return b.valueOf(s, starting)
}

// massRows gives every state but the algebraic ones a row of the identity.
func (b *builder) massRows(algebraic []residual) {
	b.k.Mass = []kinetics.MassEntry{}
	for i := range len(b.k.States) - len(algebraic) {
		b.k.Mass = append(b.k.Mass, kinetics.MassEntry{Row: i, Col: i, V: 1})
	}
}
