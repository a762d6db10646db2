package evidence

// Place is where a record stands: the table and its row counted from 0.
type Place struct {
	table *Table
	row   int
}

// File returns the file and line of the record.
func (p Place) File() (string, int) {
	if p.table == nil {
		return "", 0
	}
	return p.table.File, p.table.Lines[p.row]
}

func (p Place) problem(s Severity, code, col, msg, hint string) Problem {
	return Problem{s, code, p.table.File, p.table.Lines[p.row], p.table.Col(col) + 1, msg, hint}
}

// Locator says where a fact was read.
type Locator struct{ Source, Locator string }

func locator(t *Table, r int) Locator { return Locator{t.Text(r, "source"), t.Text(r, "locator")} }

// Study is one paper or trial report. Papers on the same people share a
// Cohort, which is the cluster in every synthesis.
type Study struct {
	At             Place
	ID, Cohort     string
	CohortReason   string
	DOI, PMID      string
	Year           int
	Country        string
	Population     string  // healthy, MCI, dementia, frail, other
	NTotal         int     // people in all arms, 0 unknown
	Age, FemalePct float64 // years, percent; NaN unknown
	Randomised     string  // yes, unclear, no
	Loc            Locator
}

func parseStudy(t *Table, r int) Study {
	s := Study{At: Place{t, r}, ID: t.Text(r, "study_id"), Cohort: t.Text(r, "cohort_id"), CohortReason: t.Text(r, "cohort_reason"),
		DOI: t.Text(r, "doi"), PMID: t.Text(r, "pmid"), Year: t.Count(r, "year"), Country: t.Text(r, "country"),
		Population: t.Text(r, "population"), NTotal: t.Count(r, "n_total"), Age: t.Number(r, "age_mean"),
		FemalePct: t.Number(r, "female_pct"), Randomised: t.Text(r, "randomised"), Loc: locator(t, r)}
	if s.Cohort == "" {
		s.Cohort = s.ID
	}
	return s
}

// Range is a dose the paper prints as one value (Low = High) or as a range;
// NaN where it is silent.
type Range struct{ Low, High float64 }

// Mid is the middle of the range, NaN where unknown.
func (r Range) Mid() float64 { return (r.Low + r.High) / 2 }

func between(t *Table, r int, low, high string) Range {
	return Range{t.Number(r, low), t.Number(r, high)}
}

// Arm is the prescription of one training arm.
type Arm struct {
	At                Place
	StudyID, ID, Kind string
	Frequency         float64 // sessions per week
	Pct1RM, RM, RPE   Range   // percent of 1RM; repetitions maximum; points
	Sets, Reps        Range
	Exercises         float64
	SessionMin, Weeks float64
	RestMin           float64
	AdherencePct      float64
	Progression       string
	Loc               Locator
}

func parseArm(t *Table, r int) Arm {
	return Arm{At: Place{t, r}, StudyID: t.Text(r, "study_id"), ID: t.Text(r, "arm_id"), Kind: t.Text(r, "kind"),
		Frequency: t.Number(r, "frequency_per_week"), Pct1RM: between(t, r, "intensity_pct1rm_low", "intensity_pct1rm_high"),
		RM: between(t, r, "rm_low", "rm_high"), RPE: between(t, r, "rpe_low", "rpe_high"),
		Sets: between(t, r, "sets_low", "sets_high"), Reps: between(t, r, "reps_low", "reps_high"),
		Exercises: t.Number(r, "exercises_n"), SessionMin: t.Number(r, "session_min"), Weeks: t.Number(r, "weeks"),
		RestMin: t.Number(r, "rest_min"), AdherencePct: t.Number(r, "adherence_pct"), Progression: t.Text(r, "progression"), Loc: locator(t, r)}
}

// ArmResult is one arm, one outcome, one time. Empty cells are NaN.
type ArmResult struct {
	At                          Place
	ID, StudyID, ArmID, ArmKind string
	Domain, Instrument          string
	HigherIsBetter              bool
	Weeks                       float64
	N                           int
	MeanPre, SDPre              float64
	MeanPost, SDPost            float64
	MeanChange, SDChange        float64
	SEChange                    float64
	Form                        string
	Loc                         Locator
}

func parseArmResult(t *Table, r int) ArmResult {
	return ArmResult{At: Place{t, r}, ID: t.Text(r, "arm_obs_id"), StudyID: t.Text(r, "study_id"), ArmID: t.Text(r, "arm_id"), ArmKind: t.Text(r, "arm_kind"),
		Domain: t.Text(r, "domain"), Instrument: t.Text(r, "instrument"), HigherIsBetter: t.Text(r, "higher_is_better") != "0",
		Weeks: t.Number(r, "time_weeks"), N: t.Count(r, "n"), MeanPre: t.Number(r, "mean_pre"), SDPre: t.Number(r, "sd_pre"),
		MeanPost: t.Number(r, "mean_post"), SDPost: t.Number(r, "sd_post"), MeanChange: t.Number(r, "mean_change"), SDChange: t.Number(r, "sd_change"),
		SEChange: t.Number(r, "se_change"), Form: t.Text(r, "form"), Loc: locator(t, r)}
}

// Table returns the table the record stands in and Row its row.
func (p Place) Table() *Table { return p.table }

// Row returns the row of the record in its table, counted from 0.
func (p Place) Row() int { return p.row }
