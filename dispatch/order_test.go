package dispatch_test

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/protocol/sigv4"
)

// start registers a definition like the recorded task's and starts it on the
// agent's instance.
func (p *player) start(recorded *acs.Task) {
	family := recorded.Containers[0].Name
	p.do("RegisterTaskDefinition", p.definition(family, recorded))
	out := p.do("StartTask", map[string]any{"cluster": "default", "taskDefinition": family, "containerInstances": []string{p.instance}})
	if len(out["tasks"].([]any)) != 1 {
		p.fatal("start %s: %v", family, out["failures"])
	}
	p.names[recorded.ARN] = out["tasks"].([]any)[0].(map[string]any)["taskArn"].(string)
}

func (p *player) definition(family string, recorded *acs.Task) map[string]any {
	var containers []map[string]any
	for i := range recorded.Containers {
		containers = append(containers, p.container(&recorded.Containers[i]))
	}
	def := map[string]any{"family": family, "networkMode": recorded.NetworkMode, "containerDefinitions": containers}
	if c := recorded.RoleCredentials; c != nil {
		def["taskRoleArn"] = c.RoleARN
	}
	if c := recorded.ExecutionRoleCredentials; c != nil {
		def["executionRoleArn"] = c.RoleARN
	}
	var volumes []map[string]any
	for _, v := range recorded.Volumes {
		volumes = append(volumes, map[string]any{"name": v.Name}) // on the host, whatever was recorded
	}
	if volumes != nil {
		def["volumes"] = volumes
	}
	return def
}

func (p *player) container(c *acs.Container) map[string]any {
	out := map[string]any{
		"name": c.Name, "image": c.Image, "essential": c.Essential, "cpu": c.CPU, "memory": c.Memory, "command": c.Command,
		"entryPoint": c.EntryPoint, "portMappings": c.PortMappings, "mountPoints": c.MountPoints, "dependsOn": c.DependsOn,
	}
	var environment, secrets []map[string]any
	for name, value := range c.Environment {
		environment = append(environment, map[string]any{"name": name, "value": value})
	}
	for _, s := range c.Secrets {
		secrets = append(secrets, map[string]any{"name": s.Name, "valueFrom": p.rewrite(s.ValueFrom)})
	}
	out["environment"], out["secrets"] = environment, secrets
	if h := p.health(c); h != nil {
		out["healthCheck"] = h
	}
	for name, v := range out {
		if value := reflect.ValueOf(v); value.Kind() == reflect.Slice && value.Len() == 0 {
			delete(out, name)
		}
	}
	return out
}

// dockerHealth is the health check in the Docker configuration of a payload.
type dockerHealth struct {
	Healthcheck *struct {
		Test                       []string
		Interval, Timeout, Retries int64
	}
}

func (p *player) health(c *acs.Container) map[string]any {
	var docker dockerHealth
	p.read([]byte(c.DockerConfig.Config), &docker)
	h := docker.Healthcheck
	if h == nil {
		return nil
	}
	return map[string]any{"command": h.Test, "interval": h.Interval / 1e9, "timeout": h.Timeout / 1e9, "retries": h.Retries}
}

// compare holds our order against the recorded one: all that the agent was given
// then must be there, and the same where the test asked for the same.
func (p *player) compare(recorded, got *acs.Task) {
	p.t.Helper()
	if got.NetworkMode != recorded.NetworkMode || got.LaunchType != recorded.LaunchType || got.Overrides != "{}" || got.Version == "" ||
		got.TaskClusterARN != p.rewrite(recorded.TaskClusterARN) || got.TaskDefinitionAccountID == "" || len(got.Containers) != len(recorded.Containers) {
		p.fatal("the order is %+v", got)
	}
	for i := range recorded.Containers {
		p.compareContainer(&recorded.Containers[i], &got.Containers[i])
	}
	var volumes, wanted []string
	for _, v := range recorded.Volumes {
		wanted = append(wanted, v.Name)
	}
	for _, v := range got.Volumes {
		volumes = append(volumes, v.Name)
	}
	if !reflect.DeepEqual(volumes, wanted) {
		p.fatal("volumes %v, want %v", volumes, wanted)
	}
}

func (p *player) compareContainer(recorded, got *acs.Container) {
	p.t.Helper()
	want := *recorded
	want.ContainerARN, want.DockerConfig = got.ContainerARN, got.DockerConfig
	want.RegistryAuthentication = nil // comes with an ECR image name, and the recorded one was none
	for i := range want.Secrets {
		want.Secrets[i].ValueFrom, want.Secrets[i].Region = p.rewrite(want.Secrets[i].ValueFrom), p.rewrite(want.Secrets[i].Region)
	}
	a, b := p.text(want), p.text(got)
	if a != b || !strings.Contains(got.ContainerARN, ":container/default/") {
		p.fatal("container\ngot  %s\nwant %s", b, a)
	}
	var was, is struct{ NetworkMode string }
	p.read([]byte(recorded.DockerConfig.HostConfig), &was)
	p.read([]byte(got.DockerConfig.HostConfig), &is)
	if was != is || got.DockerConfig.Version != recorded.DockerConfig.Version {
		p.fatal("docker configuration %+v", got.DockerConfig)
	}
	if a, b := p.text(p.health(recorded)), p.text(p.health(got)); a != b {
		p.fatal("health check %s, want %s", b, a)
	}
}

func (p *player) text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// learnKeys remembers the keys and the credentials id that stand for recorded ones.
func (p *player) learnKeys(recorded, got *acs.RoleCredentials) {
	p.t.Helper()
	if (recorded == nil) != (got == nil) {
		p.fatal("credentials %+v, recorded %+v", got, recorded)
	}
	if recorded == nil {
		return
	}
	if got.RoleARN != recorded.RoleARN || got.Expiration == "" {
		p.fatal("credentials %+v", got)
	}
	p.keys[recorded.AccessKeyID] = sigv4.Keys{ID: got.AccessKeyID, Secret: got.SecretAccessKey, Token: got.SessionToken}
	p.names[recorded.CredentialsID] = got.CredentialsID
}
