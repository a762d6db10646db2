package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Pack is a loaded evidence base.
type Pack struct {
	Tables     map[string]*Table   // by resource name, of the first pack; absent resources are nil
	Added      map[string][]*Table // of further packs read with it
	Studies    []Study
	Arms       []Arm
	Contrasts  []Contrast
	ArmResults []ArmResult
	Biomarkers []Biomarker
	Kinetics   []Kinetic
	Muscle     []MuscleOutcome
	Mediations []Mediation
	Claims     []Claim
	Entities   []Entity
	study      map[string]int
}

// Embedded loads the project's own evidence base, built into the program.
func Embedded() (*Pack, []Problem) { return Load(EmbeddedSource().FS) }

// Source is one pack to read: a file tree and the prefix its files carry in
// messages.
type Source struct {
	Prefix string
	FS     fs.FS
}

// EmbeddedSource is the built-in pack as a source to merge with others.
func EmbeddedSource() Source {
	sub, err := fs.Sub(packFS, "pack")
	if err != nil {
		panic("evidence: embedded pack is missing")
	}
	return Source{"embedded/", sub}
}

// Load reads one pack.
func Load(fsys fs.FS) (*Pack, []Problem) { return LoadAll(Source{"", fsys}) }

// LoadAll reads several packs as one; the same study in two packs is an error.
func LoadAll(srcs ...Source) (*Pack, []Problem) {
	p := &Pack{Tables: map[string]*Table{}, Added: map[string][]*Table{}, study: map[string]int{}}
	var ps []Problem
	book := Codebook()
	for _, s := range srcs {
		ps = append(ps, p.read(s, book)...)
	}
	p.index()
	ps = append(ps, p.checkLinks(book)...)
	if Errors(ps) == 0 {
		ps = append(ps, p.plausibility()...)
	}
	SortProblems(ps)
	return p, ps
}

// read adds the tables of one source and checks them against the codebook.
func (p *Pack) read(s Source, book Package) (ps []Problem) {
	if _, err := fs.Stat(s.FS, "datapackage.json"); err != nil {
		ps = append(ps, Problem{Warning, "no-descriptor", s.Prefix + "datapackage.json", 0, 0, "the pack has no descriptor", "copy datapackage.json of the built-in pack and name your own files in it"})
	}
	found := 0
	for _, res := range book.Resources {
		f, err := s.FS.Open(res.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		name := s.Prefix + res.Path
		if err != nil {
			ps = append(ps, Problem{Error, "read", name, 0, 0, err.Error(), "check that the file can be read"})
			continue
		}
		t, tp := ReadTable(name, f)
		f.Close()
		found++
		if len(tp) == 0 && len(t.Rows) == 0 && (res.Name == "studies" || res.Name == "contrasts") {
			tp = append(tp, Problem{Error, "empty", name, 1, 1, "the file holds no rows", "a pack needs studies and contrasts"})
		}
		ps = append(ps, tp...)
		ps = append(ps, checkSchema(t, res)...)
		if have := p.Tables[res.Name]; have != nil {
			ps = append(ps, p.merge(res, have, t)...)
			p.Added[res.Name] = append(p.Added[res.Name], t)
		} else {
			p.Tables[res.Name] = t
		}
		p.parse(res.Name, t)
	}
	for _, need := range []string{"studies", "contrasts"} {
		if p.Tables[need] == nil {
			ps = append(ps, Problem{Error, "missing-file", s.Prefix + need + ".csv", 0, 0, "the file is missing", "a pack needs studies.csv and contrasts.csv; see docs/adding-a-study.md"})
		}
	}
	return ps
}

// merge reports ids that two packs share and remembers the new rows' ids.
func (p *Pack) merge(res Resource, have, add *Table) (ps []Problem) {
	key := res.Schema.PrimaryKey
	if key == "" || add.Col(key) < 0 {
		return nil
	}
	ids := map[string]int{}
	for r := range have.Rows {
		ids[have.Text(r, key)] = have.Lines[r]
	}
	for r := range add.Rows {
		if line, dup := ids[add.Text(r, key)]; dup && add.Text(r, key) != "" {
			ps = append(ps, Problem{Error, "duplicate-id", add.File, add.Lines[r], add.Col(key) + 1, fmt.Sprintf("%s %q is already in %s, line %d", key, add.Text(r, key), have.File, line), "one study belongs in one pack: rename it or remove one"})
		}
	}
	return ps
}

func (p *Pack) parse(name string, t *Table) {
	for r := range t.Rows {
		switch name {
		case "studies":
			p.Studies = append(p.Studies, parseStudy(t, r))
		case "arms":
			p.Arms = append(p.Arms, parseArm(t, r))
		case "contrasts":
			p.Contrasts = append(p.Contrasts, parseContrast(t, r))
		case "arm_outcomes":
			p.ArmResults = append(p.ArmResults, parseArmResult(t, r))
		case "biomarkers":
			p.Biomarkers = append(p.Biomarkers, parseBiomarker(t, r))
		case "muscle_outcomes":
			p.Muscle = append(p.Muscle, parseMuscleOutcome(t, r))
		case "mediation":
			p.Mediations = append(p.Mediations, parseMediation(t, r))
		case "kinetics":
			p.Kinetics = append(p.Kinetics, parseKinetic(t, r))
		case "claims":
			p.Claims = append(p.Claims, parseClaim(t, r))
		case "entities":
			p.Entities = append(p.Entities, parseEntity(t, r))
		}
	}
}

func (p *Pack) index() {
	for i, s := range p.Studies {
		if _, dup := p.study[s.ID]; !dup {
			p.study[s.ID] = i
		}
	}
}

// TablesOf lists the tables of a resource, that of the first pack first.
func (p *Pack) TablesOf(resource string) (out []*Table) {
	if t := p.Tables[resource]; t != nil {
		out = append(out, t)
	}
	return append(out, p.Added[resource]...)
}

// Study returns the study with an id.
func (p *Pack) Study(id string) (Study, bool) {
	i, ok := p.study[id]
	if !ok {
		return Study{}, false
	}
	return p.Studies[i], true
}

// Cohort returns the cluster a study belongs to: the study itself where the
// pack names none.
func (p *Pack) Cohort(studyID string) string {
	if s, ok := p.Study(studyID); ok && s.Cohort != "" {
		return s.Cohort
	}
	return studyID
}

// checkLinks reports ids that point nowhere.
func (p *Pack) checkLinks(book Package) (ps []Problem) {
	for _, res := range book.Resources {
		t := p.Tables[res.Name]
		if t == nil {
			continue
		}
		for _, fk := range res.Schema.ForeignKeys {
			c := t.Col(fk.Fields)
			for r := range t.Rows {
				if id := t.Text(r, fk.Fields); c >= 0 && id != "" {
					if _, ok := p.study[id]; !ok {
						ps = append(ps, Problem{Error, "dangling-id", t.File, t.Lines[r], c + 1, fmt.Sprintf("the study %q is not in studies.csv", id), "add the study, or correct the spelling"})
					}
				}
			}
		}
	}
	ids := make([]string, len(p.Contrasts))
	for i, c := range p.Contrasts {
		ids[i] = c.ID
	}
	slices.Sort(ids)
	for _, c := range p.Contrasts {
		if _, ok := slices.BinarySearch(ids, c.OverlapOf); c.OverlapOf != "" && !ok {
			ps = append(ps, c.At.problem(Error, "dangling-id", "overlap_of", fmt.Sprintf("the observation %q is not in the pack", c.OverlapOf), "name an obs_id of contrasts.csv"))
		}
	}
	return ps
}
