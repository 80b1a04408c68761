package health

import "github.com/berthhq/berth/domain/balancer"

// Count is how a target did so far.
type Count struct {
	State balancer.State // empty before the first answer
	good  int            // in a row
	bad   int
}

// Add counts one answer. The first good one makes a new target healthy; later ones
// change its state when there are as many in a row as the thresholds say.
func (c *Count) Add(good bool, check balancer.HealthCheck) {
	if c.State == "" {
		c.State = balancer.Initial
	}
	if good {
		c.good, c.bad = c.good+1, 0
		if c.State == balancer.Initial || c.good >= check.Healthy {
			c.State = balancer.Healthy
		}
		return
	}
	c.good, c.bad = 0, c.bad+1
	if c.bad >= check.Unhealthy && (c.State != balancer.Initial || c.bad >= patience(check)) {
		c.State = balancer.Unhealthy
	}
}

// patience is how many answers a new target may fail before it is unhealthy: it is
// asked more often than the interval says at first.
func patience(check balancer.HealthCheck) int { return check.Unhealthy + eagerTries }

// eagerTries is how many of the first questions come before the interval of five
// seconds, the shortest, is reached.
const eagerTries = 7
