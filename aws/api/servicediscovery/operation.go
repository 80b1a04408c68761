package servicediscovery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/api/page"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/servicediscovery"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// tokenLifetime is how long a creator request id is remembered.
const tokenLifetime = 24 * time.Hour

// operate makes an operation of what change does, once for each token: the same
// request again gets the operation of the first. What change says becomes the
// operation's targets. An error that is a failure ends the operation, not the call.
func (a *API) operate(ctx context.Context, call *gateway.Call, kind shape.OperationType, token *string, in any, change func(*store.Tx) (map[string]string, error)) (*string, error) {
	o := &discovery.Operation{
		Scope: call.Scope, ID: text(lower, 32) + "-" + strconv.FormatInt(call.Now.UnixMilli(), 36), Type: string(kind), CreatedAt: call.Now,
	}
	id := o.ID
	_, err := a.store.Update(ctx, func(tx *store.Tx) (err error) {
		before, err := repeated(tx, call, token, in, o.ID)
		if before != "" || err != nil {
			id = before
			return err
		}
		err = tx.Try(func(tx *store.Tx) (err error) {
			o.Targets, err = change(tx)
			return err
		})
		if failed, ok := err.(*failure); ok {
			o.Error, o.Message, err = failed.code, failed.message, nil
		}
		store.DiscoveryOperations.Put(tx, o)
		return err
	})
	return &id, err
}

// failure is why an operation did not succeed.
type failure struct{ code, message string }

func (f *failure) Error() string { return f.code + ": " + f.message }

// repeated is the answer to the request with the token before, empty when there was
// none: the answer given is remembered then.
func repeated(tx *store.Tx, call *gateway.Call, token *string, in any, answer string) (string, error) {
	if member.Value(token) == "" {
		return "", nil
	}
	data, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	t := &store.ClientToken{
		Scope: call.Scope, Operation: "servicediscovery:" + call.Operation, Token: *token, Digest: hex.EncodeToString(sum[:]),
		Resources: []string{answer}, ExpiresAt: call.Now.Add(tokenLifetime),
	}
	have, ok := store.ClientTokens.Get(tx, store.ClientTokenKey(t.Scope, t.Operation, t.Token))
	switch {
	case !ok || !have.ExpiresAt.After(call.Now):
		store.ClientTokens.Put(tx, t)
		return "", nil
	case have.Digest != t.Digest:
		return "", fault.New(fault.MapDuplicateRequest, "The request with the request id %s was made before with other parameters.", *token).
			With("DuplicateOperationId", have.Resources[0])
	}
	return have.Resources[0], nil
}

func (a *API) getOperation(_ context.Context, call *gateway.Call, in *shape.GetOperationRequest) (*shape.GetOperationResponse, error) {
	o, ok := store.DiscoveryOperations.Get(a.store.View(), store.ScopeKey(call.Scope, *in.OperationId))
	if !ok || in.OwnerAccount != nil && *in.OwnerAccount != call.Scope.Account {
		return nil, fault.New(fault.MapOperationNotFound, "Operation not found: %s", *in.OperationId)
	}
	out := &shape.Operation{
		Id: &o.ID, Type: shape.OperationType(o.Type), Status: statusOf(o), CreateDate: &o.CreatedAt, UpdateDate: &o.CreatedAt,
		ErrorCode: member.Present(o.Error), ErrorMessage: member.Present(o.Message), Targets: map[shape.OperationTargetType]string{},
	}
	for kind, id := range o.Targets {
		out.Targets[shape.OperationTargetType(kind)] = id
	}
	return &shape.GetOperationResponse{Operation: out}, nil
}

func statusOf(o *discovery.Operation) shape.OperationStatus {
	if o.Error != "" {
		return shape.OperationStatusFail
	}
	return shape.OperationStatusSuccess
}

func (a *API) listOperations(_ context.Context, call *gateway.Call, in *shape.ListOperationsRequest) (*shape.ListOperationsResponse, error) {
	var all []*discovery.Operation
	for o := range store.DiscoveryOperations.Prefix(a.store.View(), store.ScopeKey(call.Scope, "")) {
		pass, err := passesAll(in.Filters, func(f *shape.OperationFilter) (bool, error) { return operationPasses(f, o) })
		if err != nil {
			return nil, err
		}
		if pass {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(x, y *discovery.Operation) int { return cmp.Compare(operationKey(x), operationKey(y)) })
	list, next, ok := page.Cut(all, in.NextToken, in.MaxResults, maxPage, operationKey, false)
	if !ok {
		return nil, badToken()
	}
	return &shape.ListOperationsResponse{NextToken: next, Operations: member.Each(list, func(o **discovery.Operation) shape.OperationSummary {
		return shape.OperationSummary{Id: &(*o).ID, Status: statusOf(*o)}
	})}, nil
}

// operationKey orders operations by their age.
func operationKey(o *discovery.Operation) string {
	return o.CreatedAt.UTC().Format("2006-01-02T15:04:05.000000000") + o.ID
}

func operationPasses(f *shape.OperationFilter, o *discovery.Operation) (bool, error) {
	switch f.Name {
	case shape.OperationFilterNameNamespaceId:
		return compare(f.Condition, f.Values, o.Targets["NAMESPACE"], shape.FilterConditionEq, shape.FilterConditionIn)
	case shape.OperationFilterNameServiceId:
		return compare(f.Condition, f.Values, o.Targets["SERVICE"], shape.FilterConditionEq, shape.FilterConditionIn)
	case shape.OperationFilterNameStatus:
		return compare(f.Condition, f.Values, string(statusOf(o)), shape.FilterConditionEq, shape.FilterConditionIn)
	case shape.OperationFilterNameType:
		return compare(f.Condition, f.Values, o.Type, shape.FilterConditionEq, shape.FilterConditionIn)
	}
	return between(f, o.CreatedAt)
}

// between reads UPDATE_DATE: two times in seconds or milliseconds since 1970.
func between(f *shape.OperationFilter, at time.Time) (bool, error) {
	if f.Condition != shape.FilterConditionBetween || len(f.Values) != 2 {
		return false, invalid("The filter UPDATE_DATE needs the condition BETWEEN and two values.")
	}
	from, errFrom := unix(f.Values[0])
	to, errTo := unix(f.Values[1])
	if errFrom != nil || errTo != nil {
		return false, invalid("The values of the filter UPDATE_DATE must be times in seconds since 1970.")
	}
	return !at.Before(from) && !at.After(to), nil
}

// farSeconds is past the year 5000 in seconds: what is larger is in milliseconds.
const farSeconds = 1e11

func unix(text string) (time.Time, error) {
	n, err := strconv.ParseFloat(text, 64)
	if n > farSeconds {
		n /= 1000
	}
	return time.UnixMilli(int64(n * 1000)), err
}
