package workload

import "slices"

// compatibilities lists the launch types the definition can run on, in the order
// AWS shows them.
func compatibilities(d *Definition) []LaunchType {
	var out []LaunchType
	if d.Mode() != AWSVPC && !d.isWindows() {
		out = append(out, External)
	}
	out = append(out, EC2)
	if FargateRefusal(d) == nil {
		out = append(out, Fargate)
	}
	return out
}

// CompatibleWith tells whether the definition can run on a launch type.
func (d *Definition) CompatibleWith(launch LaunchType) bool {
	return slices.Contains(d.Compatibilities, launch)
}
