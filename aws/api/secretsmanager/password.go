package secretsmanager

import (
	"context"
	"crypto/rand"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/secretsmanager"
	"github.com/berthhq/berth/domain/secret"
)

// defaultLength is AWS's.
const defaultLength = 32

func getRandomPassword(_ context.Context, _ *gateway.Call, in *shape.GetRandomPasswordRequest) (*shape.GetRandomPasswordResponse, error) {
	p := secret.Password{
		Length: defaultLength, Exclude: member.Value(in.ExcludeCharacters), NoLower: member.Value(in.ExcludeLowercase), NoUpper: member.Value(in.ExcludeUppercase),
		NoDigits: member.Value(in.ExcludeNumbers), NoPunctuation: member.Value(in.ExcludePunctuation), Space: member.Value(in.IncludeSpace),
		EachKind: in.RequireEachIncludedType == nil || *in.RequireEachIncludedType,
	}
	if in.PasswordLength != nil {
		p.Length = int(*in.PasswordLength)
	}
	switch kinds := len(p.Kinds()); {
	case kinds == 0:
		return nil, invalidParameter("You can't exclude all characters from the password.")
	case p.EachKind && kinds > p.Length:
		return nil, invalidParameter("The password length is too short for the required character types.").WithHint("give a PasswordLength of at least %d", kinds)
	}
	made, err := p.Generate(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &shape.GetRandomPasswordResponse{RandomPassword: &made}, nil
}
