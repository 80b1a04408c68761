// Command probe is the program in the containers of these tests.
//
//	probe serve PORT NAME    answers HTTP, on the next port lines over TCP and on the one
//	                         after lines over TLS
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) != 4 || os.Args[1] != "serve" {
		log.Fatalf("cannot %q", os.Args[1:])
	}
	first, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = serve(first, os.Args[3])
	}
	if err != nil {
		log.Fatal(err)
	}
}

// serve ends as a good server does: what was begun is answered.
func serve(port int, name string) error {
	secure, err := identity()
	if err != nil {
		return err
	}
	if err := errors.Join(
		lines(port+1, name, func(c net.Conn) net.Conn { return c }),
		lines(port+2, name, func(c net.Conn) net.Conn { return tls.Server(c, secure) }),
	); err != nil {
		return err
	}
	server := &http.Server{Addr: fmt.Sprintf(":%d", port), Handler: handler(name)}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-told:
	}
	patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(patience)
}

func handler(name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "1", Path: "/", HttpOnly: true})
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) { _ = r.Header.Write(w) })
	mux.HandleFunc("/missing", http.NotFound)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(append([]byte(name), body...))
	})
	return mux
}

// lines answers each line with the name and the line.
func lines(port int, name string, over func(net.Conn) net.Conn) error {
	l, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk := over(c)
				defer talk.Close()
				for said := bufio.NewScanner(talk); said.Scan(); {
					fmt.Fprintf(talk, "%s %s\n", name, said.Text())
				}
			}()
		}
	}()
	return nil
}

// identity is a certificate that nobody knows.
func identity() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, err
}
