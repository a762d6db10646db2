package report

import (
	"slices"

	"github.com/myoaxis/myoaxis/figure"
)

// Figures returns every figure of the content by name.
func (c *Content) Figures() map[string]figure.Scene {
	out := map[string]figure.Scene{}
	add := func(s figure.Scene) { out[s.ID] = s }
	add(FlowChart(c.Overall.Flow))
	add(Summary(c))
	add(Pathway(c.Links))
	add(AcuteMultiples(c))
	add(Trajectories(c))
	add(OmegaCurve(c.Overall))
	for _, d := range c.Domains {
		if d.All != nil {
			add(Forest(d))
		}
	}
	for _, f := range c.Calibration.calibrationFigures() {
		add(f)
	}
	for _, d := range c.Doses {
		add(DoseCurve(d))
	}
	return out
}

// FigureNames lists the figures in alphabetical order.
func (c *Content) FigureNames() (names []string) {
	for n := range c.Figures() {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
