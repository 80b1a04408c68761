package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// serve PORT TEXT answers every request with the text.
func serve(args []string) error {
	return http.ListenAndServe(":"+args[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, args[1]) }))
}

// front PORT TEXT TIME is serve for a task behind a balancer: told to end, it serves
// on for a time, until nobody sends it requests any more, and ends what is under way.
func front(args []string) error {
	linger, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	s := &http.Server{Addr: ":" + args[0], Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, args[1]) })}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- s.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-told:
	}
	time.Sleep(linger)
	return s.Shutdown(context.Background())
}

// patience is how long what is being started elsewhere is waited for.
const patience = 20 * time.Second

// get URL... prints the answers, each on a line. Variables are filled in.
func get(args []string) error {
	for _, url := range args {
		body, err := fetch(os.ExpandEnv(url))
		if err != nil {
			return err
		}
		fmt.Println(strings.ReplaceAll(string(body), "\n", " "))
	}
	return nil
}

// fetch asks until there is an answer, or a refusal.
func fetch(url string) (body []byte, err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		answer, refused := http.Get(url)
		if refused != nil {
			err = refused
			continue
		}
		body, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode == http.StatusOK {
			return body, err
		}
		err = errors.New(answer.Status)
		if answer.StatusCode < 500 {
			break
		}
	}
	return nil, err
}

// dial ADDRESS... tells which of the addresses take a connection.
func dial(args []string) error {
	for _, address := range args {
		c, err := net.DialTimeout("tcp", address, 2*time.Second)
		if err != nil {
			fmt.Println(address, "missed:", err)
			continue
		}
		c.Close()
		fmt.Println(address, "reached")
	}
	return nil
}

// instance prints which instance its metadata says that this is.
func instance([]string) error {
	answer, err := imds.New(imds.Options{}).GetMetadata(context.Background(), &imds.GetMetadataInput{Path: "instance-id"})
	if err != nil {
		fmt.Println("no instance:", err)
		return nil
	}
	defer answer.Content.Close()
	_, err = io.Copy(os.Stdout, answer.Content)
	return err
}

// lookup NAME... prints the addresses of the names.
func lookup(args []string) error {
	for _, name := range args {
		found, err := net.LookupHost(os.ExpandEnv(name))
		if err != nil {
			return err
		}
		slices.Sort(found)
		fmt.Println(name, found)
	}
	return nil
}

// whoami prints who AWS's client is, with nothing but the environment of a task.
func whoami([]string) error {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return err
	}
	me, err := sts.NewFromConfig(c).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		return err
	}
	fmt.Println(*me.Arn)
	return nil
}
