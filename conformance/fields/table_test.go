package fields_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// table is a file of calls.
type table struct {
	name  string
	calls []*call
}

// call is a request, and what is expected of it.
type call struct {
	line      int
	operation string
	request   string // JSON with variables
	expect    []expectation
}

// expectation is one line below a request: see the package's comment.
type expectation struct {
	word, rest string
}

// first returns what the call's first expectation with the word says.
func (c *call) first(word string) (rest string, ok bool) {
	i := slices.IndexFunc(c.expect, func(e expectation) bool { return e.word == word })
	if i < 0 {
		return "", false
	}
	return c.expect[i].rest, true
}

func readTables() ([]table, error) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		return nil, err
	}
	var all []table
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if name == statesFile {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		calls, err := readCalls(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, table{name, calls})
	}
	return all, nil
}

// readCalls reads a table: operations at the margin begin with a capital,
// expectations with a small letter; the rest is JSON.
func readCalls(text string) ([]*call, error) {
	var calls []*call
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, " \n")
		switch {
		case line == "" || line[0] == '#':
		case unicode.IsUpper(rune(line[0])):
			calls = append(calls, &call{line: n, operation: line})
		case len(calls) == 0:
			return nil, fmt.Errorf("line %d: no operation yet", n)
		case unicode.IsLower(rune(line[0])):
			word, rest, _ := strings.Cut(line, " ")
			if !slices.Contains([]string{"echo", "want", "has", "wait", "none", "save", "fails", "works", "noop", "refused", "joins", "newer"}, word) {
				return nil, fmt.Errorf("line %d: what is %q?", n, word)
			}
			last := calls[len(calls)-1]
			last.expect = append(last.expect, expectation{word, strings.TrimSpace(rest)})
		default:
			last := calls[len(calls)-1]
			last.request += line + "\n"
		}
	}
	return calls, nil
}
