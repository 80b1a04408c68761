package acm

import (
	"maps"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/store"
)

// keys are condition keys.
type keys = map[string][]string

// Needs says by operation what a call must be allowed to do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html
func (a *API) Needs() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"ImportCertificate":   gateway.NeedsOf(a.needsOfImport),
		"RequestCertificate":  gateway.NeedsOf(a.needsOfRequest),
		"DescribeCertificate": needsOn(a, func(in *shape.DescribeCertificateRequest) (*string, keys) { return in.CertificateArn, nil }),
		"GetCertificate":      needsOn(a, func(in *shape.GetCertificateRequest) (*string, keys) { return in.CertificateArn, nil }),
		"DeleteCertificate":   needsOn(a, func(in *shape.DeleteCertificateRequest) (*string, keys) { return in.CertificateArn, nil }),
		"ExportCertificate":   needsOn(a, func(in *shape.ExportCertificateRequest) (*string, keys) { return in.CertificateArn, nil }),
		"RenewCertificate":    needsOn(a, func(in *shape.RenewCertificateRequest) (*string, keys) { return in.CertificateArn, nil }),
		"AddTagsToCertificate": needsOn(a, func(in *shape.AddTagsToCertificateRequest) (*string, keys) {
			return in.CertificateArn, tagKeys(in.Tags)
		}),
		"RemoveTagsFromCertificate": needsOn(a, func(in *shape.RemoveTagsFromCertificateRequest) (*string, keys) {
			return in.CertificateArn, keys{"aws:TagKeys": tagKeys(in.Tags)["aws:TagKeys"]}
		}),
		"ListTagsForCertificate": needsOn(a, func(in *shape.ListTagsForCertificateRequest) (*string, keys) { return in.CertificateArn, nil }),
		"ResendValidationEmail":  needsOn(a, func(in *shape.ResendValidationEmailRequest) (*string, keys) { return in.CertificateArn, nil }),
		"UpdateCertificateOptions": needsOn(a, func(in *shape.UpdateCertificateOptionsRequest) (*string, keys) {
			return in.CertificateArn, nil
		}),
	}
}

// needsOn is the operation's own action on the certificate.
func needsOn[In any](a *API, of func(*In) (*string, keys)) gateway.Needs {
	return gateway.NeedsOf(func(_ *gateway.Call, in *In) []gateway.Need {
		name, more := of(in)
		return []gateway.Need{a.need(*name, more)}
	})
}

func (a *API) need(name string, more keys) gateway.Need {
	all := keys{}
	maps.Copy(all, more)
	if c, ok := store.Certificates.Get(a.store.View(), name); ok {
		for _, t := range c.Tags {
			all["aws:ResourceTag/"+t.Key] = []string{t.Value}
		}
	}
	return gateway.Need{Resources: []string{name}, Keys: all}
}

// anyCertificate stands for the ARN that is not made yet.
func anyCertificate(call *gateway.Call) []string {
	return []string{call.Scope.Of("acm", "certificate/*")}
}

func (a *API) needsOfImport(call *gateway.Call, in *shape.ImportCertificateRequest) []gateway.Need {
	if in.CertificateArn != nil {
		return []gateway.Need{a.need(*in.CertificateArn, nil)}
	}
	return tagged(gateway.Need{Resources: anyCertificate(call), Keys: tagKeys(in.Tags)}, in.Tags)
}

// needsOfRequest has no resource: AWS lists none for it.
func (a *API) needsOfRequest(call *gateway.Call, in *shape.RequestCertificateRequest) []gateway.Need {
	all := tagKeys(in.Tags)
	all["acm:DomainNames"] = append([]string{member.Value(in.DomainName)}, in.SubjectAlternativeNames...)
	all["acm:ValidationMethod"] = []string{string(or(in.ValidationMethod, shape.ValidationMethodEmail))}
	all["acm:KeyAlgorithm"] = []string{string(or(in.KeyAlgorithm, shape.KeyAlgorithmRsa2048))}
	options := member.Value(in.Options)
	all["acm:CertificateTransparencyLogging"] = []string{string(or(options.CertificateTransparencyLoggingPreference, shape.CertificateTransparencyLoggingPreferenceEnabled))}
	all["acm:Export"] = []string{string(or(options.Export, shape.CertificateExportDisabled))}
	needs := tagged(gateway.Need{Keys: all}, in.Tags)
	if len(needs) > 1 {
		needs[1].Resources = anyCertificate(call)
	}
	return needs
}

// tagged adds the right to set tags where there are any.
func tagged(need gateway.Need, tags []shape.Tag) []gateway.Need {
	if len(tags) == 0 {
		return []gateway.Need{need}
	}
	return []gateway.Need{need, {Action: "acm:AddTagsToCertificate", Resources: need.Resources, Keys: need.Keys}}
}

func tagKeys(tags []shape.Tag) keys {
	all := keys{}
	for _, t := range tags {
		all["aws:RequestTag/"+member.Value(t.Key)] = []string{member.Value(t.Value)}
		all["aws:TagKeys"] = append(all["aws:TagKeys"], member.Value(t.Key))
	}
	return all
}
