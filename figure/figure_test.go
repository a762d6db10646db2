package figure

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func scene() Scene {
	return Scene{ID: "x", Title: "A <title> & more", Desc: "What is shown", W: 300, H: 200, Columns: []string{"name", "low", "high"}, Panels: []Panel{{X: 40, Y: 20, W: 200, H: 120,
		XAxis: Axis{Label: "Effect", Min: -1, Max: 2, Ticks: Ticks(-1, 2, 3), Grid: true}, YAxis: Axis{Hidden: true},
		Marks: []Mark{
			{Kind: Interval, X: -0.5, X2: 0.5, Y: 20, Row: []string{"closed", "-0.5", "0.5"}},
			{Kind: Interval, X: 0.4, X2: math.Inf(1), Y: 40, Hollow: true, Row: []string{"half-open", "0.4", "∞"}},
			{Kind: Interval, X: math.Inf(-1), X2: math.Inf(1), Y: 60, Hollow: true},
			{Kind: Point, X: 0, Y: 20}, {Kind: Diamond, X: 0, Size: 0.3, X2: 0.6, Y: 80}, {Kind: Rule, X: 0},
			{Kind: Text, X: 1, Y: 80, Text: "a < b"}, {Kind: Box, X: 1, Y: 90, X2: 50, Y2: 20, Text: "two\nlines"}, {Kind: Arrow, X: 0, Y: 0, X2: 1, Y2: 50},
			{Kind: Cell, X: 0, Y: 0, X2: 1, Y2: 50, Text: "0.2", Colour: Light}, {Kind: Cell, X: 1, Y: 0, X2: 2, Y2: 50, Text: "0.2", Colour: Light, Hollow: true},
		}}}}
}

func TestSVGIsWellFormedAndNamed(t *testing.T) {
	s := scene().SVG()
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`role="img"`, `aria-labelledby="x-t x-d"`, "<title id=\"x-t\">A &lt;title&gt; &amp; more</title>", "<desc id=\"x-d\">"} {
		if !strings.Contains(s, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, bad := range []string{"NaN", "Inf"} {
		if strings.Contains(s, bad) {
			t.Errorf("the drawing holds %s", bad)
		}
	}
	for _, m := range regexp.MustCompile(`font-size="([0-9.]+)"`).FindAllStringSubmatch(s, -1) {
		if v, _ := strconv.ParseFloat(m[1], 64); v < 12 {
			t.Errorf("text of %s px", m[1])
		}
	}
}

// luminance is that of WCAG 2.2.
func luminance(hex string) float64 {
	c := func(i int) float64 {
		v, _ := strconv.ParseUint(hex[i:i+2], 16, 8)
		x := float64(v) / 255
		if x <= 0.03928 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*c(1) + 0.7152*c(3) + 0.0722*c(5)
}

func TestColoursStandOutOnWhite(t *testing.T) {
	for _, c := range []string{Black, Grey, Blue, Orange, Red, Green, Purple} {
		if r := 1.05 / (luminance(c) + 0.05); r < 4.5 {
			t.Errorf("%s has a contrast of %.1f on white", c, r)
		}
	}
}

func TestTableAndVegaComeFromTheSameMarks(t *testing.T) {
	s := scene()
	tab := s.Table()
	if len(tab) != 3 || tab[2][0] != "half-open" {
		t.Errorf("%v", tab)
	}
	b, err := s.VegaLite()
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"open_high": true`) {
		t.Error("the open end is lost")
	}
}

func TestNum(t *testing.T) {
	for v, want := range map[float64]string{0.456: "0.46", -0.0912: "−0.091", 12.34: "12.3", 123.4: "123", -0.0001: "0.000", 0: "0.00"} {
		if got := Num(v); got != want {
			t.Errorf("%g is written %q, want %q", v, got, want)
		}
	}
	if Num(math.Inf(-1)) != "−∞" || Num(math.NaN()) != "–" {
		t.Error("open ends")
	}
}
