package cluster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

type token struct {
	text   string
	quoted bool
}

// maxDepth bounds nesting so that hostile input cannot exhaust the stack.
const maxDepth = 64

// lex splits an expression into words, quoted strings and punctuation.
func lex(text string) ([]token, error) {
	var out []token
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '"' || c == '\'':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("unclosed quote at position %d", i)
			}
			out = append(out, token{text: text[i+1 : i+1+end], quoted: true})
			i += end + 2
		case strings.IndexByte("()[],", c) >= 0:
			out = append(out, token{text: string(c)})
			i++
		default:
			word := symbol(text[i:])
			if word == "" {
				word = text[i : i+wordLength(text[i:])]
			}
			out = append(out, token{text: word})
			i += len(word)
		}
	}
	return out, nil
}

var symbols = []string{"&&", "||", "==", "!=", ">=", "<=", "=~", "!~", ">", "<", "!"}

func symbol(s string) string {
	for _, sym := range symbols {
		if strings.HasPrefix(s, sym) {
			if sym == "!" { // !exists and !in are operators, not negations
				for _, word := range []string{"!exists", "!in"} {
					if strings.HasPrefix(s, word) && wordLength(s[1:]) == len(word)-1 {
						return word
					}
				}
			}
			return sym
		}
	}
	return ""
}

// wordLength is the length of the bare word s begins with; at least 1.
func wordLength(s string) int {
	n := strings.IndexAny(s, " \t\r\n\"'()[],&|=!<>~")
	switch {
	case n < 0:
		return len(s)
	case n == 0:
		return 1
	}
	return n
}

type parser struct {
	tokens []token
	pos    int
	depth  int
}

var errEnd = errors.New("unexpected end of expression")

func (p *parser) peek() (token, bool) {
	if p.pos < len(p.tokens) {
		return p.tokens[p.pos], true
	}
	return token{}, false
}

func (p *parser) accept(words ...string) bool {
	t, ok := p.peek()
	if !ok || t.quoted {
		return false
	}
	if slices.Contains(words, t.text) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(word string) error {
	if p.accept(word) {
		return nil
	}
	if t, ok := p.peek(); ok {
		return fmt.Errorf("expected %q, found %q", word, t.text)
	}
	return errEnd
}

func (p *parser) or() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	left, err := p.and()
	for err == nil && p.accept("||", "or") {
		var right node
		right, err = p.and()
		left = either{left, right}
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.accept("&&", "and") {
		var right node
		right, err = p.not()
		left = both{left, right}
	}
	return left, err
}

func (p *parser) not() (node, error) {
	negations := 0
	for p.accept("!", "not") {
		negations++
	}
	n, err := p.primary()
	if err == nil && negations%2 == 1 {
		n = invert{n}
	}
	return n, err
}

func (p *parser) primary() (node, error) {
	if p.accept("(") {
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	}
	return p.test()
}

func (p *parser) test() (node, error) {
	subject, ok := p.peek()
	if !ok {
		return nil, errEnd
	}
	if !subject.quoted && (strings.ContainsAny(subject.text, "()[],&|=!<>~") || operatorWords[subject.text] != "") {
		return nil, fmt.Errorf("expected a subject, found %q", subject.text)
	}
	p.pos++
	word, ok := p.peek()
	if !ok {
		return nil, errEnd
	}
	op, known := operatorWords[word.text]
	if !known || word.quoted {
		return nil, fmt.Errorf("%q is not an operator", word.text)
	}
	p.pos++
	t := test{subject: subject.text, op: op}
	var err error
	switch op {
	case opExists, opNotExists:
		return t, nil
	case opIn, opNotIn:
		t.args, err = p.list()
		return t, err
	}
	arg, err := p.argument()
	if err != nil {
		return nil, err
	}
	t.args = []string{arg}
	if op == opMatches || op == opNotMatches {
		t.pattern, err = regexp.Compile("^(?:" + arg + ")$")
	}
	return t, err
}

func (p *parser) argument() (string, error) {
	t, ok := p.peek()
	if !ok {
		return "", errEnd
	}
	if !t.quoted && len(t.text) == 1 && strings.Contains("()[],", t.text) {
		return "", fmt.Errorf("expected a value, found %q", t.text)
	}
	p.pos++
	if t.quoted {
		return t.text, nil
	}
	// Patterns such as t2.* or g[23].* are written without quotes: glue the
	// tokens of a bracket expression back together.
	var text strings.Builder
	text.WriteString(t.text)
	for p.accept("[") {
		text.WriteString("[")
		for !p.accept("]") {
			part, ok := p.peek()
			if !ok {
				return "", errEnd
			}
			p.pos++
			text.WriteString(part.text)
		}
		text.WriteString("]")
		if rest, ok := p.peek(); ok && !rest.quoted && !strings.ContainsAny(rest.text, "()[],&|") && rest.text != "and" && rest.text != "or" {
			p.pos++
			text.WriteString(rest.text)
		}
	}
	return text.String(), nil
}

func (p *parser) list() ([]string, error) {
	if err := p.expect("["); err != nil {
		return nil, err
	}
	var out []string
	for {
		arg, err := p.argument()
		if err != nil {
			return nil, err
		}
		out = append(out, arg)
		if p.accept("]") {
			return out, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}
