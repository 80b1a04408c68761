package main

import (
	"encoding/json"
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

// spin SECONDS computes for that long and prints which share of a processor it was
// given, by what its metadata says that it used.
func spin(args []string) error {
	seconds, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	go func() {
		for n := 0; ; n++ {
		}
	}()
	first, err := usage()
	last := first
	for err == nil && last.Read.Sub(first.Read) < time.Duration(seconds)*time.Second {
		time.Sleep(200 * time.Millisecond)
		last, err = usage()
	}
	if err != nil {
		return err
	}
	fmt.Printf("%.3f\n", float64(last.CPU.Usage.Total-first.CPU.Usage.Total)/float64(last.Read.Sub(first.Read)))
	return nil
}

// stats are what a container's metadata says of its use.
type stats struct {
	Read time.Time `json:"read"`
	CPU  struct {
		Usage struct {
			Total int64 `json:"total_usage"` // nanoseconds
		} `json:"cpu_usage"`
	} `json:"cpu_stats"`
}

func usage() (s stats, err error) {
	text, err := fetch(os.Getenv("ECS_CONTAINER_METADATA_URI_V4") + "/stats")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}
