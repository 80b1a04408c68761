// Package lease gives interfaces their addresses, within transactions of the store.
package lease

import (
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

// Free finds an address of the subnet that nobody has, those in quarantine counted as
// had. The seed decides where it looks first.
func Free(r store.Reader, s *network.Subnet, seed string) (netip.Addr, bool) {
	return s.PickAddress(seed, func(a netip.Addr) bool { return taken(r, s, a) })
}

func taken(r store.Reader, s *network.Subnet, a netip.Addr) bool {
	return store.Interfaces.Has(r, store.InterfacesByAddress, store.AddressKey(s.Scope, s.VPCID, a))
}

// Take stores a new interface in the subnet: as want is, with what follows from the
// subnet and the address filled in. An id and an address that want lacks are chosen.
// Faults: InsufficientFreeAddresses, AddressInUse, InvalidParameterValue for an
// address outside of the subnet.
func Take(tx *store.Tx, s *network.Subnet, want network.Interface, now time.Time) (*network.Interface, error) {
	if want.ID == "" {
		want.ID = NewID("eni")
	}
	if err := choose(tx, s, &want); err != nil {
		return nil, err
	}
	want.Scope, want.VPCID, want.SubnetID, want.Zone = s.Scope, s.VPCID, s.ID, s.Zone
	want.MAC = network.MAC(want.ID, want.PrivateIP)
	want.PrivateDNSName = network.PrivateDNSName(s.Scope.Region, want.PrivateIP)
	want.CreatedAt = now
	store.Interfaces.Put(tx, &want)
	return &want, nil
}

func choose(r store.Reader, s *network.Subnet, want *network.Interface) error {
	if !want.PrivateIP.IsValid() {
		a, ok := Free(r, s, want.ID)
		if !ok {
			return fault.New(fault.InsufficientFreeAddresses, "The specified subnet does not have enough free addresses to satisfy the request.")
		}
		want.PrivateIP = a
		return nil
	}
	if !s.Leasable(want.PrivateIP) {
		return fault.New(fault.InvalidParameterValue, "Address %s does not fall within the subnet's address range", want.PrivateIP)
	}
	if taken(r, s, want.PrivateIP) {
		return fault.New(fault.AddressInUse, "Address %s is in use.", want.PrivateIP)
	}
	return nil
}

// Release ends a lease. What a host carried stays in quarantine for a while: the host
// may still answer for the address.
func Release(tx *store.Tx, i *network.Interface, now time.Time) {
	if i.InstanceARN == "" {
		store.Interfaces.Delete(tx, network.Key(i.Scope, i.ID))
		return
	}
	released := *i
	released.ReleasedAt = now
	store.Interfaces.Put(tx, &released)
}

// NewID makes an id of EC2's form: eni-0123456789abcdef0.
func NewID(prefix string) string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return prefix + "-0" + hex.EncodeToString(b[:])
}
