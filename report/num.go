// Package report assembles the answer — evidence flow, pooled effects,
// dose–response, the axis, one programme — once, as Content, and renders it as
// HTML or JSON.
package report

import (
	"encoding/json"
	"math"
	"strconv"
)

// Num is a number that JSON can hold: six significant digits, null where it is
// not finite.
type Num float64

// MarshalJSON writes the number or null.
func (n Num) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// Full is a number for JSON with all its digits, null where it is not finite.
type Full float64

// MarshalJSON writes the number or null.
func (n Full) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(v)
}
