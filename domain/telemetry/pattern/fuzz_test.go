package pattern

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// FuzzPattern holds that no pattern and no message breaks the parser, that a
// parsed pattern reads the same again, and that matching has no memory.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{
		"", "ERROR -WARN ?x", `"a \" b"`, `%a{,3}[b-c]\.%`, `{ $.a[*].b = "x*" && ($.c IS NULL || $.d NOT EXISTS) }`,
		`[a, b=4*, ..., c = %x% && c != 1]`, "[", "{", "%", `"`, "{$.['a']=1}",
	} {
		f.Add(seed, `{"a":[{"b":"xy"}],"c":null}`)
		f.Add(seed, `a 404 [b c] "d e" x`)
	}
	f.Fuzz(func(t *testing.T, source, message string) {
		p, err := Parse(source)
		if err != nil {
			if !errors.As(err, new(*Error)) {
				t.Fatalf("%q: a foreign error: %v", source, err)
			}
			return
		}
		again, err := Parse(p.String())
		if err != nil {
			t.Fatalf("%q parsed once and not twice: %v", source, err)
		}
		got := p.Match(message)
		if got != again.Match(message) || got != p.Match(message) {
			t.Fatalf("%q on %q is not a function", source, message)
		}
		if p.Everything() && !got {
			t.Fatalf("%q takes everything but not %q", source, message)
		}
	})
}

// Words of a message, quoted, in any number, take it; any of them excluded does
// not.
func TestAMessageHasItsOwnWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9_/:.-]{1,8}`), 1, 6).Draw(t, "words")
		message := strings.Join(words, " ")
		quoted := `"` + strings.Join(words, `" "`) + `"`
		excluded := "-" + `"` + rapid.SampledFrom(words).Draw(t, "excluded") + `"`
		for source, want := range map[string]bool{quoted: true, `"` + message + `"`: true, excluded: false, quoted + " " + excluded: false} {
			p, err := Parse(source)
			if err != nil {
				t.Fatal(err)
			}
			if p.Match(message) != want {
				t.Fatalf("%s on %q: want %v", source, message, want)
			}
		}
	})
}

// Fields of a message, tested for equality in their order, take it.
func TestAMessageHasItsOwnFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9]{1,8}`), 1, 6).Draw(t, "words")
		names := []string{"a", "b", "c", "d", "e", "f"}
		var conditions []string
		for i, w := range words {
			conditions = append(conditions, names[i]+` = "`+w+`"`)
		}
		skip := rapid.IntRange(0, len(words)).Draw(t, "skip")
		for _, source := range []string{
			"[" + strings.Join(conditions, ", ") + "]",
			"[" + strings.Join(append([]string{"..."}, conditions[skip:]...), ",") + "]",
			"[" + strings.Join(append(append([]string{}, conditions[:skip]...), "..."), ",") + "]",
		} {
			p, err := Parse(source)
			if err != nil {
				t.Fatal(err)
			}
			if !p.Match(strings.Join(words, " ")) {
				t.Fatalf("%s does not take %q", source, words)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	const message = `{"level":"error","status":503,"path":"/orders/17","user":{"id":"u-1"},"ms":12.5}`
	for name, source := range map[string]string{
		"terms": `error -debug`, "regex": `%50[0-9]%`, "json": `{ $.status = 5* && $.user.id = "u-*" }`, "fields": `[a, ...]`,
	} {
		b.Run(name, func(b *testing.B) {
			p, err := Parse(source)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.Match(message)
			}
		})
	}
}
