package network

import "testing"

func TestNewRuleReadsProtocolsAndPorts(t *testing.T) {
	for name, c := range map[string]struct {
		protocol string
		from, to int
		want     string
	}{
		"tcp":         {"6", 80, 81, "peer: , TCP, from port: 80, to port: 81, ALLOW"},
		"all":         {"all", 1, 2, "peer: , ALL, ALLOW"},
		"all ports":   {"udp", -1, -1, "peer: , UDP, from port: 0, to port: 65535, ALLOW"},
		"echo":        {"icmp", 8, 0, "peer: , ICMP, from port: 8, to port: 0, ALLOW"},
		"by number":   {"50", 7, 7, "peer: , 50, from port: -1, to port: -1, ALLOW"},
		"backwards":   {"tcp", 2, 1, ""},
		"too high":    {"tcp", 1, 65536, ""},
		"no protocol": {"foo", 1, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewRule(c.protocol, &c.from, &c.to)
			if (err == nil) != (c.want != "") || err == nil && r.String() != c.want {
				t.Errorf("got %v %v, want %s", r.String(), err, c.want)
			}
		})
	}
}

func TestNumbersAreUniqueAndNeverNought(t *testing.T) {
	taken := map[uint32]bool{}
	for _, id := range []string{"vpc-1", "vpc-1", "vpc-1", "vpc-2"} {
		n := PickNumber(id, func(n uint32) bool { return taken[n] })
		if n == 0 || n > maxNumber || taken[n] {
			t.Errorf("%s got %d", id, n)
		}
		taken[n] = true
	}
}
