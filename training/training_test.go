package training

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestNotationRoundTrip(t *testing.T) {
	for _, text := range []string{
		"2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM, rest 2min",
		"2-3x/week, 12 weeks: 8 exercises, 2-3x8-12 @ RPE 7, rest 1.5min, progress 2.5%/week, deload every 4 weeks, adherence 85%; 1x/week, 24 weeks: 6 exercises, 1x10 @ 2 RIR, rest 2min",
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.String(); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	}
}

func TestErrorsPointAtThePlace(t *testing.T) {
	for text, at := range map[string]string{
		"0x/week, 12 weeks":                          "0x/week",
		"2x/week, -2 weeks":                          "-2 weeks",
		"2x/week, 10000 weeks":                       "10000",
		"2x/week, 12 weeks: 3x10 @ 170% 1RM":         "170",
		"2x/week, 12 weeks: 3x12-8":                  "8",
		"2x/week, 12 weeks: 3x10 @ heavy":            "@ heavy",
		"2x/week, 12 weeks: 3x10, 4x8":               "4x8",
		"2x/week, 12 weeks: jumping jacks":           "jumping",
		"2x/week":                                    "2x",
		"12 weeks":                                   "12",
		"2x/week, 12 weeks; 3x/week":                 "3x/week",
		"2x/week, 12 weeks: 3x10 @ RPE 12":           "12",
		"2x/week, 400 weeks; 2x/week, 400 weeks":     "2x",
		"2x/week, 12 weeks: 3x10 @ 70% 1RM, rest 1h": "rest",
	} {
		_, err := Parse(text)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if !strings.HasPrefix(text[se.Pos:], at) {
			t.Errorf("%q: the caret is at %q, want %q\n%v", text, text[se.Pos:], at, err)
		}
		if !strings.HasSuffix(err.Error(), "^") {
			t.Errorf("no caret: %v", err)
		}
	}
}

func TestYAMLEqualsNotation(t *testing.T) {
	y, err := ParseYAML("phases:\n  - frequency: 2x/week\n    weeks: 24\n    exercises: 6\n    sets: 3\n    reps: 8-12\n    load: 70% 1RM\n    rest: 2min\n    adherence: 85%\n")
	if err != nil {
		t.Fatal(err)
	}
	n, err := Parse("2x/week, 24 weeks: 6 exercises, 3x8-12 @ 70% 1RM, rest 2min, adherence 85%")
	if err != nil {
		t.Fatal(err)
	}
	if y.String() != n.String() {
		t.Errorf("%s\n%s", y, n)
	}
	_, err = ParseYAML("phases:\n  - frequency: 2x/week\n    weeks: 24\n    load: 170% 1RM\n")
	var se *SyntaxError
	if !errors.As(err, &se) || !strings.HasPrefix(se.Text[se.Pos:], "170%") {
		t.Errorf("%v", err)
	}
}

func TestSchedule(t *testing.T) {
	p, err := Parse("3x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM, deload every 4 weeks")
	if err != nil {
		t.Fatal(err)
	}
	s := p.Schedule()
	if len(s) != 72 {
		t.Fatalf("%d sessions", len(s))
	}
	for i := 1; i < len(s); i++ {
		if s[i].Start < s[i-1].Start+s[i-1].Hours {
			t.Fatalf("session %d begins before the last one ends", i)
		}
	}
	if !s[9].Deload || s[9].Sets != 1.5 || s[0].Volume() != 1 {
		t.Errorf("deload week: %+v, first volume %g", s[9], s[0].Volume())
	}
	p.Phases[0].Adherence = 0.75
	if n := len(p.Attended(s, nil)); n != 54 {
		t.Errorf("75 %% of 72 sessions: %d", n)
	}
	half, _ := Parse("1.5x/week, 10 weeks")
	if n := len(half.Schedule()); n != 15 {
		t.Errorf("1.5 a week for 10 weeks: %d", n)
	}
}

func TestDose(t *testing.T) {
	p, _ := Parse("2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM, adherence 50%")
	d := p.Dose()
	if d.Sessions != 24 || d.SetsPerWeek != 18 || math.Abs(d.Load1RMPct-70) > 1e-12 {
		t.Errorf("%+v", d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM, rest 2min; 1x/week, 2 weeks")
	f.Add("é;;,:@ 1-2x/week")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			_ = err.Error()
			return
		}
		q, err := Parse(p.String())
		if err != nil || len(q.Phases) != len(p.Phases) {
			t.Fatalf("%q -> %q: %v", s, p.String(), err)
		}
		p.Schedule()
	})
}

func FuzzParseYAML(f *testing.F) {
	f.Add("phases:\n  - frequency: 2x/week\n    weeks: 24\n")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParseYAML(s); err == nil {
			p.Schedule()
		} else {
			_ = err.Error()
		}
	})
}
