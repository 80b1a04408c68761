package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthhq/berth/client"
)

// EdgeSpaces is the folder where the agent of a data folder binds the namespaces of
// load balancer nodes, by the id of their interface.
func EdgeSpaces(data string) (string, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return "", err
	}
	h := &Host{Config: Config{Data: data}}
	return filepath.Join(h.networkDir(), "edge"), nil
}

// Keys is the server with the keys of the agent of a data folder, for the processes
// beside it that speak for the same machine. An os.ErrNotExist means that the agent has
// not joined yet.
func Keys(data, server string) (client.Place, error) {
	h := &Host{Config: Config{Data: data, Server: server}, keys: &keys{}}
	text, err := os.ReadFile(h.keysFile())
	if err != nil {
		return client.Place{}, err
	}
	if err := json.Unmarshal(text, &h.keys.Response); err != nil {
		return client.Place{}, fmt.Errorf("%s is damaged: %w", h.keysFile(), err)
	}
	p := client.Place{Endpoint: server, AccessKeyID: h.keys.AccessKeyID, Secret: h.keys.SecretAccessKey, SessionToken: h.keys.SessionToken, Region: h.keys.Region}
	if strings.HasPrefix(server, "https:") {
		if p.CAFile = h.authorityFile(); !exists(p.CAFile) {
			return p, errors.New("the agent has not proved its server yet")
		}
	}
	return p, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
