package training

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// SyntaxError is a fault in a programme or person text with its position, in
// bytes from the start.
type SyntaxError struct {
	Text    string
	Pos     int
	Message string
	Hint    string
}

// Error prints the message and, below the text, a caret at the place.
func (e *SyntaxError) Error() string {
	line, col := e.Text, e.Pos
	if i := strings.LastIndexByte(e.Text[:min(e.Pos, len(e.Text))], '\n'); i >= 0 {
		line, col = e.Text[i+1:], e.Pos-i-1
	}
	line, _, _ = strings.Cut(line, "\n")
	if col > 100 { // keep the place in sight on a terminal
		line, col = "…"+strings.ToValidUTF8(line[col-60:], ""), 61
	}
	if r := []rune(line); len(r) > 160 {
		line = string(r[:160]) + "…"
	}
	width := len([]rune(line[:min(col, len(line))]))
	return fmt.Sprintf("%s (%s)\n  %s\n  %s^", e.Message, e.Hint, line, strings.Repeat(" ", width))
}

// maxText bounds a programme; nobody writes a longer one by hand.
const maxText = 10_000

// Parse reads the one-line notation.
func Parse(text string) (Programme, error) {
	if len(text) > maxText {
		return Programme{}, &SyntaxError{text, maxText, "the programme is too long", fmt.Sprintf("at most %d characters", maxText)}
	}
	var p Programme
	pos := 0
	for _, part := range strings.Split(text, ";") {
		ph, err := parsePhase(text, part, pos)
		if err != nil {
			return Programme{}, err
		}
		p.Phases = append(p.Phases, ph)
		pos += len(part) + 1
	}
	return p, p.check(text)
}

func (p Programme) check(text string) error {
	if w := p.Weeks(); w > 520 {
		return &SyntaxError{text, 0, fmt.Sprintf("the programme lasts %g weeks", w), "at most 520 weeks (10 years) in all"}
	}
	return nil
}

func parsePhase(text, part string, pos int) (Phase, error) {
	ph := Phase{Adherence: 1}
	seen := map[string]bool{}
	at := pos
	for _, item := range splitItems(part) {
		trimmed := strings.TrimSpace(item)
		start := at + strings.Index(item, trimmed)
		at += len(item) + 1
		if trimmed == "" {
			return ph, &SyntaxError{text, min(start, len(text)), "an item is missing here", "for example 2x/week, 24 weeks: 3x10 @ 70% 1RM"}
		}
		name, err := ph.item(text, trimmed, start)
		if err != nil {
			return ph, err
		}
		if seen[name] {
			return ph, &SyntaxError{text, start, name + " is given twice", "give it once a phase"}
		}
		seen[name] = true
	}
	return ph, ph.complete(text, pos, part, seen)
}

// splitItems cuts at commas and colons; every item keeps its length, so that
// positions can be added up.
func splitItems(s string) []string {
	return regexp.MustCompile(`[,:]`).Split(s, -1)
}

func (ph *Phase) complete(text string, pos int, part string, seen map[string]bool) error {
	at := pos + len(part) - len(strings.TrimLeft(part, " \n\t"))
	if !seen["frequency"] {
		return &SyntaxError{text, min(at, len(text)), "sessions a week are missing", "begin with for example 2x/week"}
	}
	if !seen["weeks"] {
		return &SyntaxError{text, min(at, len(text)), "the number of weeks is missing", "add for example 24 weeks"}
	}
	ph.Assumed = nil
	fill := func(name string, set func()) {
		if !seen[name] {
			set()
			ph.Assumed = append(ph.Assumed, name)
		}
	}
	fill("exercises", func() { ph.Exercises = Reference.Exercises })
	fill("sets and repetitions", func() { ph.Sets, ph.Reps = Reference.Sets, Reference.Reps })
	if ph.Load == (Load{}) {
		ph.Load = Reference.Load
		ph.Assumed = append(ph.Assumed, "load")
	}
	fill("rest", func() { ph.RestMin = Reference.RestMin })
	return nil
}

const num = `(-?\d+(?:\.\d+)?)`

var rng = `(-?\d+(?:\.\d+)?)(?:\s*[-–]\s*(\d+(?:\.\d+)?))?`

// itemRule is one item of the notation: its pattern, name, and what it sets.
// Groups are numbers; bounds apply to each in turn.
type itemRule struct {
	name    string
	pattern *regexp.Regexp
	set     func(ph *Phase, g []float64)
	bounds  []bound // one per group pair
}

type bound struct {
	what    string
	low, hi float64
	group   int
	hint    string
}

func rule(name, pattern string, set func(*Phase, []float64), b ...bound) itemRule {
	return itemRule{name, regexp.MustCompile(`(?i)^` + pattern + `$`), set, b}
}

var loadPattern = `(?:@\s*(?:` + rng + `\s*%\s*(?:of\s+)?1\s*RM|RPE\s*` + rng + `|` + rng + `\s*RIR))`

var rules = []itemRule{
	rule("frequency", rng+`\s*(?:x|×|times)?\s*(?:/|per|a)\s*(?:week|wk)`, func(ph *Phase, g []float64) { ph.Frequency = span(g, 0) },
		bound{"sessions a week", 0.25, 14, 0, "between 0.25 and 14"}),
	rule("weeks", num+`\s*(?:weeks?|wk)`, func(ph *Phase, g []float64) { ph.Weeks = g[0] },
		bound{"the number of weeks", 0.5, 520, 0, "between 0.5 and 520"}),
	rule("weeks", num+`\s*months?`, func(ph *Phase, g []float64) { ph.Weeks = math.Round(g[0]*365.25/12/7*10) / 10 },
		bound{"the number of months", 0.2, 119, 0, "between 0.2 and 119"}),
	rule("exercises", num+`\s*exercises?`, func(ph *Phase, g []float64) { ph.Exercises = g[0] },
		bound{"the number of exercises", 1, 20, 0, "between 1 and 20"}),
	rule("sets and repetitions", rng+`\s*[x×]\s*`+rng+`(?:\s*(?:reps?|repetitions))?(?:\s*`+loadPattern+`)?`, setSets,
		bound{"sets", 1, 20, 0, "between 1 and 20"}, bound{"repetitions", 1, 100, 2, "between 1 and 100"},
		bound{"the load", 5, 110, 4, "between 5 and 110 % of 1RM"}, bound{"RPE", 1, 10, 6, "RPE runs from 1 to 10"}, bound{"RIR", 0, 10, 8, "between 0 and 10 repetitions in reserve"}),
	rule("load", loadPattern, func(ph *Phase, g []float64) { setLoad(ph, g, 0) },
		bound{"the load", 5, 110, 0, "between 5 and 110 % of 1RM"}, bound{"RPE", 1, 10, 2, "RPE runs from 1 to 10"}, bound{"RIR", 0, 10, 4, "between 0 and 10 repetitions in reserve"}),
	rule("rest", `rest\s*`+num+`\s*min(?:utes?)?`, func(ph *Phase, g []float64) { ph.RestMin = g[0] },
		bound{"the rest", 0, 15, 0, "between 0 and 15 min"}),
	rule("rest", `rest\s*`+num+`\s*s(?:ec(?:onds)?)?`, func(ph *Phase, g []float64) { ph.RestMin = g[0] / 60 },
		bound{"the rest", 0, 900, 0, "between 0 and 900 s"}),
	rule("session length", num+`\s*min(?:utes?)?`, func(ph *Phase, g []float64) { ph.SessionMin = g[0] },
		bound{"the session", 5, 240, 0, "between 5 and 240 min"}),
	rule("progression", `progress(?:ion)?\s*`+num+`\s*%\s*(?:/|per|a)\s*(?:week|wk)`, func(ph *Phase, g []float64) { ph.ProgressPct = g[0] },
		bound{"the progression", 0, 10, 0, "between 0 and 10 % a week"}),
	rule("deload", `deload\s+every\s+(\d+)\s*(?:weeks?|wk)`, func(ph *Phase, g []float64) { ph.DeloadEvery = int(g[0]) },
		bound{"the deload", 2, 52, 0, "every 2 to 52 weeks"}),
	rule("adherence", `adherence\s*`+num+`\s*%`, func(ph *Phase, g []float64) { ph.Adherence = g[0] / 100 },
		bound{"adherence", 1, 100, 0, "between 1 and 100 %"}),
}

func span(g []float64, i int) Span {
	if math.IsNaN(g[i+1]) {
		return Span{g[i], g[i]}
	}
	return Span{g[i], g[i+1]}
}

func setSets(ph *Phase, g []float64) {
	ph.Sets, ph.Reps = span(g, 0), span(g, 2)
	setLoad(ph, g, 4)
}

func setLoad(ph *Phase, g []float64, at int) {
	for k, kind := range []LoadKind{Percent1RM, RPE, RIR} {
		if i := at + 2*k; !math.IsNaN(g[i]) {
			ph.Load = Load{kind, span(g, i)}
		}
	}
}

// item reads one item into the phase and returns its name.
func (ph *Phase) item(text, item string, pos int) (string, error) {
	for _, r := range rules {
		m := r.pattern.FindStringSubmatchIndex(item)
		if m == nil {
			continue
		}
		g := make([]float64, len(m)/2-1)
		for i := range g {
			g[i] = math.NaN()
			if m[2*i+2] >= 0 {
				v, err := strconv.ParseFloat(item[m[2*i+2]:m[2*i+3]], 64)
				if err != nil {
					return "", &SyntaxError{text, pos + m[2*i+2], "the number is out of range", "use plain numbers"}
				}
				g[i] = v
			}
		}
		if err := r.inBounds(text, g, m, pos); err != nil {
			return "", err
		}
		r.set(ph, g)
		return r.name, nil
	}
	return "", unknownItem(text, item, pos)
}

func (r itemRule) inBounds(text string, g []float64, m []int, pos int) error {
	for _, b := range r.bounds {
		for i := b.group; i < min(b.group+2, len(g)); i++ {
			if i > b.group && len(r.bounds) == 1 && len(g) == 1 || math.IsNaN(g[i]) {
				continue
			}
			if g[i] < b.low || g[i] > b.hi {
				return &SyntaxError{text, pos + m[2*i+2], fmt.Sprintf("%s cannot be %g", b.what, g[i]), b.hint}
			}
			if i == b.group+1 && g[i] < g[i-1] {
				return &SyntaxError{text, pos + m[2*i+2], fmt.Sprintf("the range %g-%g runs backwards", g[i-1], g[i]), "write the lower number first"}
			}
		}
	}
	return nil
}

// unknownItem points at the first place where the item stops looking like any
// known one.
func unknownItem(text, item string, pos int) error {
	hint := "items are: 2x/week, 24 weeks, 6 exercises, 3x10 @ 70% 1RM (or @ RPE 7, @ 2 RIR), rest 2min, 45min, progress 2.5%/week, deload every 4 weeks, adherence 85%"
	at := pos
	if i := strings.Index(item, "@"); i > 0 && regexp.MustCompile(`^\d.*[x×]`).MatchString(item) {
		at, hint = pos+i, "a load is @ 70% 1RM, @ RPE 7 or @ 2 RIR"
	}
	return &SyntaxError{text, at, fmt.Sprintf("%q is not understood", shorten(item[at-pos:])), hint}
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
