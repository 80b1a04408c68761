package iam

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/store"
)

// change alters a copy of the record that find finds by name, and keeps it.
func change[T any](
	ctx context.Context, a *API, call *gateway.Call, table *store.Table[T],
	find func(store.Reader, *gateway.Call, string) (*T, error), name string, alter func(*store.Tx, *T) error,
) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := find(tx, call, name)
		if err != nil {
			return err
		}
		next := *have
		if err := alter(tx, &next); err != nil {
			return err
		}
		table.Put(tx, &next)
		return nil
	})
	return &wire.Empty{}, err
}
