package cli

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/myoaxis/myoaxis/report"
	"github.com/myoaxis/myoaxis/synthesis"
	"gonum.org/v1/gonum/mat"
)

// largestPage bounds the effects a page draws: a forest of more is no figure.
const largestPage = 1000

// writePage writes the page of a run. Its figures are those of the univariate
// model; the text is the run's own.
func (f *metaFlags) writePage(a *app, d *metaData, out *metaOut, path string) error {
	if len(d.y) > largestPage {
		return &Fault{Code: ExitUnsupported, Err: fmt.Errorf("a page of %d effects cannot be read; at most %d are drawn", len(d.y), largestPage), Hint: "pick rows with --where"}
	}
	var text strings.Builder
	if err := metaText(&text, out); err != nil {
		return err
	}
	p := &report.MetaPage{Title: "Meta-analysis of " + filepath.Base(d.table.File), Command: commandLine(a.sys), Summary: text.String(), Level: f.level,
		PredLow: float64(out.PILow), PredHigh: float64(out.PIHigh), Tau2: float64(out.Tau2)}
	opt := d.opt
	if opt.Method == "" || f.rve != "" {
		opt.Method = synthesis.REML
	}
	m, err := synthesis.Mean(d.y, d.v, opt)
	if err != nil {
		return dataFault(d.table.File, err)
	}
	t := m.Terms[0]
	p.Estimate, p.Low, p.High = t.Estimate, t.Low, t.High
	if len(out.Coefficients) == 1 {
		p.Estimate, p.Low, p.High = float64(out.Estimate), float64(out.CILow), float64(out.CIHigh)
	}
	one := mat.NewDense(len(d.y), 1, nil)
	for i := range d.y {
		one.Set(i, 0, 1)
	}
	in, err := synthesis.Influences(d.y, d.v, one, []string{synthesis.Intercepted}, opt)
	if err != nil {
		return dataFault(d.table.File, err)
	}
	for i, q := range in {
		x, y := q.Baujat(d.y[i], d.v[i], m)
		p.Effects = append(p.Effects, report.MetaEffect{Label: label(d, i), Y: d.y[i], SE: math.Sqrt(d.v[i]), Weight: q.Weight, BaujatX: x, BaujatY: y})
	}
	if p.Bubble, err = f.bubble(d); err != nil {
		return err
	}
	return writeFile(path, func(w io.Writer) error { return p.WriteHTML(w) })
}

// bubble is the line of a single numeric moderator.
func (f *metaFlags) bubble(d *metaData) (*report.MetaBubble, error) {
	if len(d.names) != 2 || d.names[1] != strings.TrimSpace(f.mods) {
		return nil, nil
	}
	m, err := synthesis.Analyse(d.y, d.v, d.x, d.names, d.opt)
	if err != nil {
		return nil, dataFault(d.table.File, err)
	}
	b := &report.MetaBubble{Moderator: d.names[1]}
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range d.y {
		x := d.x.At(i, 1)
		b.X = append(b.X, x)
		lo, hi = math.Min(lo, x), math.Max(hi, x)
	}
	t := m.Terms[0]
	crit := (t.High - t.Estimate) / t.SE
	for i := range 41 {
		x := lo + (hi-lo)*float64(i)/40
		fit := m.Terms[0].Estimate + x*m.Terms[1].Estimate
		se := math.Sqrt(m.Cov.At(0, 0) + 2*x*m.Cov.At(0, 1) + x*x*m.Cov.At(1, 1))
		b.At, b.Fit, b.Low, b.Up = append(b.At, x), append(b.Fit, fit), append(b.Low, fit-crit*se), append(b.Up, fit+crit*se)
	}
	return b, nil
}
