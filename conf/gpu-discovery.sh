#!/usr/bin/env bash
# Says which GPUs a machine has, as Spark asks for it: spark.{executor,worker}.resource.gpu.discoveryScript.
# Prints for example {"name": "gpu", "addresses": ["0", "1"]}.
set -euo pipefail
addresses=$(nvidia-smi --query-gpu=index --format=csv,noheader | sed 's/^ *\([0-9]*\) *$/"\1"/' | paste -sd, -)
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
