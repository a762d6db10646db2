package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"

	"github.com/myoaxis/myoaxis/figure"
)

// MetaEffect is one effect size of a meta-analysis for its page. Baujat's
// coordinates are NaN where a fit without the effect does not exist.
type MetaEffect struct {
	Label            string
	Y, SE            float64
	Weight           float64 // percent
	BaujatX, BaujatY float64
}

// MetaBubble is the relation of the effects to one numeric moderator.
type MetaBubble struct {
	Moderator        string
	X                []float64 // of the effects
	At, Fit, Low, Up []float64 // the fitted line with its interval
}

// MetaPage is what the page of a meta-analysis shows.
type MetaPage struct {
	Title, Command, Summary string
	Effects                 []MetaEffect
	Estimate, Low, High     float64
	PredLow, PredHigh       float64 // NaN without
	Tau2                    float64
	Level                   float64 // percent
	Reference               float64 // no effect
	Bubble                  *MetaBubble
}

//go:embed meta.html
var metaText string

var metaTemplate = template.Must(template.New("meta").Parse(metaText))

// WriteHTML writes one self-contained page.
func (m *MetaPage) WriteHTML(w io.Writer) error {
	type shown struct{ Title, HTML template.HTML }
	var figures []shown
	for _, s := range m.Scenes() {
		// The SVG is made here from escaped text, not from outside.
		figures = append(figures, shown{template.HTML(template.HTMLEscapeString(s.Title)), template.HTML(s.SVG() + `<p class="note">` + template.HTMLEscapeString(s.Desc) + `</p>` + dataTable(s))})
	}
	var b bytes.Buffer
	if err := metaTemplate.Execute(&b, struct {
		*MetaPage
		Figures []shown
		Style   template.CSS
	}{m, figures, template.CSS(pageStyle())}); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// pageStyle is the style sheet of the main report's page.
func pageStyle() string {
	const open, end = "<style>", "</style>"
	a, z := bytes.Index([]byte(pageText), []byte(open)), bytes.Index([]byte(pageText), []byte(end))
	return pageText[a+len(open) : z]
}

// Scenes are the figures: forest, funnel, Baujat, and bubble where there is one
// numeric moderator.
func (m *MetaPage) Scenes() []figure.Scene {
	out := []figure.Scene{m.forest(), m.funnel()}
	if s, ok := m.baujat(); ok {
		out = append(out, s)
	}
	if m.Bubble != nil {
		out = append(out, m.bubble())
	}
	return out
}

// z is the two-sided normal quantile of the page's level.
func (m *MetaPage) z() float64 { return math.Sqrt2 * math.Erfinv(m.Level/100) }

func (m *MetaPage) forest() figure.Scene {
	const rowH, left, plotW, right = 22.0, 280.0, 420.0, 280.0
	z := m.z()
	lo, hi := m.Low, m.High
	for _, e := range m.Effects {
		lo, hi = math.Min(lo, e.Y-z*e.SE), math.Max(hi, e.Y+z*e.SE)
	}
	if !math.IsNaN(m.PredLow) {
		lo, hi = math.Min(lo, m.PredLow), math.Max(hi, m.PredHigh)
	}
	lo, hi = math.Min(lo, m.Reference), math.Max(hi, m.Reference)
	pad := 0.03 * (hi - lo)
	lo, hi = lo-pad, hi+pad
	h := float64(len(m.Effects))*rowH + 96
	s := figure.Scene{ID: "forest", Title: "Forest plot", W: left + plotW + right, H: 62 + h + 40, Columns: []string{"effect", "estimate", "low", "high", "weight %"},
		Desc: fmt.Sprintf("Squares are the effect sizes with %g %% intervals, larger for more weight. The diamond is the pooled effect, the dashed line below it the prediction interval.", m.Level)}
	plot := figure.Panel{X: left, Y: 40, W: plotW, H: h, XAxis: figure.Axis{Label: "Effect size", Min: lo, Max: hi, Ticks: figure.Ticks(lo, hi, 7), Grid: true}, YAxis: figure.Axis{Hidden: true}}
	text := figure.Panel{X: 0, Y: 40, W: s.W, H: h, XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}}
	put := func(x, y float64, t string, bold bool) {
		text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: x, Y: y, Text: t, Colour: figure.Black, Bold: bold})
	}
	put(8, -14, "Effect", true)
	put(left+plotW+14, -14, fmt.Sprintf("Estimate (%g %% interval), weight", m.Level), true)
	plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Rule, X: m.Reference, Colour: figure.Grey})
	for i, e := range m.Effects {
		y := float64(i)*rowH + 14
		low, high := e.Y-z*e.SE, e.Y+z*e.SE
		line := fmt.Sprintf("%s (%s to %s), %.1f %%", figure.Num(e.Y), figure.Num(low), figure.Num(high), e.Weight)
		put(8, y, clip(e.Label, 38), false)
		put(left+plotW+14, y, line, false)
		plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Interval, X: low, X2: high, Y: y, Colour: figure.Blue, Tip: e.Label + ": " + line, Row: []string{e.Label, figure.Num(e.Y), figure.Num(low), figure.Num(high), fmt.Sprintf("%.2f", e.Weight)}},
			figure.Mark{Kind: figure.Point, X: e.Y, Y: y, Size: 3 + math.Sqrt(e.Weight), Colour: figure.Blue})
	}
	y := float64(len(m.Effects))*rowH + 26
	put(8, y, "Pooled", true)
	put(left+plotW+14, y, fmt.Sprintf("%s (%s to %s)", figure.Num(m.Estimate), figure.Num(m.Low), figure.Num(m.High)), true)
	plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Diamond, X: m.Low, Size: m.Estimate, X2: m.High, Y: y, Colour: figure.Black, Row: []string{"pooled", figure.Num(m.Estimate), figure.Num(m.Low), figure.Num(m.High), ""}})
	if !math.IsNaN(m.PredLow) {
		put(8, y+24, "Prediction interval", false)
		put(left+plotW+14, y+24, fmt.Sprintf("%s to %s", figure.Num(m.PredLow), figure.Num(m.PredHigh)), false)
		plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Interval, X: m.PredLow, X2: m.PredHigh, Y: y + 24, Colour: figure.Black, Dash: "4 3", Row: []string{"prediction interval", "", figure.Num(m.PredLow), figure.Num(m.PredHigh), ""}})
	}
	s.Panels = []figure.Panel{plot, text}
	return s
}

// funnel is contour-enhanced: bands around no effect where an effect has p
// below 0.01, 0.05 and 0.10 (Peters et al. 2008, 10.1016/j.jclinepi.2007.11.010).
func (m *MetaPage) funnel() figure.Scene {
	top, lo, hi := 0.0, m.Estimate, m.Estimate
	for _, e := range m.Effects {
		top = math.Max(top, e.SE)
	}
	top *= 1.05
	for _, e := range m.Effects {
		lo, hi = math.Min(lo, e.Y), math.Max(hi, e.Y)
	}
	lo, hi = math.Min(lo, m.Reference-2.58*top), math.Max(hi, m.Reference+2.58*top)
	s := figure.Scene{ID: "funnel", Title: "Contour-enhanced funnel plot", W: 760, H: 480, Columns: []string{"effect", "estimate", "standard error"},
		Desc: "Effect sizes against their standard errors, precise ones on top. Lines from the top mark where a single effect has p = 0.10, 0.05 and 0.01 against no effect; the vertical line is the pooled effect. Missing points beyond the lines, not around the pooled effect, hint at selection by p."}
	p := figure.Panel{X: 80, Y: 30, W: 640, H: 380, XAxis: figure.Axis{Label: "Effect size", Min: lo, Max: hi, Ticks: figure.Ticks(lo, hi, 7), Grid: true}, YAxis: figure.Axis{Label: "Standard error", Min: top, Max: 0, Ticks: figure.Ticks(0, top, 5), Grid: true}}
	for _, c := range []struct {
		z      float64
		dash   string
		colour string
	}{{1.6449, "2 3", figure.Grey}, {1.96, "6 3", figure.Orange}, {2.5758, "", figure.Red}} {
		for _, side := range []float64{-1, 1} {
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Line, Points: []figure.XY{{X: m.Reference, Y: 0}, {X: m.Reference + side*c.z*top, Y: top}}, Colour: c.colour, Dash: c.dash})
		}
	}
	for i, t := range []struct{ text, colour string }{{"p = 0.10", figure.Grey}, {"p = 0.05", figure.Orange}, {"p = 0.01", figure.Red}} {
		z := []float64{1.6449, 1.96, 2.5758}[i]
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Text, X: m.Reference + z*top*(0.9-0.09*float64(i)) + 0.012*(hi-lo), Y: top * (0.9 - 0.09*float64(i)), Text: t.text, Colour: t.colour, Anchor: "start"})
	}
	p.Marks = append(p.Marks, figure.Mark{Kind: figure.Rule, X: m.Estimate, Colour: figure.Black})
	for _, e := range m.Effects {
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Point, X: e.Y, Y: e.SE, Colour: figure.Blue, Size: 4, Tip: e.Label, Row: []string{e.Label, figure.Num(e.Y), figure.Num(e.SE)}})
	}
	s.Panels = []figure.Panel{p}
	return s
}

// baujat plots what each effect adds to Q against its influence on the pooled
// effect (Baujat et al. 2002, 10.1002/sim.1221).
func (m *MetaPage) baujat() (figure.Scene, bool) {
	var x, y float64
	for _, e := range m.Effects {
		if math.IsNaN(e.BaujatX) || math.IsNaN(e.BaujatY) {
			return figure.Scene{}, false
		}
		x, y = math.Max(x, e.BaujatX), math.Max(y, e.BaujatY)
	}
	if !(x > 0 && y > 0) {
		return figure.Scene{}, false
	}
	x, y = 1.08*x, 1.08*y
	s := figure.Scene{ID: "baujat", Title: "Baujat plot", W: 760, H: 480, Columns: []string{"effect", "squared Pearson residual", "influence on the pooled effect"},
		Desc: "Effects to the right add most to the heterogeneity, effects at the top move the pooled effect most when left out. Labels that would overlap are left to the table."}
	p := figure.Panel{X: 90, Y: 30, W: 630, H: 380, XAxis: figure.Axis{Label: "Squared Pearson residual", Max: x, Ticks: figure.Ticks(0, x, 6), Grid: true}, YAxis: figure.Axis{Label: "Influence on the pooled effect", Max: y, Ticks: figure.Ticks(0, y, 5), Grid: true}}
	type spot struct{ x, y float64 }
	var labelled []spot
	crowded := func(e MetaEffect) bool { // a label close by would be written over
		for _, s := range labelled {
			if math.Abs(s.y-e.BaujatY) < 0.04*y && math.Abs(s.x-e.BaujatX) < 0.5*x {
				return true
			}
		}
		labelled = append(labelled, spot{e.BaujatX, e.BaujatY})
		return false
	}
	for _, e := range m.Effects {
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Point, X: e.BaujatX, Y: e.BaujatY, Colour: figure.Blue, Size: 4, Tip: e.Label, Row: []string{e.Label, figure.Num(e.BaujatX), figure.Num(e.BaujatY)}})
		if (e.BaujatX > x/3 || e.BaujatY > y/3) && !crowded(e) {
			anchor := "start"
			shift := 0.012 * x
			if e.BaujatX > 0.7*x {
				anchor, shift = "end", -shift
			}
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Text, X: e.BaujatX + shift, Y: e.BaujatY, Text: clip(e.Label, 28), Colour: figure.Black, Anchor: anchor})
		}
	}
	s.Panels = []figure.Panel{p}
	return s, true
}

func (m *MetaPage) bubble() figure.Scene {
	b := m.Bubble
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range b.At {
		lo, hi = math.Min(lo, b.Low[i]), math.Max(hi, b.Up[i])
	}
	for _, e := range m.Effects {
		lo, hi = math.Min(lo, e.Y), math.Max(hi, e.Y)
	}
	lo, hi = lo-0.05*(hi-lo), hi+0.05*(hi-lo)
	x0, x1 := b.At[0], b.At[len(b.At)-1]
	pad := 0.04 * (x1 - x0)
	s := figure.Scene{ID: "bubble", Title: "Effects by " + b.Moderator, W: 760, H: 480, Columns: []string{"panel", "series", b.Moderator, "value", "low", "high"},
		Desc: fmt.Sprintf("Bubbles are effect sizes, larger for more weight; the line is the meta-regression on %s with its %g %% interval.", b.Moderator, m.Level)}
	p := figure.Panel{X: 80, Y: 30, W: 640, H: 380, XAxis: figure.Axis{Label: b.Moderator, Min: x0 - pad, Max: x1 + pad, Ticks: figure.Ticks(x0, x1, 7), Grid: true}, YAxis: figure.Axis{Label: "Effect size", Min: lo, Max: hi, Ticks: figure.Ticks(lo, hi, 6), Grid: true}}
	var line, band []figure.XY
	for i, x := range b.At {
		line, band = append(line, figure.XY{X: x, Y: b.Fit[i]}), append(band, figure.XY{X: x, Low: b.Low[i], High: b.Up[i]})
	}
	p.Marks = append(p.Marks, figure.Mark{Kind: figure.Band, Points: band, Series: "interval", Colour: figure.Blue}, figure.Mark{Kind: figure.Line, Points: line, Series: "regression", Colour: figure.Blue})
	for i, e := range m.Effects {
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Point, X: b.X[i], Y: e.Y, Size: 3 + 1.3*math.Sqrt(e.Weight), Hollow: true, Colour: figure.Black, Tip: e.Label, Row: []string{"", e.Label, figure.Num(b.X[i]), figure.Num(e.Y), "", ""}})
	}
	s.Panels = []figure.Panel{p}
	return s
}
