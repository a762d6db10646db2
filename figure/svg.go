package figure

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Num writes a number for people: three significant digits, a true minus sign,
// "∞" for what is not bounded and "–" for what is missing.
func Num(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 1):
		return "∞"
	case math.IsInf(v, -1):
		return "−∞"
	}
	d := 2
	if a := math.Abs(v); a >= 100 {
		d = 0
	} else if a >= 10 {
		d = 1
	} else if a > 0 && a < 0.1 {
		d = 3
	}
	s := strconv.FormatFloat(v, 'f', d, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}

func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// FontSize is the size of text in figures.
const FontSize = 13

// svg collects the drawing.
type svg struct{ b strings.Builder }

// SVG renders the scene with title and description for screen readers.
func (s Scene) SVG() string {
	d := &svg{}
	id := html.EscapeString(s.ID)
	fmt.Fprintf(&d.b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="%s-t %s-d" viewBox="0 0 %s %s" width="%s" height="%s" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="%d" fill="%s">`,
		id, id, px(s.W), px(s.H), px(s.W), px(s.H), FontSize, Black)
	fmt.Fprintf(&d.b, `<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, id, html.EscapeString(s.Title), id, html.EscapeString(s.Desc))
	fmt.Fprintf(&d.b, `<rect width="%s" height="%s" fill="#ffffff"/>`, px(s.W), px(s.H))
	for _, p := range s.Panels {
		d.panel(p)
	}
	d.b.WriteString("</svg>")
	return d.b.String()
}

func (p Panel) sx(v float64) float64 {
	if p.XAxis.Hidden {
		return p.X + v
	}
	return p.X + (v-p.XAxis.Min)/(p.XAxis.Max-p.XAxis.Min)*p.W
}

func (p Panel) sy(v float64) float64 {
	if p.YAxis.Hidden {
		return p.Y + v
	}
	return p.Y + p.H - (v-p.YAxis.Min)/(p.YAxis.Max-p.YAxis.Min)*p.H
}

func (d *svg) text(x, y float64, anchor, colour string, bold bool, s string) {
	weight := ""
	if bold {
		weight = ` font-weight="600"`
	}
	fmt.Fprintf(&d.b, `<text x="%s" y="%s" text-anchor="%s" fill="%s"%s>%s</text>`, px(x), px(y), anchor, colour, weight, html.EscapeString(s))
}

func (d *svg) line(x1, y1, x2, y2 float64, colour, dash string, width float64) {
	if dash != "" {
		dash = ` stroke-dasharray="` + dash + `"`
	}
	fmt.Fprintf(&d.b, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="%s" stroke-width="%s"%s/>`, px(x1), px(y1), px(x2), px(y2), colour, px(width), dash)
}

func (d *svg) panel(p Panel) {
	if p.Title != "" {
		d.text(p.X, p.Y-8, "start", Black, true, p.Title)
	}
	if !p.XAxis.Hidden {
		d.xAxis(p)
	}
	if !p.YAxis.Hidden {
		d.yAxis(p)
	}
	for _, m := range p.Marks {
		d.mark(p, m)
	}
}

func (d *svg) xAxis(p Panel) {
	y := p.Y + p.H
	d.line(p.X, y, p.X+p.W, y, Grey, "", 1)
	for _, t := range p.XAxis.Ticks {
		x := p.sx(t)
		if p.XAxis.Grid {
			d.line(x, p.Y, x, y, Light, "", 1)
		}
		d.line(x, y, x, y+5, Grey, "", 1)
		d.text(x, y+19, "middle", Black, false, tick(t))
	}
	if p.XAxis.Label != "" {
		d.text(p.X+p.W/2, y+38, "middle", Black, false, p.XAxis.Label)
	}
}

func (d *svg) yAxis(p Panel) {
	for _, t := range p.YAxis.Ticks {
		y := p.sy(t)
		if p.YAxis.Grid {
			d.line(p.X, y, p.X+p.W, y, Light, "", 1)
		}
		d.text(p.X-7, y+4.5, "end", Black, false, tick(t))
	}
	d.line(p.X, p.Y, p.X, p.Y+p.H, Grey, "", 1)
	if p.YAxis.Label != "" {
		x, y := p.X-46, p.Y+p.H/2
		fmt.Fprintf(&d.b, `<text transform="translate(%s %s) rotate(-90)" text-anchor="middle">%s</text>`, px(x), px(y), html.EscapeString(p.YAxis.Label))
	}
}

func tick(v float64) string {
	return strings.Replace(strconv.FormatFloat(v, 'f', -1, 64), "-", "−", 1)
}

func (d *svg) mark(p Panel, m Mark) {
	colour := m.Colour
	if colour == "" {
		colour = Blue
	}
	if m.Tip != "" {
		fmt.Fprintf(&d.b, `<g><title>%s</title>`, html.EscapeString(m.Tip))
		defer d.b.WriteString("</g>")
	}
	switch m.Kind {
	case Point:
		d.point(p, m, colour)
	case Diamond:
		d.diamond(p, m, colour)
	case Interval:
		d.interval(p, m, colour)
	case Band, Line:
		d.path(p, m, colour)
	case Rule:
		d.line(p.sx(m.X), p.Y, p.sx(m.X), p.Y+p.H, colour, m.Dash, 1)
	case Text:
		anchor := m.Anchor
		if anchor == "" {
			anchor = "start"
		}
		d.text(p.sx(m.X), p.sy(m.Y)+4.5, anchor, colour, m.Bold, m.Text)
	case Box:
		d.box(p, m, colour)
	case Arrow:
		d.arrow(p.sx(m.X), p.sy(m.Y), p.sx(m.X2), p.sy(m.Y2), colour, m.Dash, max(m.Size, 1.4))
	case Cell:
		d.cell(p, m, colour)
	case Bar:
		top, base := p.sy(m.Y), p.sy(math.Max(0, p.YAxis.Min))
		fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`, px(p.sx(m.X)-m.Size/2), px(top), px(m.Size), px(math.Max(base-top, 0)), colour)
	}
}

// cell is a filled rectangle with a number; a hatched one keeps its number
// readable on a white ground.
func (d *svg) cell(p Panel, m Mark, colour string) {
	x1, x2, y1, y2 := p.sx(m.X), p.sx(m.X2), p.sy(m.Y2), p.sy(m.Y)
	fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s" stroke="#ffffff" stroke-width="1.5"/>`, px(x1), px(y1), px(x2-x1), px(y2-y1), colour)
	if m.Hollow {
		w, h := x2-x1, y2-y1
		for o := 8.0; o < w+h; o += 10 {
			d.line(x1+math.Min(o, w), y1+math.Max(0, o-w), x1+math.Max(0, o-h), y1+math.Min(o, h), Grey, "", 1)
		}
		fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="40" height="18" fill="#ffffff"/>`, px((x1+x2)/2-20), px((y1+y2)/2-9))
	}
	d.text((x1+x2)/2, (y1+y2)/2+4.5, "middle", Black, false, m.Text)
}

func (d *svg) point(p Panel, m Mark, colour string) {
	x, y, s := p.sx(m.X), p.sy(m.Y), max(m.Size, 4)
	if x < p.X-1 || x > p.X+p.W+1 {
		return // off the scale: its interval shows an arrow
	}
	fill := colour
	if m.Hollow {
		fill = "#ffffff"
	}
	fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s" stroke="%s" stroke-width="1.5"/>`, px(x-s), px(y-s), px(2*s), px(2*s), fill, colour)
}

func (d *svg) diamond(p Panel, m Mark, colour string) {
	clamp := func(v float64) float64 { return math.Max(p.X, math.Min(p.X+p.W, v)) }
	lo, mid, hi, y := clamp(p.sx(m.X)), clamp(p.sx((m.Size))), clamp(p.sx(m.X2)), p.sy(m.Y)
	fmt.Fprintf(&d.b, `<polygon points="%s,%s %s,%s %s,%s %s,%s" fill="%s"/>`, px(lo), px(y), px(mid), px(y-7), px(hi), px(y), px(mid), px(y+7), colour)
}

// interval draws a confidence interval (thin, with caps) or, hollow, the
// range a partial report leaves open (a bar). An end beyond the axis becomes
// an arrowhead.
func (d *svg) interval(p Panel, m Mark, colour string) {
	y := p.sy(m.Y)
	lo, hi := p.sx(m.X), p.sx(m.X2)
	openLo, openHi := !(lo >= p.X-0.01), !(hi <= p.X+p.W+0.01)
	lo, hi = math.Max(lo, p.X), math.Min(hi, p.X+p.W)
	if m.Hollow {
		h := 5.0
		a, b := lo, hi
		if openLo {
			a += 9
		}
		if openHi {
			b -= 9
		}
		dash := ""
		if m.Dash != "" {
			dash = ` stroke-dasharray="` + m.Dash + `"`
		}
		fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="%s" height="%s" fill="#ffffff" stroke="%s" stroke-width="1.5"%s/>`, px(a), px(y-h), px(math.Max(b-a, 1)), px(2*h), colour, dash)
	} else {
		d.line(lo, y, hi, y, colour, m.Dash, 1.8)
		if !openLo {
			d.line(lo, y-4, lo, y+4, colour, "", 1.5)
		}
		if !openHi {
			d.line(hi, y-4, hi, y+4, colour, "", 1.5)
		}
	}
	if openLo {
		fmt.Fprintf(&d.b, `<polygon points="%s,%s %s,%s %s,%s" fill="%s"/>`, px(lo), px(y), px(lo+9), px(y-6), px(lo+9), px(y+6), colour)
	}
	if openHi {
		fmt.Fprintf(&d.b, `<polygon points="%s,%s %s,%s %s,%s" fill="%s"/>`, px(hi), px(y), px(hi-9), px(y-6), px(hi-9), px(y+6), colour)
	}
}

func (d *svg) path(p Panel, m Mark, colour string) {
	if len(m.Points) == 0 {
		return
	}
	clamp := func(v float64) float64 { return math.Max(p.Y, math.Min(p.Y+p.H, v)) }
	var pts []string
	if m.Kind == Line {
		for _, q := range m.Points {
			pts = append(pts, px(p.sx(q.X))+","+px(clamp(p.sy(q.Y))))
		}
		dash := ""
		if m.Dash != "" {
			dash = ` stroke-dasharray="` + m.Dash + `"`
		}
		fmt.Fprintf(&d.b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%s"%s/>`, strings.Join(pts, " "), colour, px(max(m.Size, 2)), dash)
		return
	}
	for _, q := range m.Points {
		pts = append(pts, px(p.sx(q.X))+","+px(clamp(p.sy(q.High))))
	}
	for i := len(m.Points) - 1; i >= 0; i-- {
		q := m.Points[i]
		pts = append(pts, px(p.sx(q.X))+","+px(clamp(p.sy(q.Low))))
	}
	fmt.Fprintf(&d.b, `<polygon points="%s" fill="%s" fill-opacity="%s"/>`, strings.Join(pts, " "), colour, px(max(m.Size, 0.2)))
}

// box is a labelled node, centred at X, Y, with width X2 and height Y2; lines
// of its text are parted by "\n".
func (d *svg) box(p Panel, m Mark, colour string) {
	x, y := p.sx(m.X)-m.X2/2, p.sy(m.Y)-m.Y2/2
	fmt.Fprintf(&d.b, `<rect x="%s" y="%s" width="%s" height="%s" rx="6" fill="#ffffff" stroke="%s" stroke-width="1.6"/>`, px(x), px(y), px(m.X2), px(m.Y2), colour)
	lines := strings.Split(m.Text, "\n")
	for i, l := range lines {
		d.text(x+m.X2/2, y+m.Y2/2+4.5+(float64(i)-float64(len(lines)-1)/2)*16, "middle", Black, i == 0 && m.Bold, l)
	}
}

func (d *svg) arrow(x1, y1, x2, y2 float64, colour, dash string, width float64) {
	l := math.Hypot(x2-x1, y2-y1)
	if l == 0 {
		return
	}
	ux, uy := (x2-x1)/l, (y2-y1)/l
	d.line(x1, y1, x2-8*ux, y2-8*uy, colour, dash, width)
	fmt.Fprintf(&d.b, `<polygon points="%s,%s %s,%s %s,%s" fill="%s"/>`, px(x2), px(y2), px(x2-9*ux-5*uy), px(y2-9*uy+5*ux), px(x2-9*ux+5*uy), px(y2-9*uy-5*ux), colour)
}
