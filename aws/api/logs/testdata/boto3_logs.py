"""CloudWatch Logs as boto3 sees it: paginators, errors, rejected events, live tail."""

import sys
import threading
import time

import boto3
from botocore.config import Config

url, region, key, secret = sys.argv[1:]
logs = boto3.client(
    "logs", endpoint_url=url, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret,
    config=Config(retries={"max_attempts": 0}, inject_host_prefix=False),
)

for n in range(7):
    logs.create_log_group(logGroupName=f"group-{n}")
names = [g["logGroupName"] for p in logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 3}) for g in p["logGroups"]]
assert names == [f"group-{n}" for n in range(7)], names

try:
    logs.create_log_stream(logGroupName="none", logStreamName="s")
    raise AssertionError("a stream of no group")
except logs.exceptions.ResourceNotFoundException as e:
    assert e.response["Error"]["Message"] == "The specified log group does not exist.", e

now = int(time.time() * 1000)
for s in range(5):
    logs.create_log_stream(logGroupName="group-0", logStreamName=f"s{s}")
    answer = logs.put_log_events(
        logGroupName="group-0", logStreamName=f"s{s}",
        logEvents=[{"timestamp": now + i, "message": f"s{s} line {i}"} for i in range(100)],
    )
    assert "rejectedLogEventsInfo" not in answer, answer
pages = logs.get_paginator("filter_log_events").paginate(logGroupName="group-0", filterPattern='"line 7"', PaginationConfig={"PageSize": 4})
found = [e for p in pages for e in p["events"]]
assert len(found) == 55 and len({e["eventId"] for e in found}) == 55, len(found)
assert [e["timestamp"] for e in found] == sorted(e["timestamp"] for e in found)
streams = [s["logStreamName"] for p in logs.get_paginator("describe_log_streams").paginate(logGroupName="group-0", PaginationConfig={"PageSize": 2}) for s in p["logStreams"]]
assert streams == [f"s{n}" for n in range(5)], streams

tail = logs.start_live_tail(
    logGroupIdentifiers=[f"arn:aws:logs:{region}:123456789012:log-group:group-1"], logEventFilterPattern="-debug")
logs.create_log_stream(logGroupName="group-1", logStreamName="live")


def write():
    logs.put_log_events(logGroupName="group-1", logStreamName="live", logEvents=[
        {"timestamp": now, "message": "debug"}, {"timestamp": now + 1, "message": "hello"}])


events = iter(tail["responseStream"])
start = next(events)["sessionStart"]
assert start["logEventFilterPattern"] == "-debug" and start["sessionId"], start
threading.Thread(target=write).start()
for event in events:
    results = event["sessionUpdate"]["sessionResults"]
    if results:
        assert [(r["logStreamName"], r["message"], r["logGroupIdentifier"]) for r in results] == [("live", "hello", "123456789012:group-1")], results
        assert event["sessionUpdate"]["sessionMetadata"] == {"sampled": False}, event
        break
tail["responseStream"].close()
