"""CloudWatch as boto3 sees it, in the protocol that is named: data, alarms, pages, waiters, errors."""

import sys
from datetime import datetime, timedelta, timezone

import boto3
import botocore.session
from botocore.config import Config

url, region, key, secret, protocol = sys.argv[1:]
session = botocore.session.get_session()
metadata = session.get_component("data_loader").load_service_model("cloudwatch", "service-2")["metadata"]
if protocol not in metadata.get("protocols", [metadata["protocol"]]):
    print(f"this boto3 does not speak {protocol}")
    sys.exit(3)
metadata["protocol"], metadata["protocols"] = protocol, [protocol]
cloudwatch = boto3.Session(botocore_session=session).client(
    "cloudwatch", endpoint_url=url, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret,
    config=Config(retries={"max_attempts": 0}, request_min_compression_size_bytes=1),
)
assert cloudwatch.meta.service_model.resolved_protocol == protocol, cloudwatch.meta.service_model.resolved_protocol

now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
shop = [{"Name": "App", "Value": "shop"}]
cloudwatch.put_metric_data(
    Namespace="Web",
    MetricData=[
        {"MetricName": "Errors", "Dimensions": shop, "Timestamp": now - timedelta(minutes=n), "Value": n, "Unit": "Count"} for n in range(5)
    ] + [{"MetricName": "Latency", "Timestamp": now, "Values": [0.5, 1.5], "Counts": [3, 1], "StorageResolution": 1}],
)
hour = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(minutes=1)}

points = cloudwatch.get_metric_statistics(Namespace="Web", MetricName="Errors", Dimensions=shop, Period=60, Statistics=["Sum", "SampleCount"], **hour)
points = {p["Timestamp"]: (p["Sum"], p["SampleCount"], p["Unit"]) for p in points["Datapoints"]}
assert points == {now - timedelta(minutes=n): (n, 1, "Count") for n in range(5)}, points

queries = [{"Id": name.lower(), "MetricStat": {"Metric": {"Namespace": "Web", "MetricName": name, "Dimensions": dimensions}, "Period": period, "Stat": stat}}
           for name, dimensions, period, stat in (("Errors", shop, 60, "Maximum"), ("Latency", [], 10, "p90"))]
series = {}
for page in cloudwatch.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, PaginationConfig={"PageSize": 2}, **hour):
    for result in page["MetricDataResults"]:
        series.setdefault(result["Id"], []).extend(zip(result["Timestamps"], result["Values"]))
assert series == {"errors": [(now - timedelta(minutes=n), n) for n in range(5)], "latency": [(now, 1.5)]}, series

listed = cloudwatch.get_paginator("list_metrics").paginate(Namespace="Web", RecentlyActive="PT3H").build_full_result()["Metrics"]
assert listed == [{"Namespace": "Web", "MetricName": "Errors", "Dimensions": shop}, {"Namespace": "Web", "MetricName": "Latency", "Dimensions": []}], listed

for n in range(5):
    cloudwatch.put_metric_alarm(
        AlarmName=f"alarm-{n}", Namespace="Web", MetricName="Errors", Dimensions=shop, Statistic="Sum", Period=60, EvaluationPeriods=2,
        Threshold=1.0, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching", Tags=[{"Key": "n", "Value": str(n)}],
    )
cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=["alarm-3"])
names = [a["AlarmName"] for p in cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2}) for a in p["MetricAlarms"]]
assert names == [f"alarm-{n}" for n in range(5)], names

cloudwatch.set_alarm_state(AlarmName="alarm-3", StateValue="ALARM", StateReason="test", StateReasonData='{"a": 1}')
alarm = cloudwatch.describe_alarms(AlarmNames=["alarm-3"])["MetricAlarms"][0]
assert (alarm["StateValue"], alarm["StateReason"], alarm["StateReasonData"], alarm["OKActions"]) == ("ALARM", "test", '{"a": 1}', []), alarm
assert abs(alarm["StateTransitionedTimestamp"] - datetime.now(timezone.utc)) < timedelta(minutes=1), alarm
assert len(cloudwatch.describe_alarms_for_metric(Namespace="Web", MetricName="Errors", Dimensions=shop)["MetricAlarms"]) == 5
assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "n", "Value": "3"}]
history = [i["HistorySummary"] for i in cloudwatch.get_paginator("describe_alarm_history").paginate(AlarmName="alarm-3").build_full_result()["AlarmHistoryItems"]]
assert history == ["Alarm updated from INSUFFICIENT_DATA to ALARM", 'Alarm "alarm-3" created'], history
cloudwatch.disable_alarm_actions(AlarmNames=["alarm-3"])
cloudwatch.delete_alarms(AlarmNames=names)
assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def refused(code, kind, call, **arguments):
    try:
        call(**arguments)
    except cloudwatch.exceptions.ClientError as e:
        assert e.response["Error"]["Code"] == code, e.response
        assert kind is None or isinstance(e, kind), type(e)
        return
    raise AssertionError(f"{call} was not refused")


refusals = cloudwatch.exceptions
refused("ResourceNotFound", refusals.ResourceNotFound, cloudwatch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="r")
refused("InvalidNextToken", refusals.InvalidNextToken, cloudwatch.describe_alarms, NextToken="?")
refused("InvalidParameterCombination", refusals.InvalidParameterCombinationException, cloudwatch.put_metric_data,
        Namespace="N", MetricData=[{"MetricName": "m", "Value": 1, "Values": [1]}])
refused("MissingParameter", refusals.MissingRequiredParameterException, cloudwatch.put_metric_data, Namespace="N", MetricData=[{"MetricName": "m"}])
refused("InvalidParameterValue", refusals.InvalidParameterValueException, cloudwatch.put_metric_data, Namespace="AWS/X", MetricData=[{"MetricName": "m", "Value": 1}])
refused("ResourceNotFoundException", refusals.ResourceNotFoundException, cloudwatch.list_tags_for_resource, ResourceARN=alarm["AlarmArn"])
refused("ValidationError", None, cloudwatch.get_metric_data, MetricDataQueries=[{"Id": "e1", "Expression": "1 + 1"}], **hour)
