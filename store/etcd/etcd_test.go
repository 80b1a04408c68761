package etcd_test

import (
	"context"
	"testing"

	"github.com/berthhq/berth/store/etcd"
	"github.com/berthhq/berth/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() storetest.Store {
		dir := t.TempDir()
		return func() storetest.Store {
			s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
}
