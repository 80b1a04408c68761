"""Takes a task through its life with boto3 and prints how it ended."""
import sys

import boto3

ecs, logs = boto3.client("ecs"), boto3.client("logs")
definition = ecs.register_task_definition(
    family="boto3",
    containerDefinitions=[{
        "name": "app", "image": sys.argv[1], "memory": 64, "command": ["sh", "-c", "echo hello from boto3; exit 7"],
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": "/life", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "boto3", "awslogs-create-group": "true"}},
    }],
)["taskDefinition"]["taskDefinitionArn"]
task = ecs.run_task(taskDefinition=definition)["tasks"][0]["taskArn"]
ecs.get_waiter("tasks_stopped").wait(tasks=[task], WaiterConfig={"Delay": 1, "MaxAttempts": 100})
end = ecs.describe_tasks(tasks=[task])["tasks"][0]
stream = "boto3/app/" + task.rsplit("/", 1)[1]
events = logs.filter_log_events(logGroupName="/life", logStreamNames=[stream])["events"]
print(end["stopCode"], end["containers"][0]["exitCode"], [e["message"] for e in events])
