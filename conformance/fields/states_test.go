package fields_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// statesFile says of fields that are kept and shown whether they have an effect.
const statesFile = "states"

// state is a line of states.txt:
//
//	noop OPERATION FIELD: REASON
//	proof OPERATION FIELD: FOLDER TEST
type state struct {
	word, operation, field, note string
	used                         bool
}

type states struct{ lines []*state }

func readStates() (*states, error) {
	text, err := os.ReadFile("testdata/" + statesFile + ".txt")
	if err != nil {
		return nil, err
	}
	all := &states{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		head, note, ok := strings.Cut(line, ": ")
		words := strings.Fields(head)
		if !ok || len(words) != 3 || words[0] != "noop" && words[0] != "proof" {
			return nil, fmt.Errorf("states.txt: %q", line)
		}
		s := &state{word: words[0], operation: words[1], field: words[2], note: note}
		if s.word == "proof" {
			if err := checkProof(note); err != nil {
				return nil, err
			}
		}
		all.lines = append(all.lines, s)
	}
	return all, nil
}

// checkProof makes sure that a test is there.
func checkProof(note string) error {
	folder, test, _ := strings.Cut(note, " ")
	files, err := filepath.Glob("../../" + folder + "/*_test.go")
	if err != nil {
		return err
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "func "+test+"(") {
			return nil
		}
	}
	return fmt.Errorf("states.txt: %s has no %s", folder, test)
}

// settle gives a field that is shown its effect: none, or the test that proves it.
func (s *states) settle(operation, field string, c claim) claim {
	for _, line := range s.lines {
		if !like(line.operation, operation) || !like(line.field, field) {
			continue
		}
		line.used = true
		if line.word == "noop" {
			return claim{noop, line.note, c.test}
		}
		return claim{works, c.note, c.test + ", " + line.note}
	}
	return c
}

// unused are the lines that are of no field.
func (s *states) unused() (lines []string) {
	for _, line := range s.lines {
		if !line.used {
			lines = append(lines, line.word+" "+line.operation+" "+line.field)
		}
	}
	return lines
}
