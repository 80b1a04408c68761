package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// exit CODE ends with the code.
func exit(args []string) error {
	code, err := strconv.Atoi(args[0])
	if err == nil {
		os.Exit(code)
	}
	return err
}

// wait goes on until it is told to end.
func wait([]string) error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	fmt.Println("up")
	<-told
	fmt.Println("told to end")
	return nil
}

// eat MIB takes memory and keeps it.
func eat(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	var kept [][]byte
	for range mib {
		page := make([]byte, 1<<20)
		for i := 0; i < len(page); i += 512 {
			page[i] = 1
		}
		kept = append(kept, page)
	}
	fmt.Println("ate", len(kept))
	return nil
}

// spin SECONDS computes and prints which share of a core it was given.
func spin(args []string) error {
	seconds, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	begun, before := time.Now(), cpu()
	for n := 0; time.Since(begun) < time.Duration(seconds)*time.Second; n++ {
	}
	fmt.Printf("%.3f\n", (cpu()-before).Seconds()/time.Since(begun).Seconds())
	return nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
