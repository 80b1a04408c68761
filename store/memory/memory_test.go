package memory_test

import (
	"context"
	"testing"

	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
	"github.com/berthhq/berth/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() storetest.Store {
		j := memory.NewJournal()
		return func() storetest.Store {
			l, err := store.Lead(context.Background(), j)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
	})
}
