package workload

import "strings"

// Platform versions of Fargate on Linux.
const (
	PlatformLatest  = "LATEST"
	PlatformVersion = "1.4.0" // what LATEST means
)

// FargateRefusal says why Fargate would not run the definition, in AWS's words;
// nil when it would. The definition has passed the rules for all launch types
// and its size is in plain units.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
func FargateRefusal(d *Definition) error {
	for _, check := range []func(*Definition) error{
		checkFargateSize, checkFargateTask, checkFargateVolumes, checkFargateContainers, checkFargateExecutionRole,
	} {
		if err := check(d); err != nil {
			return err
		}
	}
	return nil
}

func checkFargateSize(d *Definition) error {
	switch {
	case d.Mode() != AWSVPC:
		return refuse("Fargate only supports network mode 'awsvpc'.")
	case d.CPU == "":
		return refuse("Fargate requires that 'cpu' be defined at the task level.")
	case d.Memory == "":
		return refuse("Fargate requires that 'memory' be defined at the task level.")
	}
	cpu, memory := d.TaskCPU(), d.TaskMemory()
	if !IsFargateSize(cpu, memory) || d.isWindows() && cpu < 1024 {
		return refuse("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpu, memory)
	}
	return nil
}

func notOnFargate(what string) error {
	return refuse("Fargate compatible task definitions do not support %s", what)
}

func checkFargateTask(d *Definition) error {
	switch {
	case d.IPCMode != "":
		return refuse("Tasks using the Fargate launch type do not support ipcMode.")
	case d.PIDMode != "" && d.PIDMode != "task":
		return refuse("Tasks using the Fargate launch type do not support pidMode '%s'. The supported value for pidMode is 'task'.", d.PIDMode)
	case len(d.PlacementConstraints) > 0:
		return notOnFargate("constraints")
	}
	return nil
}

func checkFargateVolumes(d *Definition) error {
	for i := range d.Volumes {
		v := &d.Volumes[i]
		switch {
		case v.Host != nil && v.Host.SourcePath != "":
			return notOnFargate("sourcePath")
		case v.Docker != nil:
			return notOnFargate("dockerVolumeConfiguration")
		case v.FSx != nil:
			return notOnFargate("fsxWindowsFileServerVolumeConfiguration")
		}
	}
	return nil
}

func checkFargateContainers(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		switch {
		case isTrue(c.Privileged):
			return notOnFargate("privileged")
		case len(c.DockerSecurityOptions) > 0:
			return notOnFargate("dockerSecurityOptions")
		case c.GPUs() > 0:
			return refuse("Tasks using the Fargate launch type do not support GPU resource requirements.")
		}
		if err := checkFargateLinux(c.Linux); err != nil {
			return err
		}
		if err := between("startTimeout", c.Name, c.StartTimeout, 2, 120); err != nil {
			return err
		}
		if err := between("stopTimeout", c.Name, c.StopTimeout, 2, 120); err != nil {
			return err
		}
		if err := checkFargateLog(c); err != nil {
			return err
		}
	}
	return nil
}

func checkFargateLinux(l *LinuxParameters) error {
	switch {
	case l == nil:
		return nil
	case len(l.Devices) > 0:
		return notOnFargate("devices")
	case l.SharedMemorySize != nil:
		return notOnFargate("sharedMemorySize")
	case l.MaxSwap != nil:
		return notOnFargate("maxSwap")
	case l.Swappiness != nil:
		return notOnFargate("swappiness")
	case l.Capabilities == nil:
		return nil
	}
	for _, name := range l.Capabilities.Add {
		if name != "SYS_PTRACE" {
			return notOnFargate("adding the capability " + name)
		}
	}
	return nil
}

func checkFargateLog(c *Container) error {
	if c.Firelens != nil && c.Firelens.Options["config-file-type"] == "s3" {
		return refuse("Fargate launch type does not support FirelensConfiguration config file from 's3'")
	}
	if c.Log == nil {
		return nil
	}
	switch c.Log.Driver {
	case "awslogs":
		if c.Log.Options["awslogs-stream-prefix"] == "" {
			return refuse("Log driver awslogs requires options: awslogs-stream-prefix")
		}
	case "splunk", "awsfirelens":
	default:
		return notOnFargate("log driver " + c.Log.Driver)
	}
	return nil
}

func checkFargateExecutionRole(d *Definition) error {
	if d.ExecutionRoleARN != "" {
		return nil
	}
	for i := range d.Containers {
		c := &d.Containers[i]
		if IsECRImage(c.Image) {
			return refuse("Fargate requires task definition to have execution role ARN to support ECR images.")
		}
		if c.Log != nil && c.Log.Driver == "awslogs" {
			return refuse("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
		}
	}
	return nil
}

// IsECRImage tells whether an image is named by a private ECR repository.
func IsECRImage(image string) bool {
	host, _, found := strings.Cut(image, "/")
	return found && strings.Contains(host, ".dkr.ecr.") && strings.Contains(host, ".amazonaws.com")
}
