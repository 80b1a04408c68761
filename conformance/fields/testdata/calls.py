# Answers calls of ECS by boto3: a line of JSON each way. The first line says which
# version this is, and which fields its model has.
import datetime
import json
import os
import sys

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


def leaves(shape, path, within, found):
    if shape is None or shape.name in within:
        return found
    kind = shape.type_name
    if kind == "structure" and not shape.is_document_type:
        for name, member in shape.members.items():
            leaves(member, f"{path}.{name}" if path else name, within | {shape.name}, found)
    elif kind == "list":
        leaves(shape.member, path + "[]", within, found)
    elif kind == "map":
        leaves(shape.value, path + "{}", within, found)
    else:
        found.append(path)
    return found


def say(what):
    print(json.dumps(what, default=lambda at: at.isoformat()), flush=True)


client = boto3.client("ecs", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(retries={"max_attempts": 0}))
model = client.meta.service_model
methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
say({
    "version": botocore.__version__,
    "model": {
        name: {
            "request": leaves(model.operation_model(name).input_shape, "", frozenset(), []),
            "answer": leaves(model.operation_model(name).output_shape, "", frozenset(), []),
        }
        for name in model.operation_names
    },
})
for line in sys.stdin:
    call = json.loads(line)
    try:
        answer = getattr(client, methods[call["operation"]])(**call["request"])
        answer.pop("ResponseMetadata")
        say({"answer": answer})
    except ClientError as failed:
        error = failed.response["Error"]
        say({"error": {"code": error["Code"], "message": error["Message"]}})
    except BotoCoreError as failed:
        say({"broken": str(failed)})
