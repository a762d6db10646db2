// Command engine times the simulation engine for bench/engine.sh: every model
// of the SBML Test Suite (load, then run), and the axis model. It writes CSV.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"time"

	"github.com/myoaxis/myoaxis/kinetics"
	"github.com/myoaxis/myoaxis/ode"
	"github.com/myoaxis/myoaxis/sbml"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func command(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "suite":
		return suite(args[1])
	case len(args) == 1 && args[0] == "problems":
		return problems()
	case len(args) == 2 && args[0] == "oral":
		return oral(args[1])
	case len(args) == 2 && args[0] == "workprecision":
		return workPrecision(args[1])
	}
	return fmt.Errorf("engine suite DIR | problems | oral PEOPLE | workprecision OUT.svg")
}

// suite times every model of the test suite.
func suite(folder string) error {
	dir := os.DirFS(folder)
	ids, err := sbml.Cases(dir)
	if err != nil {
		return err
	}
	fmt.Println("case,load_ms,run_ms")
	for _, id := range ids {
		if load, run, err := timeCase(dir, id); err == nil {
			fmt.Printf("%s,%.4f,%.4f\n", id, load, run)
		}
	}
	return nil
}

// timeCase is the least of five loads and of five runs in milliseconds, at the
// tolerances that libRoadRunner takes by default.
func timeCase(dir fs.FS, id string) (load, run float64, err error) {
	file := path.Join(id, id+"-sbml-l3v2.xml")
	text, err := fs.ReadFile(dir, path.Join(id, id+"-settings.txt"))
	if err != nil {
		return 0, 0, err
	}
	s, err := sbml.ReadSettings(id, text)
	if err != nil {
		return 0, 0, err
	}
	load, run = math.Inf(1), math.Inf(1)
	for range 5 {
		t := time.Now()
		b, err := sbml.Load(dir, file)
		if err != nil {
			return 0, 0, err
		}
		load = min(load, ms(t))
		t = time.Now()
		if _, err := b.RunWith(context.Background(), s, kinetics.Settings{Settings: ode.Settings{RTol: 1e-6, ATol: 1e-12}, Seed: 1}); err != nil {
			return 0, 0, err
		}
		run = min(run, ms(t))
	}
	return load, run, nil
}

func ms(t time.Time) float64 { return float64(time.Since(t).Nanoseconds()) / 1e6 }
