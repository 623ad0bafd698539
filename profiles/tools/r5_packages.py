"""Unpacks the FHIR R5 packages that HAPI FHIR publishes on Maven Central to where SUSHI looks for packages.

`python profiles/tools/r5_packages.py hapi-fhir-validation-resources-r5.jar HOME` (by `make profiles`).
"""

from __future__ import annotations

import argparse
import io
import shutil
import tarfile
import zipfile
from pathlib import Path

PACKAGES = ("hl7.fhir.r5.core-5.0.0", "hl7.fhir.uv.extensions.r5-1.0.0")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("jar", type=Path)
    options.add_argument("home", type=Path)
    asked = options.parse_args()
    with zipfile.ZipFile(asked.jar) as jar:
        for name in PACKAGES:
            place = asked.home / ".fhir" / "packages" / name.replace("-", "#")
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            packed = jar.read(f"org/hl7/fhir/r5/packages/{name}.tgz")
            with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
                tar.extractall(place, filter="data")


if __name__ == "__main__":
    main()
