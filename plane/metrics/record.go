package metrics

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/berthhq/berth/domain/metric"
)

// A record is the four statistics of its values, then each value with its count,
// as 64-bit floating point numbers.

func appendFloat(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(f))
}

func encodeSet(s metric.Set) []byte {
	b := make([]byte, 0, 32+16*len(s.Values))
	for _, f := range []float64{s.Count, s.Sum, s.Min, s.Max} {
		b = appendFloat(b, f)
	}
	for _, v := range s.Values {
		b = appendFloat(appendFloat(b, v.Of), v.Count)
	}
	return b
}

// decodeSet leaves the values out where they are not wanted.
func decodeSet(b []byte, values bool) (s metric.Set, err error) {
	if len(b) < 32 || len(b)%16 != 0 {
		return s, errors.New("a record of datapoints is damaged")
	}
	take := func() float64 {
		f := math.Float64frombits(binary.BigEndian.Uint64(b))
		b = b[8:]
		return f
	}
	s = metric.Set{Count: take(), Sum: take(), Min: take(), Max: take()}
	for values && len(b) > 0 {
		s.Values = append(s.Values, metric.Value{Of: take(), Count: take()})
	}
	return s, nil
}
