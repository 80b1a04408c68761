package ssm

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	shape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/domain/ami"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/secret"
)

// publicPrefix begins what AWS publishes, for all accounts to read.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
const publicPrefix = "/aws/service/"

const (
	optimized    = publicPrefix + "ecs/optimized-ami/"
	bottlerocket = publicPrefix + "bottlerocket/"
)

// published is a public parameter.
type published struct{ name, value string }

// publicParameters are all that a region has, in order of name.
func publicParameters(region string) (list []published) {
	for _, m := range ami.All(region) {
		if m.Bottlerocket {
			list = append(list, published{bottlerocket + m.Path + "/latest/image_id", m.ID}, published{bottlerocket + m.Path + "/latest/image_version", m.Version})
			continue
		}
		list = append(list, published{optimized + m.Path + "/recommended", whole(m)})
		for _, member := range recommended(m) {
			list = append(list, published{optimized + m.Path + "/recommended/" + member.name, member.value})
		}
	}
	slices.SortFunc(list, func(a, b published) int { return strings.Compare(a.name, b.name) })
	return list
}

const schemaVersion = 1

func recommended(m ami.Image) []published {
	return []published{
		{"ecs_agent_version", ami.AgentVersion}, {"ecs_runtime_version", ami.RuntimeVersion}, {"image_id", m.ID}, {"image_name", m.Name},
		{"image_version", m.Version}, {"os", m.OS}, {"schema_version", strconv.Itoa(schemaVersion)},
	}
}

// whole is the same as one JSON object.
func whole(m ami.Image) string {
	object := map[string]any{}
	for _, member := range recommended(m) {
		object[member.name] = member.value
	}
	object["schema_version"] = schemaVersion
	text, err := json.Marshal(object)
	if err != nil {
		return "" // strings and a number are JSON always
	}
	return string(text)
}

func getPublic(region, name string) (*shape.Parameter, error) {
	for _, p := range publicParameters(region) {
		if p.name == name {
			return showPublic(region, p), nil
		}
	}
	return nil, notFound(name).WithHint("berth publishes the images for ECS only: %s... and %s...", optimized, bottlerocket)
}

func showPublic(region string, p published) *shape.Parameter {
	name := arn.Scope{Region: region}.Of("ssm", "parameter"+p.name)
	return &shape.Parameter{
		Name: &p.name, Type: shape.ParameterTypeString, Value: &p.value, Version: new(int64(1)), ARN: &name, DataType: new(secret.Text),
		LastModifiedDate: new(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)),
	}
}

// publicBelow are the public parameters below a path.
func publicBelow(region, path string, recursive bool) (list []*shape.Parameter) {
	if !strings.HasPrefix(path+"/", publicPrefix) {
		return nil
	}
	for _, p := range publicParameters(region) {
		if secret.Below(p.name, path, recursive) {
			list = append(list, showPublic(region, p))
		}
	}
	return list
}
