"""Train a classifier of handwritten digits, print how good it is, keep the model.

The data are the 1,797 scanned digits that ship with scikit-learn. The model goes
to MODEL_DIR (default /model), which is a volume in the task definitions.
"""

import json
import os
import platform
import time

import joblib
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
    print(f"accuracy {accuracy:.4f}", flush=True)


if __name__ == "__main__":
    main()
