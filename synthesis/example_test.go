package synthesis_test

import (
	"fmt"

	"github.com/myoaxis/myoaxis/reported"
	"github.com/myoaxis/myoaxis/synthesis"
)

// Three trials print a number, two print only "n.s.".
func ExampleMaximise() {
	row := func(cohort string, r reported.Result) synthesis.Row {
		return synthesis.Row{Cluster: cohort, X: []float64{1}, Result: r}
	}
	numbers := []synthesis.Row{
		row("A", reported.FromEstimate(0.62, 0.25)),
		row("B", reported.FromEstimate(0.48, 0.20)),
		row("C", reported.FromEstimate(0.55, 0.27)),
	}
	all := append(numbers, row("D", reported.FromNotSignificant(0.05, 0, 0.25)), row("E", reported.FromNotSignificant(0.05, 0, 0.22)))
	for _, rows := range [][]synthesis.Row{numbers, all} {
		f, err := synthesis.Maximise(rows, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d rows: %.2f SD\n", f.K, f.Beta[0])
	}
	// Output:
	// 3 rows: 0.54 SD
	// 5 rows: 0.43 SD
}
