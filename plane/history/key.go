package history

import (
	"bytes"
	"encoding/binary"

	"github.com/berthhq/berth/domain/task"
)

// The layout. Numbers in keys are big-endian, so that keys sort as they do; a
// cluster's ARN ends with a zero byte.
//
//	m schema               version of this layout
//	m bytes                of all tasks
//	t task                 the task; see record.go
//	c cluster ^time task   its words, for lists: the complement puts the last first
//	s time task            its cluster and its bytes, the longest stopped first
const (
	kindMeta    = 'm'
	kindTask    = 't'
	kindCluster = 'c'
	kindTime    = 's'
)

func keySchema() []byte { return []byte{kindMeta, 's'} }
func keyBytes() []byte  { return []byte{kindMeta, 'b'} }

func keyTask(arn string) []byte { return append([]byte{kindTask}, arn...) }

func keyCluster(cluster string) []byte {
	return append(append([]byte{kindCluster}, cluster...), 0)
}

func keyInCluster(cluster string, at task.PastPlace) []byte {
	return append(encodeTo(keyCluster(cluster), ^at.StoppedAt), at.ARN...)
}

func keyTime(at task.PastPlace) []byte {
	return append(encodeTo([]byte{kindTime}, at.StoppedAt), at.ARN...)
}

// placeInCluster reads a key of the index by cluster.
func placeInCluster(key []byte) task.PastPlace {
	rest := key[bytes.IndexByte(key, 0)+1:]
	return task.PastPlace{StoppedAt: ^decodeInt(rest), ARN: string(rest[8:])}
}

// placeInTime reads a key of the index by time.
func placeInTime(key []byte) task.PastPlace {
	return task.PastPlace{StoppedAt: decodeInt(key[1:]), ARN: string(key[9:])}
}

// after is the first key that does not begin with the prefix.
func after(prefix []byte) []byte {
	out := bytes.Clone(prefix)
	out[len(out)-1]++ // kinds and zero bytes: never the last value
	return out
}

// encodeTo appends a number that sorts by value, negative ones first.
func encodeTo(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(n)^(1<<63))
}

func encodeInt(n int64) []byte { return encodeTo(nil, n) }

func decodeInt(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ (1 << 63)) }
