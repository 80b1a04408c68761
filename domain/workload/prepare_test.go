package workload

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/fault"
)

// onEC2 is a small definition that EC2 takes.
func onEC2() *Definition {
	return &Definition{Family: "web", Containers: []Container{{Name: "app", Image: "nginx", Essential: true, Memory: new(128)}}}
}

// onFargate is a small definition that Fargate takes.
func onFargate() *Definition {
	return &Definition{
		Family: "web", NetworkMode: AWSVPC, CPU: "256", Memory: "512",
		RequiresCompatibilities: []LaunchType{Fargate},
		Containers:              []Container{{Name: "app", Image: "nginx", Essential: true}},
	}
}

// sidecar adds a second container and returns it.
func sidecar(d *Definition) *Container {
	d.Containers = append(d.Containers, Container{Name: "side", Image: "busybox", Memory: new(64)})
	return &d.Containers[1]
}

func app(d *Definition) *Container { return &d.Containers[0] }

type refusal struct {
	name   string
	change func(d *Definition)
	want   string // how the message begins; empty when the definition is taken
}

func check(t *testing.T, base func() *Definition, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := base()
			c.change(d)
			err := Prepare(d)
			var f *fault.Fault
			switch {
			case c.want == "" && err != nil:
				t.Fatalf("refused: %v", err)
			case c.want == "":
				return
			case !errors.As(err, &f):
				t.Fatalf("taken, want %q (err %v)", c.want, err)
			case f.Kind != fault.Client || !strings.HasPrefix(f.Message, c.want):
				t.Fatalf("got %v %q, want ClientException %q", f.Kind, f.Message, c.want)
			}
		})
	}
}

func TestEveryLaunchType(t *testing.T) {
	const awsvpcOnly = "not supported on container when networkMode=awsvpc."
	check(t, onEC2, []refusal{
		{"plain", func(*Definition) {}, ""},
		{"no family", func(d *Definition) { d.Family = "" }, "Family should not be null or empty."},
		{"bad family", func(d *Definition) { d.Family = "a b" }, "Family contains invalid characters."},
		{"long family", func(d *Definition) { d.Family = strings.Repeat("a", 256) }, "Family name is too long."},
		{"no containers", func(d *Definition) { d.Containers = nil }, "Container list cannot be empty."},
		{"too many containers", func(d *Definition) { d.Containers = slices.Repeat(d.Containers, 11) }, "Container list cannot have more than 10"},
		{"container without name", func(d *Definition) { app(d).Name = "" }, "Container.name should not be null or empty."},
		{"container with bad name", func(d *Definition) { app(d).Name = "a.b" }, "Container.name contains invalid characters."},
		{"container without image", func(d *Definition) { app(d).Image = "" }, "Container.image should not be null or empty."},
		{"container with bad image", func(d *Definition) { app(d).Image = "nginx latest" }, "Container.image contains invalid characters."},
		{"image by digest", func(d *Definition) { app(d).Image = "r.example:5000/a/b@sha256:" + strings.Repeat("0", 64) }, ""},
		{"names twice", func(d *Definition) { sidecar(d).Name = "app" }, "Container names must be unique within a task definition."},
		{"nothing essential", func(d *Definition) { app(d).Essential = false }, "Task definition doesn't have any essential container."},
		{"unknown network mode", func(d *Definition) { d.NetworkMode = "nat" }, "networkMode should be one of [bridge,host,awsvpc,none]"},
		{"unknown pid mode", func(d *Definition) { d.PIDMode = "x" }, "pidMode should be one of"},
		{"unknown ipc mode", func(d *Definition) { d.IPCMode = "x" }, "ipcMode should be one of"},
		{"unknown compatibility", func(d *Definition) { d.RequiresCompatibilities = []LaunchType{"LAMBDA"} }, "requiresCompatibilities should be one of"},
		{"unknown architecture", func(d *Definition) { d.RuntimePlatform = &RuntimePlatform{CPUArchitecture: "SPARC"} }, "cpuArchitecture should be one of [X86_64,ARM64]"},
		{"unknown system", func(d *Definition) { d.RuntimePlatform = &RuntimePlatform{OperatingSystemFamily: "BEOS"} }, "operatingSystemFamily should be one of"},

		{"no memory at all", func(d *Definition) { app(d).Memory = nil }, "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified."},
		{"memory of the task", func(d *Definition) { app(d).Memory, d.Memory = nil, "512" }, ""},
		{"memory below reservation", func(d *Definition) { app(d).MemoryReservation = new(200) }, "Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'."},
		{"memory above the task's", func(d *Definition) { d.Memory = "64" }, "Invalid setting for container 'app'. The 'memory' setting for container is greater than for the task."},
		{"memory too small", func(d *Definition) { app(d).Memory = new(3) }, "Invalid setting for container 'app'. 'memory' must be at least 4."},
		{"reservations above the task's memory", func(d *Definition) {
			d.Memory, app(d).MemoryReservation = "150", new(100)
			sidecar(d).MemoryReservation = new(60)
		}, "The sum of all container 'memoryReservation' values"},
		{"cpu above the task's", func(d *Definition) { d.CPU, app(d).CPU = "256", 257 }, "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."},
		{"cpu is no number", func(d *Definition) { d.CPU = "lots" }, "Invalid 'cpu' setting for task."},
		{"cpu too small", func(d *Definition) { d.CPU = "127" }, "Invalid 'cpu' setting for task."},
		{"memory is no number", func(d *Definition) { d.Memory = "2TB" }, "Invalid 'memory' setting for task."},
		{"negative cpu", func(d *Definition) { app(d).CPU = -1 }, "Invalid 'cpu' setting for container 'app'."},

		{"links outside bridge", func(d *Definition) { d.NetworkMode = AWSVPC; app(d).Links = []string{"side"}; sidecar(d) }, "Links are not supported when networkMode=awsvpc."},
		{"link to nobody", func(d *Definition) { app(d).Links = []string{"db:database"} }, "Invalid 'links' setting. Unknown container: 'db'."},
		{"ports without network", func(d *Definition) {
			d.NetworkMode = None
			app(d).PortMappings = []PortMapping{{ContainerPort: 80}}
		}, "Port mappings are not supported on container when networkMode=none."},
		{"hostname in awsvpc", func(d *Definition) { d.NetworkMode = AWSVPC; app(d).Hostname = "h" }, "hostname is " + awsvpcOnly},
		{"extra hosts in awsvpc", func(d *Definition) { d.NetworkMode = AWSVPC; app(d).ExtraHosts = []HostEntry{{"h", "10.0.0.1"}} }, "Extra hosts are " + awsvpcOnly},
		{"bad extra host", func(d *Definition) { app(d).ExtraHosts = []HostEntry{{"h", "somewhere"}} }, "Invalid 'extraHosts' setting for container 'app'"},
		{"dns in awsvpc", func(d *Definition) { d.NetworkMode = AWSVPC; app(d).DNSServers = []string{"1.1.1.1"} }, "DNS servers are " + awsvpcOnly},
		{"no networking in awsvpc", func(d *Definition) { d.NetworkMode = AWSVPC; app(d).DisableNetworking = new(true) }, "Disable Networking is " + awsvpcOnly},

		{"unlike ports in awsvpc", func(d *Definition) {
			d.NetworkMode = AWSVPC
			app(d).PortMappings = []PortMapping{{ContainerPort: 80, HostPort: new(8080)}}
		}, "When networkMode=awsvpc, the host ports and container ports in port mappings must match."},
		{"unlike ports in host mode", func(d *Definition) {
			d.NetworkMode = Host
			app(d).PortMappings = []PortMapping{{ContainerPort: 80, HostPort: new(8080)}}
		}, "When networkMode=host, the host ports and container ports in port mappings must match."},
		{"same host port twice", func(d *Definition) {
			app(d).PortMappings = []PortMapping{{ContainerPort: 80, HostPort: new(8080)}}
			sidecar(d).PortMappings = []PortMapping{{ContainerPort: 81, HostPort: new(8080)}}
		}, "Invalid setting for container 'side'. The host port is used multiple times in task: 8080/tcp."},
		{"same container port in two bridge containers", func(d *Definition) {
			app(d).PortMappings = []PortMapping{{ContainerPort: 80}}
			sidecar(d).PortMappings = []PortMapping{{ContainerPort: 80}}
		}, ""},
		{"same container port in awsvpc", func(d *Definition) {
			d.NetworkMode = AWSVPC
			app(d).PortMappings = []PortMapping{{ContainerPort: 80}}
			sidecar(d).PortMappings = []PortMapping{{ContainerPort: 80}}
		}, "Invalid setting for container 'side'. The container port is used multiple times in task: 80/tcp."},
		{"same port, other protocol", func(d *Definition) {
			app(d).PortMappings = []PortMapping{{ContainerPort: 53, Protocol: "udp"}, {ContainerPort: 53}}
		}, ""},
		{"port out of range", func(d *Definition) { app(d).PortMappings = []PortMapping{{ContainerPort: 70000}} }, "Invalid 'containerPort' setting for container 'app'."},
		{"unknown protocol", func(d *Definition) { app(d).PortMappings = []PortMapping{{ContainerPort: 1, Protocol: "sctp"}} }, "protocol should be one of [tcp,udp]"},
		{"mapping names twice", func(d *Definition) {
			app(d).PortMappings = []PortMapping{{ContainerPort: 1, Name: "a"}, {ContainerPort: 2, Name: "a"}}
		}, "The port mapping name is already used: 'a'."},
		{"range and port", func(d *Definition) {
			app(d).PortMappings = []PortMapping{{ContainerPort: 1, ContainerPortRange: "10-20"}}
		}, "Invalid setting for container 'app'. You cannot specify both single port and port range"},
		{"range upside down", func(d *Definition) { app(d).PortMappings = []PortMapping{{ContainerPortRange: "20-10"}} }, "Invalid 'containerPortRange' setting"},
		{"ranges overlap", func(d *Definition) {
			app(d).PortMappings = []PortMapping{{ContainerPortRange: "10-20"}, {ContainerPortRange: "20-30"}}
		}, "Invalid setting for container 'app'. The container port is used multiple times in task: 20-30/tcp."},

		{"unknown volume", func(d *Definition) { app(d).MountPoints = []MountPoint{{SourceVolume: "data", ContainerPath: "/d"}} }, "Unknown volume 'data'."},
		{"two mounts at one path", func(d *Definition) {
			d.Volumes = []Volume{{Name: "a"}, {Name: "b"}}
			app(d).MountPoints = []MountPoint{{SourceVolume: "a", ContainerPath: "/d"}, {SourceVolume: "b", ContainerPath: "/d"}}
		}, "Invalid 'mountPoints' setting for container 'app'. Duplicate mount point: '/d'."},
		{"volume names twice", func(d *Definition) { d.Volumes = []Volume{{Name: "a"}, {Name: "a"}} }, "Volume names must be unique"},
		{"volume of two kinds", func(d *Definition) {
			d.Volumes = []Volume{{Name: "a", Docker: &DockerVolume{}, EFS: &EFSVolume{FileSystemID: "fs-1"}}}
		}, "Invalid volume configuration for volume 'a'."},
		{"volumes from nobody", func(d *Definition) { app(d).VolumesFrom = []VolumeFrom{{SourceContainer: "x"}} }, "Invalid 'volumesFrom' setting. Unknown container: 'x'."},
		{"efs iam in clear", func(d *Definition) {
			d.Volumes = []Volume{{Name: "a", EFS: &EFSVolume{FileSystemID: "fs-1", Authorization: &EFSAuthorization{IAM: "ENABLED"}}}}
		}, "EFS IAM authorization requires TransitEncryption to be enabled."},
		{"efs port in clear", func(d *Definition) {
			d.Volumes = []Volume{{Name: "a", EFS: &EFSVolume{FileSystemID: "fs-1", TransitEncryptionPort: new(int32(2999))}}}
		}, "TransitEncryptionPort requires that TransitEncryption is enabled."},
		{"efs access point with directory", func(d *Definition) {
			d.Volumes = []Volume{{Name: "a", EFS: &EFSVolume{
				FileSystemID: "fs-1", RootDirectory: "/x", TransitEncryption: "ENABLED", Authorization: &EFSAuthorization{AccessPointID: "fsap-1"},
			}}}
		}, "When using an EFS access point, the root directory must either"},
		{"launch volume nobody mounts", func(d *Definition) { d.Volumes = []Volume{{Name: "a", ConfiguredAtLaunch: new(true)}} }, "Volumes [a] are not referenced by any of the containers."},

		{"depends on nobody", func(d *Definition) { app(d).DependsOn = []Dependency{{"x", ConditionStart}} }, "Cannot depend on container 'x' because it does not exist."},
		{"depends on itself", func(d *Definition) { app(d).DependsOn = []Dependency{{"app", ConditionStart}} }, "Container 'app' cannot depend on itself."},
		{"waits for an essential one to end", func(d *Definition) {
			sidecar(d).DependsOn = []Dependency{{"app", ConditionSuccess}}
		}, "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container."},
		{"waits for health without check", func(d *Definition) {
			sidecar(d).DependsOn = []Dependency{{"app", ConditionHealthy}}
		}, "A dependency container with HEALTHY condition must have health check configured."},
		{"cycle", func(d *Definition) {
			sidecar(d).DependsOn = []Dependency{{"app", ConditionStart}}
			app(d).DependsOn = []Dependency{{"side", ConditionStart}}
		}, "The dependencies of the containers form a cycle: app -> side -> app."},
		{"cycle by a link", func(d *Definition) {
			sidecar(d).Links = []string{"app"}
			app(d).DependsOn = []Dependency{{"side", ConditionStart}}
		}, "The dependencies of the containers form a cycle"},

		{"secret without role", func(d *Definition) { app(d).Secrets = []Secret{{"A", "arn:aws:ssm:::parameter/a"}} }, "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."},
		{"secret named as a variable", func(d *Definition) {
			d.ExecutionRoleARN = "arn:aws:iam::1:role/r"
			app(d).Environment = []KeyValue{{"A", "1"}}
			app(d).Secrets = []Secret{{"A", "a"}}
		}, "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'A'."},
		{"eleven environment files", func(d *Definition) {
			app(d).EnvironmentFiles = slices.Repeat([]EnvironmentFile{{"arn:aws:s3:::b/k.env", "s3"}}, 11)
		}, "The maximum number of environment files was exceeded. Specify ten or less and try again."},
		{"environment file without ARN", func(d *Definition) { app(d).EnvironmentFiles = []EnvironmentFile{{"b/k.env", "s3"}} }, "Invalid arn syntax."},

		{"unknown log driver", func(d *Definition) { app(d).Log = &LogConfiguration{Driver: "printer"} }, "logDriver should be one of"},
		{"awslogs without options", func(d *Definition) { app(d).Log = &LogConfiguration{Driver: "awslogs"} }, "Log driver awslogs requires options: awslogs-region, awslogs-group"},
		{"json-file", func(d *Definition) { app(d).Log = &LogConfiguration{Driver: "json-file"} }, ""},
		{"firelens nobody uses", func(d *Definition) { app(d).Firelens = &FirelensConfiguration{Type: "fluentbit"} }, "When the FirelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver."},

		{"health check without command", func(d *Definition) { app(d).HealthCheck = &HealthCheck{} }, "HealthCheck.command should not be null or empty"},
		{"health check of the wrong form", func(d *Definition) { app(d).HealthCheck = &HealthCheck{Command: []string{"curl"}} }, "Invalid health check command for container 'app'."},
		{"health check too often", func(d *Definition) {
			app(d).HealthCheck = &HealthCheck{Command: []string{"CMD", "true"}, Interval: new(4)}
		}, "the 'healthCheck.interval' setting for container 'app' must be between 5 and 300"},
		{"health check with too many retries", func(d *Definition) {
			app(d).HealthCheck = &HealthCheck{Command: []string{"CMD", "true"}, Retries: new(11)}
		}, "the 'healthCheck.retries' setting for container 'app' must be between 1 and 10"},
		{"restarts too soon", func(d *Definition) {
			app(d).RestartPolicy = &RestartPolicy{Enabled: true, RestartAttemptPeriod: new(59)}
		}, "the 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800"},
		{"ulimit upside down", func(d *Definition) { app(d).Ulimits = []Ulimit{{"nofile", 10, 5}} }, "Soft limit exceeds hard limit for ulimit nofile"},
		{"unlimited ulimit", func(d *Definition) { app(d).Ulimits = []Ulimit{{"memlock", -1, -1}} }, ""},
		{"unknown ulimit", func(d *Definition) { app(d).Ulimits = []Ulimit{{"x", 1, 1}} }, "ulimit name should be one of"},
		{"unknown capability", func(d *Definition) {
			app(d).Linux = &LinuxParameters{Capabilities: &Capabilities{Add: []string{"FLY"}}}
		}, "Unsupported capability 'FLY' for container 'app'."},
		{"swappy", func(d *Definition) { app(d).Linux = &LinuxParameters{Swappiness: new(101)} }, "the 'swappiness' setting for container 'app' must be between 0 and 100"},
		{"tmpfs without size", func(d *Definition) { app(d).Linux = &LinuxParameters{Tmpfs: []Tmpfs{{ContainerPath: "/t"}}} }, "Tmpfs size should be at least 1"},
		{"sysctl of the host", func(d *Definition) { app(d).SystemControls = []SystemControl{{"kernel.hostname", "x"}} }, "Invalid 'systemControls' setting for container 'app'. Unsupported namespace: 'kernel.hostname'."},
		{"net sysctl on the host's network", func(d *Definition) {
			d.NetworkMode = Host
			app(d).SystemControls = []SystemControl{{"net.core.somaxconn", "1024"}}
		}, "Network namespace systemControls are not supported when networkMode=host"},
		{"gpu fraction", func(d *Definition) { app(d).ResourceRequirements = []ResourceRequirement{{"GPU", "0.5"}} }, "Invalid GPU count '0.5' for container 'app'."},
		{"inference accelerators", func(d *Definition) { d.InferenceAccelerators = []InferenceAccelerator{{"d", "eia1"}} }, "Unsupported field 'inferenceAccelerators'."},
		{"little storage", func(d *Definition) { d.EphemeralStorageGiB = 20 }, "EphemeralStorage size should be at least 21"},
		{"much storage", func(d *Definition) { d.EphemeralStorageGiB = 201 }, "EphemeralStorage size should be at most 200"},
		{"unknown constraint", func(d *Definition) { d.PlacementConstraints = []Constraint{{"distinctInstance", ""}} }, "placement constraint type should be one of [memberOf]"},
		{"proxy outside awsvpc", func(d *Definition) { d.ProxyConfiguration = &ProxyConfiguration{ContainerName: "app"} }, "APPMESH proxy configuration is only supported in networkMode=awsvpc."},
	})
}

func TestFargateRefuses(t *testing.T) {
	const not = "Fargate compatible task definitions do not support "
	check(t, onFargate, []refusal{
		{"plain", func(*Definition) {}, ""},
		{"words for sizes", func(d *Definition) { d.CPU, d.Memory = ".25 vCPU", "0.5 GB" }, ""},
		{"bridge", func(d *Definition) { d.NetworkMode = Bridge }, "Fargate only supports network mode 'awsvpc'."},
		{"no mode", func(d *Definition) { d.NetworkMode = "" }, "Fargate only supports network mode 'awsvpc'."},
		{"no cpu", func(d *Definition) { d.CPU = "" }, "Fargate requires that 'cpu' be defined at the task level."},
		{"no memory", func(d *Definition) { d.Memory, app(d).Memory = "", new(64) }, "Fargate requires that 'memory' be defined at the task level."},
		{"odd size", func(d *Definition) { d.Memory = "4096" }, "No Fargate configuration exists for given values: 256 CPU, 4096 memory."},
		{"small windows", func(d *Definition) {
			d.RuntimePlatform = &RuntimePlatform{OperatingSystemFamily: "WINDOWS_SERVER_2022_CORE"}
		}, "No Fargate configuration exists for given values"},
		{"ipc mode", func(d *Definition) { d.IPCMode = "task" }, "Tasks using the Fargate launch type do not support ipcMode."},
		{"host pids", func(d *Definition) { d.PIDMode = "host" }, "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'."},
		{"task pids", func(d *Definition) { d.PIDMode = "task" }, ""},
		{"constraints", func(d *Definition) { d.PlacementConstraints = []Constraint{{"memberOf", "attribute:a == b"}} }, not + "constraints"},
		{"host path", func(d *Definition) { d.Volumes = []Volume{{Name: "a", Host: &HostVolume{SourcePath: "/a"}}} }, not + "sourcePath"},
		{"empty host volume", func(d *Definition) { d.Volumes = []Volume{{Name: "a", Host: &HostVolume{}}} }, ""},
		{"docker volume", func(d *Definition) { d.Volumes = []Volume{{Name: "a", Docker: &DockerVolume{}}} }, not + "dockerVolumeConfiguration"},
		{"privileged", func(d *Definition) { app(d).Privileged = new(true) }, not + "privileged"},
		{"not privileged", func(d *Definition) { app(d).Privileged = new(false) }, ""},
		{"security options", func(d *Definition) { app(d).DockerSecurityOptions = []string{"no-new-privileges"} }, not + "dockerSecurityOptions"},
		{"gpu", func(d *Definition) { app(d).ResourceRequirements = []ResourceRequirement{{"GPU", "1"}} }, "Tasks using the Fargate launch type do not support GPU resource requirements."},
		{"devices", func(d *Definition) { app(d).Linux = &LinuxParameters{Devices: []Device{{HostPath: "/dev/fuse"}}} }, not + "devices"},
		{"shm", func(d *Definition) { app(d).Linux = &LinuxParameters{SharedMemorySize: new(64)} }, not + "sharedMemorySize"},
		{"swap", func(d *Definition) { app(d).Linux = &LinuxParameters{MaxSwap: new(0)} }, not + "maxSwap"},
		{"swappiness", func(d *Definition) { app(d).Linux = &LinuxParameters{Swappiness: new(0)} }, not + "swappiness"},
		{"tmpfs", func(d *Definition) { app(d).Linux = &LinuxParameters{Tmpfs: []Tmpfs{{ContainerPath: "/t", Size: 1}}} }, ""},
		{"ptrace", func(d *Definition) {
			app(d).Linux = &LinuxParameters{Capabilities: &Capabilities{Add: []string{"SYS_PTRACE"}, Drop: []string{"ALL"}}}
		}, ""},
		{"other capability", func(d *Definition) {
			app(d).Linux = &LinuxParameters{Capabilities: &Capabilities{Add: []string{"NET_ADMIN"}}}
		}, not + "adding the capability NET_ADMIN"},
		{"long stop", func(d *Definition) { app(d).StopTimeout = new(121) }, "the 'stopTimeout' setting for container 'app' must be between 2 and 120"},
		{"file logs", func(d *Definition) { app(d).Log = &LogConfiguration{Driver: "json-file"} }, not + "log driver json-file"},
		{"logs without role", func(d *Definition) {
			app(d).Log = &LogConfiguration{Driver: "awslogs", Options: map[string]string{"awslogs-region": "r", "awslogs-group": "g", "awslogs-stream-prefix": "p"}}
		}, "Fargate requires task definition to have execution role ARN to support log driver awslogs."},
		{"logs without prefix", func(d *Definition) {
			app(d).Log = &LogConfiguration{Driver: "awslogs", Options: map[string]string{"awslogs-region": "r", "awslogs-group": "g"}}
		}, "Log driver awslogs requires options: awslogs-stream-prefix"},
		{"ecr without role", func(d *Definition) { app(d).Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a" }, "Fargate requires task definition to have execution role ARN to support ECR images."},
	})
}

// The table of AWS's documentation, written out by its rows' ends.
func TestFargateSizes(t *testing.T) {
	for _, c := range []struct {
		cpu, memory int
		want        bool
	}{
		{256, 512, true}, {256, 2048, true}, {256, 1536, false}, {256, 4096, false},
		{512, 1024, true}, {512, 4096, true}, {512, 512, false}, {512, 5120, false},
		{1024, 2048, true}, {1024, 8192, true}, {1024, 2560, false}, {1024, 1024, false},
		{2048, 4096, true}, {2048, 16384, true}, {2048, 17408, false},
		{4096, 8192, true}, {4096, 30720, true}, {4096, 31744, false},
		{8192, 16384, true}, {8192, 61440, true}, {8192, 17408, false},
		{16384, 32768, true}, {16384, 122880, true}, {16384, 36864, false},
		{32768, 122880, false},
		{128, 512, false}, {768, 2048, false},
	} {
		if got := IsFargateSize(c.cpu, c.memory); got != c.want {
			t.Errorf("%d CPU, %d memory: %v", c.cpu, c.memory, got)
		}
	}
}

func TestQuantities(t *testing.T) {
	for _, c := range []struct {
		text string
		read func(string) (int, bool)
		want int // 0 when it cannot be read
	}{
		{"1024", ParseCPU, 1024}, {"1 vCPU", ParseCPU, 1024}, {"1vcpu", ParseCPU, 1024}, {".25 vCPU", ParseCPU, 256}, {"0.5 vCPU", ParseCPU, 512},
		{"512", ParseMemory, 512}, {"2GB", ParseMemory, 2048}, {"0.5 GB", ParseMemory, 512}, {"1 gb", ParseMemory, 1024},
		{"", ParseCPU, 0}, {"vCPU", ParseCPU, 0}, {"-1", ParseCPU, 0}, {"0", ParseMemory, 0}, {"1GB", ParseCPU, 0}, {"NaN GB", ParseMemory, 0}, {"1e300 GB", ParseMemory, 0}, {"Inf GB", ParseMemory, 0},
	} {
		if got, ok := c.read(c.text); ok != (c.want != 0) || ok && got != c.want {
			t.Errorf("%q: %d %v", c.text, got, ok)
		}
	}
}

func TestCompatibilities(t *testing.T) {
	bridge, fargate := onEC2(), onFargate()
	both := onFargate()
	both.RequiresCompatibilities = nil
	for _, d := range []*Definition{bridge, fargate, both} {
		if err := Prepare(d); err != nil {
			t.Fatal(err)
		}
	}
	if got := bridge.Compatibilities; !slices.Equal(got, []LaunchType{External, EC2}) {
		t.Errorf("bridge: %v", got)
	}
	for _, d := range []*Definition{fargate, both} {
		if got := d.Compatibilities; !slices.Equal(got, []LaunchType{EC2, Fargate}) || !d.CompatibleWith(Fargate) {
			t.Errorf("awsvpc: %v", got)
		}
	}
}

func TestRequiredAttributes(t *testing.T) {
	d := onFargate()
	d.TaskRoleARN, d.ExecutionRoleARN = "arn:aws:iam::1:role/t", "arn:aws:iam::1:role/e"
	app(d).Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a"
	app(d).Log = &LogConfiguration{Driver: "awslogs", Options: map[string]string{"awslogs-region": "r", "awslogs-group": "g", "awslogs-stream-prefix": "p"}}
	if err := Prepare(d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range d.RequiresAttributes {
		got = append(got, a.Name)
	}
	slices.Sort(got)
	// As AWS derives it for the usual Fargate task.
	want := []string{
		"com.amazonaws.ecs.capability.docker-remote-api.1.18",
		"com.amazonaws.ecs.capability.docker-remote-api.1.19",
		"com.amazonaws.ecs.capability.ecr-auth",
		"com.amazonaws.ecs.capability.logging-driver.awslogs",
		"com.amazonaws.ecs.capability.task-iam-role",
		"ecs.capability.execution-role-awslogs",
		"ecs.capability.execution-role-ecr-pull",
		"ecs.capability.task-eni",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What an agent says of itself must cover what definitions are seen to need.
func TestCapabilitiesCoverWhatIsSupported(t *testing.T) {
	has := AgentCapabilities("awslogs", "json-file")
	d := onEC2()
	d.TaskRoleARN, d.ExecutionRoleARN, d.PIDMode, d.IPCMode = "arn:aws:iam::1:role/t", "arn:aws:iam::1:role/e", "task", "host"
	d.Volumes = []Volume{{Name: "d", Docker: &DockerVolume{}}}
	*app(d) = Container{
		PortMappings: []PortMapping{{ContainerPortRange: "8000-8010"}},
		Name:         "app", Essential: true, Image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/a", Memory: new(64), MemoryReservation: new(32),
		Log:        &LogConfiguration{Driver: "awslogs", Options: map[string]string{"awslogs-region": "r", "awslogs-group": "g"}},
		Privileged: new(true), ReadonlyRootFilesystem: new(true), DockerLabels: map[string]string{"a": "b"}, Ulimits: []Ulimit{{"nofile", 1, 1}},
		HealthCheck: &HealthCheck{Command: []string{"CMD", "true"}}, StopTimeout: new(5), RestartPolicy: &RestartPolicy{Enabled: true},
		Linux: &LinuxParameters{InitProcessEnabled: new(true), Tmpfs: []Tmpfs{{ContainerPath: "/t", Size: 1}}, Devices: []Device{{HostPath: "/dev/null"}}},
	}
	const asm, ssm = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf", "name"
	app(d).Secrets = []Secret{{Name: "A", ValueFrom: asm}, {Name: "B", ValueFrom: ssm}}
	app(d).Log.SecretOptions = []Secret{{Name: "awslogs-stream", ValueFrom: asm}, {Name: "awslogs-region", ValueFrom: ssm}}
	app(d).EnvironmentFiles = []EnvironmentFile{{Type: "s3", Value: "arn:aws:s3:::b/a.env"}}
	app(d).RepositoryCredentials = asm
	sidecar(d).Log = &LogConfiguration{Driver: "json-file"}
	onHost, inVPC := onEC2(), onFargate()
	onHost.NetworkMode, onHost.TaskRoleARN = Host, "arn:aws:iam::1:role/t"
	for _, d := range []*Definition{d, onHost, inVPC} {
		if err := Prepare(d); err != nil {
			t.Fatal(err)
		}
		for _, need := range d.RequiresAttributes {
			if !slices.Contains(has, need) {
				t.Errorf("no agent of ours has %s", need.Name)
			}
		}
	}
}
