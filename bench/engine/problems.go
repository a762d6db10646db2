package main

import (
	"fmt"
	"math"
	"os"
	"time"

	"github.com/myoaxis/myoaxis/figure"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/ode/odeproblems"
)

// solve returns the least time of several runs in µs and the largest error in
// the last state, relative to the size of each component or, where that is
// smaller, to the scale that the problem's absolute tolerance suggests.
func solve(c odeproblems.Case, set ode.Settings, ref []float64, runs int) (us, err float64, st ode.Stats, fail error) {
	s := ode.New(c.Prob, set)
	y := make([]float64, len(c.Y0))
	us = math.Inf(1)
	for range runs {
		copy(y, c.Y0)
		s.Stats = ode.Stats{}
		t := time.Now()
		if fail = s.Solve(y, c.T0, c.T1, nil, nil, nil); fail != nil {
			return us, err, s.Stats, fail
		}
		us = min(us, float64(time.Since(t).Nanoseconds())/1e3)
	}
	for i := range y {
		if ref != nil {
			scale := 1.0
			if c.ATol > 0 {
				scale = c.ATol * 1e3
			}
			err = max(err, math.Abs(y[i]-ref[i])/(math.Abs(ref[i])+scale))
		}
	}
	return us, err, s.Stats, nil
}

// problems times the problems that bench/cvode.c solves.
func problems() error {
	for _, c := range []odeproblems.Case{odeproblems.HIRES(), odeproblems.Robertson()} {
		for _, m := range []ode.Method{ode.Rodas5P, ode.BDF} {
			us, _, st, err := solve(c, ode.Settings{Method: m, RTol: 1e-6, ATol: 1e-10}, nil, 50)
			if err != nil {
				return err
			}
			fmt.Printf("%s %s: %.1f us, %d steps\n", m, c.Name, us, st.Steps)
		}
	}
	return nil
}

// workPrecision draws error against time for every method and problem.
func workPrecision(file string) error {
	colours := map[ode.Method]string{ode.Rodas5P: figure.Blue, ode.Tsit5: figure.Green, ode.TRBDF2: figure.Orange, ode.BDF: figure.Red}
	dashes := map[ode.Method]string{ode.Tsit5: "2 2", ode.TRBDF2: "6 3", ode.BDF: "9 2 2 2"}
	stiff := map[string]bool{"robertson": true, "van der pol": true, "hires": true, "oregonator": true, "e5": true, "pollution": true}
	cases := []odeproblems.Case{odeproblems.Robertson(), odeproblems.HIRES(), odeproblems.VanDerPol(), odeproblems.Pollution(), odeproblems.Brusselator(), odeproblems.OralDoses()}
	s := figure.Scene{ID: "work-precision", Title: "Work and precision of the solvers", W: 940, H: 700, Columns: []string{"problem", "method", "log10 error", "log10 µs"}}
	s.Desc = "Time of a solution against its largest relative error at the end, for tolerances from 1e-3 to 1e-9; left is more accurate, lower is faster."
	for n, c := range cases {
		ref := c.End
		if c.Exact != nil {
			ref = c.Exact(c.T1)
		} else {
			y := append([]float64(nil), c.Y0...)
			if err := ode.New(c.Prob, ode.Settings{Method: ode.Rodas5P, RTol: 1e-12, ATol: max(c.ATol, 1e-9) * 1e-6}).Solve(y, c.T0, c.T1, nil, nil, nil); err != nil {
				return err
			}
			ref = y
		}
		p := figure.Panel{Title: c.Name, X: 60 + float64(n%3)*300, Y: 60 + float64(n/3)*310, W: 250, H: 220,
			XAxis: figure.Axis{Label: "log10 of the error", Min: -12, Max: 0, Ticks: []float64{-12, -9, -6, -3, 0}}, YAxis: figure.Axis{Label: "log10 µs", Min: 0, Max: 6, Ticks: []float64{0, 1, 2, 3, 4, 5, 6}, Grid: true}}
		for k, m := range []ode.Method{ode.Rodas5P, ode.Tsit5, ode.TRBDF2, ode.BDF} {
			if m == ode.Tsit5 && stiff[c.Name] {
				continue
			}
			var pts []figure.XY
			for _, tol := range []float64{1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9} {
				if m == ode.TRBDF2 && tol < 1e-7 {
					continue
				}
				at := tol
				if c.ATol > 0 {
					at = c.ATol * tol / 1e-6
				}
				us, e, st, err := solve(c, ode.Settings{Method: m, RTol: tol, ATol: at}, ref, 5)
				if err != nil {
					return fmt.Errorf("%s by %s at %g: %w", c.Name, m, tol, err)
				}
				fmt.Printf("%s,%s,%g,%.3g,%.1f,%d\n", c.Name, m, tol, e, us, st.Steps)
				pts = append(pts, figure.XY{X: math.Log10(max(e, 1e-12)), Y: math.Log10(us)})
			}
			p.Marks = append(p.Marks, figure.Mark{Kind: figure.Line, Points: pts, Colour: colours[m], Dash: dashes[m], Series: string(m)})
			if n == 0 || m == ode.Tsit5 && n == 4 {
				p.Marks = append(p.Marks, figure.Mark{Kind: figure.Text, X: -3.6, Y: 5.6 - 0.5*float64(k), Text: string(m), Colour: colours[m], Anchor: "start"})
			}
		}
		s.Panels = append(s.Panels, p)
	}
	return os.WriteFile(file, []byte(s.SVG()), 0o644)
}
