"""C2PA manifests, by the Content Authenticity Initiative's library.

C2PA Technical Specification 2.1: actions in section 18.15, ingredients in 18.16, the validation of signatures
and hashes in 15. Nothing is asked of a network: statements carry no time stamp of an authority.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from kinetoscope_c2pa.certificate import identity
from kinetoscope_c2pa.protocol import SOURCES, Claim, Made, Statement
from kinetoscope_spec import ConfigError, FormatError
from kinetoscope_spec.files import replacing

__all__ = ["MIMES", "Manifests"]

MIMES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
"""Kinds of files that are signed here; Matroska and WebM have no place for a manifest."""

_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_MOST_STEPS = 1000


class Manifests:
    """Signs with the certificate that the environment names, or with this machine's own."""

    def signs(self, path: Path) -> bool:
        """Whether files with this one's suffix can carry a statement."""
        return Path(path).suffix.lower() in MIMES

    def signer(self) -> str:
        """Return the SHA-256 of the certificate that signs now, with those that vouch for it.

        Raises:
            ConfigError: the certificate that is named can't be read.
        """
        return hashlib.sha256(identity().chain).hexdigest()

    def sign(self, source: Path, out: Path, claim: Claim) -> None:
        """Write `source` to `out` with a statement in it; what can be seen and heard stays as it is.

        Raises:
            ConfigError: that kind of file carries none, or the certificate that is named can't be used.
            FormatError: `source` or an ingredient is not what its suffix says.
        """
        import c2pa

        mime = self._mime(Path(source))
        who = identity()
        info = c2pa.C2paSignerInfo(b"es256", who.chain, who.key, None)
        try:
            signer = c2pa.Signer.from_info(info)
        except c2pa.C2paError as error:
            raise ConfigError(f"the certificate can't be used for signing: {error}") from error
        with signer, c2pa.Builder(json.dumps(_manifest(claim))) as builder:
            for path in claim.ingredients:
                self._add(builder, Path(path))
            with replacing(out) as building:
                try:
                    with Path(source).open("rb") as read, building.open("w+b") as written:
                        builder.sign(signer, mime, read, written)
                except c2pa.C2paError as error:
                    raise FormatError(f"can't be signed: {error}", path=source) from error
                shutil.copymode(source, building)

    def read(self, path: Path) -> Statement | None:
        """Return what a file says of itself; None where it says nothing, or is of a kind that cannot.

        Raises:
            FormatError: it can't be read at all.
        """
        import c2pa

        path = Path(path)
        if not self.signs(path):
            return None
        try:
            with path.open("rb") as stream, c2pa.Reader(self._mime(path), stream) as reader:
                held = json.loads(reader.json())
        except c2pa.C2paError as error:
            if "ManifestNotFound" in str(error):
                return None
            raise FormatError(f"holds no statement that can be read: {error}", path=path) from error
        except OSError as error:
            raise FormatError(f"can't be read: {error.strerror or error}", path=path) from error
        return _statement(held)

    @staticmethod
    def _mime(path: Path) -> str:
        if path.suffix.lower() not in MIMES:
            raise ConfigError(f"{path.name} carries no C2PA manifest; expected {', '.join(MIMES)}")
        return MIMES[path.suffix.lower()]

    def _add(self, builder: Any, path: Path) -> None:
        import c2pa

        told = {"title": path.name, "relationship": "componentOf"}
        try:
            with path.open("rb") as stream:
                builder.add_ingredient(json.dumps(told), self._mime(path), stream)
        except (c2pa.C2paError, OSError) as error:
            raise FormatError(f"can't be named as an ingredient: {error}", path=path) from error


def _manifest(claim: Claim) -> dict[str, Any]:
    actions = [
        {"action": "c2pa.created", "digitalSourceType": _TERMS + claim.source},
        *(_action(step) for step in claim.steps),
    ]
    name, version = claim.generator
    return {
        "title": claim.title,
        "claim_generator_info": [{"name": name, "version": version}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": actions}}],
    }


def _action(step: Made) -> dict[str, Any]:
    told: dict[str, Any] = {"action": "c2pa.edited", "description": step.what}
    if step.by:
        told["softwareAgent"] = {"name": step.by}
    if step.source:
        told["digitalSourceType"] = _TERMS + step.source
    return told


def _statement(held: Any) -> Statement:
    """Return a statement from the library's JSON; whatever in it is not as expected is left out."""
    manifest = held.get("manifests", {}).get(held.get("active_manifest"), {})
    actions = [
        action
        for assertion in manifest.get("assertions", ())
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in assertion.get("data", {}).get("actions", ())
    ][:_MOST_STEPS]
    made = [action for action in actions if action.get("action") == "c2pa.created"]
    generators = manifest.get("claim_generator_info") or [{}]
    signed = manifest.get("signature_info") or {}
    results = held.get("validation_results", {}).get("activeManifest", {})
    failed = [str(entry.get("explanation") or entry.get("code")) for entry in results.get("failure", ())]
    return Statement(
        title=str(manifest.get("title", "")),
        generator=" ".join(str(generators[0][key]) for key in ("name", "version") if key in generators[0]),
        source=_source(made[0]) if made else "",
        steps=tuple(_made(action) for action in actions if action not in made),
        ingredients=tuple(str(entry.get("title", "")) for entry in manifest.get("ingredients", ())),
        signer=", ".join(str(signed[key]) for key in ("common_name", "issuer") if signed.get(key)),
        intact=held.get("validation_state") in ("Valid", "Trusted"),
        trusted=held.get("validation_state") == "Trusted",
        problems=tuple(failed),
    )


def _made(action: Any) -> Made:
    agent = action.get("softwareAgent", "")
    by = agent.get("name", "") if isinstance(agent, dict) else agent
    return Made(str(action.get("description") or action.get("action", "")), str(by), _source(action))


def _source(action: Any) -> str:
    """Return the last word of a digital source type, or nothing for one that is unknown here."""
    word = str(action.get("digitalSourceType", "")).rpartition("/")[2]
    return word if word in SOURCES else ""
