package iam

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
)

// What berth has none of, and nobody can make: MFA devices, SSH keys, certificates,
// credentials of single services, identity providers. Lists are empty, which is the
// truth, and there is nothing to delete. Clients ask for all of them before they
// delete a user.

// known refuses to list things of a user who is not there.
func (a *API) known(call *gateway.Call, name *string) error {
	_, err := userNamed(a.store.View(), call, name)
	return err
}

func (a *API) listMFADevices(_ context.Context, call *gateway.Call, in *iam.ListMFADevicesRequest) (*iam.ListMFADevicesResponse, error) {
	return &iam.ListMFADevicesResponse{MFADevices: []iam.MFADevice{}, IsTruncated: new(false)}, a.known(call, in.UserName)
}

func (a *API) listVirtualMFADevices(context.Context, *gateway.Call, *iam.ListVirtualMFADevicesRequest) (*iam.ListVirtualMFADevicesResponse, error) {
	return &iam.ListVirtualMFADevicesResponse{VirtualMFADevices: []iam.VirtualMFADevice{}, IsTruncated: new(false)}, nil
}

func (a *API) listSSHPublicKeys(_ context.Context, call *gateway.Call, in *iam.ListSSHPublicKeysRequest) (*iam.ListSSHPublicKeysResponse, error) {
	return &iam.ListSSHPublicKeysResponse{SSHPublicKeys: []iam.SSHPublicKeyMetadata{}, IsTruncated: new(false)}, a.known(call, in.UserName)
}

func (a *API) listSigningCertificates(_ context.Context, call *gateway.Call, in *iam.ListSigningCertificatesRequest) (*iam.ListSigningCertificatesResponse, error) {
	return &iam.ListSigningCertificatesResponse{Certificates: []iam.SigningCertificate{}, IsTruncated: new(false)}, a.known(call, in.UserName)
}

func (a *API) listServiceSpecificCredentials(_ context.Context, call *gateway.Call, in *iam.ListServiceSpecificCredentialsRequest) (*iam.ListServiceSpecificCredentialsResponse, error) {
	out := &iam.ListServiceSpecificCredentialsResponse{ServiceSpecificCredentials: []iam.ServiceSpecificCredentialMetadata{}}
	if member.Value(in.AllUsers) {
		return out, nil
	}
	return out, a.known(call, in.UserName)
}

func (a *API) listServerCertificates(context.Context, *gateway.Call, *iam.ListServerCertificatesRequest) (*iam.ListServerCertificatesResponse, error) {
	return &iam.ListServerCertificatesResponse{ServerCertificateMetadataList: []iam.ServerCertificateMetadata{}, IsTruncated: new(false)}, nil
}

func (a *API) listOpenIDConnectProviders(context.Context, *gateway.Call, *iam.ListOpenIDConnectProvidersRequest) (*iam.ListOpenIDConnectProvidersResponse, error) {
	return &iam.ListOpenIDConnectProvidersResponse{OpenIDConnectProviderList: []iam.OpenIDConnectProviderListEntry{}}, nil
}

func (a *API) listSAMLProviders(context.Context, *gateway.Call, *iam.ListSAMLProvidersRequest) (*iam.ListSAMLProvidersResponse, error) {
	return &iam.ListSAMLProvidersResponse{SAMLProviderList: []iam.SAMLProviderListEntry{}}, nil
}

func (a *API) deactivateMFADevice(_ context.Context, call *gateway.Call, in *iam.DeactivateMFADeviceRequest) (*wire.Empty, error) {
	if err := a.known(call, in.UserName); err != nil {
		return nil, err
	}
	return nil, missing("MFA Device %s cannot be found.", *in.SerialNumber)
}

func (a *API) deleteVirtualMFADevice(_ context.Context, _ *gateway.Call, in *iam.DeleteVirtualMFADeviceRequest) (*wire.Empty, error) {
	return nil, missing("VirtualMFADevice with serial number %s doesn't exist.", *in.SerialNumber)
}

func (a *API) deleteSSHPublicKey(_ context.Context, call *gateway.Call, in *iam.DeleteSSHPublicKeyRequest) (*wire.Empty, error) {
	if err := a.known(call, in.UserName); err != nil {
		return nil, err
	}
	return nil, missing("The Public Key with id %s cannot be found.", *in.SSHPublicKeyId)
}

func (a *API) deleteSigningCertificate(_ context.Context, call *gateway.Call, in *iam.DeleteSigningCertificateRequest) (*wire.Empty, error) {
	if err := a.known(call, in.UserName); err != nil {
		return nil, err
	}
	return nil, missing("The Certificate with id %s cannot be found.", *in.CertificateId)
}

func (a *API) deleteServiceSpecificCredential(_ context.Context, call *gateway.Call, in *iam.DeleteServiceSpecificCredentialRequest) (*wire.Empty, error) {
	if err := a.known(call, in.UserName); err != nil {
		return nil, err
	}
	return nil, missing("No such credential %s exists", *in.ServiceSpecificCredentialId)
}

func (a *API) deleteServerCertificate(_ context.Context, _ *gateway.Call, in *iam.DeleteServerCertificateRequest) (*wire.Empty, error) {
	return nil, noCertificate(*in.ServerCertificateName)
}

func (a *API) getServerCertificate(_ context.Context, _ *gateway.Call, in *iam.GetServerCertificateRequest) (*iam.GetServerCertificateResponse, error) {
	return nil, noCertificate(*in.ServerCertificateName)
}

func noCertificate(name string) error {
	return missing("The Server Certificate with name %s cannot be found.", name)
}

func (a *API) getOpenIDConnectProvider(_ context.Context, _ *gateway.Call, in *iam.GetOpenIDConnectProviderRequest) (*iam.GetOpenIDConnectProviderResponse, error) {
	return nil, missing("OpenIDConnect Provider not found for arn %s", *in.OpenIDConnectProviderArn)
}

func (a *API) deleteOpenIDConnectProvider(_ context.Context, _ *gateway.Call, in *iam.DeleteOpenIDConnectProviderRequest) (*wire.Empty, error) {
	return nil, missing("OpenIDConnect Provider not found for arn %s", *in.OpenIDConnectProviderArn)
}
