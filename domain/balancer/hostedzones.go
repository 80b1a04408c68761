package balancer

import (
	"crypto/sha256"
	"encoding/base32"
)

// HostedZoneID is the id of the hosted zone that AWS answers the names of a region's
// balancers from. Regions that are not in the table get an id that follows from their
// name.
// https://docs.aws.amazon.com/general/latest/gr/elb.html
func HostedZoneID(k Kind, region string) string {
	for _, z := range hostedZones {
		if z.region != region {
			continue
		}
		if k == Network {
			return z.network
		}
		return z.application
	}
	sum := sha256.Sum256([]byte(k.prefix() + " " + region))
	return "Z" + base32.StdEncoding.EncodeToString(sum[:])[:13]
}

// hostedZones are by region; Classic balancers share the zone of Application ones.
var hostedZones = []struct{ region, application, network string }{
	{"us-east-1", "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"},
	{"us-east-2", "Z3AADJGX6KTTL2", "ZLMOA37VPKANP"},
	{"us-west-1", "Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"},
	{"us-west-2", "Z1H1FL5HABSF5", "Z18D5FSROUN65G"},
	{"ca-central-1", "ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"},
	{"eu-central-1", "Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"},
	{"eu-west-1", "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"},
	{"eu-west-2", "ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"},
	{"eu-west-3", "Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"},
	{"eu-north-1", "Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"},
	{"ap-northeast-1", "Z14GRHDCWA56QT", "Z31USIVHYNEOWT"},
	{"ap-south-1", "ZP97RAFLXTNZK", "ZVDDRBQ08TROA"},
	{"ap-southeast-1", "Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"},
	{"ap-southeast-2", "Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"},
	{"sa-east-1", "Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"},
}
