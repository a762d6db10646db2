package calibrate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
	"github.com/myoaxis/myoaxis/synthesis"
)

// Version of likelihood and file; a posterior of another version is refused.
const Version = 1

// Limits of convergence: a posterior beyond them is not published.
const (
	MaxRHat = 1.02
	MinESS  = 400
)

// Marginal summarises one coordinate or gate.
type Marginal struct {
	Name  string  `json:"name"`
	Prior string  `json:"prior"`
	Used  bool    `json:"used"` // something observed rests on it
	RHat  float64 `json:"rhat"`
	ESS   float64 `json:"ess"`
	P     float64 `json:"p,omitempty"` // gates: prior probability
}

// Header describes a posterior.
type Header struct {
	Version   int            `json:"version"`
	Pack      string         `json:"pack"`  // hash of the evidence
	Model     string         `json:"model"` // hash of model and priors
	Seed      uint64         `json:"seed"`
	Rule      axis.Rule      `json:"rule"`
	Chains    int            `json:"chains"`
	Warm      int            `json:"warm"`
	Sweeps    int            `json:"sweeps"`
	Draws     int            `json:"draws"`
	Counts    map[string]int `json:"observations"`
	Coords    []Marginal     `json:"coordinates"`
	Gates     []Marginal     `json:"gates"`
	WorstRHat float64        `json:"worst_rhat"`
	LeastESS  float64        `json:"least_ess"`
}

// Posterior holds draws of coordinates (as standard normals a priori) and
// gates.
type Posterior struct {
	Header
	Space Space
	Z     [][]float32 // draw, coordinate
	On    [][]uint8   // draw, gate
}

// ConvergenceError refuses a posterior whose chains do not agree.
type ConvergenceError struct {
	Name      string
	RHat, ESS float64
}

func (e *ConvergenceError) Error() string {
	return fmt.Sprintf("the chains do not agree on %s: R-hat %.3f (at most %g), effective sample size %.0f (at least %d); run more sweeps", e.Name, e.RHat, MaxRHat, e.ESS, MinESS)
}

// PackHash identifies the evidence.
func PackHash(p *evidence.Pack) string {
	h := sha256.New()
	var names []string
	for n := range p.Tables {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		for _, t := range p.TablesOf(n) {
			fmt.Fprintf(h, "%s\x00", n)
			for _, rows := range [][][]string{{t.Header}, t.Rows} {
				for _, r := range rows {
					for _, c := range r {
						fmt.Fprintf(h, "%s\x1f", c)
					}
					fmt.Fprint(h, "\x1e")
				}
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// ModelHash identifies the model text, the priors of the likelihood and the
// version of the program's likelihood.
func ModelHash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\x00%s\x00%v", Version, axis.Text(), likelihoodCoords)
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// Run calibrates the axis to a pack. It fails with *ConvergenceError where the
// chains do not agree; the posterior is returned with it for inspection.
func Run(ctx context.Context, p *evidence.Pack, m *axis.Model, set Settings) (*Posterior, error) {
	set = set.defaults()
	pr := NewProblem(p, m)
	pr.Space = NewSpace(m, set.Rule)
	if len(pr.Data.Observations) < MinObservations {
		return nil, &TooFewError{len(pr.Data.Observations)}
	}
	pack, model := PackHash(p), ModelHash()
	key := fmt.Sprintf("%s %s %d %d %d %d %s", pack, model, set.Seed, set.Chains, set.Warm, set.Sweeps, set.Rule)
	var first *fitTarget
	c, err := sample(ctx, set, key, func() (target, error) {
		t, err := newFitTarget(m, pr.Space, pr.Data.Observations, Lanes)
		if first == nil {
			first = t
		}
		return t, err
	})
	if err != nil {
		return nil, err
	}
	post := thin(c, first, set)
	post.Pack, post.Model = pack, model
	for _, o := range pr.Data.Observations {
		post.Counts[o.Class.String()]++
	}
	return post, post.Converged()
}

// MinObservations is the least a calibration needs.
const MinObservations = 10

// TooFewError says that a pack holds too little to calibrate to.
type TooFewError struct{ Have int }

func (e *TooFewError) Error() string {
	return fmt.Sprintf("the pack holds %d usable observations; a calibration needs %d", e.Have, MinObservations)
}

// used tells which coordinates and gates something observed rests on.
func used(t target) (coords, gates []bool) {
	sp := t.spaceOf()
	coords, gates = make([]bool, len(sp.Coords)), make([]bool, len(sp.Gates))
	for _, d := range t.moduleDeps() {
		for _, c := range append(slices.Clone(d.coords), d.likCoords...) {
			coords[c] = true
		}
		for _, g := range append(slices.Clone(d.gates), d.likGates...) {
			gates[g] = true
		}
	}
	return coords, gates
}

// thin takes evenly spaced draws of every chain; what no observation rests on
// is drawn from its prior.
func thin(c chains, t target, set Settings) *Posterior {
	sp := t.spaceOf()
	coords, gates := used(t)
	post := &Posterior{Space: sp, Header: Header{Version: Version, Seed: set.Seed, Rule: set.Rule, Chains: len(c.rows), Warm: set.Warm, Sweeps: set.Sweeps, Draws: set.Draws, Counts: map[string]int{}}}
	n := len(c.rows[0])
	total := n * len(c.rows)
	for d := range set.Draws {
		k := d * total / set.Draws
		row := c.rows[k/n][k%n]
		z, on := make([]float32, len(sp.Coords)), make([]uint8, len(sp.Gates))
		r := rand.New(rand.NewPCG(set.Seed, 1<<40+uint64(d)))
		for i := range z {
			if z[i] = row[i]; !coords[i] {
				z[i] = float32(r.NormFloat64())
			}
		}
		for g := range on {
			if on[g] = uint8(row[len(z)+g]); !gates[g] {
				on[g] = 0
				if r.Float64() < sp.Gates[g].P {
					on[g] = 1
				}
			}
		}
		post.Z, post.On = append(post.Z, z), append(post.On, on)
	}
	post.Coords, post.Header.Gates = make([]Marginal, len(sp.Coords)), make([]Marginal, len(sp.Gates))
	synthesis.Parallel(len(sp.Coords)+len(sp.Gates), func(i int) {
		m := Marginal{RHat: 1, ESS: float64(total)}
		at := &m
		isUsed := false
		if i < len(sp.Coords) {
			m.Name, m.Prior, isUsed = sp.Coords[i].Name, sp.Coords[i].Prior, coords[i]
			at = &post.Coords[i]
		} else {
			g := sp.Gates[i-len(sp.Coords)]
			m.Name, m.Prior, m.P, isUsed = g.Name, "gate", g.P, gates[i-len(sp.Coords)]
			at = &post.Header.Gates[i-len(sp.Coords)]
		}
		if isUsed {
			x := c.column(i)
			if i < len(sp.Coords) && sp.Coords[i].Kind == halfNormal {
				for _, ch := range x {
					for j := range ch {
						ch[j] = math.Abs(ch[j])
					}
				}
			}
			m.Used, m.RHat, m.ESS = true, round4(RHat(x)), math.Round(ESS(x))
		}
		*at = m
	})
	return post
}

func round4(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// Converged notes the worst R-hat and the fewest effective draws, and returns a
// *ConvergenceError where they are beyond the limits.
func (p *Posterior) Converged() error {
	p.WorstRHat, p.LeastESS = 1, math.Inf(1)
	var worst *ConvergenceError
	for _, m := range slices.Concat(p.Coords, p.Header.Gates) {
		if !m.Used {
			continue
		}
		p.WorstRHat, p.LeastESS = math.Max(p.WorstRHat, m.RHat), math.Min(p.LeastESS, m.ESS)
		if (m.RHat > MaxRHat || m.ESS < MinESS) && (worst == nil || m.RHat > worst.RHat) {
			worst = &ConvergenceError{m.Name, m.RHat, m.ESS}
		}
	}
	if worst != nil {
		return worst
	}
	return nil
}

// Value is coordinate c of a draw on its own scale.
func (p *Posterior) Value(draw, c int) float64 {
	return p.Space.Coords[c].Transform(float64(p.Z[draw][c]))
}

const magic = "myoaxis posterior\n"

// Encode writes the file: magic, header as a line of JSON, draws as
// little-endian float32, gates as bytes, SHA-256 of all that.
func (p *Posterior) Encode() []byte {
	var b bytes.Buffer
	b.WriteString(magic)
	h, err := json.Marshal(p.Header)
	if err != nil {
		panic("calibrate: " + err.Error()) // plain numbers and strings
	}
	b.Write(h)
	b.WriteByte('\n')
	for _, row := range p.Z {
		for _, v := range row {
			b.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
		}
	}
	for _, row := range p.On {
		b.Write(row)
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

// FileError says what is wrong with a posterior file.
type FileError struct{ Reason, Hint string }

func (e *FileError) Error() string { return "the posterior " + e.Reason }

// Decode reads a posterior for a model; pack and model must be those it was
// made from.
func Decode(data []byte, packHash string, m *axis.Model) (*Posterior, error) {
	rebuild := "rebuild it with myoaxis calibrate"
	if len(data) < len(magic)+sha256.Size || string(data[:len(magic)]) != magic {
		return nil, &FileError{"is no posterior file", rebuild}
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, &FileError{"is damaged: its checksum does not fit", rebuild}
	}
	line, rest, ok := bytes.Cut(body[len(magic):], []byte("\n"))
	p := &Posterior{}
	if err := json.Unmarshal(line, &p.Header); !ok || err != nil {
		return nil, &FileError{"has no readable header", rebuild}
	}
	if p.Version != Version || p.Model != ModelHash() {
		return nil, &FileError{fmt.Sprintf("was made with model %s (version %d), this program holds %s (version %d)", p.Model, p.Version, ModelHash(), Version), rebuild}
	}
	if packHash != "" && p.Pack != packHash {
		return nil, &FileError{fmt.Sprintf("was made from the pack %s, the evidence given is %s", p.Pack, packHash), "calibrate to this evidence: myoaxis calibrate --evidence DIR"}
	}
	p.Space = NewSpace(m, p.Rule)
	nc, ng := len(p.Space.Coords), len(p.Space.Gates)
	if p.Draws < 1 || p.Draws > 1_000_000 || len(p.Coords) != nc || len(p.Header.Gates) != ng || len(rest) != p.Draws*(4*nc+ng) {
		return nil, &FileError{"does not hold what its header says", rebuild}
	}
	for range p.Draws {
		row := make([]float32, nc)
		for i := range row {
			row[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
		}
		p.Z, rest = append(p.Z, row), rest[4*nc:]
	}
	for range p.Draws {
		p.On, rest = append(p.On, rest[:ng]), rest[ng:]
	}
	return p, nil
}
