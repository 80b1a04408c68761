// Package secret fetches what a task's containers are told in confidence: secrets
// from Secrets Manager and the parameter store, secret options of their log
// drivers, user names and passwords for registries, and environment files.
//
// All of it is fetched with the keys of the task's execution role, never with the
// machine's, and kept in memory only.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
package secret

import (
	"context"
	"errors"
	"fmt"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/sigv4"
)

// Fetcher fetches values. It is safe for concurrent use.
type Fetcher struct {
	API *client.Client // of berth's server; its keys are not used
	// Patience bounds how long a server that cannot be reached is asked again; a
	// minute when nil, for it may be starting.
	Patience *Patience
}

// Values are what the containers of one task are told, by the container's name. A
// container that asks for nothing has none.
type Values map[string]Container

// Container is what one container is told.
type Container struct {
	Environment map[string]string // of its environment files
	Secrets     map[string]string // by the name of the variable
	LogOptions  map[string]string
	Login       *Login // nil without repository credentials
}

// Wanted tells whether a task asks for any values.
func Wanted(o *task.Order) bool {
	for i := range o.Containers {
		if wanted(&o.Containers[i]) {
			return true
		}
	}
	return false
}

func wanted(c *task.OrderContainer) bool {
	return len(c.Secrets) > 0 || len(c.EnvironmentFiles) > 0 || c.RepositoryCredentials != "" || c.Log != nil && len(c.Log.SecretOptions) > 0
}

// Fetch fetches all that the task asks for. Its errors are in AWS's words.
func (f *Fetcher) Fetch(ctx context.Context, o *task.Order) (Values, error) {
	if !Wanted(o) {
		return nil, nil
	}
	as, err := f.roleOf(o)
	if err != nil {
		return nil, err
	}
	found, err := as.all(ctx, secretsOf(o))
	if err != nil {
		return nil, err
	}
	out := Values{}
	for i := range o.Containers {
		c := &o.Containers[i]
		if !wanted(c) {
			continue
		}
		told := Container{Secrets: named(c.Secrets, found)}
		if c.Log != nil {
			told.LogOptions = named(c.Log.SecretOptions, found)
		}
		if told.Login, err = as.login(ctx, c.RepositoryCredentials); err != nil {
			return nil, err
		}
		if told.Environment, err = as.environment(ctx, c.EnvironmentFiles); err != nil {
			return nil, err
		}
		out[c.Name] = told
	}
	return out, nil
}

// Secrets fetches the secrets of one container as they are now.
func (f *Fetcher) Secrets(ctx context.Context, o *task.Order, c *task.OrderContainer) (map[string]string, error) {
	as, err := f.roleOf(o)
	if err != nil {
		return nil, err
	}
	found, err := as.all(ctx, c.Secrets)
	return named(c.Secrets, found), err
}

// role speaks for a task's execution role.
type role struct {
	api      *client.Client
	keys     sigv4.Keys
	region   string // the task's, where a reference names none
	patience Patience
}

var errNoRole = errors.New("unable to pull secrets or registry auth: The task has no execution role: specify an executionRoleArn in its task definition")

func (f *Fetcher) roleOf(o *task.Order) (*role, error) {
	if o.ExecutionRole == nil {
		return nil, errNoRole
	}
	r := &role{api: f.API, region: o.Region, patience: usualPatience,
		keys: sigv4.Keys{ID: o.ExecutionRole.AccessKeyID, Secret: o.ExecutionRole.SecretAccessKey, Token: o.ExecutionRole.SessionToken}}
	if f.Patience != nil {
		r.patience = *f.Patience
	}
	return r, nil
}

func (r *role) in(region string) *client.Client { return r.api.As(r.keys, region) }

// secretsOf lists every secret that the task names.
func secretsOf(o *task.Order) []workload.Secret {
	var out []workload.Secret
	for i := range o.Containers {
		out = append(out, o.Containers[i].Secrets...)
		if l := o.Containers[i].Log; l != nil {
			out = append(out, l.SecretOptions...)
		}
	}
	return out
}

// all fetches secrets, each once. The result is by what the secrets say they come
// from.
func (r *role) all(ctx context.Context, secrets []workload.Secret) (map[string]string, error) {
	found, parameters := map[string]string{}, map[string][]string{}
	for _, s := range secrets {
		if _, known := found[s.ValueFrom]; known {
			continue
		}
		found[s.ValueFrom] = "" // until it is fetched
		if !inSecretsManager(s.ValueFrom) {
			region := regionOf(s.ValueFrom, r.region)
			parameters[region] = append(parameters[region], s.ValueFrom)
			continue
		}
		value, err := r.secret(ctx, s.ValueFrom)
		if err != nil {
			return nil, pulling("unable to retrieve secret from asm", err)
		}
		found[s.ValueFrom] = value
	}
	for region, names := range parameters {
		if err := r.parameters(ctx, region, names, found); err != nil {
			return nil, pulling("unable to retrieve secrets from ssm", err)
		}
	}
	return found, nil
}

func pulling(what string, err error) error {
	return fmt.Errorf("unable to pull secrets or registry auth: execution resource retrieval failed: %s: %w", what, err)
}

// named gives the values the names that the secrets have in a container.
func named(secrets []workload.Secret, found map[string]string) map[string]string {
	out := make(map[string]string, len(secrets))
	for _, s := range secrets {
		out[s.Name] = found[s.ValueFrom]
	}
	return out
}
