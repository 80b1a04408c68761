package workload

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// Bounds of the task-level CPU of tasks outside Fargate, in CPU units: an eighth
// of a core to 192 cores.
const (
	minTaskCPU = 128
	maxTaskCPU = 196608
)

// FargateSize is one CPU size of Fargate with the memory sizes it goes with.
type FargateSize struct {
	CPU    int   // units
	Memory []int // MiB, ascending
}

// FargateSizes is AWS's table of task sizes.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
func FargateSizes() []FargateSize {
	return []FargateSize{
		{256, []int{512, 1024, 2048}},
		{512, memorySteps(1024, 4096, 1024)},
		{1024, memorySteps(2048, 8192, 1024)},
		{2048, memorySteps(4096, 16384, 1024)},
		{4096, memorySteps(8192, 30720, 1024)},
		{8192, memorySteps(16384, 61440, 4096)},
		{16384, memorySteps(32768, 122880, 8192)},
	}
}

func memorySteps(from, to, step int) []int {
	var out []int
	for m := from; m <= to; m += step {
		out = append(out, m)
	}
	return out
}

// IsFargateSize tells whether Fargate offers the pair.
func IsFargateSize(cpu, memory int) bool {
	for _, size := range FargateSizes() {
		if size.CPU != cpu {
			continue
		}
		if slices.Contains(size.Memory, memory) {
			return true
		}
	}
	return false
}

// ParseCPU reads a task-level CPU: units ("1024") or cores ("1 vCPU", ".5 vcpu").
func ParseCPU(s string) (units int, ok bool) {
	return parseQuantity(s, "vcpu")
}

// ParseMemory reads a task-level memory: MiB ("2048") or GiB ("2GB", "0.5 GB").
func ParseMemory(s string) (mib int, ok bool) {
	return parseQuantity(s, "gb")
}

// parseQuantity reads a whole number, or a decimal with the unit that stands for
// 1024 of it.
func parseQuantity(s, unit string) (int, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if n, err := strconv.Atoi(s); err == nil {
		return n, n > 0
	}
	number, found := strings.CutSuffix(s, unit)
	if !found {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	n := math.Round(f * 1024)
	if err != nil || !(n > 0 && n <= math.MaxInt32) { // also when it is not a number
		return 0, false
	}
	return int(n), true
}

// TaskCPU is the task-level CPU in units; 0 when the definition sets none.
func (d *Definition) TaskCPU() int {
	n, _ := ParseCPU(d.CPU)
	return n
}

// TaskMemory is the task-level memory in MiB; 0 when the definition sets none.
func (d *Definition) TaskMemory() int {
	n, _ := ParseMemory(d.Memory)
	return n
}

func invalidTaskSetting(field string) error {
	return refuse("Invalid '%s' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.", field)
}

// normalizeSize rewrites the task size to plain units, as AWS echoes it.
func normalizeSize(d *Definition) error {
	if d.CPU != "" {
		n, ok := ParseCPU(d.CPU)
		if !ok || n > maxTaskCPU || n < minTaskCPU {
			return invalidTaskSetting("cpu")
		}
		d.CPU = strconv.Itoa(n)
	}
	if d.Memory != "" {
		n, ok := ParseMemory(d.Memory)
		if !ok {
			return invalidTaskSetting("memory")
		}
		d.Memory = strconv.Itoa(n)
	}
	return nil
}

// checkContainerSizes holds the containers' CPU and memory against each other
// and against the task's.
func checkContainerSizes(d *Definition) error {
	cpu, reserved := 0, 0
	for i := range d.Containers {
		c := &d.Containers[i]
		if err := checkContainerMemory(d, c); err != nil {
			return err
		}
		if c.CPU < 0 {
			return refuse("Invalid 'cpu' setting for container '%s'.", c.Name)
		}
		cpu += c.CPU
		if c.MemoryReservation != nil {
			reserved += *c.MemoryReservation
		}
	}
	if d.CPU != "" && cpu > d.TaskCPU() {
		return refuse("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.").
			WithHint("the containers ask for %d units, the task has %s", cpu, d.CPU)
	}
	if d.Memory != "" && reserved > d.TaskMemory() {
		return refuse("The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'.").
			WithHint("the containers reserve %d MiB, the task has %s", reserved, d.Memory)
	}
	return nil
}

// minContainerMemory is what Docker asks for at least, in MiB.
const minContainerMemory = 4

func checkContainerMemory(d *Definition, c *Container) error {
	if c.Memory == nil && c.MemoryReservation == nil && d.Memory == "" && !d.Daemon {
		return refuse("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", c.Name)
	}
	if c.Memory != nil && *c.Memory < minContainerMemory {
		return refuse("Invalid setting for container '%s'. 'memory' must be at least %d.", c.Name, minContainerMemory)
	}
	if c.MemoryReservation != nil && *c.MemoryReservation < minContainerMemory {
		return refuse("Invalid setting for container '%s'. 'memoryReservation' must be at least %d.", c.Name, minContainerMemory)
	}
	if c.Memory != nil && c.MemoryReservation != nil && *c.Memory < *c.MemoryReservation {
		return refuse("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'.", c.Name)
	}
	if c.Memory != nil && d.Memory != "" && *c.Memory > d.TaskMemory() {
		return refuse("Invalid setting for container '%s'. The 'memory' setting for container is greater than for the task.", c.Name)
	}
	return nil
}

// refuse is how registration says no.
func refuse(format string, args ...any) *fault.Fault {
	return fault.New(fault.Client, format, args...)
}
