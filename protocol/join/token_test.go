package join

import (
	"crypto/rand"
	"strings"
	"testing"
)

func TestTokensSurviveTheirText(t *testing.T) {
	want, err := NewToken(PinOf([]byte("authority")), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseToken("  " + want.String() + "\n")
	if err != nil || got != want || got.Hash() != want.Hash() {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestDamagedTokensAreNotQuoted(t *testing.T) {
	good, err := NewToken(PinOf([]byte("authority")), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := good.String()
	for name, bad := range map[string]string{
		"empty": "", "cut": text[:len(text)-3], "other form": "berth2" + text[6:], "short secret": strings.Replace(text, good.Secret, good.Secret[4:], 1),
		"no pin": prefix + "." + good.Secret, "bad pin": prefix + "." + good.Secret + "." + strings.Repeat("x", 64),
	} {
		_, err := ParseToken(bad)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), good.Secret[4:]) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(Token{Secret: strings.Repeat("A", 43)}.String())
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseToken(text)
		if err != nil {
			return
		}
		if again, err := ParseToken(token.String()); err != nil || again != token {
			t.Fatalf("%q reads as %+v, then as %+v, %v", text, token, again, err)
		}
	})
}
