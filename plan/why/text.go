package why

import (
	"fmt"
	"io"
	"strings"
)

// maxShort bounds the short form: it stands in messages that have a bound of their
// own.
const maxShort = 400

// Short is a tree in one line, for the hint of a failure: the first of its causes
// that something can be done about, and what; the root where it has none.
func Short(root *Node) string {
	n := root
	if culprit := firstHint(root.Children); culprit != nil {
		n = culprit
	}
	says := n.Says
	if n.Hint != "" {
		says += " Hint: " + n.Hint + "."
	}
	return cut(strings.Join(strings.Fields(says), " "))
}

// firstHint finds the first node with a hint, parents before their children.
func firstHint(nodes []*Node) *Node {
	for _, n := range nodes {
		if n.Hint != "" {
			return n
		}
		if below := firstHint(n.Children); below != nil {
			return below
		}
	}
	return nil
}

// cut shortens a line at the end of a rune.
func cut(s string) string {
	const more = "..."
	if len(s) <= maxShort {
		return s
	}
	end := 0
	for i := range s {
		if i > maxShort-len(more) {
			break
		}
		end = i
	}
	return s[:end] + more
}

// Print writes a tree for people: a line for each node, its hint below it.
func Print(w io.Writer, root *Node) error {
	var b strings.Builder
	root.print(&b, "")
	_, err := io.WriteString(w, b.String())
	return err
}

func (n *Node) print(b *strings.Builder, indent string) {
	says := strings.Join(strings.Fields(n.Says), " ")
	if n.State != "" {
		says = n.State + "  " + says
	}
	fmt.Fprintf(b, "%s%s\n", indent, says)
	if n.Hint != "" {
		fmt.Fprintf(b, "%s  hint: %s\n", indent, n.Hint)
	}
	for _, c := range n.Children {
		c.print(b, indent+"  ")
	}
}
