// Command probe is the program in the containers of these tests.
//
//	probe serve PORT NAME    answers HTTP/1.1, HTTP/2 in the clear, gRPC's health
//	                         service and WebSockets (/ws, an echo), and asks others
//	                         (see asks); TCP and UDP echoes on the two ports after it;
//	                         once the duration of the environment's SERVE_AFTER is over
//	probe ask URL            asks again and again, and prints each new answer
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 3 && args[0] == "serve":
		err = serve(args[1], args[2])
	case len(args) == 2 && args[0] == "ask":
		ask(args[1])
	default:
		err = fmt.Errorf("cannot %q", args)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// serve ends as a good server does: what was begun is answered.
func serve(port, name string) error {
	pause, _ := time.ParseDuration(os.Getenv("SERVE_AFTER"))
	time.Sleep(pause)
	first, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	if err := errors.Join(echoTCP(first+1, name), echoUDP(first+2, name)); err != nil {
		return err
	}
	server := &http.Server{Addr: ":" + port, Handler: handler(name), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
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
	calls := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(calls, health.NewServer())
	mux := http.NewServeMux()
	asks(mux)
	mux.HandleFunc("/ws", echoWebSocket)
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s\nhost: %s\nfrom: %s\n", r.Method, r.URL, r.Proto, r.Host, r.RemoteAddr)
		_ = r.Header.Write(w)
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		pause, _ := time.ParseDuration(r.URL.Query().Get("for"))
		time.Sleep(pause)
		fmt.Fprint(w, name)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Served-By", name+" "+hostname())
		_, _ = w.Write(append([]byte(name), body...))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			calls.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func hostname() string {
	name, _ := os.Hostname()
	return name
}

func echoWebSocket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, data, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if c.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}

// echoTCP says its name and the client's address, then echoes.
func echoTCP(port int, name string) error {
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
				fmt.Fprintf(c, "%s %s\n", name, c.RemoteAddr())
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return nil
}

// echoUDP answers each datagram with its name and the client's address.
func echoUDP(port int, name string) error {
	p, err := net.ListenPacket("udp4", fmt.Sprintf(":%d", port))
	if err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 2048)
		for {
			_, from, err := p.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = p.WriteTo(fmt.Appendf(nil, "%s %s", name, from), from)
		}
	}()
	return nil
}

func ask(url string) {
	client := http.Client{Timeout: 2 * time.Second}
	last := ""
	for ; ; time.Sleep(100 * time.Millisecond) {
		now := answer(&client, url)
		if now != last {
			fmt.Println(now)
		}
		last = now
	}
}

func answer(client *http.Client, url string) string {
	r, err := client.Get(url)
	if err != nil {
		return "error: " + err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprint(r.StatusCode, " ", string(body))
}
