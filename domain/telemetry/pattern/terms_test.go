package pattern

import (
	"errors"
	"testing"
)

// matchCase is one row of AWS's documentation: a pattern, what it takes and what
// it leaves.
type matchCase struct {
	pattern string
	takes   []string
	leaves  []string
}

func check(t *testing.T, cases []matchCase) {
	t.Helper()
	for _, c := range cases {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for _, m := range c.takes {
			if !p.Match(m) {
				t.Errorf("%s does not take %q", c.pattern, m)
			}
		}
		for _, m := range c.leaves {
			if p.Match(m) {
				t.Errorf("%s takes %q", c.pattern, m)
			}
		}
	}
}

func TestTerms(t *testing.T) {
	const (
		e400 = "[ERROR 400] BAD REQUEST"
		e401 = "[ERROR 401] UNAUTHORIZED REQUEST"
		e419 = "[ERROR 419] MISSING ARGUMENTS"
		e420 = "[ERROR 420] INVALID ARGUMENTS"
		e500 = "[ERROR 500] INTERNAL SERVER ERROR"
	)
	check(t, []matchCase{
		{pattern: "", takes: []string{e400, ""}},
		{pattern: "   ", takes: []string{e400}},
		{pattern: `" "`, takes: []string{e400, "nospace"}},
		{pattern: "ERROR", takes: []string{e400, e401, e419, e420, "Exiting with ERRORCODE: -1"}, leaves: []string{"error", ""}},
		{pattern: "ERROR ARGUMENTS", takes: []string{e419, e420}, leaves: []string{e400, e401}},
		{pattern: "?ERROR ?ARGUMENTS", takes: []string{e400, e419, "ARGUMENTS only"}, leaves: []string{"[INFO] REQUEST"}},
		{pattern: "?ERROR ?ARGUMENTS REQUEST", takes: []string{"[INFO] REQUEST FAILED", "[WARN] UNAUTHORIZED REQUEST", e400}, leaves: []string{e419}},
		{pattern: `"INTERNAL SERVER ERROR"`, takes: []string{e500}, leaves: []string{e400, "INTERNAL ERROR SERVER"}},
		{pattern: "ERROR -ARGUMENTS", takes: []string{e400, e401}, leaves: []string{e419, e420}},
		{pattern: `"ERROR" - "Exiting"`, takes: []string{"[ERROR] fatal"}, leaves: []string{"Exiting with ERRORCODE: -1"}},
		{pattern: "-START -END", takes: []string{"REPORT"}, leaves: []string{"START x", "END x"}},
		{pattern: `"say \"hi\""`, takes: []string{`they say "hi" now`}, leaves: []string{"say hi"}},
		{pattern: `"10.0.0.1" "a\\b"`, takes: []string{`10.0.0.1 a\b`}, leaves: []string{"10x0x0x1"}},
		{pattern: "Überlauf", takes: []string{"ein Überlauf"}},
	})
}

func TestRegexes(t *testing.T) {
	check(t, []matchCase{
		{pattern: "%AUTHORIZED%", takes: []string{"[ERROR 401] UNAUTHORIZED REQUEST", "[SUCCESS 200] AUTHORIZED REQUEST"}},
		{pattern: "%^[hc]at%", takes: []string{"hat on", "cat"}, leaves: []string{"a hat"}},
		{pattern: "%[hc]at$%", takes: []string{"a hat", "cat"}, leaves: []string{"hat on"}},
		{pattern: "%colou?r%", takes: []string{"color", "colour"}, leaves: []string{"colouur"}},
		{pattern: "%[abcx-z]%", takes: []string{"a", "y"}, leaves: []string{"d"}},
		{pattern: "%^a{3,5}$%", takes: []string{"aaa", "aaaaa"}, leaves: []string{"aa", "aaaaaa"}},
		{pattern: "%^a{3, 5}$%", takes: []string{"aaaa"}, leaves: []string{"aa"}},
		{pattern: "%^a{,2}$%", takes: []string{"", "aa"}, leaves: []string{"aaa"}},
		{pattern: "%gra|ey%", takes: []string{"gray", "grey"}},
		{pattern: "%^starting|^initializing|^shutting down%", takes: []string{"starting x", "shutting down"}, leaves: []string{"skipping initializing"}},
		{pattern: `%\[.\]%`, takes: []string{"[a]", "[]]", "[ ]"}, leaves: []string{"[]"}},
		{pattern: `%10\.10\.0\.1%`, takes: []string{"10.10.0.1"}, leaves: []string{"10010,051"}},
		{pattern: `%^\d\D\s\S\w\W$%`, takes: []string{"1a xy-"}, leaves: []string{"aa xy-"}},
		{pattern: `%\x28\x3A%`, takes: []string{"(:"}, leaves: []string{"x28x3A"}},
		{pattern: `ERROR -%50[0-9]%`, takes: []string{"ERROR 404"}, leaves: []string{"ERROR 503"}},
	})
}

func TestRefusedPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, message string }{
		{"foo-bar", "Invalid filter pattern: Invalid character(s) in term 'foo-bar'"},
		{`"open`, `Invalid filter pattern: Invalid character(s) in term '"open'`},
		{`""'`, `Invalid filter pattern: Invalid character(s) in term '""''`},
		{"-", "Invalid filter pattern: Invalid character(s) in term '-'"},
		{"%something!%", "Invalid filter pattern: Invalid character(s) in term '%something!%'"},
		{"%(a)%", "Invalid filter pattern: Invalid character(s) in term '%(a)%'"},
		{"%é%", "Invalid filter pattern: Invalid character(s) in term '%é%'"},
		{"%a", "Invalid filter pattern: Invalid character(s) in term '%a'"},
		{"%[a-z]{999}[b]{9}%", "Invalid filter pattern: the regular expression %[a-z]{999}[b]{9}% is too complex"},
		{"%[%", "Invalid filter pattern: Invalid character(s) in term '%[%'"},
		{"{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"},
		{"[a, b", "If a filter pattern starts with '[' it must end with ']'"},
		{"{}", "Invalid filter pattern: a property selector starts with '$.', not with ''"},
		{"{ $.a }", "Invalid filter pattern: an operator is missing after the property selector"},
		{"{ $ = 1 }", "Invalid filter pattern: '$' is not a property selector"},
		{"{ $.a = }", "Invalid filter pattern: a value is missing after '='"},
		{"{ $.a > x }", "Invalid filter pattern: '>' needs a number, not 'x'"},
		{`{ $.a > "1" }`, `Invalid filter pattern: '>' needs a number, not '"1"'`},
		{"{ $.a EXISTS }", "Invalid filter pattern: an operator is missing after the property selector"},
		{"{ $.a IS NOT NULL }", "Invalid filter pattern: IS is followed by NULL, TRUE or FALSE"},
		{"{ $.a = 1 && }", "Invalid filter pattern: a property selector starts with '$.', not with ''"},
		{"{ ($.a = 1 }", "Invalid filter pattern: a ')' is missing"},
		{"{ $.*.b[*] = 1 }", "Invalid filter pattern: '$.*.b[*]' is not a property selector"},
		{"{ $.a[*]=1 || $.b[*]=1 || $.c[*]=1 || $.d[*]=1 }", "Invalid filter pattern: it holds more than 3 wildcard selectors"},
		{"{ $.a = %x% || $.b = %x% || $.c = %x% }", "Invalid filter pattern: it holds more than 2 regular expressions"},
		{"{ $.a[x] = 1 }", "Invalid filter pattern: '[x]' is not an array index"},
		{"[a=%x%, b=%x%, c=%x%]", "Invalid filter pattern: it holds more than 2 regular expressions"},
		{"[..., a, ...]", "Invalid filter pattern: it holds more than one '...'"},
		{"[a = 1 && c = 2, b]", "Invalid filter pattern: no field is named 'c'"},
		{"[a ! b]", "Invalid filter pattern: an operator is missing after 'a'"},
	} {
		_, err := Parse(c.pattern)
		var e *Error
		if !errors.As(err, &e) || e.Message != c.message {
			t.Errorf("%s: got %v, want %s", c.pattern, err, c.message)
		}
	}
}
