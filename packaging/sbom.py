"""What the program is made of, for machines: a CycloneDX document. `sbom.py FILE` writes it.

It speaks of the interpreter it runs on, as notices.py does, so it is to be run with that of build/runtime.
"""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import locked
import notices


def component(part: notices.Part, hashes: tuple[str, ...]) -> dict[str, Any]:
    """Return one part of the program."""
    told: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"{part.name}@{part.version}",
        "name": part.name,
        "version": part.version,
        "licenses": [{"expression": part.licence}],
    }
    if hashes:  # it comes from the index of Python's packages, and the lock says which files it may be
        told["purl"] = f"pkg:pypi/{part.name}@{part.version}"
        told["properties"] = [{"name": "locked:sha256", "value": each} for each in hashes]
    if part.home.startswith("https://"):
        told["externalReferences"] = [{"type": "website", "url": part.home}]
    return told


def document(
    parts: list[notices.Part], pins: list[locked.Pin], version: str, now: datetime
) -> dict[str, Any]:
    """Return the whole document."""
    hashes = {(pin.name, pin.version): tuple(pin.text.split("--hash=sha256:")[1:]) for pin in pins}
    clean = {key: tuple(each.split()[0] for each in values) for key, values in hashes.items()}
    components = [component(part, clean.get((part.name, part.version), ())) for part in parts]
    said = json.dumps(components, sort_keys=True).encode()
    us = f"{locked.OURS}@{version}"
    names = {part.name: f"{part.name}@{part.version}" for part in parts}
    needs: dict[str, list[str]] = {reference: [] for reference in names.values()}
    for pin in pins:
        for asker in pin.via:
            if asker in names and pin.name in names:
                needs[names[asker]].append(names[pin.name])
    direct = sorted({names[pin.name] for pin in pins if locked.OURS in pin.via and pin.name in names})
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # The same parts have the same number.
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=hashlib.sha256(said).digest()[:16], version=4)}",
        "version": 1,
        "metadata": {
            "timestamp": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "component": {"type": "application", "bom-ref": us, "name": locked.OURS, "version": version},
        },
        "components": components,
        "dependencies": [
            {"ref": us, "dependsOn": direct},
            *({"ref": reference, "dependsOn": sorted(set(on))} for reference, on in sorted(needs.items())),
        ],
    }


if __name__ == "__main__":
    made = document(list(notices.parts()), locked.runtime(), locked.version(), datetime.now(UTC))
    Path(sys.argv[1]).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
