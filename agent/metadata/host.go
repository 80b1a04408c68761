package metadata

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
)

// ListenLoopback opens the port of 127.0.0.1 that the file remembers, else the
// preferred one, else any, and remembers it: host mode tasks that outlive the
// agent keep the address they were started with.
func ListenLoopback(ctx context.Context, file string, preferred int) (net.Listener, error) {
	remembered, _ := os.ReadFile(file) // none at first start
	var err error
	for _, port := range []string{strings.TrimSpace(string(remembered)), strconv.Itoa(preferred), "0"} {
		if port == "" {
			continue
		}
		var l net.Listener
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port)); err == nil {
			_, port, _ = net.SplitHostPort(l.Addr().String())
			return l, os.WriteFile(file, []byte(port+"\n"), 0o600)
		}
	}
	return nil, err
}
