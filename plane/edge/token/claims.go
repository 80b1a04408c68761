package token

import (
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// judge is the reason why claims do not do; empty when they do.
func judge(claims map[string]any, a *balancer.JWTAction, now time.Time) string {
	if reason := single(claims, "iss", []string{a.Issuer}); reason != "" {
		return reason
	}
	if reason := times(claims, float64(now.UnixMilli())/1000); reason != "" {
		return reason
	}
	for _, c := range a.Claims {
		if reason := claim(claims, c); reason != "" {
			return reason
		}
	}
	return ""
}

// skew is how many seconds the clock of an issuer may be ahead.
const skew = 5

// times asks that now is between "not before", where that is said, and the expiry, which
// must be; and that the token was not made later.
func times(claims map[string]any, now float64) string {
	exp, there := claims["exp"]
	if !there {
		return ClaimMissing
	}
	end, ok := exp.(float64)
	if !ok {
		return ClaimMisshape
	}
	if now >= end {
		return ClaimValue
	}
	for _, name := range []string{"nbf", "iat"} {
		said, there := claims[name]
		if !there {
			continue
		}
		begin, ok := said.(float64)
		if !ok {
			return ClaimMisshape
		}
		if now+skew < begin {
			return ClaimValue
		}
	}
	return ""
}

// claim asks that the token says the values, in the form that they should have.
func claim(claims map[string]any, want balancer.Claim) string {
	switch want.Format {
	case "string-array":
		return array(claims, want)
	case "space-separated-values":
		return spaced(claims, want)
	}
	return single(claims, want.Name, want.Values)
}

func single(claims map[string]any, name string, values []string) string {
	said, there := claims[name]
	if !there {
		return ClaimMissing
	}
	text, ok := said.(string)
	switch {
	case !ok:
		return ClaimMisshape
	case !slices.Contains(values, text):
		return ClaimValue
	}
	return ""
}

func array(claims map[string]any, want balancer.Claim) string {
	said, there := claims[want.Name]
	if !there {
		return ClaimMissing
	}
	all, ok := said.([]any)
	if !ok {
		return ClaimMisshape
	}
	var texts []string
	for _, one := range all {
		text, ok := one.(string)
		if !ok {
			return ClaimMisshape
		}
		texts = append(texts, text)
	}
	return allOf(texts, want.Values)
}

func spaced(claims map[string]any, want balancer.Claim) string {
	said, there := claims[want.Name]
	if !there {
		return ClaimMissing
	}
	text, ok := said.(string)
	if !ok {
		return ClaimMisshape
	}
	return allOf(strings.Fields(text), want.Values)
}

// allOf asks for each value: AWS does not say whether one would do, and letting too many
// pass is the worse mistake.
func allOf(said, wanted []string) string {
	for _, w := range wanted {
		if !slices.Contains(said, w) {
			return ClaimValue
		}
	}
	return ""
}
