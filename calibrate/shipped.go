package calibrate

import (
	_ "embed"
	"encoding/json"

	"github.com/myoaxis/myoaxis/axis"
	"github.com/myoaxis/myoaxis/evidence"
)

//go:embed posterior.bin
var shipped []byte

//go:embed validation.json
var shippedValidation []byte

//go:embed rules.json
var shippedRules []byte

// Shipped is the posterior in the program; *FileError where the pack or the
// model is another than it was made from.
func Shipped(p *evidence.Pack, m *axis.Model) (*Posterior, error) {
	return Decode(shipped, PackHash(p), m)
}

// ShippedValidation is the validation of the shipped posterior, nil where it
// belongs to another one.
func ShippedValidation(post *Posterior) *Validation {
	v := &Validation{}
	if json.Unmarshal(shippedValidation, v) != nil || v.Pack != post.Pack || v.Model != post.Model {
		return nil
	}
	return v
}

// ShippedRules are the conclusions under other rules for the links, nil where
// they belong to another posterior.
func ShippedRules(post *Posterior) *RuleSensitivity {
	r := &RuleSensitivity{}
	if json.Unmarshal(shippedRules, r) != nil || r.Pack != post.Pack || r.Model != post.Model {
		return nil
	}
	return r
}
