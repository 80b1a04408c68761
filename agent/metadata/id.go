package metadata

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// ID is the metadata id of a container: 128 bits that nobody can guess without
// the agent's secret, and the same after a restart.
func ID(secret []byte, arn, container string) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(arn + "\x00" + container))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Loopback are the addresses where host mode tasks find us, when the network
// cannot lead them from 169.254.170.2 to us. The zero value means it can.
type Loopback struct {
	Tasks    netip.AddrPort
	Endpoint netip.AddrPort
}

// Environment are the variables a container is started with, to find its
// metadata, credentials and berth's API. Those the task definition or, for the
// two regions, the image sets itself win. apiPort is Endpoint's; 0 for none.
func Environment(o *task.Order, id string, apiPort int, host Loopback) map[string]string {
	tasks := "http://" + network.CredentialsAddress
	api := tasks + ":" + strconv.Itoa(apiPort)
	onHost := o.NetworkMode == workload.Host && host.Tasks.IsValid()
	if onHost {
		tasks, api = "http://"+host.Tasks.String(), "http://"+host.Endpoint.String()
	}
	env := map[string]string{
		"ECS_CONTAINER_METADATA_URI":    fmt.Sprintf("%s/v3/%s", tasks, id),
		"ECS_CONTAINER_METADATA_URI_V4": fmt.Sprintf("%s/v4/%s", tasks, id),
		"ECS_AGENT_URI":                 fmt.Sprintf("%s/api/%s", tasks, id),
		"AWS_DEFAULT_REGION":            o.Region,
		"AWS_REGION":                    o.Region,
		"AWS_EXECUTION_ENV":             "AWS_ECS_" + string(launchType(o)),
	}
	if apiPort != 0 {
		env["AWS_ENDPOINT_URL"] = api
	}
	if o.TaskRole != nil && onHost {
		env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = tasks + credentialsPath + o.TaskRole.ID
	} else if o.TaskRole != nil {
		env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = credentialsPath + o.TaskRole.ID
	}
	return env
}

const credentialsPath = "/v2/credentials/"

func launchType(o *task.Order) workload.LaunchType {
	if o.LaunchType == "" {
		return workload.EC2
	}
	return o.LaunchType
}

func itoa(n int) string { return strconv.Itoa(n) }
