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
	"github.com/berthhq/berth/protocol/password"
	"github.com/berthhq/berth/store"
)

// checkPassword holds a password against the account's policy.
func checkPassword(p identity.PasswordPolicy, text string) error {
	lacks := func(set string) bool { return !strings.ContainsAny(text, set) }
	refuse := func(what string) error {
		return fault.New(fault.PasswordPolicyViolation, "Password does not conform to the account password policy.").WithHint("it must have %s", what)
	}
	switch {
	case len([]rune(text)) < p.MinLength:
		return fault.New(fault.PasswordPolicyViolation, "Password should have a minimum length of %d", p.MinLength)
	case p.Symbols && lacks("!@#$%^&*()_+-=[]{}|'"):
		return refuse("a symbol: ! @ # $ % ^ & * ( ) _ + - = [ ] { } | '")
	case p.Numbers && lacks("0123456789"):
		return refuse("a digit")
	case p.Uppercase && lacks("ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
		return refuse("an upper case letter")
	case p.Lowercase && lacks("abcdefghijklmnopqrstuvwxyz"):
		return refuse("a lower case letter")
	}
	return nil
}

// hashed is what is stored of a password that the account's policy allows.
func (a *API) hashed(call *gateway.Call, text string) (string, error) {
	if err := checkPassword(passwords(accountOf(a.store.View(), call)), text); err != nil {
		return "", err
	}
	return password.Hash(text)
}

func noProfile(name string) *fault.Fault {
	return missing("Login Profile for User %s cannot be found.", name)
}

// changeProfileOf changes the login profile of a named user, or of the caller.
func (a *API) changeProfileOf(ctx context.Context, call *gateway.Call, name *string, change func(*identity.UserRecord) error) (*identity.UserRecord, error) {
	var next identity.UserRecord
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := userNamed(tx, call, name)
		if err != nil {
			return err
		}
		if have == nil {
			return fault.New(fault.InvalidUserType, "The root user has no login profile.").WithHint("name a user")
		}
		next = *have
		if err := change(&next); err != nil {
			return err
		}
		store.Users.Put(tx, &next)
		return nil
	})
	return &next, err
}

func showLogin(u *identity.UserRecord) *iam.LoginProfile {
	return &iam.LoginProfile{UserName: &u.Name, CreateDate: at(u.PasswordChangedAt), PasswordResetRequired: &u.ResetPassword}
}

func (a *API) createLoginProfile(ctx context.Context, call *gateway.Call, in *iam.CreateLoginProfileRequest) (*iam.CreateLoginProfileResponse, error) {
	if in.Password == nil {
		return nil, fault.New(fault.Validation, "Password is required.")
	}
	hash, err := a.hashed(call, *in.Password)
	if err != nil {
		return nil, err
	}
	u, err := a.changeProfileOf(ctx, call, in.UserName, func(u *identity.UserRecord) error {
		if u.Password != "" {
			return exists("Login Profile for user %s already exists.", u.Name)
		}
		u.Password, u.PasswordChangedAt, u.ResetPassword = hash, call.Now, member.Value(in.PasswordResetRequired)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateLoginProfileResponse{LoginProfile: showLogin(u)}, nil
}

func (a *API) getLoginProfile(_ context.Context, call *gateway.Call, in *iam.GetLoginProfileRequest) (*iam.GetLoginProfileResponse, error) {
	u, err := userNamed(a.store.View(), call, in.UserName)
	switch {
	case err != nil:
		return nil, err
	case u == nil:
		return nil, noProfile("root")
	case u.Password == "":
		return nil, noProfile(u.Name)
	}
	return &iam.GetLoginProfileResponse{LoginProfile: showLogin(u)}, nil
}

func (a *API) updateLoginProfile(ctx context.Context, call *gateway.Call, in *iam.UpdateLoginProfileRequest) (*wire.Empty, error) {
	hash := ""
	if in.Password != nil {
		var err error
		if hash, err = a.hashed(call, *in.Password); err != nil {
			return nil, err
		}
	}
	_, err := a.changeProfileOf(ctx, call, in.UserName, func(u *identity.UserRecord) error {
		if u.Password == "" {
			return noProfile(u.Name)
		}
		if hash != "" {
			u.Password = hash
		}
		if in.PasswordResetRequired != nil {
			u.ResetPassword = *in.PasswordResetRequired
		}
		return nil
	})
	return &wire.Empty{}, err
}

func (a *API) deleteLoginProfile(ctx context.Context, call *gateway.Call, in *iam.DeleteLoginProfileRequest) (*wire.Empty, error) {
	_, err := a.changeProfileOf(ctx, call, in.UserName, func(u *identity.UserRecord) error {
		if u.Password == "" {
			return noProfile(u.Name)
		}
		u.Password, u.ResetPassword = "", false
		return nil
	})
	return &wire.Empty{}, err
}

func (a *API) changePassword(ctx context.Context, call *gateway.Call, in *iam.ChangePasswordRequest) (*wire.Empty, error) {
	if call.Principal.Kind != identity.User {
		return nil, fault.New(fault.InvalidUserType, "Only IAM Users can change their own password.")
	}
	v := a.store.View()
	u, err := userNamed(v, call, nil)
	if err != nil {
		return nil, err
	}
	if u.Password == "" || !password.Matches(u.Password, *in.OldPassword) {
		return nil, fault.New(fault.AccessDenied, "The old password was incorrect.")
	}
	hash, err := a.hashed(call, *in.NewPassword)
	if err != nil {
		return nil, err
	}
	was := u.Password
	_, err = a.changeProfileOf(ctx, call, nil, func(u *identity.UserRecord) error {
		if u.Password != was {
			return fault.New(fault.AccessDenied, "The old password was incorrect.")
		}
		u.Password, u.ResetPassword = hash, false
		return nil
	})
	return &wire.Empty{}, err
}
