package antimony

import (
	"strings"

	"github.com/myoaxis/myoaxis/sbml"
)

// statement is one statement with the place of its first character; spaces
// stand where comments and line ends were, so that places within it are kept.
type statement struct {
	text      string
	line, col int
}

// MaxBytes bounds a model text.
const MaxBytes = 16 << 20

// scan splits a text into statements at semicolons and line ends. A line goes
// on where it ends inside brackets or behind an operator, comma or colon, or
// where the next one begins with a colon or comma.
func scan(text string) ([]statement, *sbml.Problem) {
	if len(text) > MaxBytes {
		return nil, problem(1, 1, "the text is larger than 16 MiB")
	}
	s := &scanner{text: text, line: 1, col: 1}
	for s.pos < len(text) {
		if p := s.step(); p != nil {
			return nil, p
		}
	}
	s.end()
	return s.out, nil
}

type scanner struct {
	text      string
	pos       int
	line, col int
	b         strings.Builder
	at        [2]int // place of the statement's first character
	open      int
	out       []statement
}

func (s *scanner) advance(n int) {
	for range n {
		if s.text[s.pos] == '\n' {
			s.line, s.col = s.line+1, 1
		} else {
			s.col++
		}
		s.pos++
	}
}

func (s *scanner) step() *sbml.Problem {
	rest := s.text[s.pos:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "//") || c == '#':
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		s.advance(n)
	case strings.HasPrefix(rest, "/*"):
		n := strings.Index(rest, "*/")
		if n < 0 {
			return problem(s.line, s.col, "a comment is not closed")
		}
		for i := range n + 2 {
			if rest[i] != '\n' {
				s.add(' ')
			} else {
				s.newline()
			}
			s.advance(1)
		}
	case c == '"':
		n := strings.IndexAny(rest[1:], "\"\n")
		if n < 0 || rest[n+1] == '\n' {
			return problem(s.line, s.col, "a text in quotes is not closed")
		}
		for i := range n + 2 {
			s.add(rest[i])
			s.advance(1)
		}
	case c == ';':
		s.end()
		s.advance(1)
	case c == '\n':
		s.newline()
		s.advance(1)
	default:
		switch c {
		case '(':
			s.open++
		case ')':
			s.open--
		}
		s.add(c)
		s.advance(1)
	}
	return nil
}

func (s *scanner) add(c byte) {
	if s.b.Len() == 0 {
		if c == ' ' || c == '\t' || c == '\r' {
			return
		}
		s.at = [2]int{s.line, s.col}
	}
	s.b.WriteByte(c)
}

// newline ends a statement unless it clearly goes on.
func (s *scanner) newline() {
	t := strings.TrimRight(s.b.String(), " \t\r")
	next := strings.TrimLeft(s.text[s.pos+1:], " \t\r\n")
	if word, _, _ := strings.Cut(next, "\n"); s.open == 0 && strings.TrimRight(word, "; \t\r") == "end" {
		s.end()
		return
	}
	if s.open > 0 || t != "" && strings.IndexByte("+-*/^,:=<>&|", t[len(t)-1]) >= 0 || t != "" && next != "" && (next[0] == ':' || next[0] == ',') {
		if s.b.Len() > 0 {
			s.b.WriteByte('\n')
		}
		return
	}
	s.end()
}

func (s *scanner) end() {
	if t := strings.TrimRight(s.b.String(), " \t\r\n"); t != "" {
		s.out = append(s.out, statement{t, s.at[0], s.at[1]})
	}
	s.b.Reset()
	s.open = 0
}

// place is the place of a byte of the statement.
func (s statement) place(pos int) (line, col int) {
	before := s.text[:min(pos, len(s.text))]
	n := strings.Count(before, "\n")
	if n == 0 {
		return s.line, s.col + len(before)
	}
	return s.line + n, len(before) - strings.LastIndexByte(before, '\n')
}

func problem(line, col int, msg string) *sbml.Problem {
	return &sbml.Problem{Line: line, Col: col, Message: msg, Kind: sbml.ErrInvalid}
}

func (s statement) fail(pos int, msg string) *sbml.Problem {
	line, col := s.place(pos)
	return problem(line, col, msg)
}
