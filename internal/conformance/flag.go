package conformance

import "flag"

// lookup is the value of a flag of the test binary.
func lookup(name string) string {
	if f := flag.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}
