package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/population"
	"github.com/myoaxis/myoaxis/synthesis"
	"github.com/myoaxis/myoaxis/training"
)

func content(t testing.TB) *Content {
	t.Helper()
	p, _ := evidence.Embedded()
	prog, err := training.Parse("2x/week, 4 weeks: 6 exercises, 3x10 @ 70% 1RM, rest 2min")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Build(context.Background(), p, Options{Programme: prog, Person: population.DefaultPerson(), N: 20, Seed: 1, Command: "myoaxis report"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The page stands alone, stays small, and every link inside it leads
// somewhere.
func TestPage(t *testing.T) {
	c := content(t)
	var b bytes.Buffer
	if err := c.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	if len(html) > 3_000_000 {
		t.Errorf("%d bytes", len(html))
	}
	for _, bad := range []string{"<script", "<link", "src=\"http", "@import", "url(http", "NaN", "ZgotmplZ", "<no value>"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(`\bid="([^"]+)"`).FindAllStringSubmatch(html, -1) {
		ids[m[1]]++
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("the id %s stands %d times", id, n)
		}
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(html, -1) {
		if ids[m[1]] == 0 {
			t.Errorf("the link #%s leads nowhere", m[1])
		}
	}
	for _, d := range c.Domains {
		if d.All != nil && ids["forest-"+d.Domain+"-t"] == 0 {
			t.Errorf("no forest plot for %s", d.Domain)
		}
	}
	for _, want := range []string{PosteriorPredictive, "No medical advice", "Evidence flow", "randomised the dose"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

// The JSON holds the same content as the page: every answer sentence and every
// pooled estimate.
func TestJSONHoldsThePage(t *testing.T) {
	c := content(t)
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Answer []struct {
			Text  string `json:"text"`
			Trace string `json:"trace"`
		} `json:"answer"`
		Domains []struct {
			Domain string `json:"domain"`
			All    *struct {
				Estimate float64 `json:"estimate"`
			} `json:"all_rows"`
		} `json:"domains"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Answer) != len(c.Answer) || len(v.Domains) != len(evidence.Domains) {
		t.Errorf("%d sentences, %d domains", len(v.Answer), len(v.Domains))
	}
}

// Partial reports appear as bars over the range they leave open, numbers as
// points.
func TestForestShowsPartialReportsAsWhatTheyAre(t *testing.T) {
	p, _ := evidence.Embedded()
	pool, err := synthesis.PoolDomain(p, synthesis.Options{Selection: synthesis.Selection{Domain: "memory"}, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	hollow, open, points := 0, 0, 0
	for _, m := range Forest(NewPoolView(pool)).Panels[0].Marks {
		switch {
		case m.Kind == "interval" && m.Hollow:
			hollow++
			if math.IsInf(m.X2, 1) {
				open++
			}
		case m.Kind == "point" && !m.Hollow:
			points++
		}
	}
	want := fmt.Sprint(len(pool.Used)-3, " ", 4+2, " ", 3) // thresholds and directions are half-open
	if got := fmt.Sprint(hollow, " ", open, " ", points); got != want {
		t.Errorf("bars, half-open bars, points: %s, want %s", got, want)
	}
}

func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		content(b)
	}
}
