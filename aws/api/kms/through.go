package kms

import (
	"maps"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/store"
)

// Use is how another service uses a key for its caller.
type Use struct {
	Service string    // "ssm"
	Scope   arn.Scope // where the key's name is looked up
	Key     string
	Context map[string]string
	Actions []string
}

// Needs are what the caller needs of the key: nothing of one that AWS manages.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (u Use) Needs(r store.Reader, call *gateway.Call) (needs []gateway.Need) {
	k, ok := store.FindCryptKey(r, u.Scope, u.Key)
	if !ok || k.Managed {
		return nil
	}
	all := keys{
		"kms:ViaService": {u.Service + "." + call.Scope.Region + ".amazonaws.com"}, "kms:CallerAccount": {call.Scope.Account},
		"kms:EncryptionContextKeys": slices.Sorted(maps.Keys(u.Context)),
	}
	for name, value := range u.Context {
		all["kms:EncryptionContext:"+name] = []string{value}
	}
	describe(all, r, k)
	for _, action := range u.Actions {
		needs = append(needs, gateway.Need{Action: action, Resources: []string{k.ARN}, Keys: all})
	}
	return needs
}
