package cgroup

import (
	"strconv"
	"strings"
)

// readIOStat reads v2's io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 ...".
func readIOStat(path string) []Block {
	var out []Block
	eachLine(path, func(fields []string) {
		if len(fields) < 2 {
			return
		}
		b, ok := device(fields[0])
		if !ok {
			return
		}
		for _, f := range fields[1:] {
			name, value, _ := strings.Cut(f, "=")
			n, _ := strconv.ParseUint(value, 10, 64)
			switch name {
			case "rbytes":
				b.ReadBytes = n
			case "wbytes":
				b.WriteBytes = n
			case "rios":
				b.Reads = n
			case "wios":
				b.Writes = n
			}
		}
		out = append(out, b)
	})
	return out
}

// readBlkio reads v1's two files of "8:0 Read 1" lines.
func readBlkio(bytesFile, opsFile string) []Block {
	var out []Block
	find := func(dev string) *Block {
		b, ok := device(dev)
		if !ok {
			return nil
		}
		for i := range out {
			if out[i].Major == b.Major && out[i].Minor == b.Minor {
				return &out[i]
			}
		}
		out = append(out, b)
		return &out[len(out)-1]
	}
	each := func(path string, read, write func(*Block, uint64)) {
		eachLine(path, func(fields []string) {
			if len(fields) != 3 {
				return
			}
			b := find(fields[0])
			n, err := strconv.ParseUint(fields[2], 10, 64)
			if b == nil || err != nil {
				return
			}
			switch fields[1] {
			case "Read":
				read(b, n)
			case "Write":
				write(b, n)
			}
		})
	}
	each(bytesFile, func(b *Block, n uint64) { b.ReadBytes = n }, func(b *Block, n uint64) { b.WriteBytes = n })
	each(opsFile, func(b *Block, n uint64) { b.Reads = n }, func(b *Block, n uint64) { b.Writes = n })
	return out
}

func device(s string) (Block, bool) {
	major, minor, ok := strings.Cut(s, ":")
	a, errA := strconv.ParseUint(major, 10, 64)
	b, errB := strconv.ParseUint(minor, 10, 64)
	return Block{Major: a, Minor: b}, ok && errA == nil && errB == nil
}
