package workload

import "slices"

// Prepare turns what a caller registers into the definition that is stored and
// echoed: it rejects what AWS rejects (a ClientException with AWS's words), fills
// in what AWS fills in, and computes Compatibilities and RequiresAttributes. It
// changes d in place; after an error d is not to be used.
//
// Identity (ARN, Revision, times) and what needs state, such as whether a role
// exists, are the caller's.
func Prepare(d *Definition) error {
	if err := normalizeSize(d); err != nil {
		return err
	}
	for _, check := range rules() {
		if err := check(d); err != nil {
			return err
		}
	}
	if d.requires(Fargate) {
		if err := FargateRefusal(d); err != nil {
			return err
		}
	}
	applyDefaults(d)
	d.Compatibilities = compatibilities(d)
	d.RequiresAttributes = requiredAttributes(d)
	return nil
}

// rules are the checks every definition must pass, in the order in which AWS is
// seen to report: the first failure is the answer.
func rules() []func(*Definition) error {
	return []func(*Definition) error{
		checkFamily,
		checkContainers,
		checkModes,
		checkPlatform,
		checkContainerSizes,
		checkNetworkMode,
		checkPorts,
		checkVolumes,
		checkMounts,
		checkLinks,
		checkDependencies,
		checkEnvironment,
		checkSecrets,
		checkLogs,
		checkFirelens,
		checkHealthChecks,
		checkTimeouts,
		checkRestartPolicies,
		checkUlimits,
		checkLinuxParameters,
		checkSystemControls,
		checkResourceRequirements,
		checkEphemeralStorage,
		checkPlacementConstraints,
		checkProxy,
	}
}

func (d *Definition) requires(launch LaunchType) bool {
	return slices.Contains(d.RequiresCompatibilities, launch)
}

// Container finds a container of the definition by name; nil when there is none.
func (d *Definition) Container(name string) *Container {
	for i := range d.Containers {
		if d.Containers[i].Name == name {
			return &d.Containers[i]
		}
	}
	return nil
}

// Mode is the network mode in force: Bridge when the definition names none.
func (d *Definition) Mode() NetworkMode {
	if d.NetworkMode == "" {
		return Bridge
	}
	return d.NetworkMode
}
