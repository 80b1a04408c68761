package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// subject is a balancer that is measured, with all its processes.
type subject struct {
	*process
	name, at string
}

// fronts are balancers that do the same work before one target.
type fronts struct {
	subjects []*subject
	target   *process
	missing  string // peers that are not installed
}

// startFronts starts ours first, then each peer that is installed.
func (b *bench) startFronts(ctx context.Context, secure bool) (*fronts, error) {
	dir, err := os.MkdirTemp(b.dir, "fronts-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // peers give up root
		return nil, err
	}
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	o := &frontOrder{Log: filepath.Join(dir, "access.log")}
	if o.Target, err = freeAddress(); err != nil {
		return nil, err
	}
	if secure {
		if o.Certificate, o.Key, err = certificate(dir); err != nil {
			return nil, err
		}
	}
	f := &fronts{}
	if f.target, err = start("target", dir, nil, own, "target", o.Target); err != nil {
		return nil, err
	}
	err = f.add(ctx, dir, "berth", o, func() ([]string, error) {
		order, err := json.Marshal(o)
		return []string{own, "front", string(order)}, err
	})
	for _, p := range []struct {
		name   string
		config func(*frontOrder, string) string
		args   []string
	}{{"haproxy", haproxyConfig, []string{"-db", "-f"}}, {"nginx", nginxConfig, []string{"-c"}}} {
		program, missing := exec.LookPath(p.name)
		if missing != nil {
			f.missing += ", " + p.name + " is not installed"
			continue
		}
		if err != nil {
			break
		}
		err = f.add(ctx, dir, p.name, o, func() ([]string, error) {
			file := filepath.Join(dir, p.name+".conf")
			return append(append([]string{program}, p.args...), file), os.WriteFile(file, []byte(p.config(o, dir)), 0o644)
		})
	}
	if err != nil {
		return nil, firstOf(err, f.close())
	}
	return f, nil
}

// add starts one at an address of its own and waits until it takes connections.
func (f *fronts) add(ctx context.Context, dir, name string, o *frontOrder, command func() ([]string, error)) (err error) {
	if o.Listen, err = freeAddress(); err != nil {
		return err
	}
	args, err := command()
	if err != nil {
		return err
	}
	p, err := start(name, dir, nil, args...)
	if err != nil {
		return err
	}
	s := &subject{p, name, o.Listen}
	f.subjects = append(f.subjects, s)
	return p.until(ctx, func() error {
		c, err := net.Dial("tcp", s.at)
		if err == nil {
			c.Close()
		}
		return err
	})
}

func (f *fronts) close() (err error) {
	for _, s := range f.subjects {
		err = firstOf(err, s.process.close())
	}
	return firstOf(err, f.target.close())
}

// cpu is what all processes of a subject have used: a peer's workers are its children.
func (s *subject) cpu() (all time.Duration, err error) {
	for _, pid := range s.pids() {
		one, err := cpu(pid)
		if err != nil {
			return 0, err
		}
		all += one
	}
	return all, nil
}

// memory is the resident memory of them in MiB that no file backs.
func (s *subject) memory() (all float64, err error) {
	for _, pid := range s.pids() {
		_, one, err := resident(pid)
		if err != nil {
			return 0, err
		}
		all += one
	}
	return all, nil
}

func (s *subject) pids() []int {
	all := []int{s.pid}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid, s.pid))
	for _, word := range strings.Fields(string(text)) {
		var pid int
		if _, err := fmt.Sscan(word, &pid); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

func haproxyConfig(o *frontOrder, dir string) string {
	bind := o.Listen
	if len(o.Certificate) > 0 {
		bind += " ssl crt " + filepath.Join(dir, "both.pem") + " alpn h2,http/1.1"
	}
	var rules strings.Builder
	for n := range frontRules {
		fmt.Fprintf(&rules, "  use_backend other if { path_beg /other/%d/ }\n", n)
	}
	return fmt.Sprintf(`global
  maxconn 10500
  no strict-limits
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 5s
  timeout client 4000s
  timeout server 60s
  timeout http-keep-alive 4000s
frontend f
  bind %s
%s  default_backend t
backend t
  http-reuse always
  server t %s
backend other
  http-request deny deny_status 404
`, bind, rules.String(), o.Target)
}

func nginxConfig(o *frontOrder, dir string) string {
	listen, keys := o.Listen, ""
	if len(o.Certificate) > 0 {
		listen += " ssl http2"
		keys = fmt.Sprintf("ssl_certificate %[1]s/both.pem; ssl_certificate_key %[1]s/both.pem;", dir)
	}
	var rules strings.Builder
	for n := range frontRules {
		fmt.Fprintf(&rules, "    location /other/%d/ { return 404; }\n", n)
	}
	return fmt.Sprintf(`daemon off; pid %[1]s/nginx.pid; error_log stderr; worker_processes 2; worker_rlimit_nofile 12000;
events { worker_connections 11000; }
http {
  access_log %[1]s/nginx.access combined buffer=64k;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  keepalive_timeout 4000; keepalive_requests 1000000000;
  upstream t { server %[2]s; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen %[3]s; %[4]s
%[5]s    location / { proxy_pass http://t; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }
  }
}
`, dir, o.Target, listen, keys, rules.String())
}

// certificate makes one for loopback, and the file both.pem of it and its key.
func certificate(dir string) (chain, key []byte, err error) {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		return nil, nil, err
	}
	marshaled, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		return nil, nil, err
	}
	chain = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: marshaled})
	return chain, key, os.WriteFile(filepath.Join(dir, "both.pem"), append(append([]byte{}, chain...), key...), 0o644)
}
