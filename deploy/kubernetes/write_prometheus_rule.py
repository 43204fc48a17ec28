#!/usr/bin/python3
"""Writes components/monitoring/prometheus-rule.yaml: the alerts of deploy/prometheus as an object of the Prometheus operator. Kustomize
takes no file from outside of its own directory, nor a part of an object from a file."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
ALERTS = HERE.parent / "prometheus/alerts.yml"
RULE = HERE / "components/monitoring/prometheus-rule.yaml"

_HEAD = """\
# Written by deploy/kubernetes/write_prometheus_rule.py from deploy/prometheus/alerts.yml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: latchkey
  labels:
    app.kubernetes.io/name: latchkey
spec:
"""


def make_rule():
    lines = ALERTS.read_text(encoding="utf-8").splitlines()
    return _HEAD + "".join(f"  {line}".rstrip() + "\n" for line in lines)


if __name__ == "__main__":
    RULE.write_text(make_rule(), encoding="utf-8")
