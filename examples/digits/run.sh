#!/usr/bin/env bash
# Trains the digits model as a task, once on the EC2 launch type and once on
# Fargate, with nothing but the aws CLI, and prints the accuracies from CloudWatch
# Logs and where in S3 the model is. The tasks have a role that may do no more than
# keep their models and read their data. Needs a running berth (`berth up`);
# BERTH_DATA names its folder, and BERTH_AWS the command to call (default: bin/berth
# aws). What is there from an earlier run is used again.
set -euo pipefail
cd "$(dirname "$0")"

berth=${BERTH:-../../bin/berth}
read -ra aws <<<"${BERTH_AWS:-$berth aws}"
cluster=${BERTH_CLUSTER:-default}
group=/berth/digits

./build.sh
"$berth" image load digits.tar digits:latest

account=$("${aws[@]}" sts get-caller-identity --query Account --output text)
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$("$berth" env 2>/dev/null | sed -n 's/^export AWS_REGION=//p' | tr -d "\"'")}}
region=${region:-us-east-1}
bucket=digits-$account
role=digits-training

# unless ERROR ARGUMENTS...: calls aws, for which ERROR is no failure: it was done
# before.
unless() {
  local said
  said=$("${aws[@]}" "${@:2}" 2>&1 >/dev/null) || [[ $said == *"($1)"* ]] || { echo "$said" >&2; return 1; }
}

# make_role: makes the role that the tasks work as.
make_role() {
  unless EntityAlreadyExists iam create-role --role-name "$role" --assume-role-policy-document '{
    "Version": "2012-10-17",
    "Statement": [
      { "Effect": "Allow", "Principal": { "Service": "ecs-tasks.amazonaws.com" }, "Action": "sts:AssumeRole" }
    ]
  }'
  "${aws[@]}" iam put-role-policy --role-name "$role" --policy-name models --policy-document '{
    "Version": "2012-10-17",
    "Statement": [
      { "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::'"$bucket"'/models/*" },
      { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::'"$bucket"'/data/*" }
    ]
  }'
}

make_group() { unless ResourceAlreadyExistsException logs create-log-group --log-group-name "$group"; }
make_bucket() { unless BucketAlreadyOwnedByYou s3 mb "s3://$bucket"; }

# together COMMAND...: runs commands at once, and fails when one of them does.
together() {
  local command running=()
  for command; do $command & running+=($!); done
  for command in "${running[@]}"; do wait "$command"; done
}

# register FILE: registers a task definition for this account and region.
register() {
  "${aws[@]}" ecs register-task-definition \
    --cli-input-json "$(sed -e "s/000000000000/$account/g" -e "s/us-east-1/$region/" "$1")" \
    --query taskDefinition.taskDefinitionArn --output text
}

# start ARGUMENTS...: runs a task and prints its ARN, or says why it was not placed.
start() {
  local task
  task=$("${aws[@]}" ecs run-task --cluster "$cluster" "$@" --query 'tasks[0].taskArn' --output text)
  if [ "$task" = None ]; then
    echo "the task was not placed:" >&2
    "${aws[@]}" ecs run-task --cluster "$cluster" "$@" --query failures --output json >&2
    return 1
  fi
  echo "$task"
}

# accuracy TASK LAUNCH: the line of the task's log. Its last lines may come a
# moment after the task is seen to have stopped.
accuracy() {
  local stream="$2/train/${1##*/}" line
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    line=$("${aws[@]}" logs filter-log-events --log-group-name "$group" --log-stream-names "$stream" \
      --filter-pattern accuracy --query 'events[0].message' --output text 2>/dev/null || true)
    case $line in accuracy*) echo "$line"; return ;; esac
    sleep 1
  done
  echo "no accuracy in $group, stream $stream"
  return 1
}

# report TITLE TASK LAUNCH: prints how a task ended; fails when it failed.
report() {
  local code
  code=$("${aws[@]}" ecs describe-tasks --cluster "$cluster" --tasks "$2" --query 'tasks[0].containers[0].exitCode' --output text)
  if [ "$code" != 0 ]; then
    echo "$1: exit code $code"
    "${aws[@]}" ecs describe-tasks --cluster "$cluster" --tasks "$2" \
      --query 'tasks[0].{stopped:stoppedReason,containers:containers[].{name:name,exit:exitCode,reason:reason}}' --output json
    "${aws[@]}" logs get-log-events --log-group-name "$group" --log-stream-name "$3/train/${2##*/}" --query 'events[].[message]' --output text 2>/dev/null | tail -n 20 || true
    return 1
  fi
  echo "$1: exit code 0, $(accuracy "$2" "$3")"
}

# models: prints where the models are.
models() {
  local key
  for key in $("${aws[@]}" s3api list-objects-v2 --bucket "$bucket" --prefix models/ \
    --query 'Contents[?ends_with(Key, `digits.joblib`)].Key' --output text); do
    echo "MODEL  : s3://$bucket/$key"
  done
}

mkdir -p /var/tmp/berth-digits 2>/dev/null || true
together make_role make_group make_bucket
ec2_definition=$(register digits-ec2.json)
fargate_definition=$(register digits-fargate.json)
subnets=$("${aws[@]}" ec2 describe-subnets --filters Name=default-for-az,Values=true --query 'Subnets[].SubnetId' --output text | tr -s '[:space:]' ,)
network="awsvpcConfiguration={subnets=[${subnets%,}],assignPublicIp=ENABLED}"

echo "training as a task, on EC2 and on Fargate"
ec2=$(start --task-definition "$ec2_definition" --launch-type EC2)
fargate=$(start --task-definition "$fargate_definition" --launch-type FARGATE --network-configuration "$network")
"${aws[@]}" ecs wait tasks-stopped --cluster "$cluster" --tasks "$ec2" "$fargate"

failed=0
report "EC2    " "$ec2" ec2 || failed=1
report "FARGATE" "$fargate" fargate || failed=1
models
exit $failed
