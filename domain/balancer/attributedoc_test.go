package balancer

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/balancer-attributes.md")

// TestAttributesAreDocumented keeps the page of attributes what the tables say.
func TestAttributesAreDocumented(t *testing.T) {
	const page = "../../docs/balancer-attributes.md"
	var b strings.Builder
	b.WriteString("# Attributes of load balancers\n\n" +
		"All of these are kept and shown as on AWS, with AWS's defaults and limits. An effect\n" +
		"that is missing is said. Written by `go test ./domain/balancer -update`.\n")
	for _, part := range []struct {
		of    string
		table []Attribute
	}{
		{"Application balancers", applicationTable}, {"Network balancers", networkTable}, {"Classic balancers", classicTable},
		{"Listeners", listenerTable}, {"Target groups", groupTable},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| attribute | default | |\n|---|---|---|\n", part.of)
		for _, a := range part.table {
			note := ""
			switch {
			case a.Idle:
				note = "no-op"
			case a.Fixed:
				note = "fixed"
			case a.instead != nil:
				note = "the default differs for some"
			}
			def := ""
			if a.Default != "" {
				def = "`" + a.Default + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a.Name, def, note)
		}
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the tables say; write it by go test ./domain/balancer -update", page)
	}
}
