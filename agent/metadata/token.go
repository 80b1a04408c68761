package metadata

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/berthhq/berth/agent/network"
)

// Lifetimes of an IMDSv2 token, in seconds.
const (
	minTokenTTL = 1
	maxTokenTTL = 21600
)

// tokens are IMDSv2's: each says when it ends and is signed for its holder, so
// that none need be remembered. A restart ends them all, and SDKs ask again.
type tokens struct {
	now    func() time.Time
	secret [32]byte
}

func newTokens(now func() time.Time) *tokens {
	t := &tokens{now: now}
	rand.Read(t.secret[:])
	return t
}

func (t *tokens) issue(to network.Peer, ttl time.Duration) string {
	var end [8]byte
	binary.BigEndian.PutUint64(end[:], uint64(t.now().Add(ttl).UnixNano()))
	return base64.URLEncoding.EncodeToString(append(end[:], t.sign(end[:], to)...))
}

func (t *tokens) valid(from network.Peer, token string) bool {
	raw, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(raw) != 8+sha256.Size || !hmac.Equal(raw[8:], t.sign(raw[:8], from)) {
		return false
	}
	return t.now().UnixNano() < int64(binary.BigEndian.Uint64(raw[:8]))
}

func (t *tokens) sign(end []byte, holder network.Peer) []byte {
	h := hmac.New(sha256.New, t.secret[:])
	h.Write(end)
	h.Write([]byte(holder.Task + "\x00" + holder.Container))
	return h.Sum(nil)
}
