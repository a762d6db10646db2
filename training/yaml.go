package training

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseYAML reads a programme as YAML:
//
//	phases:
//	  - frequency: 2x/week
//	    weeks: 24
//	    exercises: 6
//	    sets: 3
//	    reps: 8-12
//	    load: 70% 1RM
//	    rest: 2min
//
// Values are written as in the one-line notation; errors point at the value.
func ParseYAML(text string) (Programme, error) {
	if len(text) > maxText {
		return Programme{}, &SyntaxError{text, maxText, "the programme is too long", fmt.Sprintf("at most %d characters", maxText)}
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		return Programme{}, &SyntaxError{text, 0, "the YAML cannot be read: " + strings.TrimPrefix(err.Error(), "yaml: "), "see docs/programmes.md"}
	}
	fail := func(n *yaml.Node, msg, hint string) error { return &SyntaxError{text, offset(text, n), msg, hint} }
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return Programme{}, &SyntaxError{text, 0, "a list of phases is missing", "begin with phases:"}
	}
	top := root.Content[0]
	if len(top.Content) != 2 || top.Content[0].Value != "phases" || top.Content[1].Kind != yaml.SequenceNode || len(top.Content[1].Content) == 0 {
		return Programme{}, fail(top, "one key, phases, with a list is expected", "begin with phases:")
	}
	var p Programme
	for _, n := range top.Content[1].Content {
		if n.Kind != yaml.MappingNode {
			return Programme{}, fail(n, "a phase is a set of key: value lines", "for example frequency: 2x/week")
		}
		ph, err := yamlPhase(text, n)
		if err != nil {
			return Programme{}, err
		}
		p.Phases = append(p.Phases, ph)
	}
	return p, p.check(text)
}

// yamlItems say how a key and its value read in the one-line notation.
var yamlItems = map[string]string{"frequency": "%s", "weeks": "%s weeks", "exercises": "%s exercises", "load": "@ %s", "rest": "rest %s",
	"session": "%s", "progress": "progress %s", "deload": "deload %s", "adherence": "adherence %s"}

func yamlPhase(text string, n *yaml.Node) (Phase, error) {
	ph := Phase{Adherence: 1}
	seen := map[string]bool{}
	var sets, reps *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if val.Kind != yaml.ScalarNode {
			return ph, &SyntaxError{text, offset(text, val), key.Value + " needs a single value", "for example frequency: 2x/week"}
		}
		switch key.Value {
		case "sets":
			sets = val
			continue
		case "reps":
			reps = val
			continue
		}
		format, ok := yamlItems[key.Value]
		if !ok {
			return ph, &SyntaxError{text, offset(text, key), fmt.Sprintf("the key %q is not known", shorten(key.Value)), "keys: frequency, weeks, exercises, sets, reps, load, rest, session, progress, deload, adherence"}
		}
		name, err := ph.item(text, fmt.Sprintf(format, strings.TrimSpace(val.Value)), 0)
		if err != nil {
			return ph, moveTo(err, text, val)
		}
		seen[name] = true
	}
	if (sets == nil) != (reps == nil) {
		return ph, &SyntaxError{text, offset(text, n), "sets and reps come together", "add the missing one"}
	}
	if sets != nil {
		load := ph.Load
		name, err := ph.item(text, sets.Value+"x"+reps.Value, 0)
		if err != nil {
			return ph, moveTo(err, text, sets)
		}
		if load != (Load{}) {
			ph.Load = load
		}
		seen[name] = true
	}
	return ph, ph.complete(text, offset(text, n), "", seen)
}

// moveTo makes an error about a value point at the value in the YAML.
func moveTo(err error, text string, n *yaml.Node) error {
	if se, ok := err.(*SyntaxError); ok {
		return &SyntaxError{text, offset(text, n), se.Message, se.Hint}
	}
	return err
}

// offset is the position of a node in bytes.
func offset(text string, n *yaml.Node) int {
	at := 0
	for range n.Line - 1 {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return min(at+max(0, n.Column-1), len(text))
}
