package evidence

// Biomarker is one observation of a myokine or marker around training.
type Biomarker struct {
	At                  Place
	ID, StudyID         string
	Species, Population string
	Age                 float64
	N                   int
	Entity, Matrix      string
	Kind, Mode          string // acute|chronic; RT, aerobic, ...
	Protocol            string
	Weeks, TimeH        float64 // duration of training; hours after the bout (or at all)
	Fold                float64 // after/before within one assay, NaN where not numeric
	FoldBasis           string
	Direction           string // "1", "0", "-1" or ""
	Form, PText, Flags  string
	ValuePre, ValuePost float64
	Unit                string
	Loc                 Locator
}

func parseBiomarker(t *Table, r int) Biomarker {
	return Biomarker{At: Place{t, r}, ID: t.Text(r, "bio_id"), StudyID: t.Text(r, "study_id"), Species: t.Text(r, "species"), Population: t.Text(r, "population"),
		Age: t.Number(r, "age_mean"), N: t.Count(r, "n"), Entity: t.Text(r, "entity"), Matrix: t.Text(r, "matrix"), Kind: t.Text(r, "kind"), Mode: t.Text(r, "mode"),
		Protocol: t.Text(r, "protocol"), Weeks: t.Number(r, "weeks"), TimeH: t.Number(r, "time_h"), Fold: t.Number(r, "fold_change"), FoldBasis: t.Text(r, "fold_basis"),
		Direction: t.Text(r, "direction"), Form: t.Text(r, "form"), PText: t.Text(r, "p_text"), Flags: t.Text(r, "flags"),
		ValuePre: t.Number(r, "value_pre"), ValuePost: t.Number(r, "value_post"), Unit: t.Text(r, "unit"), Loc: locator(t, r)}
}

// Kinetic is one kinetic or physiological value with its species and quality.
type Kinetic struct {
	At                    Place
	ID, Quantity, Entity  string
	Compartment, Species  string
	Value, Low, High      float64
	Unit, Method, Quality string
	Loc                   Locator
}

func parseKinetic(t *Table, r int) Kinetic {
	return Kinetic{At: Place{t, r}, ID: t.Text(r, "parameter_id"), Quantity: t.Text(r, "quantity"), Entity: t.Text(r, "entity"), Compartment: t.Text(r, "compartment"),
		Species: t.Text(r, "species"), Value: t.Number(r, "value"), Low: t.Number(r, "low"), High: t.Number(r, "high"), Unit: t.Text(r, "unit"),
		Method: t.Text(r, "method"), Quality: t.Text(r, "quality"), Loc: locator(t, r)}
}

// Claim is one experiment or trial about one causal link.
type Claim struct {
	At                Place
	ID, Cause, Effect string
	Sign, Level       string
	Supports          int // 1, 0, -1
	Text, EffectSize  string
	Loc               Locator
}

func parseClaim(t *Table, r int) Claim {
	return Claim{At: Place{t, r}, ID: t.Text(r, "claim_id"), Cause: t.Text(r, "cause"), Effect: t.Text(r, "effect"), Sign: t.Text(r, "sign"),
		Level: t.Text(r, "evidence_level"), Supports: t.Count(r, "supports"), Text: t.Text(r, "claim"), EffectSize: t.Text(r, "effect_size"), Loc: locator(t, r)}
}

// Claim returns the claim with an id.
func (p *Pack) Claim(id string) (Claim, bool) {
	for _, c := range p.Claims {
		if c.ID == id {
			return c, true
		}
	}
	return Claim{}, false
}

// Kinetic returns the kinetic value with an id.
func (p *Pack) Kinetic(id string) (Kinetic, bool) {
	for _, k := range p.Kinetics {
		if k.ID == id {
			return k, true
		}
	}
	return Kinetic{}, false
}

// Entity links a name to the identifiers of public databases.
type Entity struct {
	ID, Label                  string
	Gene, UniProt, MeSH, ChEBI string
}

func parseEntity(t *Table, r int) Entity {
	return Entity{t.Text(r, "entity_id"), t.Text(r, "label"), t.Text(r, "ncbi_gene"), t.Text(r, "uniprot"), t.Text(r, "mesh"), t.Text(r, "chebi")}
}

// Identifier is the entity's best identifier in words, e.g. "NCBI Gene 3569".
func (e Entity) Identifier() string {
	switch {
	case e.Gene != "":
		return "NCBI Gene " + e.Gene
	case e.MeSH != "":
		return "MeSH " + e.MeSH
	case e.ChEBI != "":
		return e.ChEBI
	}
	return ""
}

// Entity returns the entity with an id.
func (p *Pack) Entity(id string) (Entity, bool) {
	for _, e := range p.Entities {
		if e.ID == id {
			return e, true
		}
	}
	return Entity{}, false
}
