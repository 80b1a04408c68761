package ec2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

type empty = wire.Empty

// read makes a handler of a function of the state.
func read[In, Out any](a *API, fn func(*store.View, *gateway.Call, *In) (*Out, error)) gateway.Handler {
	return gateway.Handle(func(ctx context.Context, call *gateway.Call, in *In) (*Out, error) {
		v, err := a.view(ctx, call.Scope)
		if err != nil {
			return nil, err
		}
		return fn(v, call, in)
	})
}

// change makes a handler of a function within one transaction. With a client token
// that was used before it gives the same answer again.
func change[In, Out any](a *API, fn func(*store.Tx, *gateway.Call, *In) (*Out, error)) gateway.Handler {
	return gateway.Handle(func(ctx context.Context, call *gateway.Call, in *In) (out *Out, err error) {
		if _, err := a.view(ctx, call.Scope); err != nil {
			return nil, err
		}
		_, err = a.store.Update(ctx, func(tx *store.Tx) error {
			out, err = repeatable(tx, call, in, func() (*Out, error) { return fn(tx, call, in) })
			return err
		})
		return out, err
	})
}

// tokenLifetime is how long EC2 remembers a client token, at the least.
const tokenLifetime = 24 * time.Hour

func repeatable[Out any](tx *store.Tx, call *gateway.Call, in any, fn func() (*Out, error)) (*Out, error) {
	token := member[*string](in, "ClientToken")
	if token == nil || *token == "" {
		return fn()
	}
	parameters, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(parameters)
	digest := hex.EncodeToString(sum[:])
	if have, ok := store.ClientTokens.Get(tx, store.ClientTokenKey(call.Scope, call.Operation, *token)); ok && have.ExpiresAt.After(call.Now) {
		if have.Digest != digest {
			return nil, fault.New(fault.InvalidClientToken, "The client token '%s' has already been used with different parameters.", *token)
		}
		out := new(Out)
		return out, json.Unmarshal(have.Answer, out)
	}
	out, err := fn()
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	store.ClientTokens.Put(tx, &store.ClientToken{
		Scope: call.Scope, Operation: call.Operation, Token: *token, Digest: digest, Answer: answer, ExpiresAt: call.Now.Add(tokenLifetime),
	})
	return out, nil
}

// dry answers requests that only ask whether they were allowed: those that come this
// far are.
func dry(h gateway.Handler) gateway.Handler {
	return func(ctx context.Context, call *gateway.Call, in any) (any, error) {
		if ask := member[*bool](in, "DryRun"); isTrue(ask) {
			return nil, fault.New(fault.DryRunOperation, "Request would have succeeded, but DryRun flag is set.")
		}
		return h(ctx, call, in)
	}
}

// member is a member of a request that many have; zero for those that have not.
func member[T any](in any, name string) (value T) {
	if f := reflect.ValueOf(in).Elem().FieldByName(name); f.IsValid() {
		value, _ = f.Interface().(T)
	}
	return value
}

// find gets a record by id, or refuses as AWS does.
func find[T any](k *kind[T], table *store.Table[T], r store.Reader, scope arn.Scope, id *string) (*T, error) {
	if id == nil || *id == "" {
		return nil, fault.New(fault.MissingParameter, "The request must contain the parameter %sId", k.noun)
	}
	record, ok := table.Get(r, network.Key(scope, *id))
	if !ok {
		return nil, fault.New(k.missing, "The %s ID '%s' does not exist", k.noun, *id)
	}
	return record, nil
}

func findVPC(r store.Reader, scope arn.Scope, id *string) (*network.VPC, error) {
	return find(&vpcKind, store.VPCs, r, scope, id)
}

func findSubnet(r store.Reader, scope arn.Scope, id *string) (*network.Subnet, error) {
	return find(&subnetKind, store.Subnets, r, scope, id)
}

func newID(prefix string) string { return lease.NewID(prefix) }

func isTrue(b *bool) bool { return b != nil && *b }

// setTo stores a flag that a request may leave as it is.
func setTo(field *bool, asked *bool) {
	if asked != nil {
		*field = *asked
	}
}

func inUse(format string, args ...any) error {
	return fault.New(fault.DependencyViolation, format, args...)
}

func invalid(format string, args ...any) *fault.Fault {
	return fault.New(fault.InvalidParameterValue, format, args...)
}

// unsupported refuses members of requests that berth has nothing for.
func unsupported(what string, asked ...bool) error {
	for _, a := range asked {
		if a {
			return fault.New(fault.UnsupportedOperation, "%s is not supported.", what)
		}
	}
	return nil
}
