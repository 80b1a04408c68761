package ecs_test

import (
	"strings"
	"testing"
)

const (
	daemonARN   = "arn:aws:ecs:eu-central-1:123456789012:daemon/default/watch"
	providerARN = "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/"
	watch1      = "arn:aws:ecs:eu-central-1:123456789012:daemon-task-definition/watch:1"
)

// daemons is a server with the cluster default, the providers metal and wood, and
// a daemon task definition.
func daemons(t *testing.T) *server {
	s := start(t)
	s.do("CreateCluster", `{"clusterName": "default"}`)
	for _, name := range []string{"metal", "wood", "elsewhere"} {
		s.provider(name, "ENABLED")
	}
	s.do("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": ["metal", "wood", "FARGATE"], "defaultCapacityProviderStrategy": []}`)
	s.do("RegisterDaemonTaskDefinition", `{"family": "watch", "containerDefinitions": [{"name": "main", "image": "watch"}]}`)
	return s
}

func TestDaemonTaskDefinitions(t *testing.T) {
	s := daemons(t)
	second := s.do("RegisterDaemonTaskDefinition", `{"family": "watch", "cpu": "256", "memory": "128", "pidMode": "shared", "tags": [{"key": "a", "value": "b"}],
		"volumes": [{"name": "root", "host": {"sourcePath": "/"}}],
		"containerDefinitions": [{"name": "main", "image": "watch:2", "privileged": true, "mountPoints": [{"sourceVolume": "root", "containerPath": "/host"}],
		"linuxParameters": {"initProcessEnabled": true}}]}`)
	expect(t, "arn", get(second, "daemonTaskDefinitionArn"), any(strings.TrimSuffix(watch1, "1")+"2"))
	shown := get(s.do("DescribeDaemonTaskDefinition", `{"daemonTaskDefinition": "watch"}`), "daemonTaskDefinition").(object)
	has(t, shown, object{"family": "watch", "revision": 2.0, "status": "ACTIVE", "cpu": "256", "memory": "128", "pidMode": "shared", "ipcMode": "none",
		"volumes": []any{object{"name": "root", "host": object{"sourcePath": "/"}}}})
	has(t, get(shown, "containerDefinitions", 0).(object), object{"name": "main", "image": "watch:2", "essential": true, "privileged": true,
		"linuxParameters": object{"initProcessEnabled": true}})
	expect(t, "by ARN", get(s.do("DescribeDaemonTaskDefinition", `{"daemonTaskDefinition": "`+watch1+`"}`), "daemonTaskDefinition", "revision"), any(1.0))
	s.do("RegisterDaemonTaskDefinition", `{"family": "log", "containerDefinitions": [{"name": "main", "image": "log"}]}`)
	list := func(body string) (out []string) {
		found, _ := get(s.do("ListDaemonTaskDefinitions", "%s", body), "daemonTaskDefinitions").([]any)
		for _, d := range found {
			arn := get(d, "arn").(string)
			out = append(out, arn[strings.LastIndexByte(arn, '/')+1:])
		}
		return out
	}
	expect(t, "all", list(`{}`), []string{"log:1", "watch:1", "watch:2"})
	expect(t, "the last", list(`{"revision": "LAST_REGISTERED", "sort": "DESC"}`), []string{"watch:2", "log:1"})
	expect(t, "a family", list(`{"family": "wat"}`), []string(nil))
	expect(t, "a prefix", list(`{"familyPrefix": "wat", "maxResults": 1}`), []string{"watch:1"})
	s.do("DeleteDaemonTaskDefinition", `{"daemonTaskDefinition": "watch:2"}`)
	expect(t, "deleted", list(`{"status": "DELETE_IN_PROGRESS"}`), []string{"watch:2"})
	expect(t, "the latest active one", get(s.do("DescribeDaemonTaskDefinition", `{"daemonTaskDefinition": "watch"}`), "daemonTaskDefinition", "revision"), any(1.0))
	tags := s.do("ListTagsForResource", `{"resourceArn": "arn:aws:ecs:eu-central-1:123456789012:daemon-task-definition/watch:2"}`)
	expect(t, "tags", get(tags, "tags", 0), any(object{"key": "a", "value": "b"}))
	expect(t, "other definitions", get(s.do("ListTaskDefinitions", `{}`), "taskDefinitionArns"), any([]any{}))
	expect(t, "other families", get(s.do("ListTaskDefinitionFamilies", `{"status": "ALL"}`), "families"), any([]any{}))

	s.do("RegisterTaskDefinition", `{"family": "web", "containerDefinitions": [{"name": "main", "image": "web", "memory": 10}]}`)
	for _, c := range []struct{ operation, body, kind, message string }{
		{"RegisterDaemonTaskDefinition", `{"family": "a b", "containerDefinitions": [{"name": "main", "image": "x"}]}`, "ClientException", "Family contains invalid characters."},
		{"RegisterDaemonTaskDefinition", `{"family": "x", "containerDefinitions": []}`, "ClientException", "Container list cannot be empty."},
		{"RegisterDaemonTaskDefinition", `{"family": "x", "pidMode": "host", "containerDefinitions": [{"name": "main", "image": "x"}]}`, "ClientException", "pidMode should be one of"},
		{"DescribeDaemonTaskDefinition", `{"daemonTaskDefinition": "nothing"}`, "ClientException", "Unable to describe daemon task definition."},
		{"DeleteDaemonTaskDefinition", `{"daemonTaskDefinition": "watch"}`, "ClientException", "Revision is missing."},
		{"DeleteDaemonTaskDefinition", `{"daemonTaskDefinition": "watch:2"}`, "ClientException", "The specified daemon task definition is not in the ACTIVE state."},
		{"ListDaemonTaskDefinitions", `{"status": "INACTIVE"}`, "InvalidParameterException", "status should be one of"},
		{"RunTask", `{"taskDefinition": "watch"}`, "ClientException", "TaskDefinition not found."},
		{"RunTask", `{"taskDefinition": "web", "group": "daemon:watch"}`, "InvalidParameterException", "Invalid namespace for group."},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
}

func TestDaemonLife(t *testing.T) {
	s := daemons(t)
	body := `{"daemonName": "watch", "daemonTaskDefinitionArn": "` + watch1 + `", "capacityProviderArns": ["` + providerARN + `metal"],
		"deploymentConfiguration": {"bakeTimeInMinutes": 2}, "tags": [{"key": "a", "value": "b"}], "propagateTags": "DAEMON", "clientToken": "once"}`
	made := s.do("CreateDaemon", "%s", body)
	has(t, made.object, object{"daemonArn": daemonARN, "status": "ACTIVE"})
	again := s.do("CreateDaemon", "%s", body)
	expect(t, "repeated", get(again, "deploymentArn"), get(made, "deploymentArn"))
	shown := get(s.do("DescribeDaemon", `{"daemonArn": "`+daemonARN+`"}`), "daemon").(object)
	has(t, shown, object{"status": "ACTIVE", "clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/default", "deploymentArn": get(made, "deploymentArn")})
	has(t, get(shown, "currentRevisions", 0).(object), object{"totalRunningCount": 0.0, "totalWithoutDaemonCount": 0.0,
		"capacityProviders": []any{object{"arn": providerARN + "metal", "runningCount": 0.0, "withoutDaemonCount": 0.0}}})
	first := get(shown, "currentRevisions", 0, "arn").(string)

	updated := s.do("UpdateDaemon", `{"daemonArn": "`+daemonARN+`", "daemonTaskDefinitionArn": "`+watch1+`", "capacityProviderArns": ["`+providerARN+`wood"], "critical": false,
		"deploymentConfiguration": {"drainPercent": 10, "alarms": {"alarmNames": ["hot"], "enable": true}}}`)
	deployments := s.do("DescribeDaemonDeployments", "%s", `{"daemonDeploymentArns": ["`+get(made, "deploymentArn").(string)+`", "`+get(updated, "deploymentArn").(string)+`",
		"arn:aws:ecs:eu-central-1:123456789012:daemon-deployment/default/watch/none"]}`)
	has(t, get(deployments, "daemonDeployments", 0).(object), object{"status": "STOPPED",
		"statusReason":            "The daemon deployment was stopped because a new daemon deployment was started.",
		"deploymentConfiguration": object{"drainPercent": 25.0, "bakeTimeInMinutes": 2.0}, "alarms": object{"status": "DISABLED"}})
	has(t, get(deployments, "daemonDeployments", 1).(object), object{"status": "PENDING",
		"deploymentConfiguration": object{"drainPercent": 10.0, "bakeTimeInMinutes": 0.0, "alarms": object{"alarmNames": []any{"hot"}, "enable": true}},
		"alarms":                  object{"status": "MONITORING", "alarmNames": []any{"hot"}}, "circuitBreaker": object{"status": "MONITORING", "failureCount": 0.0, "threshold": 0.0}})
	expect(t, "source", get(deployments, "daemonDeployments", 1, "sourceDaemonRevisions", 0, "arn"), any(first))
	expect(t, "failures", get(deployments, "failures", 0, "reason"), any("MISSING"))
	listed := s.do("ListDaemonDeployments", `{"daemonArn": "`+daemonARN+`", "status": ["PENDING"]}`)
	expect(t, "listed", get(listed, "daemonDeployments", 0, "daemonDeploymentArn"), get(updated, "deploymentArn"))
	revisions := s.do("DescribeDaemonRevisions", "%s", `{"daemonRevisionArns": ["`+first+`", "`+get(listed, "daemonDeployments", 0, "targetDaemonRevisionArn").(string)+`"]}`)
	has(t, get(revisions, "daemonRevisions", 0).(object), object{"propagateTags": "DAEMON", "critical": true, "enableExecuteCommand": false,
		"daemonTaskDefinitionArn": watch1, "containerImages": []any{object{"containerName": "main", "image": "watch"}}})
	has(t, get(revisions, "daemonRevisions", 1).(object), object{"propagateTags": "NONE", "critical": false})

	expect(t, "by provider", get(s.do("ListDaemons", `{"capacityProviderArns": ["`+providerARN+`metal"]}`), "daemonSummariesList"), any([]any{}))
	expect(t, "by cluster", get(s.do("ListDaemons", `{"clusterArn": "default"}`), "daemonSummariesList", 0, "daemonArn"), any(daemonARN))
	expect(t, "everywhere", get(s.do("ListDaemons", `{}`), "daemonSummariesList", 0, "status"), any("ACTIVE"))
	s.do("TagResource", `{"resourceArn": "`+daemonARN+`", "tags": [{"key": "c", "value": "d"}]}`)
	expect(t, "tags", get(s.do("ListTagsForResource", `{"resourceArn": "`+daemonARN+`"}`), "tags", 1), any(object{"key": "c", "value": "d"}))

	gone := s.do("DeleteDaemon", `{"daemonArn": "`+daemonARN+`"}`)
	expect(t, "deleted", get(gone, "status"), any("DELETE_IN_PROGRESS"))
	s.refused("DeleteDaemon", `{"daemonArn": "`+daemonARN+`"}`, "DaemonNotActiveException", "The specified daemon is not active.")
	s.refused("CreateDaemon", body, "ClientException", "The daemon watch is being deleted.")
}

func TestDaemonRefusals(t *testing.T) {
	s := daemons(t)
	daemon := func(more string) string {
		return `{"daemonName": "watch", "daemonTaskDefinitionArn": "` + watch1 + `", "capacityProviderArns": ["` + providerARN + `metal"]` + more + `}`
	}
	on := func(providers string) string {
		return `{"daemonName": "watch", "daemonTaskDefinitionArn": "` + watch1 + `", "capacityProviderArns": [` + providers + `]}`
	}
	for _, c := range []struct{ operation, body, kind, message string }{
		{"CreateDaemon", strings.Replace(daemon(""), `"watch"`, `"a b"`, 1), "InvalidParameterException", "Daemon name contains invalid characters."},
		{"CreateDaemon", daemon(`, "clusterArn": "none"`), "ClusterNotFoundException", "Cluster not found."},
		{"CreateDaemon", daemon(`, "propagateTags": "SERVICE"`), "InvalidParameterException", "propagateTags should be one of"},
		{"CreateDaemon", daemon(`, "deploymentConfiguration": {"bakeTimeInMinutes": -1}`), "InvalidParameterException", "bakeTimeInMinutes should be between"},
		{"CreateDaemon", daemon(`, "deploymentConfiguration": {"alarms": {"enable": true}}`), "InvalidParameterException", "alarmNames can not be empty"},
		{"CreateDaemon", strings.Replace(daemon(""), "watch:1", "watch:7", 1), "ClientException", "Unable to describe daemon task definition."},
		{"CreateDaemon", on(``), "InvalidParameterException", "capacityProviderArns can not be empty."},
		{"CreateDaemon", on(`"metal"`), "InvalidParameterException", "Capacity providers must be specified by their ARNs."},
		{"CreateDaemon", on(`"` + providerARN + `none"`), "InvalidParameterException", "The specified capacity provider does not exist."},
		{"CreateDaemon", on(`"` + providerARN + `FARGATE"`), "InvalidParameterException", "Daemons are not supported with the capacity provider FARGATE."},
		{"CreateDaemon", on(`"` + providerARN + `elsewhere"`), "InvalidParameterException", "The specified capacity provider elsewhere is not associated with cluster default."},
		{"DescribeDaemon", `{"daemonArn": "` + daemonARN + `"}`, "DaemonNotFoundException", "The specified daemon was not found."},
		{"DescribeDaemon", `{"daemonArn": "watch"}`, "InvalidParameterException", "Invalid identifier"},
		{"UpdateDaemon", `{"daemonArn": "` + daemonARN + `", "daemonTaskDefinitionArn": "` + watch1 + `", "capacityProviderArns": ["` + providerARN + `metal"]}`, "DaemonNotFoundException", "The specified daemon was not found."},
		{"DescribeDaemonRevisions", `{"daemonRevisionArns": []}`, "InvalidParameterException", "daemon-revision ARNs can not be empty."},
		{"ListDaemonDeployments", `{"daemonArn": "` + daemonARN + `"}`, "DaemonNotFoundException", "The specified daemon was not found."},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
	s.do("CreateDaemon", "%s", daemon(""))
	s.refused("CreateDaemon", daemon(`, "enableExecuteCommand": true`), "InvalidParameterException", "Creation of daemon was not idempotent.")
	s.do("DeleteDaemonTaskDefinition", `{"daemonTaskDefinition": "watch:1"}`)
	s.refused("CreateDaemon", strings.Replace(daemon(""), `"watch"`, `"other"`, 1), "ClientException", "The specified daemon task definition is not active.")
}
