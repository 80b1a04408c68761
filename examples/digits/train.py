"""Train a classifier of handwritten digits, print how good it is, keep the model.

The data are the 1,797 scanned digits that ship with scikit-learn. The model goes
to MODEL_DIR (default /model), which is a volume in the task definitions, and with
MODEL_BUCKET to s3://MODEL_BUCKET/MODEL_PREFIX too, as the task's role.
"""

import json
import os
import platform
import time

import boto3
import joblib
from botocore.config import Config
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC


def train(images, labels):
    """Fit on three quarters of the images, and score on the rest."""
    seen, unseen, seen_labels, unseen_labels = train_test_split(
        images, labels, test_size=0.25, random_state=0, stratify=labels
    )
    model = SVC(gamma=0.001, C=10.0).fit(seen, seen_labels)
    return model, accuracy_score(unseen_labels, model.predict(unseen)), len(unseen)


def keep(model, metrics, folder):
    """Write the model and its metrics; each file appears whole or not at all."""
    os.makedirs(folder, exist_ok=True)
    partial = os.path.join(folder, ".digits.joblib.part")
    joblib.dump(model, partial)
    os.replace(partial, os.path.join(folder, "digits.joblib"))
    with open(os.path.join(folder, "metrics.json"), "w", encoding="utf-8") as file:
        json.dump(metrics, file)
        file.write("\n")


def client(endpoint, region=None):
    """S3 at an endpoint; None for AWS. boto3 1.26 does not read AWS_ENDPOINT_URL itself."""
    return boto3.client("s3", endpoint_url=endpoint, region_name=region, config=Config(s3={"addressing_style": "path"}))


def upload(folder, bucket, prefix):
    """Put the model and its metrics into a bucket, and return the model's address."""
    s3 = client(os.environ.get("AWS_ENDPOINT_URL"))
    for name in ("metrics.json", "digits.joblib"):
        s3.upload_file(os.path.join(folder, name), bucket, f"{prefix}/{name}")
    return f"s3://{bucket}/{prefix}/digits.joblib"


def main():
    began = time.monotonic()
    print(f"kernel {platform.release()}, {len(os.sched_getaffinity(0))} processors", flush=True)
    digits = load_digits()
    print(f"images {len(digits.data)}", flush=True)
    model, accuracy, tested = train(digits.data, digits.target)
    print(f"tested {tested}", flush=True)
    folder = os.environ.get("MODEL_DIR", "/model")
    keep(model, {"accuracy": accuracy, "tested": tested}, folder)
    print(f"model {folder}/digits.joblib, {time.monotonic() - began:.1f} s", flush=True)
    bucket = os.environ.get("MODEL_BUCKET")
    if bucket:
        print(f"uploaded {upload(folder, bucket, os.environ.get('MODEL_PREFIX', 'models'))}", flush=True)
    print(f"accuracy {accuracy:.4f}", flush=True)


if __name__ == "__main__":
    main()
