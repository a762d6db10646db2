package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/myoaxis/myoaxis/figure"
)

// Forest draws the results of one domain as they were reported: numbers as
// points with intervals, partial reports as bars over the range they leave
// open.
func Forest(p PoolView) figure.Scene {
	rows := slices.Clone(p.Rows)
	slices.SortStableFunc(rows, func(a, b ObservationRow) int {
		if a.numeric != b.numeric {
			if a.numeric {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Study, b.Study)
	})
	const rowH, left, plotW, right = 22.0, 330.0, 380.0, 190.0
	h := float64(len(rows))*rowH + 120
	s := figure.Scene{ID: "forest-" + p.Domain, Title: "Results for " + Words(p.Domain), W: left + plotW + right, H: 62 + h + 40,
		Columns: []string{"observation", "study", "instrument", "form", "effect", "low", "high"}}
	s.Desc = fmt.Sprintf("Forest plot of %d results. Squares with thin intervals are printed numbers; hollow bars are partial reports and span the effects the report leaves open; arrows mark open ends. The diamond is the pooled effect, the dashed line below it the prediction interval.", len(rows))
	lo, hi := -1.5, 2.5
	plot := figure.Panel{X: left, Y: 40, W: plotW, H: h, XAxis: figure.Axis{Label: "Effect, SD (right: trained did better)", Min: lo, Max: hi, Ticks: figure.Ticks(lo, hi, 8), Grid: true}, YAxis: figure.Axis{Hidden: true}}
	text := figure.Panel{X: 0, Y: 40, W: s.W, H: h, XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}}
	head := func(x float64, t string) {
		text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: x, Y: -14, Text: t, Colour: figure.Black, Bold: true})
	}
	head(8, "Study, instrument")
	head(left+plotW+14, "As reported")
	plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Rule, X: 0, Colour: figure.Grey})
	for i, r := range rows {
		y := float64(i)*rowH + 14
		text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: 8, Y: y, Text: clip(r.Study+": "+r.Instrument, 46), Colour: figure.Black},
			figure.Mark{Kind: figure.Text, X: left + plotW + 14, Y: y, Text: reportedAs(r), Colour: figure.Black})
		plot.Marks = append(plot.Marks, rowMarks(r, y)...)
	}
	plot.Marks = append(plot.Marks, pooledMarks(p, float64(len(rows))*rowH+26)...)
	text.Marks = append(text.Marks, pooledLabels(p, float64(len(rows))*rowH+26, left+plotW+14)...)
	s.Panels = []figure.Panel{plot, text}
	return s
}

func rowMarks(r ObservationRow, y float64) []figure.Mark {
	row := []string{r.ID, r.Study, r.Instrument, Words(r.Form), num(r.Effect), figure.Num(r.low), figure.Num(r.high)}
	tip := fmt.Sprintf("%s, %s: %s", r.Study, r.Instrument, reportedAs(r))
	if r.numeric {
		return []figure.Mark{
			{Kind: figure.Interval, X: r.low, X2: r.high, Y: y, Colour: figure.Blue, Tip: tip, Row: row},
			{Kind: figure.Point, X: float64(r.Effect), Y: y, Colour: figure.Blue}}
	}
	m := figure.Mark{Kind: figure.Interval, X: r.low, X2: r.high, Y: y, Hollow: true, Colour: figure.Orange, Tip: tip, Row: row}
	switch r.Form {
	case "not_significant", "not_significant_direction_known":
		m.Colour = figure.Grey
	case "measured_not_mentioned":
		m.Colour, m.Dash = figure.Grey, "3 3"
	case "direction_only":
		m.Colour, m.Dash = figure.Purple, "6 3"
	}
	return []figure.Mark{m}
}

func reportedAs(r ObservationRow) string {
	better := "better"
	if !r.numeric && r.high <= 0 {
		better = "worse"
	}
	switch r.Form {
	case "estimate":
		return fmt.Sprintf("%s (%s to %s)", num(r.Effect), figure.Num(r.low), figure.Num(r.high))
	case "exact_p":
		return fmt.Sprintf("%s from its p", num(r.Effect))
	case "p_below_threshold":
		return "p below a threshold, " + better
	case "not_significant", "not_significant_direction_known":
		return "not significant"
	case "direction_only":
		return "direction only, " + better
	}
	return "result not mentioned"
}

func pooledMarks(p PoolView, y float64) (ms []figure.Mark) {
	add := func(e *Estimate, name, colour string, at float64, hollow bool) {
		if e == nil {
			return
		}
		lo, hi := open(e.CILow, -1), open(e.CIHigh, 1)
		row := []string{name, "", "", fmt.Sprintf("%d results", e.Rows), num(e.Estimate), figure.Num(lo), figure.Num(hi)}
		if hollow {
			ms = append(ms, figure.Mark{Kind: figure.Interval, X: lo, X2: hi, Y: at, Colour: colour, Row: row}, figure.Mark{Kind: figure.Point, X: float64(e.Estimate), Y: at, Colour: colour, Hollow: true})
			return
		}
		ms = append(ms, figure.Mark{Kind: figure.Diamond, X: lo, Size: float64(e.Estimate), X2: hi, Y: at, Colour: colour, Row: row},
			figure.Mark{Kind: figure.Interval, X: float64(e.PILow), X2: float64(e.PIHigh), Y: at + 22, Colour: colour, Dash: "4 3", Row: []string{"prediction interval", "", "", "", "", num(e.PILow), num(e.PIHigh)}})
	}
	add(p.All, "pooled", figure.Black, y, false)
	add(p.NumericOnly, "without partial reports", figure.Grey, y+48, true)
	return ms
}

// open gives back the infinite end that Num hides in JSON.
func open(n Num, sign int) float64 {
	if v := float64(n); !math.IsNaN(v) {
		return v
	}
	return math.Inf(sign)
}

func pooledLabels(p PoolView, y, right float64) (ms []figure.Mark) {
	label := func(at float64, l, r string, bold bool) {
		ms = append(ms, figure.Mark{Kind: figure.Text, X: 8, Y: at, Text: l, Colour: figure.Black, Bold: bold}, figure.Mark{Kind: figure.Text, X: right, Y: at, Text: r, Colour: figure.Black, Bold: bold})
	}
	if e := p.All; e != nil {
		label(y, "Pooled, every report counted", interval(e.Estimate, e.CILow, e.CIHigh), true)
		label(y+22, "Prediction for a new trial", fmt.Sprintf("%s to %s", num(e.PILow), num(e.PIHigh)), false)
	}
	if e := p.NumericOnly; e != nil {
		label(y+48, "Printed numbers alone", interval(e.Estimate, e.CILow, e.CIHigh), false)
	}
	return ms
}

func interval(est, lo, hi Num) string {
	return fmt.Sprintf("%s (%s to %s)", num(est), figure.Num(open(lo, -1)), figure.Num(open(hi, 1)))
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Summary compares the domains: pooled with and without the partial reports.
func Summary(c *Content) figure.Scene {
	pools := append([]PoolView{c.Overall}, c.Domains...)
	const rowH, left, plotW, right = 46.0, 170.0, 420.0, 320.0
	h := float64(len(pools))*rowH + 10
	s := figure.Scene{ID: "summary", Title: "Pooled effects by domain", W: left + plotW + right, H: h + 100,
		Desc:    "Diamonds: pooled effect with every report counted, with its 95% interval; hollow squares: printed numbers alone; dashed lines: prediction interval for a new trial.",
		Columns: []string{"domain", "basis", "results", "estimate", "low", "high"}}
	lo, hi := -1.0, 2.0
	plot := figure.Panel{X: left, Y: 40, W: plotW, H: h, XAxis: figure.Axis{Label: "Effect, SD", Min: lo, Max: hi, Ticks: figure.Ticks(lo, hi, 6), Grid: true}, YAxis: figure.Axis{Hidden: true}}
	text := figure.Panel{X: 0, Y: 40, W: s.W, H: h, XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}}
	plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Rule, X: 0, Colour: figure.Grey})
	for i, p := range pools {
		y := float64(i)*rowH + 16
		text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: 8, Y: y, Text: strings.ToUpper(Words(p.Domain)[:1]) + Words(p.Domain)[1:], Colour: figure.Black, Bold: i == 0})
		if p.All == nil {
			continue
		}
		row := func(basis string, e *Estimate) []string {
			return []string{p.Domain, basis, fmt.Sprint(e.Rows), num(e.Estimate), figure.Num(open(e.CILow, -1)), figure.Num(open(e.CIHigh, 1))}
		}
		plot.Marks = append(plot.Marks,
			figure.Mark{Kind: figure.Interval, X: float64(p.All.PILow), X2: float64(p.All.PIHigh), Y: y, Colour: figure.Black, Dash: "4 3"},
			figure.Mark{Kind: figure.Diamond, X: open(p.All.CILow, -1), Size: float64(p.All.Estimate), X2: open(p.All.CIHigh, 1), Y: y, Colour: figure.Blue, Row: row("every report", p.All)})
		text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: left + plotW + 14, Y: y, Text: fmt.Sprintf("%s; %d results", interval(p.All.Estimate, p.All.CILow, p.All.CIHigh), p.All.Rows), Colour: figure.Black})
		if e := p.NumericOnly; e != nil {
			plot.Marks = append(plot.Marks, figure.Mark{Kind: figure.Interval, X: open(e.CILow, -1), X2: open(e.CIHigh, 1), Y: y + 19, Colour: figure.Grey},
				figure.Mark{Kind: figure.Point, X: float64(e.Estimate), Y: y + 19, Hollow: true, Colour: figure.Grey, Row: row("printed numbers alone", e)})
			text.Marks = append(text.Marks, figure.Mark{Kind: figure.Text, X: left + plotW + 14, Y: y + 19, Text: fmt.Sprintf("%s; %d numbers alone", interval(e.Estimate, e.CILow, e.CIHigh), e.Rows), Colour: figure.Grey})
		}
	}
	s.Panels = []figure.Panel{plot, text}
	return s
}

// DoseCurve draws a dose–response with the evidence behind each dose.
func DoseCurve(d DoseView) figure.Scene {
	s := figure.Scene{ID: "dose-" + d.By, Title: d.Label + " and the effect on cognition", W: 620, H: 450, Columns: []string{"panel", "series", "dose", "value", "low", "high"}}
	s.Desc = fmt.Sprintf("Average of shapes weighted by AIC, %d results of %d cohorts. Dark band: 95%% interval; light band: prediction interval; bars: cohorts at each dose. Comparison between trials.", d.Rows, d.Cohorts)
	x := figure.Axis{Min: float64(d.DoseMin), Max: float64(d.DoseMax), Ticks: figure.Ticks(float64(d.DoseMin), float64(d.DoseMax), 6)}
	var ci, pi, mid []figure.XY
	for _, p := range d.Curve {
		ci = append(ci, figure.XY{X: float64(p.Dose), Low: float64(p.CILow), High: float64(p.CIHigh)})
		pi = append(pi, figure.XY{X: float64(p.Dose), Low: float64(p.PILow), High: float64(p.PIHigh)})
		mid = append(mid, figure.XY{X: float64(p.Dose), Y: float64(p.Estimate)})
	}
	top := figure.Panel{Title: "Effect, SD", X: 60, Y: 40, W: 530, H: 220, XAxis: x, YAxis: figure.Axis{Min: -1, Max: 2, Ticks: []float64{-1, 0, 1, 2}, Grid: true}}
	top.Marks = []figure.Mark{{Kind: figure.Band, Points: pi, Colour: figure.Blue, Size: 0.12, Series: "prediction interval"}, {Kind: figure.Band, Points: ci, Colour: figure.Blue, Size: 0.3, Series: "95% interval"}, {Kind: figure.Line, Points: mid, Colour: figure.Blue, Series: "estimate"}}
	count := map[float64]map[string]bool{}
	for _, o := range d.doses {
		if count[o.Dose] == nil {
			count[o.Dose] = map[string]bool{}
		}
		count[o.Dose][o.Cohort] = true
	}
	var keys []float64
	most := 1
	for k, v := range count {
		keys = append(keys, k)
		most = max(most, len(v))
	}
	slices.Sort(keys)
	x.Label = fmt.Sprintf("%s (%s)", d.Label, d.Unit)
	bottom := figure.Panel{Title: "Cohorts at each dose", X: 60, Y: 318, W: 530, H: 70, XAxis: x, YAxis: figure.Axis{Min: 0, Max: float64(most), Ticks: []float64{0, float64(most)}}}
	for _, k := range keys {
		bottom.Marks = append(bottom.Marks, figure.Mark{Kind: figure.Bar, X: k, Y: float64(len(count[k])), Size: 9, Colour: figure.Orange, Row: []string{"support", "cohorts", figure.Num(k), fmt.Sprint(len(count[k])), "", ""}})
	}
	s.Panels = []figure.Panel{top, bottom}
	return s
}

// OmegaCurve draws the pooled effect against the probability of mention.
func OmegaCurve(p PoolView) figure.Scene {
	s := figure.Scene{ID: "omega-" + p.Domain, Title: "If abstracts leave out what did not move: " + Words(p.Domain), W: 620, H: 440, Columns: []string{"panel", "series", "omega", "value", "low", "high"}}
	s.Desc = "Pooled effect with 95% interval, and relative profile log-likelihood, against the probability that a non-significant outcome is mentioned in an abstract."
	var band, mid, ll []figure.XY
	for _, o := range p.Omega {
		band = append(band, figure.XY{X: float64(o.Omega), Low: float64(o.CILow), High: float64(o.CIHigh)})
		mid = append(mid, figure.XY{X: float64(o.Omega), Y: float64(o.Estimate)})
		ll = append(ll, figure.XY{X: float64(o.Omega), Y: float64(o.RelLogLik)})
	}
	x := figure.Axis{Min: 0, Max: 1, Ticks: figure.Ticks(0, 1, 5)}
	top := figure.Panel{Title: "Pooled effect, SD", X: 60, Y: 40, W: 530, H: 190, XAxis: x, YAxis: figure.Axis{Min: -0.5, Max: 1.5, Ticks: []float64{-0.5, 0, 0.5, 1, 1.5}, Grid: true},
		Marks: []figure.Mark{{Kind: figure.Band, Points: band, Colour: figure.Blue, Size: 0.3, Series: "95% interval"}, {Kind: figure.Line, Points: mid, Colour: figure.Blue, Series: "effect"}}}
	x.Label = "Probability that a non-significant outcome is mentioned"
	bottom := figure.Panel{Title: "Relative profile log-likelihood (0 = best; −1.92 bounds a 95% interval)", X: 60, Y: 280, W: 530, H: 100, XAxis: x, YAxis: figure.Axis{Min: -5, Max: 0.2, Ticks: []float64{-4, -2, 0}, Grid: true},
		Marks: []figure.Mark{{Kind: figure.Line, Points: ll, Colour: figure.Red, Dash: "6 3", Series: "log-likelihood"}}}
	s.Panels = []figure.Panel{top, bottom}
	return s
}

// ribbons are the 95, 80 and 50 % bands and the median of a series.
func ribbons(pts []SeriesPoint, scale float64) []figure.Mark {
	band := func(lo, hi func(Quantiles) Num) (out []figure.XY) {
		for _, p := range pts {
			out = append(out, figure.XY{X: float64(p.TimeH) / scale, Low: float64(lo(p.Quantiles)), High: float64(hi(p.Quantiles))})
		}
		return out
	}
	var mid []figure.XY
	for _, p := range pts {
		mid = append(mid, figure.XY{X: float64(p.TimeH) / scale, Y: float64(p.Median)})
	}
	return []figure.Mark{
		{Kind: figure.Band, Size: 0.15, Colour: figure.Blue, Series: "95%", Points: band(func(q Quantiles) Num { return q.Q025 }, func(q Quantiles) Num { return q.Q975 })},
		{Kind: figure.Band, Size: 0.25, Colour: figure.Blue, Series: "80%", Points: band(func(q Quantiles) Num { return q.Q10 }, func(q Quantiles) Num { return q.Q90 })},
		{Kind: figure.Band, Size: 0.35, Colour: figure.Blue, Series: "50%", Points: band(func(q Quantiles) Num { return q.Q25 }, func(q Quantiles) Num { return q.Q75 })},
		{Kind: figure.Line, Colour: figure.Black, Series: "median", Points: mid},
	}
}

var seriesNames = map[string]string{"irisin.fold": "irisin", "bdnf.fold": "BDNF", "il6.fold": "IL-6", "il15.fold": "IL-15", "igf1.fold": "IGF-1", "memory.gain": "memory", "executive.gain": "executive function", "speed.gain": "processing speed", "visuospatial.gain": "visuospatial ability", "global.gain": "global cognition", "strength": "strength (fraction of start)"}

// multiples lays series out in rows of three.
func multiples(s figure.Scene, series []Series, scale float64, xAxis figure.Axis, y func(Series) figure.Axis, rule float64) figure.Scene {
	const w, h, gapX, gapY = 220.0, 130.0, 80.0, 90.0
	s.Columns = []string{"panel", "series", "time", "value", "low", "high"}
	rows := (len(series) + 2) / 3
	s.W, s.H = 60+3*(w+gapX)-20, 30+float64(rows)*(h+gapY)
	for i, sr := range series {
		p := figure.Panel{Title: seriesNames[sr.ID], X: 60 + float64(i%3)*(w+gapX), Y: 34 + float64(i/3)*(h+gapY), W: w, H: h, XAxis: xAxis, YAxis: y(sr)}
		p.Marks = append(ribbons(sr.Points, scale), figure.Mark{Kind: figure.Line, Points: []figure.XY{{X: xAxis.Min, Y: rule}, {X: xAxis.Max, Y: rule}}, Colour: figure.Red, Dash: "5 4", Size: 1.4})
		s.Panels = append(s.Panels, p)
	}
	return s
}

// AcuteMultiples draws the five myokines around the first session.
func AcuteMultiples(c *Content) figure.Scene {
	s := figure.Scene{ID: "myokines", Title: "Five myokines around the first session", Desc: "Predicted course in blood as a fold of rest over 24 hours from the start of the first session; bands hold 50, 80 and 95 percent of virtual persons; the dashed line is rest. Prior predictive."}
	x := figure.Axis{Label: "hours from the start", Min: -0.5, Max: 24, Ticks: []float64{0, 6, 12, 18, 24}}
	return multiples(s, c.Acute, 1, x, func(sr Series) figure.Axis {
		top := 1.02
		for _, p := range sr.Points {
			top = math.Max(top, float64(p.Q975))
		}
		step := figure.Ticks(1, top, 3)
		lo := 1 - 0.1*(top-1)
		return figure.Axis{Min: lo, Max: top + 0.05*(top-1), Ticks: step, Grid: true}
	}, 1)
}

// Trajectories draws the example programme against no training.
func Trajectories(c *Content) figure.Scene {
	s := figure.Scene{ID: "trajectory", Title: "The example programme against no training", Desc: "Predicted difference from no training in SD, in five cognitive domains, and strength; bands hold 50, 80 and 95 percent of virtual persons; the dashed line is no training. Prior predictive."}
	var pick []Series
	for _, id := range []string{"memory.gain", "executive.gain", "speed.gain", "visuospatial.gain", "global.gain", "strength"} {
		for _, sr := range c.Example.Series {
			if sr.ID == id {
				pick = append(pick, sr)
			}
		}
	}
	weeks := float64(c.Example.WeeksRun)
	x := figure.Axis{Label: "weeks", Min: 0, Max: weeks, Ticks: figure.Ticks(0, weeks, 5)}
	return multiples(s, pick, 168, x, func(sr Series) figure.Axis {
		if sr.ID == "strength" {
			return figure.Axis{Min: -0.1, Max: 0.6, Ticks: []float64{0, 0.2, 0.4, 0.6}, Grid: true}
		}
		return figure.Axis{Min: -0.5, Max: 1.5, Ticks: []float64{-0.5, 0, 0.5, 1, 1.5}, Grid: true}
	}, 0)
}

// FlowChart draws the evidence flow from rows found to rows used.
func FlowChart(f Flow) figure.Scene {
	h := 150 + 24*float64(len(f.Excluded))
	s := figure.Scene{ID: "flow", Title: "Evidence flow", Desc: fmt.Sprintf("%d comparisons found, %d used from %d studies of %d cohorts.", f.Found, f.Used, f.Studies, f.Cohorts), W: 760, H: h + 40, Columns: []string{"step", "count"}}
	p := figure.Panel{XAxis: figure.Axis{Hidden: true}, YAxis: figure.Axis{Hidden: true}, W: s.W, H: s.H}
	p.Marks = []figure.Mark{
		{Kind: figure.Box, X: 150, Y: 40, X2: 250, Y2: 48, Text: fmt.Sprintf("%d comparisons\nin the evidence", f.Found), Colour: figure.Blue, Bold: true, Row: []string{"found", fmt.Sprint(f.Found)}},
		{Kind: figure.Box, X: 150, Y: h - 10, X2: 250, Y2: 64, Text: fmt.Sprintf("%d results pooled\n%d studies, %d cohorts\n%d with assumed arm sizes", f.Used, f.Studies, f.Cohorts, f.AssumedN), Colour: figure.Green, Bold: true, Row: []string{"used", fmt.Sprint(f.Used)}},
		{Kind: figure.Arrow, X: 150, Y: 64, X2: 150, Y2: h - 44, Colour: figure.Grey},
		{Kind: figure.Text, X: 310, Y: 40, Text: "Left out", Colour: figure.Black, Bold: true},
	}
	for i, r := range f.Excluded {
		y := 70 + 24*float64(i)
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Text, X: 350, Y: y, Text: fmt.Sprint(r.Count), Anchor: "end", Colour: figure.Black},
			figure.Mark{Kind: figure.Text, X: 362, Y: y, Text: r.Reason, Colour: figure.Black, Row: []string{r.Reason, fmt.Sprint(r.Count)}})
	}
	if n := len(f.Excluded); n > 0 {
		mid := 70 + 12*float64(n-1)
		p.Marks = append(p.Marks, figure.Mark{Kind: figure.Arrow, X: 150, Y: mid, X2: 312, Y2: mid, Colour: figure.Grey})
	}
	s.Panels = []figure.Panel{p}
	return s
}
