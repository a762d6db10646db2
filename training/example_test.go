package training_test

import (
	"fmt"

	"github.com/myoaxis/myoaxis/training"
)

func ExampleParse() {
	p, err := training.Parse("2x/week, 12 weeks: 6 exercises, 3x8-12 @ 2 RIR, adherence 85%")
	if err != nil {
		fmt.Println(err)
		return
	}
	d := p.Dose()
	fmt.Printf("%d sessions planned, %.1f attended a week, load %.0f %% of 1RM\n", len(p.Schedule()), d.SessionsPerWeek, d.Load1RMPct)
	_, err = training.Parse("2x/week, 12 weeks: 3x10 @ 170% 1RM")
	fmt.Println(err)
	// Output:
	// 24 sessions planned, 1.7 attended a week, load 71 % of 1RM
	// the load cannot be 170 (between 5 and 110 % of 1RM)
	//   2x/week, 12 weeks: 3x10 @ 170% 1RM
	//                             ^
}
