package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// asks lets a server ask others in its own name:
//
//	/ask?url=URL      what URL answers
//	/dial?at=ADDRESS  the first line that is said there over TCP
//	/lookup?name=NAME its addresses
//	/die              ends the program at once
func asks(mux *http.ServeMux) {
	client := &http.Client{Timeout: 20 * time.Second}
	on := func(path, parameter string, do func(string) (string, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			said, err := do(r.URL.Query().Get(parameter))
			if err != nil {
				w.WriteHeader(http.StatusTeapot)
				said = err.Error()
			}
			fmt.Fprint(w, said)
		})
	}
	on("/ask", "url", func(url string) (string, error) {
		said := answer(client, url)
		if !strings.HasPrefix(said, "200 ") {
			return "", fmt.Errorf("%s", said)
		}
		return strings.TrimPrefix(said, "200 "), nil
	})
	on("/dial", "at", dial)
	on("/lookup", "name", func(name string) (string, error) {
		found, err := net.LookupHost(name)
		return strings.Join(found, " "), err
	})
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(1) })
}

func dial(at string) (string, error) {
	c, err := net.DialTimeout("tcp", at, 10*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}
