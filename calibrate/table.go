package calibrate

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/myoaxis/myoaxis/evidence"
)

// DataRow is one row of the evidence and what becomes of it.
type DataRow struct {
	Table     string `json:"table"`
	ID        string `json:"id"`
	Use       string `json:"use"` // likelihood, prior or none
	Class     string `json:"class,omitempty"`
	Quantity  string `json:"meets,omitempty"` // quantity or parameter of the model
	Cohort    string `json:"cohort,omitempty"`
	Report    string `json:"reported_as,omitempty"`
	Sessions  string `json:"sessions_per_week,omitempty"`
	Volume    string `json:"session_volume,omitempty"`
	Load      string `json:"load,omitempty"`
	Weeks     string `json:"weeks,omitempty"`
	AfterHour string `json:"hours_after_session,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// classTable is the table of the pack that holds the observations of a class.
var classTable = [classes]string{"contrasts", "biomarkers", "biomarkers", "muscle_outcomes", "mediation"}

// Table lists every row of the evidence: observations with the quantity of the
// model they meet, sources of priors, and the rest with the reason.
func (d Data) Table() (out []DataRow) {
	for _, o := range d.Observations {
		table := classTable[o.Class]
		if o.Class == Cognition {
			table = tableOf(o.ID)
		}
		r := DataRow{Table: table, ID: o.ID, Use: "likelihood", Class: o.Class.String(), Quantity: o.Quantity, Cohort: o.Cohort, Report: string(o.Result.Form),
			Sessions: open(o.Dose.Frequency), Volume: open(o.Dose.Volume), Load: open(o.Dose.Load), Weeks: short(o.Dose.Weeks)}
		if o.Class == Acute {
			r.AfterHour, r.Weeks, r.Sessions = short(o.AtH), "", ""
		}
		if o.SinceEnd {
			r.Reason = fmt.Sprintf("change over %g weeks after the end of training", o.Dose.AfterW)
		}
		out = append(out, r)
	}
	for _, p := range d.Prior {
		out = append(out, DataRow{Table: p.Table, ID: p.ID, Use: "prior", Quantity: p.Param})
	}
	for _, u := range d.Unused {
		out = append(out, DataRow{Table: u.Table, ID: u.ID, Use: "none", Reason: u.Reason})
	}
	return out
}

func short(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// open writes a range that a paper leaves open as such.
func open(r evidence.Range) string {
	if r.Low == r.High {
		return short(r.Low)
	}
	return short(r.Low) + " to " + short(r.High)
}

// WriteTable writes the table as CSV.
func WriteTable(w io.Writer, rows []DataRow) error {
	c := csv.NewWriter(w)
	all := [][]string{{"table", "id", "use", "class", "meets", "cohort", "reported_as", "sessions_per_week", "session_volume", "load", "weeks", "hours_after_session", "reason"}}
	for _, r := range rows {
		all = append(all, []string{r.Table, r.ID, r.Use, r.Class, r.Quantity, r.Cohort, r.Report, r.Sessions, r.Volume, r.Load, r.Weeks, r.AfterHour, r.Reason})
	}
	return c.WriteAll(all)
}
