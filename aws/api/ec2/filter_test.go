package ec2

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWildcardsAreTheRegularExpressionsTheyStandFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune(`ab*?`)), 0, 8, -1).Draw(t, "pattern")
		value := rapid.StringOfN(rapid.RuneFrom([]rune(`ab*`)), 0, 8, -1).Draw(t, "value")
		expression := "^" + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + "$"
		if want := regexp.MustCompile(expression).MatchString(value); wildcard(pattern, value) != want {
			t.Fatalf("wildcard(%q, %q) is %v", pattern, value, !want)
		}
	})
}

func TestBackslashTakesTheMeaning(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{`a\*`, "a*", true}, {`a\*`, "ab", false}, {`\?*`, "?x", true}, {`\?*`, "xx", false}, {`*\\`, `a\`, true}, {`a\`, "a", false},
	} {
		if got := wildcard(c.pattern, c.value); got != c.want {
			t.Errorf("wildcard(%q, %q) is %v", c.pattern, c.value, got)
		}
	}
}
