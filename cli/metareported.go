package cli

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/myoaxis/myoaxis/dataset"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/reported"
	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/stat/distuv"
)

// reportedOut says which forms were used and what dropping the rows without
// numbers would have given.
type reportedOut struct {
	Forms       []formOut    `json:"forms"`
	Clusters    int          `json:"n_clusters"`
	NumbersOnly *numbersOnly `json:"numbers_only"`
}

type formOut struct {
	Form  string `json:"form"`
	Count int    `json:"count"`
}

type numbersOnly struct {
	K        int         `json:"k"`
	Estimate report.Full `json:"estimate"`
	CILow    report.Full `json:"ci_low"`
	CIHigh   report.Full `json:"ci_high"`
}

func (r *reportedOut) text(w io.Writer) {
	if r == nil {
		return
	}
	var parts []string
	for _, f := range r.Forms {
		parts = append(parts, fmt.Sprintf("%s %d", report.Words(f.Form), f.Count))
	}
	fmt.Fprintf(w, "reported as: %s; %d clusters\n", strings.Join(parts, ", "), r.Clusters)
	if n := r.NumbersOnly; n != nil {
		fmt.Fprintf(w, "without the rows that print no numbers (%d left): %.4g (%.4g to %.4g)\n", n.K, float64(n.Estimate), float64(n.CILow), float64(n.CIHigh))
	}
}

// runReported fits rows in any reported form by maximum likelihood (ML;
// --method and --test do not apply), clustered by --cluster.
func (f *metaFlags) runReported(a *app, path string, o metaExtras) (*metaOut, error) {
	if f.given("method") || f.given("test") || f.random+f.rve+f.vfile+f.sharedControl+f.weights != "" || f.rho != 0 || o.permute != 0 || o.html != "" || o.profile {
		return nil, usage(fmt.Errorf("--reported is fitted by maximum likelihood with one variance between clusters and one within"), "use it with --cluster, --mods, --where and --level only")
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	t, err := f.read(a, path)
	if err != nil {
		return nil, err
	}
	if err := column(t, o.reported, "reported"); err != nil {
		return nil, err
	}
	if f.cluster != "" {
		if err := column(t, f.cluster, "cluster"); err != nil {
			return nil, err
		}
	}
	d := &metaData{table: t, found: len(t.Rows)}
	results := map[int]reported.Result{}
	for r := range t.Rows {
		res, ok, err := f.reportedRow(t, r, o)
		if err != nil {
			return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s:%d:%d: %w", t.File, t.Lines[r], t.Col(o.reported)+1, err), Hint: "forms: estimate, p=0.03, p<0.05, ns, direction, unmentioned; sizes in --n1i and --n2i, or --sei"}
		}
		if ok {
			results[r] = res
			d.y, d.v, d.rows = append(d.y, 0), append(d.v, 1), append(d.rows, r)
		}
	}
	if len(d.rows) == 0 {
		return nil, &Fault{Code: ExitData, Err: fmt.Errorf("%s: no row has a result", path), Hint: "check --reported, --yi and the sizes"}
	}
	if err := f.design(a, d, path); err != nil {
		return nil, err
	}
	return f.fitReported(d, results, path)
}

func (f *metaFlags) fitReported(d *metaData, results map[int]reported.Result, path string) (*metaOut, error) {
	var rows, numeric []synthesis.Row
	counts := map[reported.Form]int{}
	for i, r := range d.rows {
		row := synthesis.Row{Cluster: strconv.Itoa(r), X: d.x.RawRowView(i), Result: results[r]}
		if f.cluster != "" {
			row.Cluster = d.table.Text(r, f.cluster)
		}
		rows = append(rows, row)
		counts[row.Result.Form]++
		if row.Result.Numeric {
			numeric = append(numeric, row)
		}
	}
	out := f.newOut(d)
	out.Method, out.Test, out.K = "ML, all reported forms", "t", len(rows)
	nan := report.Full(math.NaN())
	out.Tau2Low, out.Tau2High, out.I2, out.H2, out.Q, out.QP, out.QM, out.QMDF, out.QMP = nan, nan, nan, nan, nan, nan, nan, nan, nan
	fit, err := f.reportedFit(rows, d, out)
	if err != nil {
		return nil, dataFault(path, err)
	}
	n := func(v float64) report.Full { return report.Full(v) }
	out.Tau2 = n(fit.TauB*fit.TauB + fit.TauW*fit.TauW)
	if f.cluster != "" {
		out.Sigma2 = []sigmaOut{{Level: f.cluster, NLevels: fit.Clusters, Value: n(fit.TauB * fit.TauB)}, {Level: "within " + f.cluster, NLevels: fit.K, Value: n(fit.TauW * fit.TauW)}}
	}
	if len(d.names) == 1 {
		low, high := fit.PredictionInterval(fit.Beta[0], float64(out.CILow), float64(out.CIHigh), f.level/100)
		out.PILow, out.PIHigh = n(low), n(high)
	} else {
		out.PILow, out.PIHigh = nan, nan
	}
	pars, k := float64(len(fit.Beta)+2), float64(fit.K)
	out.LogLik, out.AIC, out.BIC, out.AICc = n(fit.LogLik), n(2*pars-2*fit.LogLik), n(pars*math.Log(k)-2*fit.LogLik), n(2*pars*k/math.Max(1, k-pars-1)-2*fit.LogLik)
	out.Reported = &reportedOut{Clusters: fit.Clusters}
	for _, form := range reported.Forms {
		if counts[form] > 0 {
			out.Reported.Forms = append(out.Reported.Forms, formOut{string(form), counts[form]})
		}
	}
	if len(numeric) > len(d.names) && len(numeric) < len(rows) {
		only := *out
		if _, err := f.reportedFit(numeric, d, &only); err == nil {
			out.Reported.NumbersOnly = &numbersOnly{len(numeric), only.Estimate, only.CILow, only.CIHigh}
		}
	}
	return out, nil
}

// reportedFit fits rows and fills the coefficients with profile intervals.
func (f *metaFlags) reportedFit(rows []synthesis.Row, d *metaData, out *metaOut) (*synthesis.Fit, error) {
	fit, err := synthesis.Maximise(rows, 1)
	if err != nil {
		return nil, err
	}
	if err := fit.Information(); err != nil {
		return nil, err
	}
	df := math.Max(1, float64(fit.Clusters-len(fit.Beta)))
	var terms []synthesis.Term
	for i, name := range d.names {
		t := synthesis.Term{Name: name, Estimate: fit.Beta[i], SE: fit.SE[i], DF: df}
		t.Stat = t.Estimate / t.SE
		t.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(t.Stat))
		if t.Low, t.High, err = fit.ProfileCI(i, f.level/100); err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	out.setTerms(terms)
	return fit, nil
}

var formText = regexp.MustCompile(`^(?:(estimate|est)|p\s*=\s*(\S+)|p\s*<\s*(\S+)|(n\.?s\.?|not significant)|(direction)|(unmentioned|not mentioned))?$`)

// reportedRow reads one result; ok is false where the row holds none.
func (f *metaFlags) reportedRow(t *evidence.Table, r int, o metaExtras) (res reported.Result, ok bool, err error) {
	m := formText.FindStringSubmatch(strings.ToLower(strings.TrimSpace(t.Text(r, o.reported))))
	if m == nil {
		return res, false, fmt.Errorf("the form %q is not known", t.Text(r, o.reported))
	}
	cell := func(role string) (float64, error) {
		c, err := f.find(t, role)
		if err != nil {
			return math.NaN(), nil
		}
		return number(t, r, c.Column)
	}
	values := map[string]float64{}
	for _, role := range []string{"yi", "vi", "sei", "n1i", "n2i"} {
		if values[role], err = cell(role); err != nil {
			return res, false, err
		}
	}
	n1, n2, y := values["n1i"], values["n2i"], values["yi"]
	s := values["sei"]
	if v := values["vi"]; math.IsNaN(s) && v > 0 {
		s = math.Sqrt(v)
	}
	if math.IsNaN(s) && n1 >= 2 && n2 >= 2 {
		d := y
		if math.IsNaN(d) {
			d = 0
		}
		s = reported.SamplingSD(d, n1, n2)
	}
	if m[0] == "" || m[1] != "" {
		if math.IsNaN(y) || math.IsNaN(s) {
			return res, false, nil
		}
		if s <= 0 {
			return res, false, fmt.Errorf("the standard error %g is not above zero", s)
		}
		return reported.FromEstimate(y, s), true, nil
	}
	if math.IsNaN(s) || s <= 0 {
		return res, false, fmt.Errorf("a result without an estimate needs its standard error or the sizes of both arms")
	}
	return f.partialRow(m, t, r, o, s, n1, n2)
}

func (f *metaFlags) partialRow(m []string, t *evidence.Table, r int, o metaExtras, s, n1, n2 float64) (res reported.Result, ok bool, err error) {
	direction := 0
	if text := t.Text(r, o.direction); !dataset.Missing(text) && text != "0" {
		switch strings.ToLower(text) {
		case "1", "+1", "+", "up", "positive":
			direction = 1
		case "-1", "-", "down", "negative":
			direction = -1
		default:
			return res, false, fmt.Errorf("the direction %q is not +1, -1 or empty", text)
		}
	}
	probability := func(text string) (float64, error) {
		p, err := strconv.ParseFloat(text, 64)
		if err != nil || !(p > 0 && p < 1) {
			return 0, fmt.Errorf("the p-value %q is not between 0 and 1", text)
		}
		return p, nil
	}
	switch {
	case m[2] != "":
		p, err := probability(m[2])
		if err != nil {
			return res, false, err
		}
		if direction == 0 {
			return res, false, fmt.Errorf("an exact p needs its direction in the column %s", o.direction)
		}
		if n1 >= 2 && n2 >= 2 {
			res, err = reported.FromP(p, direction, n1, n2)
			return res, true, err
		}
		z := distuv.UnitNormal.Quantile(1 - p/2)
		return reported.FromEstimate(float64(direction)*z*s, s), true, nil
	case m[3] != "":
		alpha, err := probability(m[3])
		return reported.FromThreshold(alpha, direction, s), true, err
	case m[4] != "":
		return reported.FromNotSignificant(0.05, direction, s), true, nil
	case m[5] != "":
		if direction == 0 {
			return res, false, fmt.Errorf("the form direction needs one in the column %s", o.direction)
		}
		return reported.FromDirection(direction, s), true, nil
	}
	res = reported.FromNotSignificant(0.05, 0, s)
	res.Form = reported.Unmentioned
	return res, true, nil
}
