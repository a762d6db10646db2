package calibrate

import (
	"math"
	"regexp"
	"strconv"

	"github.com/myoaxis/myoaxis/evidence"
)

// Dose is a trial arm's training as the model takes it. Parts that the paper
// leaves open are ranges; one latent quantity per cohort says where in its
// ranges the trial lies.
type Dose struct {
	Frequency evidence.Range // sessions a week
	Volume    evidence.Range // of a session, reference sessions
	Load      evidence.Range // fraction of the 1RM of the day
	Weeks     float64
	AfterW    float64 // weeks after the end of training
	Age       float64
	Met       float64 // share of carriers of BDNF Val66Met
	Trained   bool
}

// Assumed ranges of what a paper leaves open: the middle half of the printed
// prescriptions of the pack lies within them.
var (
	openFrequency = evidence.Range{Low: 1.5, High: 3.5}
	openVolume    = evidence.Range{Low: 0.6, High: 1.4}
	openLoad      = evidence.Range{Low: 0.5, High: 0.8}
)

// assumed values where nothing is printed
const (
	assumedAge   = 70.0
	assumedWeeks = 12.0
)

func known(r evidence.Range) bool { return !math.IsNaN(r.Low) && !math.IsNaN(r.High) }

func or(r, open evidence.Range) evidence.Range {
	if known(r) {
		return r
	}
	return open
}

// dose completes what a row prints by the prescription of its study.
func (c *collector) dose(study string, freq, load, sets, reps evidence.Range, weeks, age float64) Dose {
	exercises := math.NaN()
	for _, a := range c.pack.Arms {
		if a.StudyID != study || a.Kind != "RT" {
			continue
		}
		if !known(freq) {
			freq = evidence.Range{Low: a.Frequency, High: a.Frequency}
		}
		if !known(load) {
			load = a.Pct1RM
		}
		if !known(load) && known(a.RM) { // the Epley form, a convention
			load = evidence.Range{Low: 100 / (1 + a.RM.High/30), High: 100 / (1 + a.RM.Low/30)}
		}
		if !known(sets) {
			sets = a.Sets
		}
		if !known(reps) {
			reps = a.Reps
		}
		if math.IsNaN(exercises) {
			exercises = a.Exercises
		}
		if math.IsNaN(weeks) {
			weeks = a.Weeks
		}
	}
	if s, ok := c.pack.Study(study); ok && math.IsNaN(age) {
		age = s.Age
	}
	if math.IsNaN(age) {
		age = assumedAge
	}
	d := Dose{Frequency: or(freq, openFrequency), Load: openLoad, Volume: openVolume, Weeks: weeks, Age: age}
	if known(load) {
		d.Load = evidence.Range{Low: load.Low / 100, High: math.Min(load.High, 105) / 100}
	}
	if known(sets) {
		f := 1.0 / 3
		if known(reps) {
			f *= reps.Mid() / 10
		}
		if !math.IsNaN(exercises) {
			f *= exercises / 6
		}
		d.Volume = evidence.Range{Low: clamp(f*sets.Low, 0.1, 5), High: clamp(f*sets.High, 0.1, 5)}
	}
	if math.IsNaN(d.Weeks) {
		d.Weeks = assumedWeeks
	}
	return d
}

func clamp(v, low, high float64) float64 { return math.Min(math.Max(v, low), high) }

// at is the dose at a place u in (0, 1) of its ranges.
func (d Dose) at(u float64) (perWeek, load float64) {
	within := func(r evidence.Range) float64 { return r.Low + u*(r.High-r.Low) }
	return within(d.Frequency) * within(d.Volume), within(d.Load)
}

// Middle is the dose at the middle of its ranges: reference sessions a week,
// and load.
func (d Dose) Middle() (perWeek, load float64) { return d.at(0.5) }

func (d Dose) open() bool {
	return d.Frequency.Low != d.Frequency.High || d.Volume.Low != d.Volume.High || d.Load.Low != d.Load.High
}

var protocolForm = regexp.MustCompile(`(\d+)\s*x\s*(\d+)(?:\s*-\s*(\d+))?(?:\s*reps?)?\s*(?:@|at)?\s*(?:(\d+)(?:\s*-\s*(\d+))?\s*%)?`)
var loadForm = regexp.MustCompile(`(\d+)(?:\s*-\s*(\d+))?\s*% ?(?:est\. )?1RM`)

// protocol reads sets, repetitions and load from a session in words, as
// "3x10 @80% 1RM"; what it does not find stays open.
func protocol(text string) (sets, reps, load evidence.Range) {
	nan := evidence.Range{Low: math.NaN(), High: math.NaN()}
	sets, reps, load = nan, nan, nan
	num := func(s string) float64 { v, _ := strconv.ParseFloat(s, 64); return v }
	span := func(a, b string) evidence.Range {
		if b == "" {
			b = a
		}
		return evidence.Range{Low: num(a), High: num(b)}
	}
	if g := protocolForm.FindStringSubmatch(text); g != nil && num(g[1]) <= 12 && num(g[2]) <= 30 {
		sets, reps = span(g[1], ""), span(g[2], g[3])
	}
	if g := loadForm.FindStringSubmatch(text); g != nil {
		if l := span(g[1], g[2]); l.Low >= 10 && l.High <= 110 && l.Low <= l.High {
			load = l
		}
	}
	return sets, reps, load
}

// OpenVolume and OpenLoad tell whether a range stands for what a paper leaves
// open.
func OpenVolume(r evidence.Range) bool { return r == openVolume }

// OpenLoad: see OpenVolume.
func OpenLoad(r evidence.Range) bool { return r == openLoad }
