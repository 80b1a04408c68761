package balancer

import (
	"path"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/bucket"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
)

// LogKey is the key of a part of a log. Those of Network balancers do not name the node.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
func LogKey(b *Balancer, prefix string, l *Lines) string {
	at := l.Until.UTC()
	parts := []string{b.Scope.Account, "elasticloadbalancing", b.Scope.Region, logName(b), at.Format("20060102T1504Z")}
	if b.Kind != Network {
		parts = append(parts, l.Address)
	}
	file := strings.Join(append(parts, l.Name), "_") + ".log"
	if b.Kind != Classic { // whose logs are plain text
		file += ".gz"
	}
	if l.Log == ConnectionLog {
		file = "conn_log." + file
	}
	return path.Join(prefix, "AWSLogs", b.Scope.Account, "elasticloadbalancing", b.Scope.Region, at.Format("2006/01/02"), file)
}

// logName is app.NAME.ID; a Classic balancer's is its name.
func logName(b *Balancer) string {
	a, err := arn.Parse(b.ARN)
	if err != nil {
		return b.Name
	}
	return strings.ReplaceAll(strings.TrimPrefix(a.Resource, "loadbalancer/"), "/", ".")
}

// MayDeliver tells whether the policy of a bucket lets log delivery write an object for
// a balancer of the scope.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
func MayDeliver(b *bucket.Bucket, scope arn.Scope, key string) bool {
	doc, err := policy.Parse(b.Policy, policy.Resource)
	if b.Policy == "" || err != nil {
		return false
	}
	keys := map[string]string{
		"aws:sourceaccount": scope.Account, "aws:sourcearn": scope.Of("elasticloadbalancing", "loadbalancer/*"),
		"aws:securetransport": "true", "s3:x-amz-acl": "bucket-owner-full-control",
	}
	for _, who := range deliverers(scope) {
		q := &policy.Request{
			Principal: who, Action: "s3:PutObject", Resource: bucket.ARN(b.Scope.Region, b.Name, key),
			Keys: func(name string) ([]string, bool) { v, ok := keys[name]; return []string{v}, ok },
		}
		if policy.Decide(q, &policy.Policies{Resource: &policy.Applied{Document: doc}, Owner: b.Scope.Account, Trusting: true}).Effect == policy.Allow {
			return true
		}
	}
	return false
}

// deliverers are whom buckets let in for log delivery: its services, or the account
// that AWS has in older regions.
func deliverers(scope arn.Scope) []identity.Principal {
	all := []identity.Principal{
		identity.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com"),
		identity.ServicePrincipal("delivery.logs.amazonaws.com"),
	}
	if account := deliveryAccount(scope.Region); account != "" {
		all = append(all, identity.Principal{Kind: identity.Root, Account: account, ARN: "arn:" + arn.Partition(scope.Region) + ":iam::" + account + ":root", UserID: account})
	}
	return all
}

func deliveryAccount(region string) string {
	return map[string]string{
		"us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980", "us-west-2": "797873946194",
		"af-south-1": "098369216593", "ca-central-1": "985666609251", "eu-central-1": "054676820928", "eu-west-1": "156460612806",
		"eu-west-2": "652711504416", "eu-south-1": "635631232127", "eu-west-3": "009996457667", "eu-north-1": "897822967062",
		"ap-east-1": "754344448648", "ap-northeast-1": "582318560864", "ap-northeast-2": "600734575887", "ap-northeast-3": "383597477331",
		"ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266", "ap-southeast-3": "589379963580", "ap-south-1": "718504428378",
		"me-south-1": "076674570225", "sa-east-1": "507241528517",
	}[region]
}
