package server

import (
	"net/netip"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// publicAddress takes an address of the public pool for a node of a balancer. Where all
// are taken the node has its private one only, by which the host reaches it as well.
func publicAddress(tx *store.Tx, i *network.Interface) (netip.Addr, error) {
	ip, _ := lease.Public(tx, network.PublicPool(), i.ID)
	return ip, nil
}
