package ecs_test

import (
	"testing"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecs"
)

// Resources of the cases.
const (
	ecsARN     = "arn:aws:ecs:eu-central-1:123456789012:"
	defaultARN = ecsARN + "cluster/default"
	taskID     = "0123456789abcdef0123456789abcdef"
	taskARN    = ecsARN + "task/default/" + taskID
	hostARN    = ecsARN + "container-instance/default/" + taskID
	shopARN    = ecsARN + "service/default/shop"
	deployARN  = ecsARN + "service-deployment/default/shop/d"
	revARN     = ecsARN + "service-revision/default/shop/1"
	setARN     = ecsARN + "task-set/default/shop/ecs-svc/1"
	webARN     = ecsARN + "task-definition/web:1"
	logsARN    = ecsARN + "daemon/default/logs"
	providers  = ecsARN + "capacity-provider/"
	roles      = "arn:aws:iam::123456789012:role/"
)

// keys are condition keys and their values, by turns.
func keys(pairs ...string) map[string][]string {
	out := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = append(out[pairs[i]], pairs[i+1])
	}
	return out
}

// need is one thing to be allowed.
func need(action, resource string, pairs ...string) gateway.Need {
	n := gateway.Need{Action: action, Keys: keys(pairs...)}
	if resource != "" {
		n.Resources = []string{resource}
	}
	return n
}

func pass(role, to string) gateway.Need {
	return need("iam:PassRole", roles+role, "iam:PassedToService", to)
}

func passTask(role string) gateway.Need { return pass(role, "ecs-tasks.amazonaws.com") }
func passECS(role string) gateway.Need  { return pass(role, "ecs.amazonaws.com") }

// calls is a case of an operation with several needs.
func calls(operation, input string, needs ...gateway.Need) gatewaytest.Authorised {
	return gatewaytest.Authorised{Operation: operation, Input: input, Needs: needs}
}

// calling is a case of an operation that needs itself on one resource.
func calling(operation, input, resource string, pairs ...string) gatewaytest.Authorised {
	return calls(operation, input, need("ecs:"+operation, resource, pairs...))
}

// furnished has a definition with roles, and a daemon's.
func furnished(t testing.TB) *gatewaytest.Server {
	s := start(t)
	s.do("RegisterTaskDefinition", `{"family":"web","cpu":"256","memory":"512","taskRoleArn":"app","executionRoleArn":"%spulls",
		"containerDefinitions":[{"name":"app","image":"web"}]}`, roles)
	s.do("RegisterDaemonTaskDefinition", `{"family":"logs","taskRoleArn":"%sapp","containerDefinitions":[{"name":"app","image":"web","memory":64}]}`, roles)
	return s.Server
}

func TestAuthorisation(t *testing.T) {
	var cases []gatewaytest.Authorised
	for _, some := range [][]gatewaytest.Authorised{
		clusterCases(), definitionCases(), serviceCases(), deploymentCases(), daemonCases(), expressCases(), taskCases(), instanceCases(), accountCases(),
	} {
		cases = append(cases, some...)
	}
	gatewaytest.Authorisation(t, furnished, shape.API, cases)
}

func clusterCases() []gatewaytest.Authorised {
	const kmsKey = "arn:aws:kms:eu-central-1:123456789012:key/k"
	const managed = `"managedInstancesProvider":{"infrastructureRoleArn":"` + roles + `infra","instanceLaunchTemplate":{"ec2InstanceProfileArn":"p","networkConfiguration":{"subnets":["subnet-a"]}}}`
	return []gatewaytest.Authorised{
		calls("CreateCluster", `{"clusterName":"lab","capacityProviders":["FARGATE"],"tags":[{"key":"team","value":"a"}],
			"configuration":{"managedStorageConfiguration":{"fargateEphemeralStorageKmsKeyId":"`+kmsKey+`"}}}`,
			need("ecs:CreateCluster", ecsARN+"cluster/lab", "ecs:capacity-provider", providers+"FARGATE", "aws:RequestTag/team", "a", "ecs:fargate-ephemeral-storage-kms-key", kmsKey),
			need("ecs:TagResource", ecsARN+"cluster/lab", "ecs:CreateAction", "CreateCluster", "aws:TagKeys", "team")),
		calling("CreateCluster", `{}`, defaultARN),
		calling("DescribeClusters", `{}`, defaultARN),
		calling("DescribeClusters", `{"clusters":["lab"]}`, ecsARN+"cluster/lab"),
		calling("ListClusters", `{}`, ""),
		calling("UpdateCluster", `{"cluster":"lab"}`, ecsARN+"cluster/lab"),
		calling("UpdateClusterSettings", `{"cluster":"lab","settings":[]}`, ecsARN+"cluster/lab"),
		calling("PutClusterCapacityProviders", `{"cluster":"lab","capacityProviders":[],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE"}]}`,
			ecsARN+"cluster/lab", "ecs:capacity-provider", providers+"FARGATE"),
		calling("DeleteCluster", `{"cluster":"lab"}`, ecsARN+"cluster/lab"),

		calls("CreateCapacityProvider", `{"name":"mine","cluster":"lab",`+managed+`,"tags":[{"key":"team","value":"a"}]}`,
			need("ecs:CreateCapacityProvider", providers+"mine"), need("ecs:PutClusterCapacityProviders", ecsARN+"cluster/lab"),
			need("ecs:TagResource", providers+"mine", "ecs:CreateAction", "CreateCapacityProvider"), passECS("infra")),
		calling("DescribeCapacityProviders", `{}`, providers+"*"),
		calling("DescribeCapacityProviders", `{"capacityProviders":["mine"]}`, providers+"mine"),
		calls("UpdateCapacityProvider", `{"name":"mine","cluster":"lab",`+managed+`}`,
			need("ecs:UpdateCapacityProvider", providers+"mine"), need("ecs:PutClusterCapacityProviders", ecsARN+"cluster/lab"), passECS("infra")),
		calls("DeleteCapacityProvider", `{"capacityProvider":"mine","cluster":"lab"}`,
			need("ecs:DeleteCapacityProvider", providers+"mine"), need("ecs:PutClusterCapacityProviders", ecsARN+"cluster/lab")),
	}
}

func definitionCases() []gatewaytest.Authorised {
	return []gatewaytest.Authorised{
		calls("RegisterTaskDefinition", `{"family":"api","cpu":"256","memory":"512","requiresCompatibilities":["EC2"],"taskRoleArn":"app","executionRoleArn":"`+roles+`pulls",
			"containerDefinitions":[{"name":"app","image":"web","privileged":true}],"tags":[{"key":"team","value":"a"}]}`,
			need("ecs:RegisterTaskDefinition", ecsARN+"task-definition/api:*", "ecs:task-cpu", "256", "ecs:task-memory", "512", "ecs:privileged", "true",
				"ecs:compute-compatibility", "EC2", "aws:RequestTag/team", "a"),
			need("ecs:TagResource", ecsARN+"task-definition/api:*", "ecs:CreateAction", "RegisterTaskDefinition"), passTask("app"), passTask("pulls")),
		calling("DescribeTaskDefinition", `{"taskDefinition":"web"}`, ""),
		calling("ListTaskDefinitions", `{}`, ""),
		calling("ListTaskDefinitionFamilies", `{}`, ""),
		calling("DeregisterTaskDefinition", `{"taskDefinition":"web:1"}`, ""),
		calling("DeleteTaskDefinitions", `{"taskDefinitions":["web:1"]}`, webARN),

		calls("RegisterDaemonTaskDefinition", `{"family":"api","cpu":"256","taskRoleArn":"`+roles+`app","containerDefinitions":[{"name":"app","image":"web"}]}`,
			need("ecs:RegisterDaemonTaskDefinition", ecsARN+"daemon-task-definition/api:*", "ecs:task-cpu", "256", "ecs:privileged", "false"), passTask("app")),
		calling("DescribeDaemonTaskDefinition", `{"daemonTaskDefinition":"logs"}`, ecsARN+"daemon-task-definition/logs:1"),
		calling("ListDaemonTaskDefinitions", `{}`, ""),
		calling("DeleteDaemonTaskDefinition", `{"daemonTaskDefinition":"logs:1"}`, ecsARN+"daemon-task-definition/logs:1"),
	}
}

func serviceCases() []gatewaytest.Authorised {
	const network = `"networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-a"],"assignPublicIp":"ENABLED"}}`
	return []gatewaytest.Authorised{
		calls("CreateService", `{"serviceName":"shop","taskDefinition":"web","role":"balances","enableExecuteCommand":true,`+network+`,
			"capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}],"propagateTags":"SERVICE","tags":[{"key":"team","value":"a"}],
			"serviceConnectConfiguration":{"enabled":true,"namespace":"internal"},
			"volumeConfigurations":[{"name":"v","managedEBSVolume":{"roleArn":"`+roles+`infra"}}],
			"loadBalancers":[{"advancedConfiguration":{"alternateTargetGroupArn":"a","roleArn":"`+roles+`shifts"}}],
			"vpcLatticeConfigurations":[{"roleArn":"`+roles+`lattice","targetGroupArn":"a","portName":"p"}],
			"deploymentConfiguration":{"lifecycleHooks":[{"roleArn":"`+roles+`hooks"}]}}`,
			need("ecs:CreateService", shopARN, "ecs:cluster", defaultARN, "ecs:task-definition", webARN, "ecs:enable-execute-command", "true",
				"ecs:enable-ecs-managed-tags", "false", "ecs:enable-ebs-volumes", "true", "ecs:enable-vpc-lattice", "true", "ecs:enable-service-connect", "true",
				"ecs:namespace", "internal", "ecs:subnet", "subnet-a", "ecs:auto-assign-public-ip", "true", "ecs:propagate-tags", "SERVICE",
				"ecs:capacity-provider", providers+"FARGATE_SPOT", "ecs:task-cpu", "256", "ecs:task-memory", "512", "aws:RequestTag/team", "a"),
			need("ecs:TagResource", shopARN, "ecs:CreateAction", "CreateService", "aws:TagKeys", "team"),
			passTask("app"), passTask("pulls"), passECS("balances"), passECS("infra"), passECS("shifts"), passECS("lattice"), passECS("hooks")),
		calls("UpdateService", `{"service":"shop","loadBalancers":[{"advancedConfiguration":{"roleArn":"`+roles+`shifts"}}]}`,
			need("ecs:UpdateService", shopARN, "ecs:cluster", defaultARN), passECS("shifts")),
		calls("UpdateService", `{"service":"shop","taskDefinition":"web:1","enableExecuteCommand":false,"vpcLatticeConfigurations":[]}`,
			need("ecs:UpdateService", shopARN, "ecs:cluster", defaultARN, "ecs:task-definition", webARN, "ecs:enable-execute-command", "false", "ecs:enable-vpc-lattice", "false"),
			passTask("app"), passTask("pulls")),
		calling("UpdateService", `{"service":"`+ecsARN+`service/shop","desiredCount":2}`, shopARN, "ecs:cluster", defaultARN),
		calling("DeleteService", `{"service":"shop"}`, shopARN, "ecs:cluster", defaultARN),
		calling("DescribeServices", `{"services":["shop"]}`, shopARN, "ecs:cluster", defaultARN),
		calling("ListServices", `{}`, "", "ecs:cluster", defaultARN),
		calling("ListServicesByNamespace", `{"namespace":"internal"}`, "", "ecs:namespace", "internal"),

		calls("CreateTaskSet", `{"cluster":"default","service":"shop","taskDefinition":"web","tags":[{"key":"team","value":"a"}],
			"loadBalancers":[{"advancedConfiguration":{"roleArn":"`+roles+`shifts"}}]}`,
			need("ecs:CreateTaskSet", ecsARN+"task-set/default/shop/*", "ecs:cluster", defaultARN, "ecs:service", shopARN, "ecs:task-definition", webARN),
			need("ecs:TagResource", ecsARN+"task-set/default/shop/*", "ecs:CreateAction", "CreateTaskSet"), passTask("app"), passTask("pulls"), passECS("shifts")),
		calling("UpdateTaskSet", `{"cluster":"default","service":"shop","taskSet":"ecs-svc/1","scale":{}}`, setARN, "ecs:cluster", defaultARN, "ecs:service", shopARN),
		calling("DeleteTaskSet", `{"cluster":"default","service":"shop","taskSet":"ecs-svc/1"}`, setARN, "ecs:cluster", defaultARN),
		calling("DescribeTaskSets", `{"cluster":"default","service":"shop"}`, ecsARN+"task-set/default/shop/*", "ecs:cluster", defaultARN, "ecs:service", shopARN),
		calling("UpdateServicePrimaryTaskSet", `{"cluster":"default","service":"shop","primaryTaskSet":"ecs-svc/1"}`, shopARN, "ecs:cluster", defaultARN),
	}
}

func deploymentCases() []gatewaytest.Authorised {
	both := func(operation, input, part string) gatewaytest.Authorised {
		return calls(operation, input, need("ecs:"+operation, shopARN, "ecs:cluster", defaultARN), need("ecs:"+operation, part, "ecs:cluster", defaultARN, "ecs:service", shopARN))
	}
	return []gatewaytest.Authorised{
		calling("ListServiceDeployments", `{"service":"shop"}`, shopARN, "ecs:cluster", defaultARN),
		both("DescribeServiceDeployments", `{"serviceDeploymentArns":["`+deployARN+`"]}`, deployARN),
		both("StopServiceDeployment", `{"serviceDeploymentArn":"`+deployARN+`"}`, deployARN),
		both("ContinueServiceDeployment", `{"serviceDeploymentArn":"`+deployARN+`","hookId":"h"}`, deployARN),
		both("DescribeServiceRevisions", `{"serviceRevisionArns":["`+revARN+`"]}`, revARN),
	}
}

func daemonCases() []gatewaytest.Authorised {
	const definition = ecsARN + "daemon-task-definition/logs:1"
	both := func(operation, member, part string) gatewaytest.Authorised {
		return calls(operation, `{"`+member+`":["`+part+`"]}`,
			need("ecs:"+operation, logsARN, "ecs:cluster", defaultARN), need("ecs:"+operation, part, "ecs:cluster", defaultARN, "ecs:daemon", logsARN))
	}
	return []gatewaytest.Authorised{
		calls("CreateDaemon", `{"daemonName":"logs","clusterArn":"`+defaultARN+`","daemonTaskDefinitionArn":"`+definition+`","capacityProviderArns":["`+providers+`p"],"tags":[{"key":"team","value":"a"}]}`,
			need("ecs:CreateDaemon", logsARN, "ecs:cluster", defaultARN, "ecs:daemon-task-definition", definition, "ecs:capacity-provider", providers+"p",
				"ecs:enable-execute-command", "false", "ecs:enable-ecs-managed-tags", "false", "aws:RequestTag/team", "a"),
			need("ecs:TagResource", logsARN, "ecs:CreateAction", "CreateDaemon"), passTask("app")),
		calls("UpdateDaemon", `{"daemonArn":"`+logsARN+`","daemonTaskDefinitionArn":"`+definition+`","capacityProviderArns":["`+providers+`p"]}`,
			need("ecs:UpdateDaemon", logsARN, "ecs:cluster", defaultARN, "ecs:daemon-task-definition", definition, "ecs:capacity-provider", providers+"p"), passTask("app")),
		calling("DeleteDaemon", `{"daemonArn":"`+logsARN+`"}`, logsARN, "ecs:cluster", defaultARN),
		calling("DescribeDaemon", `{"daemonArn":"`+logsARN+`"}`, logsARN, "ecs:cluster", defaultARN),
		calling("ListDaemons", `{"clusterArn":"`+defaultARN+`"}`, "", "ecs:cluster", defaultARN),
		calling("ListDaemonDeployments", `{"daemonArn":"`+logsARN+`"}`, logsARN, "ecs:cluster", defaultARN),
		both("DescribeDaemonRevisions", "daemonRevisionArns", ecsARN+"daemon-revision/default/logs/1"),
		both("DescribeDaemonDeployments", "daemonDeploymentArns", ecsARN+"daemon-deployment/default/logs/d"),
	}
}

func expressCases() []gatewaytest.Authorised {
	const made = ecsARN + "task-definition/default-shop:*"
	return []gatewaytest.Authorised{
		calls("CreateExpressGatewayService", `{"serviceName":"shop","executionRoleArn":"`+roles+`pulls","taskRoleArn":"`+roles+`app","infrastructureRoleArn":"`+roles+`infra",
			"primaryContainer":{"image":"web"},"cpu":"256","memory":"512","networkConfiguration":{"subnets":["subnet-a"]},"tags":[{"key":"team","value":"a"}]}`,
			need("ecs:CreateExpressGatewayService", shopARN, "ecs:cluster", defaultARN, "ecs:subnet", "subnet-a", "ecs:task-cpu", "256", "ecs:task-memory", "512", "aws:RequestTag/team", "a"),
			need("ecs:TagResource", shopARN, "ecs:CreateAction", "CreateExpressGatewayService"), need("ecs:RegisterTaskDefinition", made),
			passTask("app"), passTask("pulls"), passECS("infra")),
		calls("UpdateExpressGatewayService", `{"serviceArn":"`+shopARN+`","taskRoleArn":"`+roles+`app"}`,
			need("ecs:UpdateExpressGatewayService", shopARN, "ecs:cluster", defaultARN), need("ecs:RegisterTaskDefinition", made), passTask("app")),
		calls("UpdateExpressGatewayService", `{"serviceArn":"`+shopARN+`","taskDefinitionArn":"`+webARN+`"}`,
			need("ecs:UpdateExpressGatewayService", shopARN, "ecs:cluster", defaultARN, "ecs:task-definition", webARN), passTask("app"), passTask("pulls")),
		calling("DeleteExpressGatewayService", `{"serviceArn":"`+shopARN+`"}`, shopARN, "ecs:cluster", defaultARN),
		calling("DescribeExpressGatewayService", `{"serviceArn":"`+shopARN+`"}`, shopARN, "ecs:cluster", defaultARN),
	}
}

func taskCases() []gatewaytest.Authorised {
	const volumes = `"volumeConfigurations":[{"name":"v","managedEBSVolume":{"roleArn":"` + roles + `infra"}}]`
	return []gatewaytest.Authorised{
		calls("RunTask", `{"taskDefinition":"web","capacityProviderStrategy":[{"capacityProvider":"FARGATE"}],`+volumes+`,"tags":[{"key":"team","value":"a"}]}`,
			need("ecs:RunTask", webARN, "ecs:cluster", defaultARN, "ecs:capacity-provider", providers+"FARGATE", "ecs:enable-execute-command", "false",
				"ecs:enable-ebs-volumes", "true", "aws:RequestTag/team", "a"),
			need("ecs:TagResource", ecsARN+"task/default/*", "ecs:CreateAction", "RunTask"), passTask("app"), passTask("pulls"), passECS("infra")),
		calls("RunTask", `{"taskDefinition":"web:1","cluster":"lab","enableExecuteCommand":true,"overrides":{"taskRoleArn":"other"}}`,
			need("ecs:RunTask", webARN, "ecs:cluster", ecsARN+"cluster/lab", "ecs:enable-execute-command", "true", "ecs:enable-ebs-volumes", "false"),
			passTask("other"), passTask("pulls")),
		calling("RunTask", `{"taskDefinition":"nothing"}`, ecsARN+"task-definition/nothing", "ecs:cluster", defaultARN),
		calls("StartTask", `{"taskDefinition":"web","containerInstances":["`+taskID+`"],"overrides":{"executionRoleArn":"`+roles+`other"}}`,
			need("ecs:StartTask", webARN, "ecs:cluster", defaultARN, "ecs:container-instances", hostARN), passTask("app"), passTask("other")),
		calling("StopTask", `{"task":"`+taskID+`"}`, taskARN, "ecs:cluster", defaultARN),
		calling("StopTask", `{"task":"`+ecsARN+`task/`+taskID+`"}`, taskARN, "ecs:cluster", defaultARN),
		calling("DescribeTasks", `{"tasks":["`+taskARN+`"]}`, taskARN, "ecs:cluster", defaultARN),
		calls("ExecuteCommand", `{"task":"`+taskID+`","container":"app","command":"sh","interactive":true}`, gateway.Need{
			Action: "ecs:ExecuteCommand", Resources: []string{defaultARN, taskARN},
			Keys: keys("ecs:cluster", defaultARN, "ecs:task", taskARN, "ecs:container-name", "app"),
		}),
		calling("ListTasks", `{}`, ecsARN+"container-instance/default/*", "ecs:cluster", defaultARN),
		calling("ListTasks", `{"containerInstance":"`+taskID+`"}`, hostARN, "ecs:cluster", defaultARN),
		calling("GetTaskProtection", `{"cluster":"default","tasks":["`+taskID+`"]}`, taskARN, "ecs:cluster", defaultARN),
		calling("UpdateTaskProtection", `{"cluster":"default","tasks":["`+taskID+`"],"protectionEnabled":true}`, taskARN, "ecs:cluster", defaultARN),
	}
}

func instanceCases() []gatewaytest.Authorised {
	const attribute = `"attributes":[{"name":"a","targetType":"container-instance","targetId":"` + taskID + `"}]`
	return []gatewaytest.Authorised{
		calls("RegisterContainerInstance", `{"cluster":"lab","tags":[{"key":"team","value":"a"}]}`,
			need("ecs:RegisterContainerInstance", ecsARN+"cluster/lab", "aws:RequestTag/team", "a"),
			need("ecs:TagResource", ecsARN+"container-instance/lab/*", "ecs:CreateAction", "RegisterContainerInstance")),
		calling("DeregisterContainerInstance", `{"containerInstance":"`+taskID+`"}`, defaultARN),
		calling("DescribeContainerInstances", `{"containerInstances":["`+taskID+`"]}`, hostARN, "ecs:cluster", defaultARN),
		calling("ListContainerInstances", `{}`, defaultARN),
		calling("UpdateContainerInstancesState", `{"containerInstances":["`+taskID+`"],"status":"DRAINING"}`, hostARN, "ecs:cluster", defaultARN),
		calling("UpdateContainerAgent", `{"containerInstance":"`+taskID+`"}`, hostARN, "ecs:cluster", defaultARN),
		calling("DiscoverPollEndpoint", `{}`, ""),
		calling("SubmitTaskStateChange", `{"cluster":"lab","task":"`+taskARN+`"}`, defaultARN),
		calling("SubmitContainerStateChange", `{"cluster":"lab","task":"`+taskID+`"}`, ecsARN+"cluster/lab"),
		calling("SubmitAttachmentStateChanges", `{"cluster":"lab","attachments":[]}`, ecsARN+"cluster/lab"),
		calling("PutAttributes", `{`+attribute+`}`, hostARN, "ecs:cluster", defaultARN),
		calling("DeleteAttributes", `{`+attribute+`}`, hostARN, "ecs:cluster", defaultARN),
		calling("ListAttributes", `{"targetType":"container-instance"}`, defaultARN),
	}
}

func accountCases() []gatewaytest.Authorised {
	return []gatewaytest.Authorised{
		calling("TagResource", `{"resourceArn":"`+shopARN+`","tags":[{"key":"team","value":"a"}]}`, shopARN, "aws:RequestTag/team", "a"),
		calling("UntagResource", `{"resourceArn":"`+shopARN+`","tagKeys":["team"]}`, shopARN, "aws:TagKeys", "team"),
		calling("ListTagsForResource", `{"resourceArn":"`+shopARN+`"}`, shopARN),
		calling("ListAccountSettings", `{}`, ""),
		calling("PutAccountSetting", `{"name":"containerInsights","value":"enabled"}`, "", "ecs:account-setting", "containerInsights"),
		calling("PutAccountSettingDefault", `{"name":"containerInsights","value":"enabled"}`, "", "ecs:account-setting", "containerInsights"),
		calling("DeleteAccountSetting", `{"name":"containerInsights"}`, "", "ecs:account-setting", "containerInsights"),
	}
}
