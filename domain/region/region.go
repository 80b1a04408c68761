// Package region names the regions of AWS. berth serves whatever region a request
// names; these are the ones it lists.
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
package region

import "slices"

// Region is a region of AWS's commercial partition.
type Region struct {
	Name  string
	OptIn bool // AWS wants accounts to enable it first; in berth it is enabled
}

var commercial = []Region{
	{"af-south-1", true}, {"ap-east-1", true}, {"ap-east-2", true}, {"ap-northeast-1", false}, {"ap-northeast-2", false},
	{"ap-northeast-3", false}, {"ap-south-1", false}, {"ap-south-2", true}, {"ap-southeast-1", false}, {"ap-southeast-2", false},
	{"ap-southeast-3", true}, {"ap-southeast-4", true}, {"ap-southeast-5", true}, {"ap-southeast-6", true}, {"ap-southeast-7", true},
	{"ca-central-1", false}, {"ca-west-1", true}, {"eu-central-1", false}, {"eu-central-2", true}, {"eu-north-1", false},
	{"eu-south-1", true}, {"eu-south-2", true}, {"eu-west-1", false}, {"eu-west-2", false}, {"eu-west-3", false},
	{"il-central-1", true}, {"me-central-1", true}, {"me-south-1", true}, {"mx-central-1", true}, {"sa-east-1", false},
	{"us-east-1", false}, {"us-east-2", false}, {"us-west-1", false}, {"us-west-2", false},
}

// otherPartitions are regions that exist, but in partitions of their own.
var otherPartitions = []string{"cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1"}

// Commercial are the regions of the commercial partition, by name.
func Commercial() []Region { return slices.Clone(commercial) }

// Exists tells whether AWS has a region of the name, in any partition.
func Exists(name string) bool {
	return slices.Contains(otherPartitions, name) || slices.ContainsFunc(commercial, func(r Region) bool { return r.Name == name })
}
