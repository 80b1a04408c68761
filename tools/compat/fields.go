package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fieldsFile is what conformance/fields proves of ECS's model, a field a line.
const fieldsFile = "conformance/fields/fields.tsv"

// proof is a line of it: an operation's own has the field ".".
type proof struct{ operation, field, state, note, tests string }

func readFields(root string) ([]proof, error) {
	text, err := os.ReadFile(filepath.Join(root, fieldsFile))
	if err != nil {
		return nil, err
	}
	var all []proof
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(words) != 5 {
			return nil, fmt.Errorf("%s: %q", fieldsFile, line)
		}
		all = append(all, proof{words[0], words[1], words[2], words[3], words[4]})
	}
	return all, nil
}

// writeFields writes a row for each operation, with its fields folded away.
func writeFields(b *bytes.Buffer, all []proof) {
	fmt.Fprint(b, "| operation | state | fields of the request | of the answer, checked | shown by `conformance/fields` TestFields, tables |\n|---|---|---|---|---|\n")
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].operation == all[0].operation {
			n++
		}
		writeOperation(b, all[0], all[1:n])
		all = all[n:]
	}
}

func writeOperation(b *bytes.Buffer, whole proof, fields []proof) {
	state, checked := whole.state, whole.note
	if state == "refused" {
		state, checked = "refused: "+whole.note, ""
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", whole.operation, state, folded(fields), checked, strings.Join(tables(whole, fields), ", "))
}

// tables are the tables of calls that show an operation.
func tables(whole proof, fields []proof) []string {
	var all []string
	if len(fields) == 0 {
		fields = []proof{whole}
	}
	for _, p := range fields {
		table, _, _ := strings.Cut(p.tests, ", ")
		if table != "" {
			all = append(all, table)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// folded is a count of fields by state, and behind it which they are: those that
// have the same state and reason together.
func folded(fields []proof) string {
	if len(fields) == 0 {
		return ""
	}
	var counts, parts []string
	for _, state := range []string{"works", "no-op", "refused"} {
		var heads []string
		named := map[string][]string{}
		n := 0
		for _, p := range fields {
			if p.state != state {
				continue
			}
			n++
			head := heading(p)
			if named[head] == nil {
				heads = append(heads, head)
			}
			named[head] = append(named[head], "`"+p.field+"`")
		}
		if n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
		for _, head := range heads {
			parts = append(parts, head+": "+strings.Join(named[head], ", "))
		}
	}
	return "<details><summary>" + strings.Join(counts, ", ") + "</summary>" + strings.Join(parts, "<br>") + "</details>"
}

// heading is what fields are listed under: their state, with the reason, the error
// or the test beyond the tables.
func heading(p proof) string {
	_, beyond, _ := strings.Cut(p.tests, ", ")
	switch {
	case p.state == "works" && beyond != "":
		folder, test, _ := strings.Cut(beyond, " ")
		return "<b>works</b>, shown by `" + folder + "` " + test
	case p.note != "":
		return "<b>" + p.state + "</b>, " + strings.ReplaceAll(p.note, "|", "\\|")
	}
	return "<b>" + p.state + "</b>"
}
