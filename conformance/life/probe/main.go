// Command probe is the program in the containers of these tests: each word makes it
// do or tell one thing.
package main

import (
	"fmt"
	"os"
)

func main() {
	words := map[string]func(args []string) error{
		"exit": exit, "wait": wait, "eat": eat, "spin": spin,
		"serve": serve, "front": front, "get": get, "dial": dial, "lookup": lookup, "whoami": whoami,
		"instance": instance,
	}
	if len(os.Args) < 2 || words[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "probe: which word?", os.Args[1:])
		os.Exit(2)
	}
	if err := words[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}
