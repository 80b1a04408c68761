// Package ami names the machine images that AWS recommends for container
// instances. berth starts no such image: the ids only let templates that look them
// up go on, and are the same on every berth.
package ami

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Image is one recommended image.
type Image struct {
	Path         string // "amazon-linux-2023/arm64" below /aws/service/ecs/optimized-ami
	ID           string // "ami-" and 17 hex digits
	Name         string
	Version      string
	OS           string
	Architecture string // x86_64 or arm64
	Bottlerocket bool   // Path is "aws-ecs-2/x86_64" below /aws/service/bottlerocket
}

// What every image says it holds.
const (
	AgentVersion   = "1.102.0"
	RuntimeVersion = "Docker version 25.0.13"
	version        = "20260101"
)

// ID is what a region calls the image of a path.
func ID(region, path string) string {
	sum := sha256.Sum256([]byte(region + "/" + path))
	return "ami-" + hex.EncodeToString(sum[:])[:17]
}

// All are the images of a region, in order of path.
func All(region string) []Image {
	list := []Image{
		{Path: "amazon-linux-2", Name: "amzn2-ami-ecs-hvm-2.0." + version + "-x86_64-ebs", OS: "Amazon Linux 2"},
		{Path: "amazon-linux-2/arm64", Name: "amzn2-ami-ecs-hvm-2.0." + version + "-arm64-ebs", OS: "Amazon Linux 2"},
		{Path: "amazon-linux-2/gpu", Name: "amzn2-ami-ecs-gpu-hvm-2.0." + version + "-x86_64-ebs", OS: "Amazon Linux 2"},
		{Path: "amazon-linux-2/inf", Name: "amzn2-ami-ecs-inf-hvm-2.0." + version + "-x86_64-ebs", OS: "Amazon Linux 2"},
		{Path: "amazon-linux-2/kernel-5.10", Name: "amzn2-ami-ecs-kernel-5.10-hvm-2.0." + version + "-x86_64-ebs", OS: "Amazon Linux 2"},
		{Path: "amazon-linux-2/kernel-5.10/arm64", Name: "amzn2-ami-ecs-kernel-5.10-hvm-2.0." + version + "-arm64-ebs", OS: "Amazon Linux 2"},
		{Path: "amazon-linux-2/kernel-5.10/gpu", Name: "amzn2-ami-ecs-kernel-5.10-gpu-hvm-2.0." + version + "-x86_64-ebs", OS: "Amazon Linux 2"},
		{Path: "amazon-linux-2023", Name: "al2023-ami-ecs-hvm-2023.0." + version + "-kernel-6.1-x86_64", OS: "Amazon Linux 2023"},
		{Path: "amazon-linux-2023/arm64", Name: "al2023-ami-ecs-hvm-2023.0." + version + "-kernel-6.1-arm64", OS: "Amazon Linux 2023"},
		{Path: "amazon-linux-2023/gpu", Name: "al2023-ami-ecs-gpu-hvm-2023.0." + version + "-kernel-6.1-x86_64-ebs", OS: "Amazon Linux 2023"},
		{Path: "amazon-linux-2023/neuron", Name: "al2023-ami-ecs-neuron-hvm-2023.0." + version + "-kernel-6.1-x86_64", OS: "Amazon Linux 2023"},
	}
	for _, variant := range []string{"aws-ecs-1", "aws-ecs-1-nvidia", "aws-ecs-2", "aws-ecs-2-nvidia"} {
		for _, arch := range []string{"arm64", "x86_64"} {
			list = append(list, Image{Path: variant + "/" + arch, Name: "bottlerocket-" + variant + "-" + arch + "-v1.50.0", OS: "Bottlerocket", Version: "1.50.0", Bottlerocket: true})
		}
	}
	for i := range list {
		complete(&list[i], region)
	}
	return list
}

func complete(m *Image, region string) {
	m.ID, m.Architecture = ID(region, m.Path), "x86_64"
	if strings.HasSuffix(m.Path, "arm64") {
		m.Architecture = "arm64"
	}
	if m.Version == "" {
		m.Version = version
	}
}
