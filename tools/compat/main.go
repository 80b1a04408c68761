// Command compat writes docs/compatibility.md: every capability that berth promises,
// whether it works yet, and the test that shows it. A test says so itself, in its
// comment: "Proves 2B.1, awslogs." The second part lists the operations that are
// answered, taken from the handlers; the third the fields of ECS, as
// conformance/fields found them.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/berthhq/berth/server"
)

const target = "docs/compatibility.md"

//go:embed capabilities.tsv
var capabilities string

//go:embed notes.md
var notes string

// fieldsIntro begins the part on the fields of ECS.
const fieldsIntro = `## ECS, field by field

Every operation is called with every field of its request, by aws-sdk-go-v2 and by boto3, against a
running berth. A field works when an answer shows it or the calls show its effect; a no-op is taken,
and kept and shown where AWS shows it, without effect here, and the reason is said; what is refused
is answered by the error named, and changes nothing. The fields are folded under their counts.

`

func main() {
	page, err := compose(".")
	if err == nil {
		err = os.WriteFile(target, page, 0o644)
	}
	if err != nil {
		log.Fatal("compat: ", err)
	}
}

// compose makes the page of a checkout.
func compose(root string) ([]byte, error) {
	shown, err := proofs(root)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprint(&b, "# Compatibility\n\nMade from the tests by `make compat`; do not edit. A row works when an end-to-end test\nshows it, with an unmodified client against a running berth.\n\n")
	fmt.Fprint(&b, "| id | capability | state | shown by |\n|---|---|---|---|\n")
	for line := range strings.Lines(capabilities) {
		id, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		state := "not yet"
		if len(shown[id]) > 0 {
			state = "works"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", id, strings.ReplaceAll(text, "|", "\\|"), state, strings.Join(shown[id], ", "))
		delete(shown, id)
	}
	for id, tests := range shown {
		return nil, fmt.Errorf("%s says that it proves %q, which is no capability", tests[0], id)
	}
	fmt.Fprintf(&b, "\n%s\n## Operations\n\n", notes)
	for _, offer := range server.Coverage() {
		fmt.Fprintf(&b, "**%s**: %d of %d. %s\n\n", offer.Service.Name, len(offer.Handlers), len(offer.Service.Operations), sentence(slices.Sorted(maps.Keys(offer.Handlers))))
	}
	fields, err := readFields(root)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(&b, fieldsIntro)
	writeFields(&b, fields)
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func sentence(operations []string) string {
	if len(operations) == 0 {
		return "None yet."
	}
	return strings.Join(operations, ", ") + "."
}
