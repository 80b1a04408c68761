// Package task holds tasks: their record, the status derived from it, the order
// an agent receives, what the agent observes, and the pure step that decides what
// to do next for a task on its machine.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
package task

// Status is a point in a task's life. It only grows: of two statuses of one task
// the greater is the later. The gaps leave room for statuses between.
type Status int

// Statuses of a task.
const (
	Provisioning   Status = 100
	Pending        Status = 200
	Activating     Status = 300
	Running        Status = 400
	Deactivating   Status = 500
	Stopping       Status = 600
	Deprovisioning Status = 700
	Stopped        Status = 800
)

var statusNames = map[Status]string{
	Provisioning: "PROVISIONING", Pending: "PENDING", Activating: "ACTIVATING", Running: "RUNNING",
	Deactivating: "DEACTIVATING", Stopping: "STOPPING", Deprovisioning: "DEPROVISIONING", Stopped: "STOPPED",
}

func (s Status) String() string { return statusNames[s] }

// ParseStatus reads AWS's word for a status.
func ParseStatus(word string) (Status, bool) {
	for s, name := range statusNames {
		if name == word {
			return s, true
		}
	}
	return 0, false
}

// Health of a task or container.
type Health string

// Health values of ECS.
const (
	Healthy       Health = "HEALTHY"
	Unhealthy     Health = "UNHEALTHY"
	UnknownHealth Health = "UNKNOWN"
)

// Stop codes of ECS.
const (
	StopTaskFailedToStart         = "TaskFailedToStart"
	StopEssentialContainerExited  = "EssentialContainerExited"
	StopUserInitiated             = "UserInitiated"
	StopServiceSchedulerInitiated = "ServiceSchedulerInitiated"
	StopSpotInterruption          = "SpotInterruption"
	StopTerminationNotice         = "TerminationNotice"
)

// reasonEssentialExited is the reason that goes with StopEssentialContainerExited.
const reasonEssentialExited = "Essential container in task exited"
