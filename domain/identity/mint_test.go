package identity

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"
)

func TestMintedKeysLookLikeAWSs(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p := RoleSession("arn:aws:iam::123456789012:role/trainer", "0123abcd")
	key, err := NewKey(p, rand.Reader, now)
	if err != nil || len(key.ID) != 20 || !strings.HasPrefix(key.ID, "AKIA") || len(key.Secret) != 40 || key.SessionToken != "" || !key.Active {
		t.Errorf("got %+v, %v", key, err)
	}
	session, err := NewSession(p, rand.Reader, now, now.Add(time.Hour))
	if err != nil || !strings.HasPrefix(session.ID, "ASIA") || session.SessionToken == "" || session.Expired(now) || !session.Expired(now.Add(time.Hour)) {
		t.Errorf("got %+v, %v", session, err)
	}
	if session.ID == key.ID || session.Secret == key.Secret || session.Principal != p {
		t.Errorf("keys are not apart: %+v and %+v", key, session)
	}
}

func TestMintingNeedsEntropy(t *testing.T) {
	for _, n := range []int{0, 39, 40, 135} {
		if _, err := NewSession(Principal{}, strings.NewReader(strings.Repeat("x", n)), time.Time{}, time.Time{}); err == nil {
			t.Errorf("%d bytes were enough", n)
		}
	}
}
