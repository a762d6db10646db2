package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/figure"
	"github.com/myoaxis/myoaxis/prescribe"
)

// calibrationFigures are the figures of the calibrated axis.
func (v CalibrationView) calibrationFigures() (out []figure.Scene) {
	if v.post == nil {
		return nil
	}
	for _, d := range calibrate.Domains {
		out = append(out, SurfaceMap(d, v.Surface))
	}
	out = append(out, v.sharesFigure(), v.driversFigure(), v.agendaFigure())
	if v.Validation != nil {
		out = append(out, validationFigure(v.Validation))
	}
	return out
}

// shade is a light blue that deepens with p in [0, 1]; black text stays
// readable on all of them.
func shade(p float64) string {
	mix := func(a, b int) int { return a + int(math.Round(p*float64(b-a))) }
	return fmt.Sprintf("#%02x%02x%02x", mix(0xf7, 0x6b), mix(0xfb, 0xae), mix(0xff, 0xd6))
}

// SurfaceMap draws two cuts through the dose surface of a domain: sessions
// against load at 24 weeks of three sets, and weeks against sets at two
// sessions of 70 %. Numbers are the probability that the mean effect exceeds the minimal
// important difference; hatched doses lie beyond the evidence.
func SurfaceMap(domain string, cells []prescribe.Cell) figure.Scene {
	s := figure.Scene{ID: "surface-" + domain, Title: "Dose and effect on " + seriesNames[domain+".gain"], W: 900, H: 380,
		Columns: []string{"sessions/week", "load, % 1RM", "sets", "weeks", "effect, SD", "low 95%", "high 95%", "P(effect > 0.2)", "cohorts near"},
		Desc:    "Two maps of doses. Each cell holds the probability that the mean effect is above 0.2 SD; the deeper the colour, the higher. Hatched cells lie beyond the evidence: no trial trained near them in at least one part of the dose."}
	ones := func(n int) (t []float64) {
		for i := range n {
			t = append(t, float64(i)+0.5)
		}
		return t
	}
	panel := func(x, w float64, title, xl, yl string, xs, ys []float64, pick func(c prescribe.Cell) (float64, float64, bool)) {
		p := figure.Panel{Title: title, X: x, Y: 52, W: w, H: 260, XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}}
		cw, ch := w/float64(len(xs)), 260/float64(len(ys))
		for _, c := range cells {
			vx, vy, ok := pick(c)
			if !ok || c.Domain != domain {
				continue
			}
			i, j := slices.Index(xs, vx), slices.Index(ys, vy)
			y := 260 - float64(j+1)*ch
			row := []string{figure.Num(c.Sessions), figure.Num(c.LoadPct), figure.Num(c.Sets), figure.Num(c.Weeks), figure.Num(c.Effect.Median), figure.Num(c.Effect.Low), figure.Num(c.Effect.High), figure.Num(c.ProbAbove), fmt.Sprint(c.Cohorts)}
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Cell, X: float64(i) * cw, X2: float64(i+1) * cw, Y: y + ch, Y2: y, Colour: shade(c.ProbAbove), Hollow: !c.Supported, Text: fmt.Sprintf("%.2f", c.ProbAbove), Row: row,
				Tip: fmt.Sprintf("%g sessions a week, %g %% 1RM, %g sets, %g weeks: %.2f SD (%.2f to %.2f)", c.Sessions, c.LoadPct, c.Sets, c.Weeks, c.Effect.Median, c.Effect.Low, c.Effect.High)})
		}
		for i, at := range ones(len(xs)) {
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Text, X: at * cw, Y: 274, Text: fmt.Sprintf("%g", xs[i]), Anchor: "middle", Colour: figure.Black})
		}
		for j, at := range ones(len(ys)) {
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Text, X: -8, Y: 260 - at*ch, Text: fmt.Sprintf("%g", ys[j]), Anchor: "end", Colour: figure.Black})
		}
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Text, X: w / 2, Y: 298, Text: xl, Anchor: "middle", Colour: figure.Black}, figure.Mark{Kind: figure.Text, X: -8, Y: -12, Text: yl, Anchor: "end", Colour: figure.Black})
		s.Panels = append(s.Panels, p)
	}
	panel(60, 400, "24 weeks, 3 sets", "sessions a week", "% 1RM", prescribe.SurfaceSessions, prescribe.SurfaceLoads, func(c prescribe.Cell) (float64, float64, bool) {
		return c.Sessions, c.LoadPct, c.Weeks == 24 && c.Sets == 3
	})
	panel(540, 330, "2 sessions a week, 70 % 1RM", "weeks", "sets", prescribe.SurfaceWeeks, prescribe.SurfaceSets, func(c prescribe.Cell) (float64, float64, bool) {
		return c.Weeks, c.Sets, c.Sessions == 2 && c.LoadPct == 70
	})
	return s
}

// bar is a row of a chart of intervals.
type bar struct {
	name           string
	at, low, high  float64
	hollow, dashed bool
}

func intervalChart(id, title, desc, label string, lo, hi float64, bars []bar) figure.Scene {
	const rowH, left, w = 24.0, 470.0, 400.0
	h := rowH*float64(len(bars)) + 12
	s := figure.Scene{ID: id, Title: title, Desc: desc, W: left + w + 40, H: h + 90, Columns: []string{"name", "value", "low", "high"}}
	plot := figure.Panel{X: left, Y: 30, W: w, H: h, XAxis: figure.Axis{Label: label, Min: lo, Max: hi, Ticks: figure.Ticks(lo, hi, 6), Grid: true}, YAxis: figure.Axis{Hidden: true}}
	text := figure.Panel{X: 0, Y: 30, W: left, H: h, XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}}
	if lo < 0 {
		plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Rule, X: 0, Colour: figure.Grey})
	}
	for i, b := range bars {
		y := float64(i)*rowH + 16
		colour, dash := figure.Blue, ""
		if b.dashed {
			colour, dash = figure.Grey, "4 3"
		}
		row := []string{b.name, figure.Num(b.at), figure.Num(b.low), figure.Num(b.high)}
		text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: left - 12, Y: y, Text: clip(b.name, 64), Anchor: "end", Colour: figure.Black})
		plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Interval, X: b.low, X2: b.high, Y: y, Colour: colour, Dash: dash, Row: row, Tip: fmt.Sprintf("%s: %.3g (%.3g to %.3g)", b.name, b.at, b.low, b.high)},
			figure.Mark{Kind: figure.Point, X: b.at, Y: y, Colour: colour, Hollow: b.hollow || b.dashed})
	}
	s.Panels = []figure.Panel{plot, text}
	return s
}

func (v CalibrationView) sharesFigure() figure.Scene {
	var bars []bar
	for _, s := range v.Shares {
		if s.Domain != agendaDomain || s.Path == "direct" {
			continue
		}
		name := s.Path
		if name == "axis" {
			name = "the axis, all paths"
		}
		bars = append(bars, bar{name: name, at: s.Share.Median, low: s.Share.Low, high: s.Share.High},
			bar{name: name + ": before the data", at: s.Prior.Median, low: s.Prior.Low, high: s.Prior.High, dashed: true})
	}
	return intervalChart("shares", "Share of the effect on global cognition through each path", "Median and 95 % interval of the share of the effect that runs through the axis and through each of its paths, after calibration (solid) and before (dashed).", "share of the effect", -0.5, 1, bars)
}

func (v CalibrationView) driversFigure() figure.Scene {
	var bars []bar
	for _, d := range v.TopDrivers() {
		bars = append(bars, bar{name: d.Name + ": " + d.Meaning, at: d.Total, low: d.Low, high: d.High, hollow: d.Assumed})
	}
	return intervalChart("drivers", "What drives the predicted effect on global cognition", "Total Sobol index with bootstrap interval of the parameters and links with the largest part in the variance of the predicted effect; hollow points are assumed parameters.", "total Sobol index", 0, 1, bars)
}

func (v CalibrationView) agendaFigure() figure.Scene {
	var bars []bar
	for _, a := range v.TopAgenda() {
		bars = append(bars, bar{name: a.Name, at: a.Reduction, low: a.Low, high: a.High})
	}
	top := 0.1
	for _, b := range bars {
		top = math.Max(top, math.Ceil(b.high*10)/10)
	}
	return intervalChart("agenda", "Which single measurement would narrow the answer most", "Expected share of the variance of the predicted effect on global cognition that one new measurement would remove, with bootstrap interval.", "expected reduction in variance", 0, top, bars)
}

// validationFigure shows each rival against the axis, and the PIT histogram.
func validationFigure(v *calibrate.Validation) figure.Scene {
	s := figure.Scene{ID: "validation", Title: "The axis on studies it has not seen", W: 900, H: 330, Columns: []string{"model", "value", "low", "high"},
		Desc: "Left: difference in expected log predictive density between each plain model and the axis on cognition studies left out one at a time, with ±2 standard errors; right of zero the plain model predicts better. Right: histogram of probability integral transforms of the axis; flat means calibrated."}
	var rivals []calibrate.Verdict
	lo, hi := -1.0, 1.0
	for _, x := range v.Verdicts {
		if x.Class == "cognition" && x.Model != "axis" {
			rivals = append(rivals, x)
			lo, hi = math.Min(lo, x.Difference-2*x.DifferenceSE), math.Max(hi, x.Difference+2*x.DifferenceSE)
		}
	}
	lo, hi = math.Floor(lo), math.Ceil(hi)
	plot := figure.Panel{X: 170, Y: 40, W: 300, H: 200, XAxis: figure.Axis{Label: "log predictive density, model minus axis", Min: lo, Max: hi, Ticks: figure.Ticks(lo, hi, 5), Grid: true}, YAxis: figure.Axis{Hidden: true}}
	text := figure.Panel{X: 0, Y: 40, W: 170, H: 200, XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}}
	plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Rule, X: 0, Colour: figure.Black})
	for i, x := range rivals {
		y := float64(i)*36 + 24
		a, b := x.Difference-2*x.DifferenceSE, x.Difference+2*x.DifferenceSE
		text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: 158, Y: y, Anchor: "end", Text: x.Model, Colour: figure.Black})
		plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Interval, X: a, X2: b, Y: y, Colour: figure.Blue, Row: []string{x.Model, figure.Num(x.Difference), figure.Num(a), figure.Num(b)}}, figure.Mark{Kind: figure.Point, X: x.Difference, Y: y, Colour: figure.Blue})
	}
	s.Panels = append(s.Panels, plot, text)
	if a := v.Find("axis", "cognition"); a != nil {
		top := float64(slices.Max(a.PIT))
		p := figure.Panel{X: 560, Y: 40, W: 300, H: 200, XAxis: figure.Axis{Label: "PIT", Min: 0, Max: 1, Ticks: []float64{0, 0.5, 1}}, YAxis: figure.Axis{Label: "results", Min: 0, Max: top + 1, Ticks: figure.Ticks(0, top+1, 4), Grid: true}}
		for i, n := range a.PIT {
			at := (float64(i) + 0.5) / float64(len(a.PIT))
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Bar, X: at, Y: float64(n), Size: 24, Colour: figure.Blue, Row: []string{fmt.Sprintf("PIT around %.2f", at), fmt.Sprint(n), "", ""}})
		}
		s.Panels = append(s.Panels, p)
	}
	return s
}
