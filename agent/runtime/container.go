package runtime

import "time"

// Container is what Create makes: one process tree from one image. The zero value
// of an optional field means what Docker does by default.
type Container struct {
	// ID names the container on this machine, for good: making the same id twice
	// fails with ErrExists. Letters, digits, "_", "." and "-", at most 76.
	ID     string
	Labels map[string]string // kept with the container
	Image  string            // the name a local image is kept under

	Args []string // never empty
	Env  []string // NAME=value; complete, nothing is added from the image
	// Confidential is set over Env, and kept only where a reboot forgets it: in the
	// container's bundle, never in its record.
	Confidential []string
	Cwd          string // "/" when empty
	User         string // name or number, with an optional ":group"
	Terminal     bool
	Stdin        bool
	StopSignal   string // "SIGTERM" when empty

	ReadonlyRootfs bool
	Mounts         []Mount // in order; later ones may lie on earlier ones
	ShmSize        int64   // bytes of /dev/shm; 64 MiB when 0
	Devices        []Device
	CDIDevices     []string // qualified names: "nvidia.com/gpu=0"

	Network  Network
	PID      Namespace
	IPC      Namespace
	Hostname string // in a UTS namespace of its own; empty with a host's
	HostUTS  bool

	CapAdd          []string // "NET_ADMIN", "ALL"
	CapDrop         []string
	Privileged      bool
	NoNewPrivileges bool
	Unconfined      bool // no seccomp profile
	Ulimits         []Ulimit
	Sysctls         map[string]string
	OOMScoreAdj     int
	// Init puts a small init in front of Args: it passes signals on and reaps.
	Init bool

	// Group is the cgroup under which the container gets its own. Empty means
	// directly under the runtime's.
	Group     string
	Resources Resources
	// Beside is a group of the v2 tree that is mounted beside v1, which the
	// container's processes join as well; of no effect where v2 is the only tree.
	Beside string

	Isolation Isolation
	// Sandbox is the id of the Pause container whose sandbox this one joins; only
	// with gVisor. Empty means a sandbox for this container alone.
	Sandbox string
	// Pause marks a container that does nothing but hold a sandbox open for
	// others. It needs no Image and no Args.
	Pause bool

	Output Output
}

// Isolation is the boundary the container's processes run behind.
type Isolation string

// Isolations.
const (
	Namespaces Isolation = ""       // the host's kernel
	GVisor     Isolation = "gvisor" // a kernel of its own in user space
)

// Network says which network the container sees. The zero value is a namespace of
// its own with nothing in it.
type Network struct {
	Host bool
	Path string // of a network namespace
}

// Namespace is whose processes, or shared memory, a container sees.
type Namespace struct {
	Host bool
	Path string // of a namespace: /proc/PID/ns/pid
}

// Mount is one file system in the container.
type Mount struct {
	Kind     MountKind
	Source   string // of a bind: a file or directory that exists
	Target   string // absolute
	ReadOnly bool
	Size     int64    // of a tmpfs, bytes; 0 means half the memory
	Fill     bool     // a bind: an empty Source is first filled with what the image has at Target
	Options  []string // further mount options: "noexec"; for a bind also "rshared"
}

// MountKind is what a Mount is made of.
type MountKind string

// Kinds of mounts.
const (
	Bind  MountKind = "bind"
	Tmpfs MountKind = "tmpfs"
)

// Device is a device node of the host.
type Device struct {
	Host      string
	Container string // same as Host when empty
	Access    string // of "rwm"; all when empty
}

// Ulimit bounds what one process may use. Name is as in getrlimit, small: "nofile".
type Ulimit struct {
	Name string
	Soft uint64
	Hard uint64
}

// Resources bound the container. Zero means no bound.
type Resources struct {
	CPUShares   int
	CPUQuota    int64 // microseconds in each period
	CPUPeriod   int64 // microseconds; cgroup.Period when 0
	Memory      int64 // bytes, hard
	Reservation int64 // bytes, soft
	Swap        *int64
	Swappiness  *int // 0 to 100
	PIDs        int64
	CPUSet      string // "0-3"
}

// Output is where stdout and stderr go. It outlives the agent.
type Output struct {
	// Stdout and Stderr are named pipes. Create waits until somebody reads them.
	Stdout string
	Stderr string
	// File gets both streams as they come, when there are no pipes. With neither
	// the output is discarded.
	File string
}

// Exit is how a container ended.
type Exit struct {
	Code      int
	At        time.Time
	OOMKilled bool // the kernel killed one of its processes for want of memory
	// Lost is set when the container ended with its machine or its shim: Code is
	// then not the program's.
	Lost bool
}

// State is how far a container is.
type State string

// States of a container.
const (
	Created State = "created"
	Running State = "running"
	Exited  State = "exited"
)

// Status is a container as List finds it.
type Status struct {
	ID        string
	Labels    map[string]string
	Image     string
	State     State
	PID       int // of its first process, while Running
	Exit      *Exit
	CreatedAt time.Time
	Group     string // its cgroup
}
