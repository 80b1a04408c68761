// Command probe is the program of the bench's containers.
//
//	probe stamp FILE      write the moment it began; "-" is standard output
//	probe ticks DURATION  print the moment, two hundred times a second
//	probe serve ADDRESS   answer HTTP requests with the moment it listened, and
//	                      the address they came to
//	probe lines N         print N lines of 100 bytes; the first begins with the moment
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	begun := time.Now()
	if err := run(begun, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(begun time.Time, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("two arguments are needed, not %q", args)
	}
	switch args[0] {
	case "stamp":
		return stamp(begun, args[1])
	case "ticks":
		return ticks(args[1])
	case "serve":
		return serve(args[1])
	case "lines":
		return lines(begun, args[1])
	}
	return fmt.Errorf("%q is unknown", args[0])
}

func stamp(begun time.Time, file string) error {
	line := fmt.Sprintln(begun.UnixNano())
	if file == "-" {
		_, err := os.Stdout.WriteString(line)
		return err
	}
	return os.WriteFile(file, []byte(line), 0o644)
}

func ticks(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	tick := time.NewTicker(5 * time.Millisecond)
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		fmt.Println(time.Now().UnixNano())
	}
	fmt.Println("end")
	return nil
}

// serve ends with a signal, which the first process of a container must ask for.
func serve(at string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp4", at)
	if err != nil {
		return err
	}
	listened := time.Now().UnixNano()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, listened, " ", r.Context().Value(http.LocalAddrContextKey))
	})}
	go func() {
		<-ctx.Done()
		s.Close()
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func lines(begun time.Time, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	first := fmt.Sprint(begun.UnixNano(), " ")
	fmt.Fprintln(out, first+strings.Repeat("x", 99-len(first)))
	line := strings.Repeat("x", 99) + "\n"
	for range n - 1 {
		if _, err := out.WriteString(line); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "end")
	return out.Flush()
}
