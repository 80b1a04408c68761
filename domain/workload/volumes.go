package workload

import (
	"slices"
	"strings"
)

func checkVolumes(d *Definition) error {
	var seen []string
	atLaunch := 0
	for i := range d.Volumes {
		v := &d.Volumes[i]
		if v.Name != "" && !isName(v.Name) {
			return refuse("Volume name contains invalid characters: '%s'.", v.Name)
		}
		if slices.Contains(seen, v.Name) {
			return refuse("Volume names must be unique within a task definition. Duplicate name: '%s'.", v.Name)
		}
		seen = append(seen, v.Name)
		if v.Name == "" {
			return refuse("Volume name should not be null or empty.")
		}
		if err := checkVolumeKind(v); err != nil {
			return err
		}
		if isTrue(v.ConfiguredAtLaunch) {
			atLaunch++
		}
	}
	if atLaunch > 1 {
		return refuse("A task definition can have at most one volume configured at launch.")
	}
	return checkLaunchVolumesMounted(d)
}

func checkVolumeKind(v *Volume) error {
	kinds := 0
	for _, set := range []bool{
		v.Host != nil && v.Host.SourcePath != "", v.Docker != nil, v.EFS != nil, v.FSx != nil, v.S3Files != nil, isTrue(v.ConfiguredAtLaunch),
	} {
		if set {
			kinds++
		}
	}
	if kinds > 1 {
		return refuse("Invalid volume configuration for volume '%s'. Only one kind of volume can be specified.", v.Name)
	}
	switch {
	case v.Docker != nil:
		return checkDockerVolume(v)
	case v.EFS != nil:
		return checkEFSVolume(v)
	case v.FSx != nil && (v.FSx.FileSystemID == "" || v.FSx.RootDirectory == "" || v.FSx.CredentialsParameter == "" || v.FSx.Domain == ""):
		return refuse("Invalid 'fsxWindowsFileServerVolumeConfiguration' for volume '%s'. fileSystemId, rootDirectory and authorizationConfig are required.", v.Name)
	case v.S3Files != nil && v.S3Files.FileSystemARN == "":
		return refuse("Invalid 's3filesVolumeConfiguration' for volume '%s'. fileSystemArn is required.", v.Name)
	}
	return nil
}

func checkDockerVolume(v *Volume) error {
	if err := oneOf("scope", v.Docker.Scope, "task", "shared"); err != nil {
		return err
	}
	if v.Docker.Autoprovision != nil && v.Docker.Scope != "shared" {
		return refuse("Autoprovision should not be set for volume '%s': it is only valid when scope is shared.", v.Name)
	}
	return nil
}

func checkEFSVolume(v *Volume) error {
	e := v.EFS
	if e.FileSystemID == "" {
		return refuse("EFS file system ID should not be null or empty for volume '%s'.", v.Name)
	}
	if !strings.HasPrefix(e.FileSystemID, "fs-") {
		return refuse("Invalid EFS file system ID '%s'.", e.FileSystemID)
	}
	if err := oneOf("transitEncryption", e.TransitEncryption, "ENABLED", "DISABLED"); err != nil {
		return err
	}
	encrypted := e.TransitEncryption == "ENABLED"
	if e.TransitEncryptionPort != nil && !encrypted {
		return refuse("TransitEncryptionPort requires that TransitEncryption is enabled.")
	}
	if e.TransitEncryptionPort != nil && (*e.TransitEncryptionPort < 0 || *e.TransitEncryptionPort > 65535) {
		return refuse("Invalid TransitEncryptionPort. It must be between 0 and 65535.")
	}
	if e.Authorization == nil {
		return nil
	}
	if err := oneOf("iam", e.Authorization.IAM, "ENABLED", "DISABLED"); err != nil {
		return err
	}
	if e.Authorization.IAM == "ENABLED" && !encrypted {
		return refuse("EFS IAM authorization requires TransitEncryption to be enabled.")
	}
	if e.Authorization.AccessPointID == "" {
		return nil
	}
	if !encrypted {
		return refuse("EFS access points require TransitEncryption to be enabled.")
	}
	if e.RootDirectory != "" && e.RootDirectory != "/" {
		return refuse(`When using an EFS access point, the root directory must either be set to "/" or be omitted.`)
	}
	return nil
}

func checkLaunchVolumesMounted(d *Definition) error {
	for i := range d.Volumes {
		v := &d.Volumes[i]
		if isTrue(v.ConfiguredAtLaunch) && !d.mounts(v.Name) {
			return refuse("Volumes [%s] are not referenced by any of the containers.", v.Name)
		}
	}
	return nil
}

func (d *Definition) mounts(volume string) bool {
	for i := range d.Containers {
		for _, m := range d.Containers[i].MountPoints {
			if m.SourceVolume == volume {
				return true
			}
		}
	}
	return false
}

// Volume finds a volume of the definition by name; nil when there is none.
func (d *Definition) Volume(name string) *Volume {
	for i := range d.Volumes {
		if d.Volumes[i].Name == name {
			return &d.Volumes[i]
		}
	}
	return nil
}

func checkMounts(d *Definition) error {
	for i := range d.Containers {
		c := &d.Containers[i]
		var paths []string
		for _, m := range c.MountPoints {
			switch {
			case m.SourceVolume == "":
				return refuse("Invalid 'mountPoints' setting for container '%s'. sourceVolume should not be null or empty.", c.Name)
			case d.Volume(m.SourceVolume) == nil:
				return refuse("Unknown volume '%s'.", m.SourceVolume)
			case m.ContainerPath == "":
				return refuse("Invalid 'mountPoints' setting for container '%s'. containerPath should not be null or empty.", c.Name)
			case slices.Contains(paths, m.ContainerPath):
				return refuse("Invalid 'mountPoints' setting for container '%s'. Duplicate mount point: '%s'.", c.Name, m.ContainerPath)
			}
			paths = append(paths, m.ContainerPath)
		}
		for _, f := range c.VolumesFrom {
			if f.SourceContainer == c.Name {
				return refuse("Invalid 'volumesFrom' setting. Container '%s' cannot mount its own volumes.", c.Name)
			}
			if d.Container(f.SourceContainer) == nil {
				return refuse("Invalid 'volumesFrom' setting. Unknown container: '%s'.", f.SourceContainer)
			}
		}
	}
	return nil
}
