// Package figure draws scenes. A scene says what is shown once; it renders as
// accessible SVG, as a data table and as a Vega-Lite specification. Sizes are
// in CSS pixels; text is never below 12 px; colours are those of Okabe & Ito
// (2008), and no meaning hangs on colour alone.
package figure

import "math"

// Colours of the palette.
const (
	Black  = "#1a1a1a"
	Grey   = "#5f6368"
	Light  = "#d5d8dc"
	Blue   = "#0072B2"
	Orange = "#9C5C00" // darkened for contrast on white
	Red    = "#B84300"
	Green  = "#007A57"
	Purple = "#9A4F7C"
)

// Scene is a figure: panels on a canvas.
type Scene struct {
	ID, Title, Desc string
	W, H            float64
	Panels          []Panel
	Columns         []string // of the data table
}

// Panel is a plot area with its axes; X, Y, W, H are on the canvas.
type Panel struct {
	Title      string
	X, Y, W, H float64
	XAxis      Axis
	YAxis      Axis
	Marks      []Mark
}

// Axis maps values to the panel. A hidden axis draws nothing.
type Axis struct {
	Label    string
	Min, Max float64
	Ticks    []float64
	Hidden   bool
	Grid     bool
}

// Kind is what a mark draws.
type Kind string

// The marks. Interval is horizontal from X to X2 at Y; ends may be infinite
// and then run to the edge with an arrow. Band fills between Low and High of
// its points, Line joins them. Box and Arrow draw maps.
const (
	Point    Kind = "point"
	Diamond  Kind = "diamond"
	Interval Kind = "interval"
	Band     Kind = "band"
	Line     Kind = "line"
	Rule     Kind = "rule" // vertical at X
	Text     Kind = "text"
	Box      Kind = "box"
	Arrow    Kind = "arrow"
	Bar      Kind = "bar" // vertical, from 0 to Y at X
	// Cell fills X to X2, Y to Y2 with Colour and writes Text in it; Hollow hatches
	// it instead (no evidence). Dark text on a light colour is the caller's choice.
	Cell Kind = "cell"
)

// XY is a point of a line or band.
type XY struct{ X, Y, Low, High float64 }

// Mark is one thing drawn, in axis units unless the panel's axes are hidden,
// then in canvas units. Row is its line in the data table; lines and bands
// make one row a point instead, from Series and Points.
type Mark struct {
	Kind         Kind
	X, X2, Y, Y2 float64
	Points       []XY
	Text, Series string
	Colour, Dash string
	Hollow       bool
	Size         float64
	Anchor       string // text: start, middle, end
	Bold         bool
	Tip          string // title shown by browsers and read by screen readers
	Row          []string
}

// Ticks returns about n round values from lo to hi (1, 2 or 5 times a power
// of ten).
func Ticks(lo, hi float64, n int) (out []float64) {
	if !(hi > lo) || n < 1 {
		return []float64{lo}
	}
	raw := (hi - lo) / float64(n)
	mag := math.Pow(10, math.Floor(math.Log10(raw)))
	step := mag * 10
	for _, m := range []float64{1, 2, 5} {
		if m*mag >= raw {
			step = m * mag
			break
		}
	}
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi+1e-9*step; k++ {
		out = append(out, math.Round(k*step*1e9)/1e9+0) // +0 turns -0 into 0
	}
	return out
}

// Table returns the data of the scene, header first.
func (s Scene) Table() [][]string {
	rows := [][]string{s.Columns}
	for _, p := range s.Panels {
		for _, m := range p.Marks {
			if m.Row != nil {
				rows = append(rows, m.Row)
			}
			if m.Kind == Line || m.Kind == Band {
				if m.Series == "" {
					continue
				}
				for _, q := range m.Points {
					rows = append(rows, pointRow(s.Columns, p.Title, m, q))
				}
			}
		}
	}
	return rows
}

// pointRow fills the columns panel, series, x, value, low and high that the
// scene has.
func pointRow(columns []string, panel string, m Mark, q XY) []string {
	row := make([]string, len(columns))
	for i, c := range columns {
		switch {
		case c == "panel":
			row[i] = panel
		case c == "series":
			row[i] = m.Series
		case c == "low" && m.Kind == Band:
			row[i] = Num(q.Low)
		case c == "high" && m.Kind == Band:
			row[i] = Num(q.High)
		case c == "value" && m.Kind == Line:
			row[i] = Num(q.Y)
		case i == 2:
			row[i] = Num(q.X)
		}
	}
	return row
}
