package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"syscall"
)

const idleClients = 10_000

// idle measures budget 15: clients that have asked once and stay.
func idle(ctx context.Context, b *bench) (result, error) {
	var files syscall.Rlimit // the runtime has raised it as far as it goes
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return result{}, err
	}
	if files.Cur < idleClients+500 {
		return result{}, fmt.Errorf("this machine lets a process open %d files only", files.Cur)
	}
	f, err := b.startFronts(ctx, false)
	if err != nil {
		return result{}, err
	}
	defer f.close()
	r := result{Note: "memory of " + fmt.Sprint(idleClients) + " clients that asked once and stay, less what was there before"}
	for _, s := range f.subjects {
		grown, err := s.crowd(ctx)
		if err != nil {
			return result{}, fmt.Errorf("%s: %w", s.name, err)
		}
		if s.name == "berth" {
			r.Figures = []figure{{Name: "memory", Value: grown, Unit: "MiB", Most: 50}}
			continue
		}
		if r.Peer != "" {
			r.Peer += ", "
		}
		r.Peer += fmt.Sprintf("%s %s MiB", s.name, short(grown))
	}
	r.Peer += f.missing
	return r, nil
}

func (s *subject) crowd(ctx context.Context) (float64, error) {
	before, err := s.memory()
	if err != nil {
		return 0, err
	}
	var all []net.Conn
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	for range idleClients {
		c, err := net.Dial("tcp", s.at)
		if err != nil {
			return 0, err
		}
		all = append(all, c)
		if err := ask(c, bufio.NewReaderSize(c, 512)); err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	after, err := s.memory()
	return after - before, err
}
