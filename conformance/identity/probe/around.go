package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// client waits for nobody long: some addresses take no connections at all.
var client = http.Client{Timeout: 5 * time.Second}

// fetch URL prints the status and the body. Variables are filled in.
func fetch(args []string) (string, error) {
	r, err := http.NewRequest(http.MethodGet, os.ExpandEnv(args[0]), nil)
	if err != nil {
		return "", err
	}
	return answer(r)
}

func answer(r *http.Request) (string, error) {
	out, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return fmt.Sprint(out.StatusCode, " ", string(body)), err
}

const instance = "http://169.254.169.254/latest/"

// metadata PATH prints what the instance's metadata has there, with a token.
func metadata(args []string) (string, error) {
	ask, err := http.NewRequest(http.MethodPut, instance+"api/token", nil)
	if err != nil {
		return "", err
	}
	ask.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "60")
	got, err := client.Do(ask)
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	token, err := io.ReadAll(got.Body)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequest(http.MethodGet, instance+args[0], nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("X-aws-ec2-metadata-token", string(token))
	return answer(r)
}

// env NAME... prints variables.
func env(args []string) (string, error) {
	text := ""
	for _, name := range args {
		text += name + "=" + os.Getenv(name) + ";"
	}
	return text, nil
}

// file PATH prints a file.
func file(args []string) (string, error) {
	text, err := os.ReadFile(args[0])
	return string(text), err
}
