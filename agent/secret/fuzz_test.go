package secret

import (
	"strings"
	"testing"
)

// FuzzParseReference takes any text; what it accepts is its ARN and three parts.
func FuzzParseReference(f *testing.F) {
	const id = "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"
	for _, s := range []string{id, id + ":k::", id + ":::", id + ":k:s:v", id + ":", "arn:aws:ssm:::parameter/a", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseReference(text)
		if err != nil {
			return
		}
		if text != r.id && text != r.id+":"+r.key+":"+r.stage+":"+r.version {
			t.Errorf("%q was read as %+v", text, r)
		}
	})
}

// FuzzParseFile never sets a variable without a name, and never part of another line.
func FuzzParseFile(f *testing.F) {
	f.Add("A=1\n#B=2\nC==\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range parseFile(text) {
			if name == "" || strings.ContainsAny(name, "=\n\x00") || strings.ContainsAny(value, "\n\x00") || value == "" {
				t.Errorf("%q=%q of %q", name, value, text)
			}
		}
	})
}
