package archive

import (
	"encoding/binary"

	"github.com/berthhq/berth/domain/telemetry"
)

// The layout. Numbers in keys are big-endian, so that keys sort as they do. g is a
// group's id, s a stream's; ids are never used again.
//
//	m schema             version of this layout
//	m counter            first number not reserved
//	g g                  group, as JSON
//	s g name             stream: id, creation, oldest and newest event
//	n g s                the stream's name; gone as soon as it is deleted
//	e g time seq         event: stream, ingestion, message
//	x g s time seq       the event's size: index by stream
//	p g s producer       how far a producer's output has come
//	b g hour             bytes of the events of an hour
//	d g s                a deleted stream whose events are still to be purged
//
// The first byte tells the kind; others are free for what the archive will keep
// besides logs.
const (
	kindMeta     = 'm'
	kindGroup    = 'g'
	kindStream   = 's'
	kindName     = 'n'
	kindEvent    = 'e'
	kindIndex    = 'x'
	kindProducer = 'p'
	kindBytes    = 'b'
	kindDeleted  = 'd'
)

// groupKinds are the kinds whose keys begin with the group's id.
const groupKinds = string(kindStream) + string(kindName) + string(kindEvent) + string(kindIndex) +
	string(kindProducer) + string(kindBytes) + string(kindDeleted)

func putUint64(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }

func takeUint64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func keySchema() []byte  { return []byte{kindMeta, 's'} }
func keyCounter() []byte { return []byte{kindMeta, 'c'} }

// key begins with a kind and any ids.
func key(kind byte, ids ...uint64) []byte {
	b := make([]byte, 1, 1+8*len(ids)+16)
	b[0] = kind
	for _, id := range ids {
		b = putUint64(b, id)
	}
	return b
}

func keyGroup(g uint64) []byte { return key(kindGroup, g) }

func keyStream(g uint64, name string) []byte { return append(key(kindStream, g), name...) }

func keyName(g, s uint64) []byte { return key(kindName, g, s) }

func keyProducer(g, s uint64, producer string) []byte {
	return append(key(kindProducer, g, s), producer...)
}

func keyBytes(g uint64, hour int64) []byte { return key(kindBytes, g, uint64(hour)) }

func keyDeleted(g, s uint64) []byte { return key(kindDeleted, g, s) }

func keyEvent(g uint64, p telemetry.Position) []byte {
	return key(kindEvent, g, uint64(p.Timestamp), p.Sequence)
}

func keyIndex(g, s uint64, p telemetry.Position) []byte {
	return key(kindIndex, g, s, uint64(p.Timestamp), p.Sequence)
}

// positionOf reads the position an event's or index's key ends with.
func positionOf(key []byte) telemetry.Position {
	at := len(key) - 16
	return telemetry.Position{Timestamp: int64(takeUint64(key[at:])), Sequence: takeUint64(key[at+8:])}
}

// after is the end of the range of keys that begin with the prefix.
func after(prefix []byte) []byte {
	end := append(make([]byte, 0, len(prefix)), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] != 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
