package workload

// dockerVersions are the versions of the Docker Remote API that definitions ask
// for: what berth's agent does is a superset of theirs.
func dockerVersions() []string {
	return []string{"1.17", "1.18", "1.19", "1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27", "1.28", "1.29", "1.30"}
}

// AgentCapabilities are the attributes by which an agent that runs what berth supports
// on EC2 capacity registers itself. A definition that needs another one, such as
// a secret store or a file system that is not there yet, is refused by placement
// with the attribute's name.
func AgentCapabilities(logDrivers ...string) []Attribute {
	var out attributeSet
	for _, v := range dockerVersions() {
		out.addIf(true, docker(v))
	}
	for _, driver := range logDrivers {
		out.addIf(true, agentCapability+"logging-driver."+driver)
	}
	out.addIf(true,
		agentCapability+"ecr-auth", agentCapability+"privileged-container",
		agentCapability+"task-iam-role", agentCapability+"task-iam-role-network-host",
		ecsCapability+"execution-role-awslogs", ecsCapability+"execution-role-ecr-pull",
		ecsCapability+"secrets.asm.environment-variables", ecsCapability+"secrets.ssm.environment-variables",
		ecsCapability+"secrets.asm.bootstrap.log-driver", ecsCapability+"secrets.ssm.bootstrap.log-driver",
		ecsCapability+"private-registry-authentication.secretsmanager", ecsCapability+"env-files.s3",
		ecsCapability+"task-eni", ecsCapability+"task-cpu-mem-limit", ecsCapability+"pid-ipc-namespace-sharing",
		ecsCapability+"container-health-check", ecsCapability+"container-ordering", ecsCapability+"container-restart-policy",
		ecsCapability+"docker-plugin.local", ecsCapability+"network.container-port-range", ServiceConnect,
	)
	return out.list
}

// ServiceConnect is the attribute of instances whose tasks can call others by Service
// Connect.
const ServiceConnect = ecsCapability + "service-connect-v1"
