package synthesis

import (
	"fmt"
	"math"
	"slices"

	"github.com/myoaxis/myoaxis/evidence"
)

// Conclusion is the pooled effect of a domain, SD units; open ends are nil.
type Conclusion struct {
	Rows     int      `json:"rows"`
	Estimate float64  `json:"estimate"`
	Low      *float64 `json:"ci_low"`
	High     *float64 `json:"ci_high"`
}

// sign tells where the interval lies: 1 above zero, -1 below, 0 holds it.
func (c *Conclusion) sign() int {
	switch {
	case c == nil:
		return 0
	case c.Low != nil && *c.Low > 0:
		return 1
	case c.High != nil && *c.High < 0:
		return -1
	}
	return 0
}

// DomainDiff compares one domain between two packs.
type DomainDiff struct {
	Domain  string      `json:"domain"`
	Old     *Conclusion `json:"old"`
	New     *Conclusion `json:"new"`
	Change  float64     `json:"change"`
	Flips   bool        `json:"flips"`
	Verdict string      `json:"verdict"`
}

// Diff compares two packs.
type Diff struct {
	StudiesAdded   []string     `json:"studies_added"`
	StudiesRemoved []string     `json:"studies_removed"`
	Added          int          `json:"observations_added"`
	Removed        int          `json:"observations_removed"`
	Changed        int          `json:"observations_changed"`
	Domains        []DomainDiff `json:"domains"`
	Flips          int          `json:"flips"`
}

// Compare pools two packs by domain and says which conclusions change.
func Compare(before, after *evidence.Pack) (*Diff, error) {
	d := &Diff{StudiesAdded: missingStudies(before, after), StudiesRemoved: missingStudies(after, before)}
	old := map[string]string{}
	for _, c := range before.Contrasts {
		old[c.ID] = content(c)
	}
	for _, c := range after.Contrasts {
		was, ok := old[c.ID]
		switch {
		case !ok:
			d.Added++
		case was != content(c):
			d.Changed++
		}
		delete(old, c.ID)
	}
	d.Removed = len(old)
	for _, name := range append([]string{"overall"}, evidence.Domains...) {
		x := DomainDiff{Domain: name}
		var err error
		if x.Old, err = conclude(before, name); err != nil {
			return nil, err
		}
		if x.New, err = conclude(after, name); err != nil {
			return nil, err
		}
		x.judge()
		if x.Flips {
			d.Flips++
		}
		d.Domains = append(d.Domains, x)
	}
	return d, nil
}

func (x *DomainDiff) judge() {
	switch {
	case x.Old == nil && x.New == nil:
		x.Verdict = "no result in either"
		return
	case x.Old == nil:
		x.Verdict = "new"
		return
	case x.New == nil:
		x.Verdict = "gone"
		return
	}
	x.Change = x.New.Estimate - x.Old.Estimate
	x.Flips = x.Old.sign() != x.New.sign()
	switch {
	case x.Flips:
		x.Verdict = fmt.Sprintf("FLIPS: old interval %s, new interval %s", where(x.Old), where(x.New))
	case math.Abs(x.Change) < 5e-4 && x.Old.Rows == x.New.Rows:
		x.Verdict = "unchanged"
	default:
		x.Verdict = fmt.Sprintf("moves by %+.3f SD; the interval still %s", x.Change, where(x.New))
	}
}

func where(c *Conclusion) string {
	switch c.sign() {
	case 1:
		return "lies above zero"
	case -1:
		return "lies below zero"
	}
	return "holds zero"
}

func missingStudies(have, other *evidence.Pack) []string {
	out := []string{}
	for _, s := range other.Studies {
		if _, ok := have.Study(s.ID); !ok {
			out = append(out, s.ID)
		}
	}
	slices.Sort(out)
	return out
}

// content is what matters of a contrast for the pooled result.
func content(c evidence.Contrast) string {
	return fmt.Sprint(c.StudyID, c.Kind, c.Domain, c.Form, c.Direction, c.Effect, c.CILow, c.CIHigh, c.SE, c.PValue, c.Alpha, c.NRT, c.NControl, c.Orientation, c.Timing, c.Randomised, c.OverlapOf)
}

func conclude(p *evidence.Pack, domain string) (*Conclusion, error) {
	q, err := PoolDomain(p, Options{Selection: Selection{Domain: domain}, Quick: true})
	if err != nil || q.All == nil {
		return nil, err
	}
	end := func(v float64) *float64 {
		if math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	return &Conclusion{q.All.Rows, q.All.Value, end(q.All.Low), end(q.All.High)}, nil
}
