// Command probe is the program in the containers of these tests. Its arguments are
// steps, with a comma between them; each prints one line that begins with its first
// word.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// steps do or tell one thing each. Their errors are what the tests look at.
func steps() map[string]func(args []string) (string, error) {
	return map[string]func(args []string) (string, error){
		"whoami": whoami, "object": object, "put": put,
		"fetch": fetch, "metadata": metadata, "env": env, "file": file,
	}
}

func main() {
	for text := range strings.SplitSeq(strings.Join(os.Args[1:], " "), " , ") {
		switch words := strings.Fields(text); words[0] {
		case "wait":
			wait()
		case "watch":
			watch(words[1:])
		default:
			fmt.Println(result(words))
		}
	}
}

func result(words []string) string {
	step := steps()[words[0]]
	if step == nil {
		return words[0] + ": no such step"
	}
	text, err := step(words[1:])
	if err != nil {
		text = "error: " + err.Error()
	}
	return words[0] + ": " + strings.ReplaceAll(text, "\n", " ")
}

// watch STEP does a step again and again, and prints what comes of it whenever that
// is something new.
func watch(words []string) {
	last := ""
	for {
		if now := result(words); now != last {
			last = now
			fmt.Println(now)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// wait goes on until it is told to end.
func wait() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	<-told
}
