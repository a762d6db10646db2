package evidence

// Contrast is training against a comparator for one outcome, in the form in
// which it was reported (see the codebook). Numbers are as printed;
// Orientation turns them so that positive means the trained did better.
type Contrast struct {
	At                              Place
	ID, StudyID, Kind               string
	ArmText, ControlKind            string
	Comparison, Randomised, Timing  string
	Weeks                           float64
	Frequency, Pct1RM, Sets, Reps   Range
	SessionMin                      float64
	DoseBasis                       string
	Instrument                      string
	HigherIsBetter                  bool
	Domain, DomainRaw, DomainReason string
	NRT, NControl                   int // 0 unknown
	NBasis                          string
	ControlSharedBy                 int // arms compared with the same control group
	Form                            string
	Direction                       int // 1, -1, or 0 unknown
	EffectType                      string
	Effect, CILow, CIHigh, SE       float64
	PValue, Alpha                   float64
	PText                           string
	Orientation                     int // 1, -1, 0 unknown
	OrientationReason               string
	AbstractOnly, Secondary         bool
	OverlapOf                       string
	Note                            string
	Loc                             Locator
}

func parseContrast(t *Table, r int) Contrast {
	c := Contrast{At: Place{t, r}, ID: t.Text(r, "obs_id"), StudyID: t.Text(r, "study_id"), Kind: t.Text(r, "kind"), ArmText: t.Text(r, "arm_text"),
		ControlKind: t.Text(r, "control_kind"), Comparison: t.Text(r, "comparison"), Randomised: t.Text(r, "randomised"), Timing: t.Text(r, "timing"),
		Weeks: t.Number(r, "weeks"), Frequency: between(t, r, "frequency_low", "frequency_high"), Pct1RM: between(t, r, "pct1rm_low", "pct1rm_high"),
		Sets: between(t, r, "sets_low", "sets_high"), Reps: between(t, r, "reps_low", "reps_high"), SessionMin: t.Number(r, "session_min"),
		DoseBasis: t.Text(r, "dose_basis"), Instrument: t.Text(r, "instrument"), HigherIsBetter: t.Text(r, "higher_is_better") != "0",
		Domain: t.Text(r, "domain"), DomainRaw: t.Text(r, "domain_raw"), DomainReason: t.Text(r, "domain_reason"),
		NRT: t.Count(r, "n_rt"), NControl: t.Count(r, "n_control"), NBasis: t.Text(r, "n_basis"), ControlSharedBy: max(1, t.Count(r, "control_shared_by")),
		Form: t.Text(r, "form"), Direction: t.Count(r, "direction"), EffectType: t.Text(r, "effect_type"), Effect: t.Number(r, "effect"),
		CILow: t.Number(r, "ci_low"), CIHigh: t.Number(r, "ci_high"), SE: t.Number(r, "se"), PValue: t.Number(r, "p_value"), Alpha: t.Number(r, "alpha"),
		PText: t.Text(r, "p_text"), Orientation: t.Count(r, "orientation"), OrientationReason: t.Text(r, "orientation_reason"),
		AbstractOnly: t.Text(r, "abstract_only") == "yes", Secondary: t.Text(r, "secondary_source") == "yes",
		OverlapOf: t.Text(r, "overlap_of"), Note: t.Text(r, "note"), Loc: locator(t, r)}
	return c
}

// Domains are the cognitive domains in the order reports use.
var Domains = []string{"memory", "executive", "processing_speed", "visuospatial", "working_memory", "attention", "language", "global"}
