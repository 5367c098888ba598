#!/usr/bin/env bash
# Gradescope runs this once, when the image of the autograder is built.
set -euo pipefail
root=${AUTOGRADER_ROOT:-/autograder}
cd "$root/source"

apt-get update
apt-get install -y --no-install-recommends python3 python3-venv
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "the grader needs Python 3.11 or later, not $(python3 -V): choose a base image with a newer one" >&2
    exit 1
}
python3 -m venv "$root/python"
"$root/python/bin/pip" install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt

# The validation data was put into the zip (-d), or is made of the photographs here.
[ -f data/val_data.pkl ] || "$root/python/bin/python" -m data build --train-pairs 2000
chmod -R go= data # submissions run as another user, who has no business with clean pictures
