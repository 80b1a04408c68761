package balancer

// ClassicMetric is what a count is called as a metric of a Classic balancer, which knows
// no target groups; empty for what those do not measure.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html
func ClassicMetric(c *Count) string {
	if c.GroupARN != "" {
		return map[string]string{
			"HealthyHostCount": "HealthyHostCount", "UnHealthyHostCount": "UnHealthyHostCount", "TargetConnectionErrorCount": "BackendConnectionErrors",
			"HTTPCode_Target_2XX_Count": "HTTPCode_Backend_2XX", "HTTPCode_Target_3XX_Count": "HTTPCode_Backend_3XX",
			"HTTPCode_Target_4XX_Count": "HTTPCode_Backend_4XX", "HTTPCode_Target_5XX_Count": "HTTPCode_Backend_5XX",
		}[c.Name]
	}
	return map[string]string{
		"RequestCount": "RequestCount", "NewFlowCount": "RequestCount", "TargetResponseTime": "Latency", "TargetConnectionErrorCount": "BackendConnectionErrors",
		"HTTPCode_ELB_4XX_Count": "HTTPCode_ELB_4XX", "HTTPCode_ELB_5XX_Count": "HTTPCode_ELB_5XX",
		"ActiveConnectionCount": "EstimatedALBActiveConnectionCount", "NewConnectionCount": "EstimatedALBNewConnectionCount", "ProcessedBytes": "EstimatedProcessedBytes",
	}[c.Name]
}
