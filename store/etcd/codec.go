package etcd

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/berthhq/berth/store"
)

// codec turns records into bytes and back.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC}.EncMode()
	if err != nil {
		return codec{}, err
	}
	// An unknown field comes from a newer berth: to ignore it would be to lose
	// it with the next write.
	dec, err := cbor.DecOptions{ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode()
	return codec{enc, dec}, err
}

func (c codec) encode(d store.Descriptor, record any) ([]byte, error) {
	body, err := c.enc.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", d.Name(), err)
	}
	return append([]byte{d.Version()}, body...), nil
}

func (c codec) decode(d store.Descriptor, data []byte) (any, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("a %s record on disk is empty", d.Name())
	}
	version, body := data[0], data[1:]
	if version > d.Version() {
		return nil, fmt.Errorf("a %s record has schema %d; this berth knows up to %d: start the newer berth that wrote it", d.Name(), version, d.Version())
	}
	if version < d.Version() {
		if record, ok, err := d.Old(version, body); ok || err != nil {
			return record, err
		}
	}
	record := d.New()
	err := c.dec.Unmarshal(body, record)
	var unknown *cbor.UnknownFieldError
	switch {
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("a %s record has a field that this berth does not know: start the newer berth that wrote it (%w)", d.Name(), err)
	case err != nil:
		return nil, fmt.Errorf("a %s record on disk cannot be read (schema %d): %w", d.Name(), version, err)
	}
	return record, nil
}
