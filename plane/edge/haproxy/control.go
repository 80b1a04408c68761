package haproxy

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// patience is how long a process may take to answer its control socket.
const patience = 5 * time.Second

// tell sends a command to the control socket and gives the answer.
func tell(socket, command string) (string, error) {
	c, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(c)
	return strings.TrimSpace(string(answer)), err
}

// told is tell for a command that answers with the words when it worked.
func told(socket, command, words string) error {
	answer, err := tell(socket, command)
	if err == nil && !strings.Contains(answer, words) {
		err = fmt.Errorf("haproxy refuses %q: %s", command, answer)
	}
	return err
}

// seen is how a server is, as statistics say.
type seen struct {
	backend, server string
	status          string // UP, DOWN, MAINT, "no check", DRAIN, "UP 1/2", ...
	check           string // L4OK, L7OK, L7STS, L4TOUT, ...
	code            string // of the last check's answer
	sessions        string // open now
}

// statistics are those of all servers.
func statistics(socket string) ([]seen, error) {
	text, err := tell(socket, "show stat -1 4 -1")
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "# "))).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("haproxy's statistics cannot be read: %w", err)
	}
	column := map[string]int{}
	for n, name := range rows[0] {
		column[name] = n
	}
	var out []seen
	for _, row := range rows[1:] {
		of := func(name string) string { return row[column[name]] }
		out = append(out, seen{of("pxname"), of("svname"), of("status"), of("check_status"), of("check_code"), of("scur")})
	}
	return out, nil
}
