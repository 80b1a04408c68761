package policy

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// naive is what glob means, said as simply as can be.
func naive(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	c, rest := pattern[0], pattern[1:]
	more := s != "" && (s[0] != ':' || c == markRun || c == markOne)
	switch c {
	case markRun, markPartRun:
		return naive(rest, s) || more && naive(pattern, s[width(s, 0):])
	case markOne, markPartOne:
		return more && naive(rest, s[width(s, 0):])
	}
	return s != "" && c == s[0] && naive(rest, s[1:])
}

func TestGlobIsWhatItMeans(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aab:é€")), 0, 12, -1)
	field := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?é")), 0, 4, -1)
	tail := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?é:")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		var pattern string
		switch rapid.IntRange(0, 2).Draw(t, "sort") {
		case 0:
			pattern = markWildcards(tail.Draw(t, "pattern"))
		case 1, 2:
			fields := rapid.SliceOfN(field, 1, 5).Draw(t, "fields")
			pattern = arnMarking(rapid.Bool().Draw(t, "loose"))(strings.Join(append(fields, tail.Draw(t, "tail")), ":"))
		}
		want := naive(pattern, s)
		if got := glob(pattern, s); got != want {
			t.Fatalf("glob(%q, %q) is %v", pattern, s, got)
		}
		if w := newWildcard(pattern); w.matches(s) != want {
			t.Fatalf("the wildcard %q on %q is %v", pattern, s, !want)
		}
	})
}

// What is made of a pattern matches it.
func TestGlobMatchesItsOwnInstances(t *testing.T) {
	fill := rapid.StringMatching(`[a-c:/é]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		var pattern, s strings.Builder
		for range rapid.IntRange(0, 8).Draw(t, "parts") {
			switch rapid.IntRange(0, 2).Draw(t, "part") {
			case 0:
				pattern.WriteString("*")
				s.WriteString(fill.Draw(t, "run"))
			case 1:
				pattern.WriteString("?")
				s.WriteString("é")
			default:
				same := fill.Draw(t, "same")
				pattern.WriteString(same)
				s.WriteString(same)
			}
		}
		if !glob(markWildcards(pattern.String()), s.String()) {
			t.Fatalf("%q does not match %q", pattern.String(), s.String())
		}
	})
}

func TestResourcePatterns(t *testing.T) {
	const task = "arn:aws:ecs:us-east-1:123456789012:task/c/0123"
	for pattern, want := range map[string]bool{
		"*":                         true,
		"arn:aws:ecs":               true,
		"arn:aws:ecs:*":             true,
		"arn:aws:ecs:*:*:task/c/*":  true,
		"arn:*:ecs:*:*:task/c/012?": true,
		"arn:aws:ecs:us-*-1:123456789012:task/c/*": true,
		"arn:aws:ecs:us-*:task/c/*":                false, // the account is missing: it ends up in the wrong field
		"arn:aws:ecs:us-*:*:task/c/*":              true,
		"arn:aws:ecs:u*1:*:task/*":                 true,
		"arn:aws:ecs:u*2:*:task/*":                 false,
		"arn:aws:ecs:*:*:task/C/*":                 false,
		"arn:aws:ecs:us-west-2:*:task/*":           false,
		"arn:aws:ecs:*:*:service/*":                false,
	} {
		d, err := Parse(one(`"Effect":"Allow","Action":"*","Resource":"`+pattern+`"`), Identity)
		if err != nil {
			if want {
				t.Errorf("%s: %v", pattern, err)
			}
			continue
		}
		if got := Decide(&Request{Principal: user("u"), Resource: task}, &Policies{Identity: []Applied{{Document: d}}}).Effect == Allow; got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

// A pattern made to be slow takes its length times the text's, not more.
func TestGlobIsNeverSlow(t *testing.T) {
	pattern, s := markWildcards(strings.Repeat("a*", 500)+"b"), strings.Repeat("a", 5000)
	start := time.Now()
	if glob(pattern, s) {
		t.Error("it has no b")
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
}
