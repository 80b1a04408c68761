package edge

import "github.com/berthhq/berth/domain/balancer"

// asSeen takes targets for healthy.
type asSeen struct{}

func (asSeen) Watch([]Watched) {}

func (asSeen) Of(string, string) balancer.Report { return balancer.Report{State: balancer.Healthy} }
