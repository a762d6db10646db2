package sbml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds on a document.
const (
	MaxBytes = 64 << 20 // larger files are refused
	maxDepth = 1000     // nested elements
)

// element is a node of a document. raw is what stands between its tags.
type element struct {
	name, space string
	attrs       []xml.Attr
	children    []*element
	text        string
	raw         string
	line, col   int
}

// parseXML reads a document into elements. Document types, with the entities
// and external references that come with them, are refused.
func parseXML(data []byte) (*element, error) {
	if len(data) > MaxBytes {
		return nil, &Problem{Line: 1, Col: 1, Message: "the file holds " + strconv.Itoa(len(data)>>20) + " MiB; at most " + strconv.Itoa(MaxBytes>>20) + " are read", Kind: ErrUnsupported}
	}
	data = utf8Bytes(data)
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = func(charset string, r io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "us-ascii", "ascii", "iso-8859-1", "latin1":
			return r, nil // made UTF-8 above
		}
		return nil, errors.New("the encoding " + charset + " is not read; save the file as UTF-8")
	}
	var root *element
	var stack []*element
	var starts []int64
	for {
		line, col := dec.InputPos()
		before := dec.InputOffset()
		at := &Base{Line: line, Col: col}
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, syntaxProblem(err, dec)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return nil, unsupported(at, "", "document types, entities and external references are not read").WithHint("remove the <!…> declaration")
		case xml.StartElement:
			e := &element{name: t.Name.Local, space: t.Name.Space, attrs: append([]xml.Attr(nil), t.Attr...), line: line, col: col}
			if len(stack) == 0 {
				if root != nil {
					return nil, invalid(at, e.name, "a second root element")
				}
				root = e
			} else {
				p := stack[len(stack)-1]
				p.children = append(p.children, e)
			}
			if len(stack) >= maxDepth {
				return nil, unsupported(at, e.name, "elements are nested more than %d deep", maxDepth)
			}
			if e.name == "sep" && len(stack) > 0 { // keeps apart the two parts of a number
				stack[len(stack)-1].text += "\x00"
			}
			stack = append(stack, e)
			starts = append(starts, dec.InputOffset())
		case xml.EndElement:
			e := stack[len(stack)-1]
			if e.name == "notes" || e.name == "annotation" || e.name == "message" {
				e.raw = string(data[starts[len(starts)-1]:before])
			}
			stack, starts = stack[:len(stack)-1], starts[:len(starts)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	if root == nil {
		return nil, invalid(&Base{Line: 1, Col: 1}, "", "the file holds no XML element")
	}
	return root, nil
}

var latin = regexp.MustCompile(`(?i)^<\?xml[^>]*encoding=["'](us-ascii|ascii|iso-8859-1|latin1)["']`)

// utf8Bytes turns a file in Latin-1 into UTF-8 and drops a byte order mark.
func utf8Bytes(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !latin.Match(data[:min(len(data), 200)]) {
		return data
	}
	out := make([]byte, 0, len(data)+len(data)/8)
	for _, c := range data {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

func syntaxProblem(err error, dec *xml.Decoder) *Problem {
	line, col := dec.InputPos()
	msg := err.Error()
	var se *xml.SyntaxError
	if errors.As(err, &se) {
		msg, line = se.Msg, se.Line
	}
	p := invalid(&Base{Line: line, Col: col}, "", "the XML is broken: %s", msg)
	if strings.Contains(msg, "entity") {
		p.Hint = "only the five entities of XML itself are read"
	}
	return p
}

// attr returns an attribute without namespace, or of the element's own.
func (e *element) attr(name string) (string, bool) {
	for _, a := range e.attrs {
		if a.Name.Local == name && (a.Name.Space == "" || a.Name.Space == e.space) {
			return a.Value, true
		}
	}
	return "", false
}

// packageAttr returns an attribute of a package.
func (e *element) packageAttr(pkg, name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name && (packageOf(a.Name.Space) == pkg || a.Name.Space == "" && packageOf(e.space) == pkg) {
			return a.Value
		}
	}
	return ""
}

// packageOf names the package of a Level 3 namespace, "" for the core.
func packageOf(space string) string {
	rest, ok := strings.CutPrefix(space, "http://www.sbml.org/sbml/level3/")
	if !ok {
		return ""
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 2 || parts[1] == "core" {
		return ""
	}
	return parts[1]
}

func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}
