package calibrate

import (
	"encoding/json"
	"testing"
)

// An interval that no draw defines is null in JSON.
func TestIntervalJSON(t *testing.T) {
	b, err := json.Marshal(NewInterval([]float64{nan, nan}))
	if err != nil || string(b) != `{"median":null,"low_95":null,"high_95":null}` {
		t.Errorf("%s %v", b, err)
	}
	var i Interval
	if b, err = json.Marshal(NewInterval([]float64{1, 2, 3})); err != nil || json.Unmarshal(b, &i) != nil || i.Median != 2 {
		t.Errorf("%s %v", b, err)
	}
}
