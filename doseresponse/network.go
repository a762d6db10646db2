package doseresponse

import (
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat/distuv"
)

// NetworkArm is an arm of a trial that may compare agents: its effect (a mean,
// a standardised mean, or a log odds) with its sampling variance. Dose 0 of any
// agent is the common reference (placebo, control).
type NetworkArm struct {
	Agent       string
	Dose        float64
	Effect, Var float64
}

// NetworkTrial is a trial of two arms or more.
type NetworkTrial struct {
	ID   string
	Arms []NetworkArm
}

// Network is a dose–response of several agents fitted to all trials together:
// model-based network meta-analysis under consistency (Mawdsley et al. 2016,
// 10.1002/psp4.12091). The relative effects of a trial vary with variance Tau2,
// correlated by 1/2 between arms.
type Network struct {
	Shape    Shape
	Agents   []string
	Scale    []float64 // of dose, for nonlinear shapes, one an agent
	Coef     []float64 // agent after agent
	Cov      *mat.SymDense
	Tau2     float64
	LogLik   float64
	Q        float64 // fixed-effect lack of fit
	QDF      int
	QP       float64
	LackQ    float64 // of the curves against a free effect of every dose
	LackDF   int
	LackP    float64
	Trials   int
	Arms     int
	Level    float64
	perAgent int
	doses    map[string][]float64
}

// ScalePriorSD is the SD of the log of a nonlinear shape's scale around the
// median dose of its agent: a prior (assumed) that keeps agents with one dose in
// bounds, on a scale without a unit, so that the unit of dose cannot matter.
const ScalePriorSD = 1.0

// FitNetwork fits a shape (linear, quadratic, emax, exponential, loglinear).
// Scales are found by maximising the likelihood times their prior.
func FitNetwork(trials []NetworkTrial, shape Shape, method string, level float64) (*Network, error) {
	n := &Network{Shape: shape, Level: level, doses: map[string][]float64{}, perAgent: 1}
	if shape == Quadratic {
		n.perAgent = 2
	}
	if err := n.check(trials); err != nil {
		return nil, err
	}
	form := Form{Shape: shape}
	medians := make([]float64, len(n.Agents))
	for i, a := range n.Agents {
		d := slices.Sorted(slices.Values(n.doses[a]))
		medians[i] = d[len(d)/2]
	}
	n.Scale = slices.Clone(medians)
	if form.Nonlinear() {
		if err := n.maximise(trials, medians, method); err != nil {
			return nil, err
		}
	}
	if err := n.fit(trials, method); err != nil {
		return nil, err
	}
	if form.Nonlinear() {
		if err := n.extend(trials); err != nil {
			return nil, err
		}
	}
	return n, n.lackOfFit(trials)
}

func (n *Network) check(trials []NetworkTrial) error {
	for _, t := range trials {
		if len(t.Arms) < 2 {
			return &ArmError{t.ID, "one arm only"}
		}
		for _, a := range t.Arms {
			if !(a.Dose >= 0) || math.IsInf(a.Dose, 0) || math.IsNaN(a.Effect) || !(a.Var > 0) || math.IsInf(a.Var, 0) {
				return &ArmError{t.ID, fmt.Sprintf("the arm of %s at dose %g cannot be used", a.Agent, a.Dose)}
			}
			n.Arms++
			if a.Dose > 0 {
				n.doses[a.Agent] = append(n.doses[a.Agent], a.Dose)
			}
		}
	}
	for a := range n.doses {
		n.Agents = append(n.Agents, a)
	}
	slices.Sort(n.Agents)
	n.Trials = len(trials)
	if len(n.Agents) == 0 {
		return fmt.Errorf("%w: no arm has a dose above zero", ErrTooFewDoses)
	}
	return nil
}

// design are the contrasts of every trial against its first arm.
func (n *Network) design(trials []NetworkTrial) (y []float64, x *mat.Dense, known *blocks, outer, inner []string) {
	p := len(n.Agents) * n.perAgent
	known = &blocks{}
	var flat []float64
	for i, t := range trials {
		k := len(t.Arms) - 1
		s := mat.NewSymDense(k, nil)
		base := n.row(t.Arms[0])
		for j, a := range t.Arms[1:] {
			row := n.row(a)
			for c := range p {
				row[c] -= base[c]
			}
			flat = append(flat, row...)
			y = append(y, a.Effect-t.Arms[0].Effect)
			outer, inner = append(outer, fmt.Sprint(i)), append(inner, fmt.Sprint(j))
			for l := range j + 1 {
				s.SetSym(j, l, t.Arms[0].Var)
			}
			s.SetSym(j, j, a.Var+t.Arms[0].Var)
		}
		known.add(s)
	}
	return y, mat.NewDense(len(y), p, flat), known, outer, inner
}

// row are the covariates of an arm.
func (n *Network) row(a NetworkArm) []float64 {
	out := make([]float64, len(n.Agents)*n.perAgent)
	if a.Dose == 0 {
		return out
	}
	k := slices.Index(n.Agents, a.Agent)
	form := Form{Shape: n.Shape, Scale: n.Scale[k]}
	if !form.Nonlinear() { // free of the unit of dose
		for j, t := range form.Terms(a.Dose / n.Scale[k]) {
			out[k*n.perAgent+j] = t
		}
		return out
	}
	out[k] = form.Terms(a.Dose)[0]
	return out
}

func (n *Network) model(trials []NetworkTrial, method string) (*synthesis.MultiLevel, error) {
	y, x, known, outer, inner := n.design(trials)
	var names []string
	for _, a := range n.Agents {
		for j := range n.perAgent {
			names = append(names, fmt.Sprintf("%s %d", a, j+1))
		}
	}
	var r synthesis.Random
	m := methods[method]
	if method != "fixed" {
		r.Structured = []synthesis.Structured{{Name: "trial", Outer: outer, Inner: inner, Kind: synthesis.CS, Rho: 0.5}}
	}
	return synthesis.AnalyseMixed(y, known.sampling(), x, names, r, synthesis.MetaOptions{Method: m, Level: n.Level})
}

// maximise finds the scales: BFGS on their logarithms from the median doses,
// the likelihood profiled over everything else.
func (n *Network) maximise(trials []NetworkTrial, medians []float64, method string) error {
	if method != "fixed" {
		method = "ml"
	}
	objective := func(z []float64) float64 {
		penalty := 0.0
		for i := range z {
			if math.Abs(z[i]) > 8 {
				return 1e10 * math.Abs(z[i])
			}
			n.Scale[i] = medians[i] * math.Exp(z[i])
			penalty += z[i] * z[i] / (2 * ScalePriorSD * ScalePriorSD)
		}
		m, err := n.model(trials, method)
		if err != nil {
			return 1e10
		}
		return -m.LogLik + penalty
	}
	gradient := func(g, z []float64) {
		h := 1e-4
		at := slices.Clone(z)
		for i := range z {
			at[i] = z[i] + h
			up := objective(at)
			at[i] = z[i] - h
			g[i] = (up - objective(at)) / (2 * h)
			at[i] = z[i]
		}
	}
	start := make([]float64, len(medians))
	r, err := optimize.Minimize(optimize.Problem{Func: objective, Grad: gradient}, start, &optimize.Settings{GradientThreshold: 1e-5, MajorIterations: 200, Converger: &optimize.FunctionConverge{Absolute: 1e-10, Iterations: 10}}, &optimize.BFGS{})
	if r == nil || r.F >= 1e9 || err != nil && r.Stats.MajorIterations == 0 {
		return fmt.Errorf("%w: scales of dose started at the median doses %.4g", synthesis.ErrNotConverged, medians)
	}
	objective(r.X)
	return nil
}

func (n *Network) fit(trials []NetworkTrial, method string) error {
	m, err := n.model(trials, method)
	if err != nil {
		return err
	}
	n.Coef = nil
	for _, t := range m.Terms {
		n.Coef = append(n.Coef, t.Estimate)
	}
	n.Cov, n.LogLik, n.Q, n.QDF, n.QP = m.Cov, m.LogLik, m.Q, m.QDF, m.QP
	if len(m.G) > 0 {
		n.Tau2 = m.G[0].G.At(0, 0)
	}
	return nil
}

// extend adds the scales to the covariance: the curves are linearised in their
// logarithms, with the prior's precision added.
func (n *Network) extend(trials []NetworkTrial) error {
	p := len(n.Coef)
	_, x, known, outer, _ := n.design(trials)
	k, _ := x.Dims()
	full := mat.NewDense(k, 2*p, nil)
	full.Slice(0, k, 0, p).(*mat.Dense).Copy(x)
	for a := range p {
		h := 1e-5
		s := n.Scale[a]
		n.Scale[a] = s * math.Exp(h)
		_, up, _, _, _ := n.design(trials)
		n.Scale[a] = s * math.Exp(-h)
		_, down, _, _, _ := n.design(trials)
		n.Scale[a] = s
		for i := range k {
			full.Set(i, p+a, n.Coef[a]*(up.At(i, a)-down.At(i, a))/(2*h))
		}
	}
	v := mat.NewSymDense(k, nil)
	for i := range k {
		for j := range i + 1 {
			c := known.At(i, j)
			if outer[i] == outer[j] {
				c += n.Tau2 / 2
			}
			if i == j {
				c += n.Tau2 / 2
			}
			v.SetSym(i, j, c)
		}
	}
	var ch, ci mat.Cholesky
	if !ch.Factorize(v) {
		return synthesis.ErrNotConverged
	}
	var wx, info mat.Dense
	if ch.SolveTo(&wx, full) != nil {
		return synthesis.ErrNotConverged
	}
	info.Mul(full.T(), &wx)
	sym := mat.NewSymDense(2*p, nil)
	for i := range 2 * p {
		for j := range i + 1 {
			sym.SetSym(i, j, (info.At(i, j)+info.At(j, i))/2)
		}
		if i >= p {
			sym.SetSym(i, i, sym.At(i, i)+1/(ScalePriorSD*ScalePriorSD))
		}
	}
	n.Cov = mat.NewSymDense(2*p, nil)
	if !ci.Factorize(sym) || ci.InverseTo(n.Cov) != nil {
		return fmt.Errorf("%w: the network cannot tell the curves of its agents apart", ErrTooFewDoses)
	}
	return nil
}

// lackOfFit compares the fixed-effect Q of the curves with that of a free
// effect for every agent and dose: a small p says that the shape, not chance or
// inconsistency, misses the data.
func (n *Network) lackOfFit(trials []NetworkTrial) error {
	curves, err := n.model(trials, "fixed")
	if err != nil {
		return err
	}
	n.Q, n.QDF, n.QP = curves.Q, curves.QDF, curves.QP
	type node struct {
		agent string
		dose  float64
	}
	var nodes []node
	of := func(a NetworkArm) int {
		if a.Dose == 0 {
			return -1
		}
		k := slices.Index(nodes, node{a.Agent, a.Dose})
		if k < 0 {
			nodes = append(nodes, node{a.Agent, a.Dose})
			k = len(nodes) - 1
		}
		return k
	}
	for _, t := range trials {
		for _, a := range t.Arms {
			of(a)
		}
	}
	y, _, known, _, _ := n.design(trials)
	x := mat.NewDense(len(y), len(nodes), nil)
	i := 0
	names := make([]string, len(nodes))
	for _, t := range trials {
		for _, a := range t.Arms[1:] {
			for side, arm := range []NetworkArm{a, t.Arms[0]} {
				if k := of(arm); k >= 0 {
					x.Set(i, k, x.At(i, k)+1-2*float64(side))
				}
			}
			i++
		}
	}
	n.LackQ, n.LackP = math.NaN(), math.NaN()
	free, err := synthesis.AnalyseMixed(y, known.sampling(), x, names, synthesis.Random{}, synthesis.MetaOptions{Method: synthesis.FE})
	parameters := len(n.Coef)
	if (Form{Shape: n.Shape}).Nonlinear() {
		parameters += len(n.Scale)
	}
	if n.LackDF = len(nodes) - parameters; err != nil || n.LackDF <= 0 {
		n.LackDF = 0
		return nil // every dose is needed for the curves, or the network is not connected
	}
	n.LackQ = math.Max(0, n.Q-free.Q)
	n.LackP = distuv.ChiSquared{K: float64(n.LackDF)}.Survival(n.LackQ)
	return nil
}

// Doses are those studied of an agent.
func (n *Network) Doses(agent string) []float64 { return n.doses[agent] }

// Terms are the coefficients of an agent, with its scale for nonlinear shapes
// (interval on the log scale).
func (n *Network) Terms(agent string) (out []synthesis.Term) {
	k := slices.Index(n.Agents, agent)
	z := distuv.UnitNormal.Quantile(0.5 + n.Level/2)
	for j := range n.perAgent {
		i := k*n.perAgent + j
		t := synthesis.Term{Name: Form{Shape: n.Shape}.Names()[j], Estimate: n.Coef[i], SE: math.Sqrt(n.Cov.At(i, i)), DF: math.NaN()}
		if !(Form{Shape: n.Shape}).Nonlinear() { // per unit of dose
			u := math.Pow(n.Scale[k], float64(j+1))
			t.Estimate, t.SE = t.Estimate/u, t.SE/u
		}
		t.Stat = t.Estimate / t.SE
		t.P = 2 * synthesis.UpperTail(math.Abs(t.Stat))
		t.Low, t.High = t.Estimate-z*t.SE, t.Estimate+z*t.SE
		out = append(out, t)
	}
	if (Form{Shape: n.Shape}).Nonlinear() {
		p := len(n.Coef)
		se := math.Sqrt(n.Cov.At(p+k, p+k)) // of the logarithm
		s := n.Scale[k]
		out = append(out, synthesis.Term{Name: "ED50", Estimate: s, SE: s * se, Stat: math.NaN(), DF: math.NaN(), P: math.NaN(), Low: s * math.Exp(-z*se), High: s * math.Exp(z*se)})
	}
	return out
}

// At is the effect of a dose of an agent against dose zero with its standard
// error.
func (n *Network) At(agent string, dose float64) (effect, se float64) {
	arm := NetworkArm{Agent: agent, Dose: dose}
	g := n.row(arm)
	effect = 0
	for i, b := range n.Coef {
		effect += b * g[i]
	}
	if (Form{Shape: n.Shape}).Nonlinear() {
		k := slices.Index(n.Agents, agent)
		h := 1e-5
		s := n.Scale[k]
		n.Scale[k] = s * math.Exp(h)
		up := n.row(arm)[k]
		n.Scale[k] = s * math.Exp(-h)
		down := n.row(arm)[k]
		n.Scale[k] = s
		extra := make([]float64, len(n.Coef))
		extra[k] = n.Coef[k] * (up - down) / (2 * h)
		g = append(g, extra...)
	}
	return effect, math.Sqrt(quadratic(n.Cov, g))
}
