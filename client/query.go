package client

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
)

// Query makes a call in the query protocol and reads the members of its XML that
// out names; out may be nil. scope is that of the signature.
func (c *Client) Query(ctx context.Context, scope, action, version string, params url.Values, out any) error {
	params.Set("Action", action)
	params.Set("Version", version)
	headers := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	answer, err := c.do(ctx, http.MethodPost, "/", scope, headers, []byte(params.Encode()))
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	if out == nil {
		return nil
	}
	return xml.Unmarshal(answer, out)
}

// Account is the id of the account we call as.
func (c *Client) Account(ctx context.Context) (string, error) {
	var out struct {
		Account string `xml:"GetCallerIdentityResult>Account"`
	}
	err := c.Query(ctx, "sts", "GetCallerIdentity", "2011-06-15", url.Values{}, &out)
	return out.Account, err
}

// DefaultSubnets are the subnets of the default VPC.
func (c *Client) DefaultSubnets(ctx context.Context) ([]string, error) {
	var out struct {
		IDs []string `xml:"subnetSet>item>subnetId"`
	}
	err := c.Query(ctx, "ec2", "DescribeSubnets", "2016-11-15", url.Values{"Filter.1.Name": {"default-for-az"}, "Filter.1.Value.1": {"true"}}, &out)
	if err == nil && len(out.IDs) == 0 {
		err = fmt.Errorf("the region %s has no default subnets: name a subnet through the aws CLI", c.Region)
	}
	return out.IDs, err
}
