package sbml

import (
	"math"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/formula"
)

const mathSpace = "http://www.w3.org/1998/Math/MathML"

// readMath turns a <math> element into an expression.
func readMath(e *element) (*formula.Expr, error) {
	if e.space != mathSpace {
		return nil, invalid(e.place(), "math", "the namespace is %q", e.space).WithHint("MathML has " + mathSpace)
	}
	var kids []*element
	for _, c := range e.children {
		if c.name != "annotation" && c.name != "annotation-xml" {
			kids = append(kids, c)
		}
	}
	if len(kids) != 1 {
		return nil, invalid(e.place(), "math", "it holds %d expressions in place of one", len(kids))
	}
	return mathNode(kids[0])
}

func (e *element) place() *Base { return &Base{Line: e.line, Col: e.col} }

func mathNode(e *element) (*formula.Expr, error) {
	x := &formula.Expr{Line: e.line, Col: e.col}
	switch e.name {
	case "ci":
		x.Kind, x.Name = formula.Symbol, strings.TrimSpace(e.text)
		return x, nil
	case "cn":
		return x, mathNumber(e, x)
	case "csymbol":
		switch symbolOf(e) {
		case "time":
			x.Kind = formula.Time
			return x, nil
		case "avogadro":
			x.Kind = formula.Avogadro
			return x, nil
		}
		return nil, unsupported(e.place(), "csymbol", "the symbol %q is not one of SBML core", definitionURL(e))
	case "true", "false":
		x.Kind, x.Name = formula.Apply, e.name
		return x, nil
	case "pi", "exponentiale", "infinity", "notanumber":
		x.Value = map[string]float64{"pi": math.Pi, "exponentiale": math.E, "infinity": math.Inf(1), "notanumber": math.NaN()}[e.name]
		return x, nil
	case "semantics":
		if len(e.children) == 0 {
			return nil, invalid(e.place(), "semantics", "it is empty")
		}
		return mathNode(e.children[0])
	case "piecewise":
		return mathPiecewise(e, x)
	case "lambda":
		return mathLambda(e, x)
	case "apply":
		return mathApply(e, x)
	}
	return nil, unsupported(e.place(), e.name, "this element of MathML is not part of SBML")
}

func definitionURL(e *element) string {
	u, _ := e.attr("definitionURL")
	return strings.TrimSpace(u)
}

func symbolOf(e *element) string {
	name, ok := strings.CutPrefix(definitionURL(e), "http://www.sbml.org/sbml/symbols/")
	if !ok {
		return ""
	}
	return name
}

func mathNumber(e *element, x *formula.Expr) error {
	kind, _ := e.attr("type")
	for _, a := range e.attrs {
		if a.Name.Local == "units" {
			x.Units = strings.TrimSpace(a.Value)
		}
	}
	parts := strings.Fields(e.text)
	if e.child("sep") != nil {
		parts = strings.Split(e.text, "\x00")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
	}
	num := make([]float64, len(parts))
	for i, p := range parts {
		v, err := parseFloat(p)
		if err != nil {
			return invalid(e.place(), "cn", "%q is not a number", p)
		}
		num[i] = v
	}
	x.Text = kind
	switch {
	case kind == "e-notation" && len(num) == 2:
		v, err := parseFloat(parts[0] + "e" + parts[1])
		if err != nil {
			v = num[0] * math.Pow(10, num[1])
		}
		x.Value = v
	case kind == "rational" && len(num) == 2:
		x.Value = num[0] / num[1]
	case len(num) == 1 && (kind == "" || kind == "real" || kind == "integer"):
		x.Value = num[0]
	default:
		return invalid(e.place(), "cn", "a number of type %q with %d parts", kind, len(num))
	}
	return nil
}

// parseFloat reads the numbers of XML Schema, INF and NaN among them.
func parseFloat(s string) (float64, error) {
	switch s = strings.TrimSpace(s); s {
	case "INF":
		return math.Inf(1), nil
	case "-INF":
		return math.Inf(-1), nil
	case "NaN":
		return math.NaN(), nil
	}
	if strings.ContainsAny(s, "xXpP_iInN") {
		return 0, strconv.ErrSyntax
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && math.IsInf(v, 0) {
		return v, nil
	}
	return v, err
}

func mathPiecewise(e *element, x *formula.Expr) (*formula.Expr, error) {
	x.Kind, x.Name = formula.Apply, "piecewise"
	var last *formula.Expr
	for _, c := range e.children {
		want := 2
		if c.name == "otherwise" {
			want = 1
		}
		if c.name != "piece" && c.name != "otherwise" || len(c.children) != want {
			return nil, invalid(c.place(), c.name, "a piecewise holds pieces of two expressions and one otherwise")
		}
		for _, k := range c.children {
			a, err := mathNode(k)
			if err != nil {
				return nil, err
			}
			if c.name == "otherwise" {
				last = a
			} else {
				x.Args = append(x.Args, a)
			}
		}
	}
	if last != nil {
		x.Args = append(x.Args, last)
	}
	return x, nil
}

func mathLambda(e *element, x *formula.Expr) (*formula.Expr, error) {
	x.Kind = formula.Lambda
	for i, c := range e.children {
		if c.name == "bvar" {
			if len(c.children) != 1 || c.children[0].name != "ci" {
				return nil, invalid(c.place(), "bvar", "it holds one ci")
			}
			c = c.children[0]
		} else if i != len(e.children)-1 {
			return nil, invalid(c.place(), c.name, "a lambda holds its variables and one expression")
		}
		a, err := mathNode(c)
		if err != nil {
			return nil, err
		}
		x.Args = append(x.Args, a)
	}
	if len(e.children) == 0 || e.children[len(e.children)-1].name == "bvar" {
		return nil, invalid(e.place(), "lambda", "the expression is missing")
	}
	return x, nil
}

func mathApply(e *element, x *formula.Expr) (*formula.Expr, error) {
	if len(e.children) == 0 {
		return nil, invalid(e.place(), "apply", "it is empty")
	}
	head, rest := e.children[0], e.children[1:]
	x.Kind, x.Name = formula.Apply, head.name
	switch head.name {
	case "ci":
		x.Kind, x.Name = formula.Call, strings.TrimSpace(head.text)
	case "csymbol":
		x.Name = symbolOf(head)
		if x.Name != "delay" && x.Name != "rateOf" {
			return nil, unsupported(head.place(), "csymbol", "the function %q is not one of SBML core", definitionURL(head))
		}
	}
	var first *formula.Expr // degree or logbase
	for _, c := range rest {
		if c.name == "degree" || c.name == "logbase" {
			if len(c.children) != 1 {
				return nil, invalid(c.place(), c.name, "it holds one expression")
			}
			a, err := mathNode(c.children[0])
			if err != nil {
				return nil, err
			}
			first = a
			continue
		}
		a, err := mathNode(c)
		if err != nil {
			return nil, err
		}
		x.Args = append(x.Args, a)
	}
	if x.Kind == formula.Apply {
		switch {
		case x.Name == "root" && first == nil:
			first = formula.Num(2)
		case x.Name == "log" && first == nil:
			first = formula.Num(10)
		}
	}
	if first != nil {
		x.Args = append([]*formula.Expr{first}, x.Args...)
	}
	return x, checkApply(e, x)
}

func checkApply(e *element, x *formula.Expr) error {
	if x.Kind != formula.Apply {
		return nil
	}
	least, most, ok := formula.Arity(x.Name)
	switch {
	case !ok || x.Name == "piecewise" || x.Name == "true" || x.Name == "false":
		return unsupported(e.place(), x.Name, "this operation of MathML is not part of SBML")
	case len(x.Args) < least || len(x.Args) > most:
		return invalid(e.place(), x.Name, "it does not take %d value(s)", len(x.Args))
	}
	return nil
}
