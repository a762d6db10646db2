package figure

import (
	"encoding/json"
	"math"
	"strings"
)

// VegaLite renders the scene as a Vega-Lite v5 specification: one view a
// panel, one layer a kind of mark, with the data inline.
func (s Scene) VegaLite() ([]byte, error) {
	var views []any
	for _, p := range s.Panels {
		views = append(views, p.vega())
	}
	return json.MarshalIndent(map[string]any{
		"$schema":     "https://vega.github.io/schema/vega-lite/v5.json",
		"title":       s.Title,
		"description": s.Desc,
		"vconcat":     views,
	}, "", " ")
}

func (p Panel) vega() map[string]any {
	byKind := map[Kind][]any{}
	var order []Kind
	for _, m := range p.Marks {
		if byKind[m.Kind] == nil {
			order = append(order, m.Kind)
		}
		byKind[m.Kind] = append(byKind[m.Kind], p.data(m)...)
	}
	var layers []any
	for _, k := range order {
		layers = append(layers, map[string]any{"data": map[string]any{"values": byKind[k]}, "mark": vegaMark(k), "encoding": p.encoding(k)})
	}
	return map[string]any{"title": p.Title, "width": p.W, "height": p.H, "layer": layers}
}

func vegaMark(k Kind) map[string]any {
	switch k {
	case Interval:
		return map[string]any{"type": "rule", "strokeWidth": 2}
	case Diamond:
		return map[string]any{"type": "point", "shape": "diamond", "filled": true, "size": 120}
	case Band:
		return map[string]any{"type": "area", "opacity": 0.25}
	case Line, Rule, Text, Point, Bar:
		return map[string]any{"type": string(k)}
	case Cell:
		return map[string]any{"type": "rect"}
	case Arrow:
		return map[string]any{"type": "rule"}
	}
	return map[string]any{"type": "text"}
}

// finite cuts open ends at the axis, so that JSON holds numbers only.
func (a Axis) finite(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	if a.Hidden {
		return v
	}
	return math.Max(a.Min, math.Min(a.Max, v))
}

func (p Panel) data(m Mark) (out []any) {
	base := func() map[string]any {
		return map[string]any{"series": m.Series, "label": strings.ReplaceAll(m.Text, "\n", " "), "colour": m.Colour, "tip": m.Tip}
	}
	if m.Kind == Line || m.Kind == Band {
		for _, q := range m.Points {
			d := base()
			d["x"], d["y"], d["low"], d["high"] = p.XAxis.finite(q.X), p.YAxis.finite(q.Y), p.YAxis.finite(q.Low), p.YAxis.finite(q.High)
			out = append(out, d)
		}
		return out
	}
	d := base()
	d["x"], d["x2"], d["y"], d["y2"] = p.XAxis.finite(m.X), p.XAxis.finite(m.X2), p.YAxis.finite(m.Y), p.YAxis.finite(m.Y2)
	if m.Kind == Diamond {
		d["x"] = p.XAxis.finite(m.Size)
	}
	d["open_low"], d["open_high"] = math.IsInf(m.X, -1), math.IsInf(m.X2, 1)
	return []any{d}
}

func (p Panel) encoding(k Kind) map[string]any {
	axis := func(f string, a Axis) map[string]any {
		e := map[string]any{"field": f, "type": "quantitative", "title": a.Label}
		if !a.Hidden {
			e["scale"] = map[string]any{"domain": []float64{a.Min, a.Max}}
		} else {
			e["axis"] = nil
		}
		return e
	}
	e := map[string]any{"x": axis("x", p.XAxis), "y": axis("y", p.YAxis)}
	switch k {
	case Band:
		e["y"] = axis("low", p.YAxis)
		e["y2"] = map[string]any{"field": "high"}
	case Interval:
		e["x2"] = map[string]any{"field": "x2"}
	case Arrow, Cell:
		e["x2"], e["y2"] = map[string]any{"field": "x2"}, map[string]any{"field": "y2"}
	case Text, Box:
		e["text"] = map[string]any{"field": "label"}
	case Rule:
		delete(e, "y")
	}
	if k != Text && k != Box {
		e["tooltip"] = map[string]any{"field": "tip"}
	}
	e["color"] = map[string]any{"field": "colour", "type": "nominal", "scale": nil}
	return e
}
