package why

import "strings"

// Prefixes of reasons that more than the table asks about.
const (
	outOfMemory = "OutOfMemoryError"
	cannotPull  = "CannotPullContainerError"
)

// reason is a known beginning of a reason: AWS's catalogue, and what berth adds.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
type reason struct {
	prefix   string
	means    string // a clause
	complete bool   // means says all that the reason does
	hint     string
	clues    []clue // words further on in the reason that tell more; the first found counts
}

// clue is a word of a reason and what to do about it. Words are in lower case.
type clue struct{ word, hint string }

// explain finds what is known of a reason; nil for nothing.
func explain(text string) *reason {
	for i := range reasons {
		if strings.HasPrefix(text, reasons[i].prefix) {
			return &reasons[i]
		}
	}
	return nil
}

// Hint is what to do about the reason of a task or a container that stopped; empty
// when nothing is known of it.
func Hint(reason string) string {
	if r := explain(reason); r != nil {
		return r.hintFor(reason)
	}
	return ""
}

// hintFor is what to do about a reason, by its further words.
func (r *reason) hintFor(text string) string {
	text = strings.ToLower(text)
	for _, c := range r.clues {
		if strings.Contains(text, c.word) {
			return c.hint
		}
	}
	return r.hint
}

// commandClues tell what is wrong with a container's command. runc finds it when it
// creates the container, other runtimes when they start it.
var commandClues = []clue{
	{"executable file not found", "the command is not in the image: check command, entryPoint and the PATH of the image"},
	{"exec format error", "the image is built for another architecture: build it for the instance's"},
	{"permission denied", "the command may not be executed: check its mode in the image, and the user it runs as"},
	{"no such file or directory", "the command, or its interpreter, is not in the image: check command, entryPoint and mount points"},
	{"unable to find user", "check the container's user: the image does not have it"},
}

var reasons = []reason{
	{
		prefix: cannotPull, means: "the image of a container could not be pulled",
		hint: "check the image's name and tag, and that the machine reaches its registry",
		clues: []clue{
			{"toomanyrequests", "the registry limits anonymous pulls: log in with repositoryCredentials, or load the image with berth image load"},
			{"is not in berth's registry", "check the image's name and tag; push it, or load it with berth image load FILE NAME:TAG"},
			{"image not found", "check the image's name and tag; push it, or load it with berth image load FILE NAME:TAG"},
			{"no match for platform", "build the image for the architecture of the instance"},
			{"unauthorized", "the registry wants a login: set repositoryCredentials, or check the name, for some answer so to names they do not have"},
			{"authorization", "the registry wants a login: set repositoryCredentials, or check the name, for some answer so to names they do not have"},
			{"forbidden", "the login may not read this image: check the registry's permissions"},
			{"denied", "the login may not read this image: check the registry's permissions"},
			{"no such host", "the machine cannot resolve the registry's name: check the name, and the machine's DNS"},
			{"connection refused", "nobody answers at the registry's address: check that it is up, and its port"},
			{"timeout", "the machine does not reach the registry: check its network and its proxy"},
			{"certificate", "the machine does not trust the registry's certificate: add its authority to the machine's"},
			{"no space left", "the machine's disk is full: make room, unused images first"},
			{"is not a", "correct image in the task definition: the name cannot be an image's"},
		},
	},
	{
		prefix: "CannotPullECRContainerError", means: "the image of a container could not be pulled from ECR",
		hint: "check the repository and the tag, and that the execution role may read it",
	},
	{
		prefix: "ResourceInitializationError", means: "what the task needs could not be prepared",
		hint: "read the reason: it names the resource that failed",
		clues: []clue{
			{"allow-privileged", "start berth with --allow-privileged if the task may do all that root may"},
			{"gvisor", "put runsc beside berth (make build), or set fargate.isolation to none in the --config file"},
			{"runsc", "put runsc beside berth (make build), or set fargate.isolation to none in the --config file"},
			{"env files", "check the file's ARN, and that the execution role may do s3:GetObject on it and s3:GetBucketLocation on its bucket"},
			{"secrets or registry auth", "check the secret's ARN, and that the execution role may read it"},
			{"still held", "an earlier task holds the address still: run the task again in a moment"},
			{"host port", "another program has the host port: choose another hostPort, or 0 for any free one"},
			{"volume ", "check the volumes of the task definition, and that their folders are there"},
			{"no space left", "the machine's disk is full: make room"},
		},
	},
	{
		prefix: "LogDriverError", means: "the logs of a container are not shipped",
		hint: "check the log configuration, and that berth's server can be reached",
		clues: []clue{
			{"accessdenied", "let the execution role do logs:CreateLogStream and logs:PutLogEvents; what waits is shipped once it may"},
			{"log group does not exist", "create the log group, or set awslogs-create-group; what waits is shipped once it is there"},
		},
	},
	{
		prefix: outOfMemory, means: "it used more memory than its limit, and was killed", complete: true,
		hint: "raise the container's memory, or the task's, or let the program use less",
	},
	{
		prefix: "CannotStartContainerError", means: "a container could not be started",
		hint:  "check the container's command, entryPoint and workingDirectory",
		clues: commandClues,
	},
	{
		prefix: "CannotCreateContainerError", means: "a container could not be created",
		hint: "check the container's settings that the reason names: mount points, devices, limits, user", clues: commandClues,
	},
	{
		prefix: "CannotCreateVolumeError", means: "a volume could not be created",
		hint: "check the volume's driver and its options",
	},
	{
		prefix: "CannotInspectContainerError", means: "a container ended while nobody could watch it",
		hint: "look at the machine: its agent or its containers were killed; run the task again",
	},
	{
		prefix: "CannotStopContainerError", means: "a container could not be stopped",
		hint: "look for processes that hang in the kernel (state D): a disk or a network file system may be stuck",
	},
	{
		prefix: "DockerTimeoutError", means: "the container runtime took too long",
		hint: "the machine is busy or its disk is slow: run fewer tasks there, or raise the agent's start timeout",
	},
	{
		prefix: "ContainerRuntimeTimeoutError", means: "the container runtime took too long",
		hint: "the machine is busy or its disk is slow: run fewer tasks there",
	},
	{
		prefix: "ContainerRuntimeError", means: "the container runtime failed",
		hint: "read the agent's log on that machine, and run the task again",
	},
	{
		prefix: "InternalError", means: "the agent failed",
		hint: "read the agent's log on that machine, and run the task again",
	},
	{
		prefix: "Essential container in task exited", means: "an essential container ended, and with it the task", complete: true,
		hint: "look at the containers below; set essential to false for those that may end",
	},
	{
		prefix: "Dependency of container", means: "a container can never start, for one that it depends on ended otherwise than it must",
		hint: "look at the container it depends on, and at the condition of dependsOn",
	},
	{
		prefix: "Container \"", means: "a container that others wait for was not ready in time",
		hint: "look at that container's health check and log, or raise its startTimeout",
	},
	{
		prefix: "Task failed container health checks", means: "the health check of an essential container failed, so its service replaced it", complete: true,
		hint: "run the health check's command in the container by hand; give it a startPeriod if the program is slow to begin",
	},
	{
		prefix: "Task failed ELB health checks", means: "a load balancer found it unhealthy, so its service replaced it",
		hint: "check the target group's path, port and matcher; give the service a healthCheckGracePeriodSeconds if the program is slow to begin",
	},
	{
		prefix: "Scaling activity initiated by", means: "its service needed it no more",
		hint: "",
	},
	{
		prefix: "Task stopped by user", means: "somebody stopped it with StopTask", complete: true,
	},
	{
		prefix: "berth is stopping", means: "berth was stopped, and stops tasks first", complete: true,
		hint: "start berth with --keep-tasks to leave tasks running while it is down",
	},
	{
		prefix: "Capacity is unavailable at this time", means: "no instance could take it",
		hint: "add capacity, or ask for less; berth why shows what each instance lacks while a task waits",
	},
	{
		prefix: "Container instance was lost", means: "its instance was away for too long and was given up",
		hint: "look at that machine and at its network; the task may still run there until it is back",
	},
	{
		prefix: "Container instance deregist", means: "its instance was deregistered by force, which ends the tasks on it", complete: true,
		hint: "run the task again; a service does so by itself",
	},
	{
		prefix: "The machine restarted", means: "its machine was started anew",
		hint: "run the task again; a service does so by itself",
	},
	{
		prefix: "Host EC2", means: "its instance was terminated",
		hint: "run the task again; a service does so by itself",
	},
	{
		prefix: "Your Spot Task was interrupted", means: "its Spot capacity was taken back", complete: true,
		hint: "run it on capacity that is not Spot, or run it again",
	},
	{
		prefix: "Timeout waiting for network interface provisioning", means: "its network interface was not ready in time", complete: true,
		hint: "read the agent's log on that machine, and run the task again",
	},
	{
		prefix: "Task definition ", means: "its task definition is gone",
		hint: "register the definition again and run the task anew",
	},
}
