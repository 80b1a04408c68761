package ssm

import (
	"context"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

// defaultKey seals SecureStrings that name no key.
const defaultKey = secret.ManagedPrefix + "ssm"

func (a *API) putParameter(ctx context.Context, call *gateway.Call, in *shape.PutParameterRequest) (*shape.PutParameterResult, error) {
	if err := secret.CheckParameterName(*in.Name); err != nil {
		return nil, err
	}
	if member.Value(in.Overwrite) && len(in.Tags) > 0 {
		return nil, invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	}
	var e *secret.Edition
	_, err := a.store.Update(ctx, func(tx *store.Tx) (err error) {
		e, err = a.put(tx, call, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shape.PutParameterResult{Version: &e.Version, Tier: shape.ParameterTier(e.Tier)}, nil
}

func (a *API) put(tx *store.Tx, call *gateway.Call, in *shape.PutParameterRequest) (*secret.Edition, error) {
	p, last, err := a.toWrite(tx, call, in)
	if err != nil {
		return nil, err
	}
	e, err := draft(call, in, last)
	if err != nil {
		return nil, err
	}
	p.Latest++
	e.Version = p.Latest
	if p.Oldest == 0 {
		p.Oldest = e.Version
	}
	if err := a.seal(tx, p, e, *in.Value, call.Now); err != nil {
		return nil, err
	}
	if err := trim(tx, p); err != nil {
		return nil, err
	}
	store.Parameters.Put(tx, p)
	store.Editions.Put(tx, e)
	return e, nil
}

// toWrite is a copy of the parameter and its newest version, or a new one and nil.
func (a *API) toWrite(tx *store.Tx, call *gateway.Call, in *shape.PutParameterRequest) (*secret.Parameter, *secret.Edition, error) {
	have, ok := store.Parameters.Get(tx, store.ScopeKey(call.Scope, *in.Name))
	if ok {
		last, whole := edition(tx, have, have.Latest)
		if whole && !last.Expired(call.Now) {
			if !member.Value(in.Overwrite) {
				return nil, nil, fault.New(fault.ParameterAlreadyExists, "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
			}
			return new(*have), last, nil
		}
		store.DeleteParameter(tx, have)
	}
	tags, err := withTags(nil, member.Each(in.Tags, readTag))
	if err != nil {
		return nil, nil, err
	}
	return &secret.Parameter{Scope: call.Scope, Name: *in.Name, ARN: secret.ParameterARN(call.Scope, *in.Name), Tags: tags}, nil, nil
}

// draft is the edition that a request asks for, without number and value. last is
// nil for a new parameter.
func draft(call *gateway.Call, in *shape.PutParameterRequest, last *secret.Edition) (*secret.Edition, error) {
	e := &secret.Edition{
		Scope: call.Scope, Name: *in.Name, Type: secret.ParameterType(in.Type), Description: member.Value(in.Description),
		AllowedPattern: member.Value(in.AllowedPattern), DataType: member.Value(in.DataType), ChangedAt: call.Now, ChangedBy: call.Principal.ARN,
	}
	if e.DataType == "" {
		e.DataType = secret.Text
	}
	var had secret.Tier
	switch {
	case last == nil && e.Type == "":
		return nil, invalid("A parameter type is required when you create a parameter.")
	case last != nil && e.Type == "":
		e.Type = last.Type
	case last != nil && e.Type != last.Type:
		return nil, fault.New(fault.HierarchyTypeMismatch, "Parameter Store doesn't support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.")
	}
	if last != nil {
		had = last.Tier
	}
	if in.KeyId != nil && e.Type != secret.SecureString {
		return nil, invalid("KeyId is required for SecureString type parameter only.")
	}
	var err error
	if e.Tier, err = secret.Settle(secret.Tier(in.Tier), had, len(*in.Value), in.Policies != nil); err != nil {
		return nil, err
	}
	if err := secret.CheckValue(*in.Value, e.Tier, e.AllowedPattern, e.DataType); err != nil {
		return nil, err
	}
	e.Policies, err = secret.ReadPolicies(member.Value(in.Policies), e.Tier)
	if err == nil && e.Expired(call.Now) {
		err = fault.New(fault.InvalidPolicyAttribute, "A policy attribute or its value is invalid.").WithHint("the Timestamp of an Expiration must be in the future")
	}
	e.Key = member.Value(in.KeyId)
	return e, err
}

// seal puts the value into an edition.
func (a *API) seal(tx *store.Tx, p *secret.Parameter, e *secret.Edition, value string, now time.Time) error {
	if e.Type != secret.SecureString {
		e.Value = value
		return nil
	}
	k, err := a.keyOf(tx, e, now)
	if err != nil {
		return err
	}
	e.KeyARN = k.ARN
	e.Sealed, err = a.vault.Seal(k, []byte(value), e.SealedWith(p.ARN))
	return err
}

func (a *API) keyOf(tx *store.Tx, e *secret.Edition, now time.Time) (*secret.Key, error) {
	if e.Key == "" || e.Key == defaultKey {
		e.Key = defaultKey
		return a.vault.Managed(tx, e.Scope, "ssm", now)
	}
	k, ok := store.FindCryptKey(tx, e.Scope, e.Key)
	if !ok {
		return nil, fault.New(fault.InvalidKeyID, "Invalid keyId %s", e.Key).WithHint("aws kms list-aliases shows the keys there are")
	}
	return k, usable(k)
}

// usable says of a key in the Parameter Store's words what KMS would.
func usable(k *secret.Key) error {
	if err := k.Usable(); err != nil {
		f := fault.Of(err)
		return fault.New(fault.InvalidKeyID, "%s (Service: AWSKMS; Status Code: 400; Error Code: %s)", f.Message, f.Kind).WithHint("%s", f.Hint)
	}
	return nil
}

// open is the value of an edition, decrypted if wanted.
func (a *API) open(r store.Reader, p *secret.Parameter, e *secret.Edition, decrypt bool) (string, error) {
	switch {
	case e.Type != secret.SecureString:
		return e.Value, nil
	case !decrypt:
		return showSealed(e.Sealed), nil
	}
	k, ok := store.FindCryptKey(r, e.Scope, e.KeyARN)
	if !ok {
		return "", fault.New(fault.InvalidKeyID, "Key '%s' does not exist", e.KeyARN).WithHint("it was deleted: the value is lost, put a new one")
	}
	if err := usable(k); err != nil {
		return "", err
	}
	plain, err := a.vault.Open(k, e.Sealed, e.SealedWith(p.ARN))
	return string(plain), err
}

// trim makes room for one more version: the oldest goes, unless it has a label.
func trim(tx *store.Tx, p *secret.Parameter) error {
	for p.Latest-p.Oldest >= secret.MaxEditions {
		oldest, ok := edition(tx, p, p.Oldest)
		if ok && len(oldest.Labels) > 0 {
			return fault.New(fault.ParameterMaxVersionLimit, "You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.", p.Name, p.Oldest)
		}
		store.Editions.Delete(tx, store.EditionKey(p.Scope, p.Name, p.Oldest))
		p.Oldest++
	}
	return nil
}

func (a *API) deleteParameter(ctx context.Context, call *gateway.Call, in *shape.DeleteParameterRequest) (*shape.DeleteParameterResult, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		p, err := find(tx, call, *in.Name)
		if err != nil {
			return err
		}
		store.DeleteParameter(tx, p)
		return nil
	})
	return &shape.DeleteParameterResult{}, err
}

func (a *API) deleteParameters(ctx context.Context, call *gateway.Call, in *shape.DeleteParametersRequest) (*shape.DeleteParametersResult, error) {
	out := &shape.DeleteParametersResult{}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		out.DeletedParameters, out.InvalidParameters = []string{}, []string{}
		for _, name := range in.Names {
			p, err := find(tx, call, name)
			if err != nil {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			store.DeleteParameter(tx, p)
			out.DeletedParameters = append(out.DeletedParameters, name)
		}
		return nil
	})
	return out, err
}
