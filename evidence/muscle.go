package evidence

// MuscleOutcome is the gain of strength or muscle mass in one trained arm.
type MuscleOutcome struct {
	At                      Place
	ID, StudyID, Cohort     string
	Population              string
	Age                     float64
	Trained                 bool
	Outcome, Measure, Arm   string // Outcome is strength or mass
	Frequency, Pct1RM, Sets Range
	Weeks, DetrainingWeeks  float64 // DetrainingWeeks NaN: measured at the end of training
	N                       int
	ChangeLog, ChangePct    float64 // logarithm of post/pre, or percent; one of them
	Spread                  float64
	SpreadKind              string // sd_pct, se_pct, sd_log or "" (not printed)
	Loc                     Locator
}

func parseMuscleOutcome(t *Table, r int) MuscleOutcome {
	return MuscleOutcome{At: Place{t, r}, ID: t.Text(r, "obs_id"), StudyID: t.Text(r, "study_id"), Cohort: t.Text(r, "cohort_id"), Population: t.Text(r, "population"),
		Age: t.Number(r, "age_mean"), Trained: t.Text(r, "trained") == "1", Outcome: t.Text(r, "outcome"), Measure: t.Text(r, "measure"), Arm: t.Text(r, "arm"),
		Frequency: between(t, r, "frequency_low", "frequency_high"), Pct1RM: between(t, r, "pct1rm_low", "pct1rm_high"), Sets: between(t, r, "sets_low", "sets_high"),
		Weeks: t.Number(r, "weeks"), DetrainingWeeks: t.Number(r, "detraining_weeks"), N: t.Count(r, "n"), ChangeLog: t.Number(r, "change_log"), ChangePct: t.Number(r, "change_pct"),
		Spread: t.Number(r, "spread"), SpreadKind: t.Text(r, "spread_kind"), Loc: locator(t, r)}
}

// Mediation is one published link between the change of a marker or of
// strength and the change of cognition.
type Mediation struct {
	At                   Place
	ID, StudyID          string
	N                    int
	Mediator, Outcome    string
	Statistic            string
	Value, CILow, CIHigh float64
	Exposure, Population string
	Loc                  Locator
}

func parseMediation(t *Table, r int) Mediation {
	return Mediation{At: Place{t, r}, ID: t.Text(r, "id"), StudyID: t.Text(r, "study_id"), N: t.Count(r, "n"), Mediator: t.Text(r, "mediator_or_correlate"),
		Outcome: t.Text(r, "outcome_domain"), Statistic: t.Text(r, "statistic"), Value: t.Number(r, "value"), CILow: t.Number(r, "ci_low"), CIHigh: t.Number(r, "ci_high"),
		Exposure: t.Text(r, "exposure"), Population: t.Text(r, "population"), Loc: locator(t, r)}
}
