package prescribe

import (
	"cmp"
	"context"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/calibrate"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/sensitivity"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/training"
)

// Driver is a parameter or link and its total Sobol index: the share of the
// variance of a predicted effect that it has a part in.
type Driver struct {
	Name     string  `json:"name"`
	Meaning  string  `json:"meaning"`
	Domain   string  `json:"domain"`
	Total    float64 `json:"sobol_total"`
	Low      float64 `json:"low_95"`
	High     float64 `json:"high_95"`
	Assumed  bool    `json:"assumed"`
	Observed float64 `json:"learned"` // share of prior variance gone
}

// Drivers computes total Sobol indices of one domain's effect, largest first.
// Parameters and links vary over their posterior margins, one by one: the
// dependence between them that calibration made is left out here, and kept in
// Agenda.
func Drivers(ctx context.Context, m *Model, domain string, prog training.Programme, p population.Person, n int, seed uint64) ([]Driver, error) {
	k := slices.Index(calibrate.Domains, domain)
	sp := m.Post.Space
	coords, gates := m.gains.Uses()
	var factors []sensitivity.Factor
	for _, c := range coords {
		x := make([]float64, m.Post.Len())
		for d := range x {
			x[d] = float64(m.Post.Z[d][c])
		}
		slices.Sort(x)
		factors = append(factors, sensitivity.Factor{Name: sp.Coords[c].Name, Quantile: func(u float64) float64 { return synthesis.Quantile(x, u) }})
	}
	for _, g := range gates {
		on := 0.0
		for _, row := range m.Post.On {
			on += float64(row[g]) / float64(m.Post.Len())
		}
		factors = append(factors, sensitivity.Factor{Name: sp.Gates[g].Name, Quantile: func(u float64) float64 {
			if u < on {
				return 1
			}
			return 0
		}})
	}
	weeks := calibrate.Weeks(prog.Attended(prog.Schedule(), nil), int(prog.Weeks()+0.999))
	sc := calibrate.Scenario{Weeks: weeks, At: []float64{prog.Weeks()}, Person: p.Values()}
	res, err := sensitivity.Sobol(ctx, factors, func(_ context.Context, points [][]float64) ([][]float64, error) {
		z, on := make([][]float32, len(points)), make([][]uint8, len(points))
		for i, pt := range points {
			z[i], on[i] = slices.Clone(m.Post.Z[0]), slices.Clone(m.Post.On[0])
			for j, c := range coords {
				z[i][c] = float32(pt[j])
			}
			for j, g := range gates {
				on[i][g] = uint8(pt[len(coords)+j])
			}
		}
		out, err := m.gains.PredictAt(sc, z, on)
		if err != nil {
			return nil, err
		}
		y := make([][]float64, len(points))
		for i := range y {
			y[i] = []float64{out[2*k][0][i]}
		}
		return y, nil
	}, sensitivity.Settings{N: n, Bootstrap: 200, Seed: seed})
	if err != nil {
		return nil, err
	}
	learned := map[string]float64{}
	for _, c := range calibrate.Learned(m.Axis, m.Post) {
		learned[c.Name] = c.Learned
	}
	var out []Driver
	for i, f := range factors {
		par := m.Axis.K.Params[m.Axis.K.Param(f.Name)]
		ix := res.Total[0][i]
		out = append(out, Driver{f.Name, par.Meaning, domain, ix.Estimate, ix.Low, ix.High, axis.Assumed(par), learned[f.Name]})
	}
	slices.SortStableFunc(out, func(a, b Driver) int { return cmp.Compare(b.Total, a.Total) })
	return out, nil
}
