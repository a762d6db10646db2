package cli

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/doseresponse"
	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
)

// emitR prints a metafor script that makes the same fit from the same numbers,
// which it holds inline: effect sizes as this run read or computed them, the
// columns of moderators, random terms and clusters.
func (f *metaFlags) emitR(a *app, path string) error {
	d, err := f.prepare(a, path)
	if err != nil {
		return err
	}
	if f.rve != "" {
		f.emitRobumeta(a.sys.Stdout, d)
		return nil
	}
	w := &rScript{w: a.sys.Stdout}
	w.line("# %s, %d effect sizes; made by myoaxis", path, len(d.y))
	w.line("library(metafor)")
	w.numbers("yi", d.y)
	w.numbers("vi", d.v)
	if f.measure != "" {
		w.line("# computed as escalc(measure = %q) does from the columns of the file", f.measure)
	}
	if err := f.emitColumns(w, d); err != nil {
		return err
	}
	random, err := f.randomTerms(d)
	if err != nil {
		return err
	}
	if f.random+f.vfile+f.sharedControl == "" {
		weights := ""
		if d.opt.Weights != nil {
			w.numbers("dat$weight", d.opt.Weights)
			weights = ", weights = weight"
		}
		w.line("fit <- rma(yi, vi%s%s, data = dat, method = %q, test = %q, level = %g, control = list(threshold = 1e-13, maxiter = 10000))", f.rMods(), weights, f.method, f.test, f.level)
	} else if err := f.emitMixed(a, w, d, random); err != nil {
		return err
	}
	w.line("print(fit, digits = 8)")
	if f.random == "" && f.mods == "" && f.vfile+f.sharedControl == "" {
		w.line("print(predict(fit), digits = 8)")
	}
	if f.cluster != "" && f.robust != "none" {
		w.line("library(clubSandwich)")
		w.line("print(coef_test(fit, vcov = vcovCR(fit, type = %q, cluster = dat$%s), test = \"Satterthwaite\"), digits = 8)", f.robust, rName(f.cluster))
	}
	return w.err
}

// emitColumns writes the data frame with every column the model names.
func (f *metaFlags) emitColumns(w *rScript, d *metaData) error {
	names := []string{}
	add := func(name string) {
		for _, n := range names {
			if n == name {
				return
			}
		}
		if d.table.Col(name) >= 0 {
			names = append(names, name)
		}
	}
	cols, _, err := f.moderators(d.table, d.rows)
	if err != nil {
		return err
	}
	for _, c := range cols {
		add(c.Name)
	}
	for _, part := range strings.FieldsFunc(f.random, func(r rune) bool { return strings.ContainsRune("/|;+", r) }) {
		add(strings.TrimSpace(part))
	}
	add(f.cluster)
	w.line("dat <- data.frame(yi, vi)")
	for _, n := range names {
		w.column("dat$"+rName(n), d.texts(n))
	}
	if f.random == "" {
		w.line("dat$row <- seq_along(yi)")
	}
	return nil
}

// rMods is the formula of the moderators; levels are in metafor's order, which
// may differ from ours, so that coefficients of factors can differ by a shift.
func (f *metaFlags) rMods() string {
	var terms []string
	for _, t := range strings.Split(f.mods, ",") {
		if t = strings.TrimSpace(t); t != "" {
			parts := strings.Split(t, ":")
			for i, p := range parts {
				if in, ok := strings.CutPrefix(strings.TrimSpace(p), "factor("); ok {
					parts[i] = "factor(" + rName(strings.TrimSuffix(in, ")")) + ")"
				} else {
					parts[i] = rName(strings.TrimSpace(p))
				}
			}
			terms = append(terms, strings.Join(parts, ":"))
		}
	}
	if terms == nil {
		return ""
	}
	return ", mods = ~ " + strings.Join(terms, " + ")
}

func (f *metaFlags) emitMixed(a *app, w *rScript, d *metaData, random synthesis.Random) error {
	known, err := f.sampling(a, d)
	if err != nil {
		return err
	}
	v := "vi"
	switch {
	case f.rho != 0:
		w.line("V <- vcalc(vi, cluster = %s, obs = seq_along(yi), rho = %g, data = dat)", rName(f.cluster), f.rho)
		v = "V"
	case known.Full != nil:
		k := len(d.y)
		flat := make([]float64, 0, k*k)
		for i := range k {
			for j := range k {
				flat = append(flat, known.Full.At(i, j))
			}
		}
		w.numbers("V", flat)
		w.line("V <- matrix(V, %d, %d)", k, k)
		v = "V"
	}
	var terms, structs []string
	for _, t := range strings.Split(f.random, ";") {
		if t = strings.TrimSpace(t); t == "" {
			continue
		}
		inner, outer, ok := strings.Cut(t, "|")
		if !ok {
			var parts []string
			for _, p := range strings.Split(t, "/") {
				parts = append(parts, rName(strings.TrimSpace(p)))
			}
			terms = append(terms, "~ 1 | "+strings.Join(parts, "/"))
			continue
		}
		var in []string
		for _, p := range strings.Split(inner, "+") {
			if p = strings.TrimSpace(p); p != "1" {
				p = rName(p)
			}
			in = append(in, p)
		}
		terms, structs = append(terms, "~ "+strings.Join(in, " + ")+" | "+rName(strings.TrimSpace(outer))), append(structs, strconv.Quote(f.structure))
	}
	if f.random == "" && len(random.Structured) == 0 {
		terms = []string{"~ 1 | row"}
	}
	method, re := f.method, ", random = list("+strings.Join(terms, ", ")+")"
	if f.method == "EE" || f.method == "FE" {
		method, re = "FE", ""
	}
	if len(structs) > 0 {
		re += ", struct = c(" + strings.Join(structs, ", ") + ")"
	}
	w.line("fit <- rma.mv(yi, %s%s%s, data = dat, method = %q, test = %q, level = %g, control = list(rel.tol = 1e-8))", v, f.rMods(), re, method, f.test, f.level)
	return nil
}

func (f *metaFlags) emitRobumeta(out io.Writer, d *metaData) {
	w := &rScript{w: out}
	w.line("library(robumeta)")
	w.numbers("yi", d.y)
	w.numbers("vi", d.v)
	w.line("dat <- data.frame(yi, vi)")
	w.column("dat$study", d.texts(f.cluster))
	cols, _, _ := f.moderators(d.table, d.rows)
	formula := "1"
	if m := f.rMods(); m != "" {
		formula = strings.TrimPrefix(m, ", mods = ~ ")
	}
	for _, c := range cols {
		w.column("dat$"+rName(c.Name), c.Values)
	}
	rho := f.rho
	if rho == 0 {
		rho = 0.8
	}
	small := "TRUE"
	if f.robust != "CR2" {
		small = "FALSE"
	}
	w.line("fit <- robu(yi ~ %s, data = dat, studynum = study, var.eff.size = vi, modelweights = %q, rho = %g, small = %s)", formula, strings.ToUpper(f.rve), rho, small)
	w.line("print(fit$reg_table, digits = 8)")
}

// emitR prints the same for a curve: the contrasts with their covariance and
// covariates, as a mixed model with random coefficients.
func (f *doseFlags) emitR(a *app, path string) error {
	if err := f.check(); err != nil {
		return err
	}
	t, err := f.read(a, path)
	if err != nil {
		return err
	}
	d, err := f.readDoses(a, t)
	if err != nil {
		return err
	}
	forms, err := f.forms(d)
	if err != nil {
		return err
	}
	if len(forms) != 1 || forms[0].Nonlinear() || d.reports != nil || d.intercept || f.stages != 1 {
		return &Fault{Code: ExitUnsupported, Err: fmt.Errorf("only a one-stage linear, quadratic or spline curve of contrasts has an equivalent metafor model"), Hint: "for example --shape spline --emit R"}
	}
	trials, err := d.build(func(low, high float64) float64 { return (low + high) / 2 })
	if err != nil {
		return err
	}
	w := &rScript{w: a.sys.Stdout}
	w.line("# %s, %s curve; made by myoaxis", path, f.shape)
	w.line("library(metafor)")
	terms := w.contrasts(trials, forms[0])
	random := fmt.Sprintf(", random = ~ %s - 1 | id, struct = \"GEN\"", terms)
	method := strings.ToUpper(f.method)
	if method == "FIXED" || method == "FE" {
		random, method = "", "FE"
	}
	w.line("fit <- rma.mv(y, V, mods = ~ %s - 1%s, method = %q, control = list(rel.tol = 1e-8))", terms, random, method)
	w.line("print(fit, digits = 8)")
	return w.err
}

// contrasts writes the effects y, the trials id, the covariates and their
// covariance V, and returns the formula of the covariates.
func (w *rScript) contrasts(trials []doseresponse.Trial, form doseresponse.Form) string {
	var y []float64
	var id []string
	var covariances []*mat.SymDense
	x := make([][]float64, len(form.Names()))
	for _, t := range trials {
		y = append(y, t.Y...)
		covariances = append(covariances, t.S)
		for i, dose := range t.Dose {
			id = append(id, t.ID)
			at, ref := form.Terms(dose), form.Terms(t.Ref[i])
			for j := range x {
				x[j] = append(x[j], at[j]-ref[j])
			}
		}
	}
	w.numbers("y", y)
	w.column("id", id)
	var names []string
	for j := range x {
		names = append(names, fmt.Sprintf("x%d", j+1))
		w.numbers(names[j], x[j])
	}
	var blocks []string
	for k, s := range covariances {
		n := s.SymmetricDim()
		flat := make([]float64, 0, n*n)
		for i := range n {
			for j := range n {
				flat = append(flat, s.At(i, j))
			}
		}
		w.numbers(fmt.Sprintf("S%d", k+1), flat)
		blocks = append(blocks, fmt.Sprintf("matrix(S%d, %d, %d)", k+1, n, n))
	}
	w.line("V <- bldiag(%s)", strings.Join(blocks, ", "))
	return strings.Join(names, " + ")
}

// rScript writes lines of R and remembers the first error.
type rScript struct {
	w   io.Writer
	err error
}

func (r *rScript) line(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format+"\n", args...)
	}
}

// numbers writes a vector with all its digits.
func (r *rScript) numbers(name string, x []float64) {
	parts := make([]string, len(x))
	for i, v := range x {
		parts[i] = strconv.FormatFloat(v, 'g', 17, 64)
		if math.IsNaN(v) {
			parts[i] = "NA"
		}
	}
	r.line("%s <- c(%s)", name, wrap(parts))
}

// column writes a vector of numbers where all values are numbers, else text.
func (r *rScript) column(name string, values []string) {
	x := make([]float64, len(values))
	for i, v := range values {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			parts := make([]string, len(values))
			for k, t := range values {
				parts[k] = rQuote(t)
			}
			r.line("%s <- c(%s)", name, wrap(parts))
			return
		}
		x[i] = n
	}
	r.numbers(name, x)
}

// wrap breaks a long list into lines.
func wrap(parts []string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(", ")
			if i%8 == 0 {
				b.WriteString("\n  ")
			}
		}
		b.WriteString(p)
	}
	return b.String()
}

// rName is a column as a name of R, quoted where it is not one.
func rName(s string) string {
	for i, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && (r >= '0' && r <= '9' || r == '_' || r == '.')) {
			return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
		}
	}
	return s
}

// rQuote is a text of R.
func rQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 127:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
