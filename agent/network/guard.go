package network

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// calm is how long the packet filter must be quiet before it is looked over: a
// restart of a firewall is many changes.
const calm = 100 * time.Millisecond

// guard watches the host's packet filter and mends it when others break it.
func (h *host) guard(log *slog.Logger) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: h.space.FD()})
	if err == nil {
		const nftables = 7 // NFNLGRP_NFTABLES
		err = conn.JoinGroup(nftables)
	}
	if err != nil {
		log.Warn("changes of the packet filter by other programs will go unseen", "err", err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.stopGuard, h.guarded = cancel, make(chan struct{})
	breaches := make(chan struct{}, 1)
	go listen(ctx, conn, breaches)
	go func() {
		defer close(h.guarded)
		for {
			select {
			case <-ctx.Done():
				conn.Close()
				return
			case <-breaches:
				if settle(ctx, breaches) {
					h.mend(log)
				}
			}
		}
	}()
}

// listen tells breaches of each time something was removed from the packet
// filter, a chain was made (Docker's, say), or something was missed.
func listen(ctx context.Context, conn *netlink.Conn, breaches chan<- struct{}) {
	for ctx.Err() == nil {
		messages, err := conn.Receive()
		missed := errors.Is(err, unix.ENOBUFS)
		if ctx.Err() != nil || err != nil && !missed {
			return
		}
		if !missed && !anyBreach(messages) {
			continue
		}
		select {
		case breaches <- struct{}{}:
		default:
		}
	}
}

func anyBreach(messages []netlink.Message) bool {
	for _, m := range messages {
		switch int(m.Header.Type) & 0xff {
		case unix.NFT_MSG_NEWCHAIN, unix.NFT_MSG_DELTABLE, unix.NFT_MSG_DELCHAIN, unix.NFT_MSG_DELRULE, unix.NFT_MSG_DELSET, unix.NFT_MSG_DELSETELEM:
			return true
		}
	}
	return false
}

// settle waits until no more breaches come; false when ctx ended.
func settle(ctx context.Context, breaches <-chan struct{}) bool {
	quiet := time.NewTimer(calm)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-breaches:
			quiet.Reset(calm)
		case <-quiet.C:
			return true
		}
	}
}
