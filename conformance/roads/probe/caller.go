package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// asks lets a server ask others in its own name:
//
//	/ask?url=URL      what URL answers
//	/post?url=URL     what it answers to a POST
//	/grpc?at=ADDRESS  how healthy the gRPC server there is
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
	on("/ask", "url", func(url string) (string, error) { return fine(client.Get(url)) })
	on("/post", "url", func(url string) (string, error) {
		return fine(client.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 1000))))
	})
	on("/grpc", "at", state)
	on("/dial", "at", dial)
	on("/lookup", "name", func(name string) (string, error) {
		found, err := net.LookupHost(name)
		return strings.Join(found, " "), err
	})
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(1) })
}

// fine is what a good answer says.
func fine(r *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, body)
	}
	return string(body), err
}

func state(at string) (string, error) {
	c, err := grpc.NewClient("passthrough:///"+at, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return out.GetStatus().String(), err
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
