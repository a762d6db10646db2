package calibrate

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"math/rand/v2"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/synthesis"
)

// Settings of a calibration. The zero value is the default.
type Settings struct {
	Chains int // a multiple of the lanes of a group; default 32
	Warm   int // sweeps of warm-up, default 600
	Sweeps int // sweeps kept, default 1600
	Seed   uint64
	Draws  int // draws of the posterior shipped, default 1000
	Rule   axis.Rule
	// Save is called with the state of the run after every SaveEvery sweeps
	// (default 100); Resume continues from such a state, to the same bytes.
	Save      func(state []byte) error
	SaveEvery int
	Resume    []byte
	Progress  func(done, total int)
	from      *Posterior // chains start at its draws, not at the prior's
}

// Lanes of one group of chains.
const Lanes = 16

func (s Settings) defaults() Settings {
	set := func(at *int, v int) {
		if *at == 0 {
			*at = v
		}
	}
	set(&s.Chains, 2*Lanes)
	set(&s.Warm, 600)
	set(&s.Sweeps, 1600)
	set(&s.Draws, 1000)
	set(&s.SaveEvery, 100)
	if s.Rule == "" {
		s.Rule = axis.Claims
	}
	return s
}

// chains are the kept draws: [chain][draw][coordinates, then gates].
type chains struct{ rows [][][]float32 }

// group is a sampler with the draws it has kept.
type group struct {
	s    *sampler
	kept chains
}

func (g *group) sweep(warm int) {
	g.s.step()
	if g.s.sweep <= warm {
		return
	}
	for l := range g.s.w {
		row := make([]float32, 0, len(g.s.cur.z)+len(g.s.cur.gates))
		for _, z := range g.s.cur.z {
			row = append(row, float32(z[l]))
		}
		for _, v := range g.s.cur.gates {
			row = append(row, float32(v[l]))
		}
		g.kept.rows[l] = append(g.kept.rows[l], row)
	}
}

// saved is the state of a run for a checkpoint.
type saved struct {
	Key    string
	Groups []savedGroup
}

type savedGroup struct {
	Sweep            int
	Z, Gates, Latent [][]float64
	Source           [][]byte
	Refs             [][]*reference
	Rows             [][][]float32
}

func (g *group) save() (savedGroup, error) {
	out := savedGroup{Sweep: g.s.sweep, Z: g.s.cur.z, Gates: g.s.cur.gates, Latent: g.s.cur.latent, Rows: g.kept.rows}
	for _, src := range g.s.src {
		b, err := src.MarshalBinary()
		if err != nil {
			return out, err
		}
		out.Source = append(out.Source, b)
	}
	for _, b := range g.s.blocks {
		out.Refs = append(out.Refs, b.ref)
	}
	return out, nil
}

func (g *group) restore(in savedGroup) error {
	if len(in.Z) != len(g.s.cur.z) || len(in.Refs) != len(g.s.blocks) || len(in.Source) != g.s.w || len(in.Latent) != len(g.s.cur.latent) || len(in.Gates) != len(g.s.cur.gates) {
		return fmt.Errorf("the saved run has another shape")
	}
	g.s.sweep, g.kept.rows = in.Sweep, in.Rows
	for len(g.kept.rows) < g.s.w {
		g.kept.rows = append(g.kept.rows, nil)
	}
	copyState(g.s.cur, state{in.Z, in.Gates, in.Latent})
	for l, b := range in.Source {
		if err := g.s.src[l].UnmarshalBinary(b); err != nil {
			return err
		}
		g.s.rng[l] = rand.New(g.s.src[l])
	}
	for i, b := range g.s.blocks {
		b.ref = in.Refs[i]
		for _, r := range b.ref {
			r.d = make([]float64, r.N)
		}
	}
	g.s.restart()
	return nil
}

// ResumeError says why a saved run cannot be continued.
type ResumeError struct{ Reason string }

func (e *ResumeError) Error() string { return "the saved run cannot be continued: " + e.Reason }

// sample runs chains of a target; make builds one target a group.
func sample(ctx context.Context, set Settings, key string, build func() (target, error)) (chains, error) {
	set = set.defaults()
	n := max(1, set.Chains/Lanes)
	groups := make([]*group, n)
	for i := range groups {
		t, err := build()
		if err != nil {
			return chains{}, err
		}
		s := newSampler(t, Lanes, set.Warm, func(l int) (uint64, uint64) { return set.Seed, uint64(i*Lanes + l) })
		if set.from != nil {
			s.startAt(set.from, i)
		}
		groups[i] = &group{s: s, kept: chains{make([][][]float32, Lanes)}}
	}
	if set.Resume != nil {
		if err := resume(groups, set.Resume, key); err != nil {
			return chains{}, err
		}
	}
	total := set.Warm + set.Sweeps
	for done := groups[0].s.sweep; done < total; {
		to := min(done+set.SaveEvery, total)
		synthesis.Parallel(n, func(i int) {
			for groups[i].s.sweep < to && ctx.Err() == nil {
				groups[i].sweep(set.Warm)
			}
		})
		if ctx.Err() != nil {
			return chains{}, ctx.Err()
		}
		done = to
		if set.Progress != nil {
			set.Progress(done, total)
		}
		if set.Save != nil && done < total {
			if err := checkpoint(groups, key, set.Save); err != nil {
				return chains{}, err
			}
		}
	}
	var out chains
	for _, g := range groups {
		out.rows = append(out.rows, g.kept.rows...)
	}
	return out, nil
}

func resume(groups []*group, data []byte, key string) error {
	var sv saved
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&sv); err != nil {
		return &ResumeError{"it is damaged (" + err.Error() + ")"}
	}
	if sv.Key != key {
		return &ResumeError{"it belongs to another pack, model, seed or setting"}
	}
	if len(sv.Groups) != len(groups) {
		return &ResumeError{"it has another number of chains"}
	}
	for i, g := range groups {
		if err := g.restore(sv.Groups[i]); err != nil {
			return &ResumeError{err.Error()}
		}
	}
	return nil
}

func checkpoint(groups []*group, key string, save func([]byte) error) error {
	sv := saved{Key: key}
	for _, g := range groups {
		s, err := g.save()
		if err != nil {
			return err
		}
		sv.Groups = append(sv.Groups, s)
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(sv); err != nil {
		return err
	}
	return save(b.Bytes())
}

// column gathers one coordinate (or gate) of all chains.
func (c chains) column(i int) [][]float64 {
	out := make([][]float64, len(c.rows))
	for k, rows := range c.rows {
		out[k] = make([]float64, len(rows))
		for j, r := range rows {
			out[k][j] = float64(r[i])
		}
	}
	return out
}
