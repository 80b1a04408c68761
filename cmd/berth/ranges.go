package main

import (
	"net/netip"
	"strings"
)

const providersUsage = "ranges of this machine's own addresses where identity providers of listeners may be, with commas; else none is asked there"

// ranges is a flag of ranges of addresses, with commas between them.
type ranges []netip.Prefix

// Set implements flag.Value.
func (r *ranges) Set(text string) (err error) {
	*r, err = prefixes(text)
	return err
}

// String implements flag.Value; empty for none.
func (r *ranges) String() string {
	var all []string
	for _, p := range *r {
		all = append(all, p.String())
	}
	return strings.Join(all, ",")
}
