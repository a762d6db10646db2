package dataset

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/myoaxis/myoaxis/evidence"
	"github.com/xuri/excelize/v2"
)

// Bounds of a workbook when unpacked, in bytes: a small file that unpacks to
// gigabytes is refused.
const (
	maxUnpacked = 512 << 20
	maxPart     = 256 << 20
)

// readWorkbook reads one sheet of an XLSX workbook: raw values, not as
// formatted, the first row the names. Rows without any value are left out.
func readWorkbook(name string, data []byte, sheet string) (t *evidence.Table, notes []string, ps []evidence.Problem) {
	empty, _ := evidence.NewTable(name, nil, nil, nil)
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxPart})
	if err != nil {
		return empty, nil, problem(name, 0, 0, "the workbook cannot be read: "+err.Error(), "save it as XLSX or CSV UTF-8")
	}
	defer f.Close()
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return empty, nil, problem(name, 0, 0, "the workbook has no sheet", "save it as XLSX or CSV UTF-8")
	}
	if sheet == "" {
		sheet = sheets[0]
		if len(sheets) > 1 {
			notes = append(notes, fmt.Sprintf("sheet %q of %d (--sheet chooses)", sheet, len(sheets)))
		}
	}
	rows, err := f.Rows(sheet)
	if err != nil {
		return empty, nil, problem(name, 0, 0, fmt.Sprintf("there is no sheet %q", sheet), "its sheets: "+strings.Join(sheets, ", "))
	}
	defer rows.Close()
	var header []string
	var cells [][]string
	var lines []int
	for line := 1; rows.Next(); line++ {
		rec, err := rows.Columns()
		if err != nil {
			return empty, notes, problem(name, line, 1, err.Error(), "repair the sheet or save it as CSV UTF-8")
		}
		if strings.TrimSpace(strings.Join(rec, "")) == "" {
			continue
		}
		if header == nil {
			header = rec
			continue
		}
		if len(rec) > len(header) {
			return empty, notes, problem(name, line, len(header)+1, fmt.Sprintf("the row has %d cells, the header %d", len(rec), len(header)), "name every column in the first row")
		}
		for len(rec) < len(header) {
			rec = append(rec, "")
		}
		if len(cells) == MaxRows {
			return empty, notes, problem(name, line, 1, fmt.Sprintf("more than %d rows", MaxRows), "split the sheet")
		}
		cells, lines = append(cells, rec), append(lines, line)
	}
	if err := rows.Error(); err != nil {
		return empty, notes, problem(name, 0, 0, "the sheet is broken: "+err.Error(), "repair it or save it as CSV UTF-8")
	}
	if header == nil {
		return empty, notes, problem(name, 1, 1, fmt.Sprintf("the sheet %q is empty", sheet), "the first row must hold the column names")
	}
	t, ps = evidence.NewTable(name, header, cells, lines)
	return t, notes, ps
}
