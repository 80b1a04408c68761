package secret

import (
	"fmt"
	"io"
	"strings"
)

// The kinds of characters of a password, as AWS has them.
const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// Password says what a random password is made of.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
type Password struct {
	Length                                    int
	Exclude                                   string // characters
	NoLower, NoUpper, NoDigits, NoPunctuation bool
	Space                                     bool
	EachKind                                  bool // at least one of every kind
}

// Kinds are the sets to choose from, without what is excluded.
func (p Password) Kinds() []string {
	var kinds []string
	for _, k := range []struct {
		out bool
		set string
	}{{p.NoLower, lower}, {p.NoUpper, upper}, {p.NoDigits, digits}, {p.NoPunctuation, punctuation}, {!p.Space, " "}} {
		if set := without(k.set, p.Exclude); !k.out && set != "" {
			kinds = append(kinds, set)
		}
	}
	return kinds
}

func without(set, exclude string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(exclude, r) {
			return -1
		}
		return r
	}, set)
}

// Generate makes one. There must be a kind to choose from, and room for each kind
// when each is wanted.
func (p Password) Generate(entropy io.Reader) (string, error) {
	kinds := p.Kinds()
	all := strings.Join(kinds, "")
	out := make([]byte, p.Length)
	for i := range out {
		set := all
		if p.EachKind && i < len(kinds) {
			set = kinds[i]
		}
		n, err := below(entropy, len(set))
		if err != nil {
			return "", err
		}
		out[i] = set[n]
	}
	for i := len(out) - 1; i > 0; i-- { // the first of each kind must not be found at its place
		n, err := below(entropy, i+1)
		if err != nil {
			return "", err
		}
		out[i], out[n] = out[n], out[i]
	}
	return string(out), nil
}

// below draws evenly from 0 to n-1; n is at most 4096.
func below(entropy io.Reader, n int) (int, error) {
	limit := 1 << 16 / n * n
	for {
		var b [2]byte
		if _, err := io.ReadFull(entropy, b[:]); err != nil {
			return 0, fmt.Errorf("drawing a password: %w", err)
		}
		if drawn := int(b[0])<<8 | int(b[1]); drawn < limit {
			return drawn % n, nil
		}
	}
}
