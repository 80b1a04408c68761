package main

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

func TestThePageIsWhatTheTestsSay(t *testing.T) {
	want, err := compose("../..")
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../" + target)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("docs/compatibility.md is not what the tests say: run make compat")
	}
}

func TestProven(t *testing.T) {
	for comment, want := range map[string][]string{
		"TestX does things.":                       nil,
		"TestX runs.\n\nProves 2B.1, awslogs.\n":   {"2B.1", "awslogs"},
		"Proves 9. More words.":                    {"9"},
		"Proves 2B.1, 3A.10,\n6B.2. Proves 1.1.\n": {"2B.1", "3A.10", "6B.2", "1.1"},
	} {
		if got := proven(comment); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", comment, got, want)
		}
	}
}
