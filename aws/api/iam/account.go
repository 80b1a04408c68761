package iam

import (
	"context"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

func accountOf(r store.Reader, call *gateway.Call) identity.Account {
	if have, ok := store.Accounts.Get(r, call.Scope.Account); ok {
		return *have
	}
	return identity.Account{ID: call.Scope.Account}
}

func passwords(account identity.Account) identity.PasswordPolicy {
	if account.Passwords == nil {
		return identity.DefaultPasswordPolicy()
	}
	return *account.Passwords
}

func (a *API) changeAccount(ctx context.Context, call *gateway.Call, change func(*store.Tx, *identity.Account) error) (*wire.Empty, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		next := accountOf(tx, call)
		if err := change(tx, &next); err != nil {
			return err
		}
		store.Accounts.Put(tx, &next)
		return nil
	})
	return &wire.Empty{}, err
}

// aliasPattern is what the model says; its regular expressions look ahead, which
// Go's do not.
const aliasPattern = "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"

func checkAlias(alias string) error {
	bad := strings.ContainsFunc(alias, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
	if !bad && !strings.Contains(alias, "--") && !strings.HasPrefix(alias, "-") && !strings.HasSuffix(alias, "-") {
		return nil
	}
	return fault.New(fault.Validation, "1 validation error detected: Value '%s' at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", alias, aliasPattern)
}

// createAccountAlias gives the account a name; a new one takes the place of another.
func (a *API) createAccountAlias(ctx context.Context, call *gateway.Call, in *iam.CreateAccountAliasRequest) (*wire.Empty, error) {
	if err := checkAlias(*in.AccountAlias); err != nil {
		return nil, err
	}
	return a.changeAccount(ctx, call, func(tx *store.Tx, account *identity.Account) error {
		for other := range store.Accounts.All(tx) {
			if other.Alias == *in.AccountAlias {
				return exists("The account alias %s already exists.", *in.AccountAlias)
			}
		}
		account.Alias = *in.AccountAlias
		return nil
	})
}

func (a *API) deleteAccountAlias(ctx context.Context, call *gateway.Call, in *iam.DeleteAccountAliasRequest) (*wire.Empty, error) {
	return a.changeAccount(ctx, call, func(_ *store.Tx, account *identity.Account) error {
		if account.Alias != *in.AccountAlias {
			return missing("The account alias with name %s cannot be found.", *in.AccountAlias)
		}
		account.Alias = ""
		return nil
	})
}

func (a *API) listAccountAliases(_ context.Context, call *gateway.Call, _ *iam.ListAccountAliasesRequest) (*iam.ListAccountAliasesResponse, error) {
	out := &iam.ListAccountAliasesResponse{AccountAliases: []string{}, IsTruncated: new(false)}
	if alias := accountOf(a.store.View(), call).Alias; alias != "" {
		out.AccountAliases = append(out.AccountAliases, alias)
	}
	return out, nil
}

// updateAccountPasswordPolicy replaces all of it: what is not said is the default.
func (a *API) updateAccountPasswordPolicy(ctx context.Context, call *gateway.Call, in *iam.UpdateAccountPasswordPolicyRequest) (*wire.Empty, error) {
	p := &identity.PasswordPolicy{
		MinLength: 6, Symbols: member.Value(in.RequireSymbols), Numbers: member.Value(in.RequireNumbers), Uppercase: member.Value(in.RequireUppercaseCharacters),
		Lowercase: member.Value(in.RequireLowercaseCharacters), Changeable: member.Value(in.AllowUsersToChangePassword), MaxAge: int(member.Value(in.MaxPasswordAge)),
		Reuse: int(member.Value(in.PasswordReusePrevention)), HardExpired: member.Value(in.HardExpiry),
	}
	if in.MinimumPasswordLength != nil {
		p.MinLength = int(*in.MinimumPasswordLength)
	}
	return a.changeAccount(ctx, call, func(_ *store.Tx, account *identity.Account) error {
		account.Passwords = p
		return nil
	})
}

func noPasswordPolicy(account string) error {
	return missing("The Password Policy with domain name %s cannot be found.", account)
}

func (a *API) getAccountPasswordPolicy(_ context.Context, call *gateway.Call, _ *wire.Empty) (*iam.GetAccountPasswordPolicyResponse, error) {
	p := accountOf(a.store.View(), call).Passwords
	if p == nil {
		return nil, noPasswordPolicy(call.Scope.Account)
	}
	out := &iam.PasswordPolicy{
		MinimumPasswordLength: new(int32(p.MinLength)), RequireSymbols: &p.Symbols, RequireNumbers: &p.Numbers, RequireUppercaseCharacters: &p.Uppercase,
		RequireLowercaseCharacters: &p.Lowercase, AllowUsersToChangePassword: &p.Changeable, ExpirePasswords: new(p.MaxAge > 0),
	}
	if p.MaxAge > 0 {
		out.MaxPasswordAge, out.HardExpiry = new(int32(p.MaxAge)), &p.HardExpired
	}
	if p.Reuse > 0 {
		out.PasswordReusePrevention = new(int32(p.Reuse))
	}
	return &iam.GetAccountPasswordPolicyResponse{PasswordPolicy: out}, nil
}

func (a *API) deleteAccountPasswordPolicy(ctx context.Context, call *gateway.Call, _ *wire.Empty) (*wire.Empty, error) {
	return a.changeAccount(ctx, call, func(_ *store.Tx, account *identity.Account) error {
		if account.Passwords == nil {
			return noPasswordPolicy(account.ID)
		}
		account.Passwords = nil
		return nil
	})
}

func (a *API) getAccountSummary(_ context.Context, call *gateway.Call, _ *wire.Empty) (*iam.GetAccountSummaryResponse, error) {
	v, prefix := a.store.View(), store.NameKey(call.Scope.Account, "")
	versions, policies, rootKeys := 0, 0, 0
	for p := range policiesOf(v, call.Scope.Account) {
		versions, policies = versions+len(p.Versions), policies+1
	}
	if len(longTerm(v, call.Scope.Account)) > 0 {
		rootKeys = 1
	}
	have := map[iam.SummaryKeyType]int{
		"Users": count(store.Users.Prefix(v, prefix)), "UsersQuota": maxUsers, "Groups": count(store.Groups.Prefix(v, prefix)), "GroupsQuota": maxGroups,
		"Roles": count(store.Roles.Prefix(v, prefix)), "RolesQuota": maxRoles, "Policies": policies, "PoliciesQuota": maxPolicies,
		"InstanceProfiles": count(store.InstanceProfiles.Prefix(v, prefix)), "InstanceProfilesQuota": maxProfiles,
		"PolicyVersionsInUse": versions, "PolicyVersionsInUseQuota": 10000, "VersionsPerPolicyQuota": maxVersions, "PolicySizeQuota": maxManaged,
		"UserPolicySizeQuota": 2048, "GroupPolicySizeQuota": 5120, "RolePolicySizeQuota": 10240, "AssumeRolePolicySizeQuota": maxTrust,
		"GroupsPerUserQuota": maxMemberships, "AccessKeysPerUserQuota": maxKeys, "AttachedPoliciesPerUserQuota": maxAttached,
		"AttachedPoliciesPerGroupQuota": maxAttached, "AttachedPoliciesPerRoleQuota": maxAttached, "SigningCertificatesPerUserQuota": 2,
		"ServerCertificates": 0, "ServerCertificatesQuota": 20, "Providers": 0, "MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0,
		"AccountAccessKeysPresent": rootKeys, "AccountPasswordPresent": 0, "AccountSigningCertificatesPresent": 0, "GlobalEndpointTokenVersion": 1,
	}
	out := &iam.GetAccountSummaryResponse{SummaryMap: make(map[iam.SummaryKeyType]int32, len(have))}
	for key, n := range have {
		out.SummaryMap[key] = int32(n)
	}
	return out, nil
}
