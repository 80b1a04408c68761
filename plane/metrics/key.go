package metrics

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/metric"
)

// The layout. Numbers are big-endian, so that keys sort as they do; words end with
// a zero byte, which none of them holds. id is a hash of the metric's words, t a
// time in seconds.
//
//	v                                              version of this layout
//	n account region namespace name (name value)*  a metric; its value says when something came in last
//	p id t unit                                    what was put of a minute
//	s id t unit                                    what was put of a second; of a metric without high
//	                                               resolution, of a minute, at its begin
const (
	kindSchema = 'v'
	kindName   = 'n'
	kindMinute = 'p'
	kindSecond = 's'
)

const idLength = 16

func words(b []byte, list ...string) []byte {
	for _, w := range list {
		b = append(append(b, w...), 0)
	}
	return b
}

func keyScope(s arn.Scope) []byte { return words([]byte{kindName}, s.Account, s.Region) }

func keyName(s arn.Scope, m metric.Metric) []byte {
	b := words(keyScope(s), m.Namespace, m.Name)
	for _, d := range m.Dimensions {
		b = words(b, d.Name, d.Value)
	}
	return b
}

// metricOf reads a metric from its key.
func metricOf(key []byte) (metric.Metric, error) {
	parts := bytes.Split(key[1:], []byte{0})
	if len(parts) < 5 || len(parts)%2 == 0 {
		return metric.Metric{}, fmt.Errorf("the key %q is not of a metric", key)
	}
	m := metric.Metric{Namespace: string(parts[2]), Name: string(parts[3])}
	for i := 4; i+1 < len(parts); i += 2 {
		m.Dimensions = append(m.Dimensions, metric.Dimension{Name: string(parts[i]), Value: string(parts[i+1])})
	}
	return m, nil
}

// keyPoints is what the keys of a metric's datapoints begin with.
func keyPoints(kind byte, name []byte) []byte {
	sum := sha256.Sum256(name)
	return append([]byte{kind}, sum[:idLength]...)
}

// atTime is where the datapoints of a time begin.
func atTime(points []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(bytes.Clone(points), uint64(max(0, t.Unix())))
}

func keyPoint(points []byte, t time.Time, unit string) []byte {
	return append(atTime(points, t), unit...)
}

// pointOf reads time and unit from a datapoint's key.
func pointOf(key []byte) (at time.Time, unit []byte) {
	at = time.Unix(int64(takeUint64(key[1+idLength:])), 0).UTC()
	return at, key[1+idLength+8:]
}

func takeUint64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// after is the end of the range of keys that begin with the prefix, whose last byte
// is no 0xff.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	return end
}
