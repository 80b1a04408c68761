package haproxy

import (
	"errors"
	"os/exec"
	"strings"
)

// program is HAProxy's.
const program = "haproxy"

// Mend is the command that installs HAProxy.
const Mend = "apt-get install haproxy"

var errMissing = errors.New("haproxy is not installed on the host that carries the load balancer: " + Mend)

// Installed tells why HAProxy cannot be run; nil when it can.
func Installed() error {
	if _, err := exec.LookPath(program); err != nil {
		return errMissing
	}
	return nil
}

// Version is that of the HAProxy that is installed: "2.6.12-1".
func Version() (string, error) {
	if err := Installed(); err != nil {
		return "", err
	}
	said, err := exec.Command(program, "-v").Output()
	if err != nil {
		return "", err
	}
	_, version, _ := strings.Cut(string(said), "version ")
	version, _, _ = strings.Cut(version, " ")
	return version, nil
}
