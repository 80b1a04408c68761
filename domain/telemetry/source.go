package telemetry

import (
	"fmt"
	"strconv"
	"strings"
)

// Source says which part of which producer's output a batch is, so that a batch
// sent twice is stored once. It travels as PutLogEvents' sequenceToken, a member
// AWS ignores since 2023, so that the same client can talk to AWS.
//
// A producer numbers its output from 0 (bytes, here) and sends it in order. The
// archive remembers how far each producer of a stream has come.
type Source struct {
	Producer string // unguessable: who knows it can make the archive skip batches
	From     int64
	Through  int64 // exclusive
}

const sourcePrefix = "berth-source/"

// Token is the source as a sequence token.
func (s Source) Token() string {
	return fmt.Sprintf("%s%s/%d/%d", sourcePrefix, s.Producer, s.From, s.Through)
}

// ParseSource reads a sequence token. Any token but ours names no source.
func ParseSource(token string) (Source, bool) {
	rest, ok := strings.CutPrefix(token, sourcePrefix)
	if !ok {
		return Source{}, false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || parts[0] == "" || len(parts[0]) > 64 {
		return Source{}, false
	}
	from, err1 := strconv.ParseInt(parts[1], 10, 64)
	through, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || from < 0 || through <= from {
		return Source{}, false
	}
	return Source{Producer: parts[0], From: from, Through: through}, true
}
