#!/usr/bin/env python3
"""Verifies exported histories, written from docs/proof.md and docs/json.md alone. Standard library only.

verify_proof.py FOLDER [--key ID=HEX]...            each request of an archive of JSON Lines: one JSON object a line
verify_proof.py --proof FILE --checkpoint FILE      an inclusion proof; exits with 1 if it does not hold
"""

import base64
import gzip
import hashlib
import hmac
import json
import pathlib
import re
import struct
import sys
from datetime import datetime, timedelta, timezone

CIRCUMSTANCES = {2: "reason", 3: "session_id", 4: "source_address", 5: "user_agent", 6: "time_zone", 7: "culture"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
STATUS = {"Submitted": "Created", "Compensated": None, "Amended": None}


class Decimal(float):
    """A number with a fraction, which keeps its text."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def counted(raw):
    return struct.pack(">I", len(raw)) + raw


def micros(text):
    when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (when - EPOCH) // timedelta(microseconds=1)


def period(text):
    hours, minutes, seconds = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", text).groups()
    whole, _, fraction = (seconds or "0").partition(".")
    return (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(whole)) * 10**6 + int(fraction[:6].ljust(6, "0") or 0)


class Canonical:
    """Canonical bytes; fields are given in the order of their numbers."""

    def __init__(self, domain):
        self.domain, self.raw = domain, domain

    def field(self, number, raw):
        self.raw += bytes([number]) + counted(raw)

    def text(self, number, text):
        if text is not None:
            self.field(number, text.encode())

    def number(self, number, value):
        if value is not None:
            self.field(number, struct.pack(">Q", value))

    def time(self, number, text):
        if text is not None:
            self.number(number, micros(text))

    def texts(self, number, texts):
        if texts:
            self.field(number, b"".join(counted(raw) for raw in sorted(text.encode() for text in texts)))

    def metadata(self, number, entries):
        if entries:
            self.field(number, pairs(entries))


def pairs(entries):
    by_bytes = sorted((key.encode(), content) for key, content in entries.items())
    return b"".join(counted(key) + value(content) for key, content in by_bytes)


def value(content):
    if content is None:
        return b"\0"
    if isinstance(content, bool):
        return b"\2" if content else b"\1"
    if isinstance(content, int):
        return b"\3" + struct.pack(">q", content)
    if isinstance(content, float):
        return b"\4" + struct.pack(">d", content)
    if isinstance(content, str):
        return b"\5" + counted(content.encode())
    if isinstance(content, list):
        return b"\10" + struct.pack(">I", len(content)) + b"".join(map(value, content))
    (key, inner), *others = content.items() or [("", None)]
    if others or not key.startswith("$"):
        return b"\11" + struct.pack(">I", len(content)) + pairs(content)
    if key == "$integer":
        return b"\3" + struct.pack(">q", int(inner))
    if key == "$float":
        bits = int(inner, 16) if inner.startswith("0x") else None
        return b"\4" + (struct.pack(">d", float(inner)) if bits is None else struct.pack(">Q", bits))
    if key == "$bytes":
        return b"\6" + counted(base64.b64decode(inner))
    if key == "$time":
        return b"\7" + struct.pack(">Q", micros(inner))
    return b"\11" + struct.pack(">I", len(inner)) + pairs(inner)


def payload_bytes(payload):
    if "base64" in payload:
        return base64.b64decode(payload["base64"])
    order = payload.get("key_order")
    rank = (lambda key: order.index(key)) if order else (lambda key: key.encode())
    return compact(payload["json"], rank).encode()


def compact(node, rank):
    if isinstance(node, dict):
        fields = sorted(node.items(), key=lambda field: rank(field[0]))
        return "{" + ",".join(compact(key, rank) + ":" + compact(item, rank) for key, item in fields) + "}"
    if isinstance(node, list):
        return "[" + ",".join(compact(item, rank) for item in node) + "]"
    return node.text if isinstance(node, Decimal) else json.dumps(node, ensure_ascii=False)


def content_hash(request):
    out, payload = Canonical(b"mgC1"), request.get("payload")
    if payload:
        out.text(1, payload["content_type"])
        out.field(2, sha256(payload_bytes(payload)))
    out.text(3, request["intent"].get("description"))
    out.metadata(4, request.get("metadata"))
    limits = request.get("approver_limits", {})
    if limits.get("distinct"):
        out.field(5, b"\1")
    out.texts(6, limits.get("excluded"))
    return sha256(out.raw)


def who(out, actor):
    out.text(20, actor.get("kind", "Unknown"))
    out.text(21, actor.get("id"))
    out.texts(22, actor.get("roles"))
    out.texts(23, actor.get("groups"))
    out.text(24, actor.get("mode"))
    out.text(25, actor.get("correlation_id"))
    out.text(26, actor.get("causation_id"))
    out.time(27, actor.get("at"))
    out.text(28, actor.get("acting_for", {}).get("id"))


def personal(actor):
    out = Canonical(b"mgP1")
    out.text(1, actor.get("name"))
    for number, name in CIRCUMSTANCES.items():
        out.text(number, actor.get(name))
    out.metadata(8, actor.get("metadata"))
    out.text(9, actor.get("acting_for", {}).get("grounds"))
    return out


def committed(public, private, salt):
    digest = sha256(public.raw)
    if private.raw == private.domain:
        return digest
    nonce = sha256(b"mgN1", salt, digest) if salt else bytes(32)
    return sha256(b"mgL1", digest, sha256(nonce, private.raw))


def submission_hash(request, content, first, salt):
    out, intent, execution = Canonical(b"mgS1"), request["intent"], request.get("execution", {})
    out.text(1, request["id"])
    for number, name in {2: "state_id", 3: "state_type", 4: "mutation_type"}.items():
        out.text(number, request["target"][name])
    out.time(5, request["created_at"])
    for number, name in {6: "operation", 7: "category", 8: "risk"}.items():
        out.text(number, intent[name])
    if not intent["reversible"]:
        out.field(9, b"\1")
    radius = intent.get("blast_radius", {})
    out.text(10, radius.get("scope"))
    out.number(11, radius.get("estimated_count"))
    out.text(12, radius.get("description"))
    out.texts(13, intent.get("tags"))
    out.time(14, intent.get("created_at"))
    out.metadata(15, intent.get("metadata"))
    who(out, request["requested_by"])
    named = request.get("participants", {})
    for number, name in {30: "actor_ids", 31: "roles", 32: "groups"}.items():
        out.texts(number, named.get(name))
    plan = execution.get("kind", {})
    for number, name in {33: "compensates", 34: "kind", 35: "trigger", 36: "batch"}.items():
        out.text(number, plan.get(name))
    out.texts(37, plan.get("related"))
    out.text(38, plan.get("description"))
    out.text(39, execution.get("resubmits", {}).get("request"))
    out.number(40, period(execution["valid_for"]) if "valid_for" in execution else None)
    retry = execution.get("retry")
    if retry:
        out.number(41, retry["attempts"])
        out.number(42, period(retry["first_pause"]))
        out.number(43, period(retry["longest_pause"]))
    out.text(44, request.get("unique_key"))
    out.number(50, first or None)
    out.field(51, content)
    return committed(out, personal(request["requested_by"]), salt)


def is_amendment(decision):
    return (decision["category"], decision["kind"]) == ("Lifecycle", "Amended")


def decision_hash(decision, salt):
    entries = decision.get("metadata", {})
    is_comment = (decision["category"], decision["kind"]) == ("Discussion", "Commented")
    hidden = {key for key in entries if key == "message" or is_comment and key == "text"}
    out, private = Canonical(b"mgD1"), personal(decision["by"])
    out.text(1, decision["category"] + "/" + decision["kind"])
    out.time(2, decision["at"])
    out.metadata(3, {key: entries[key] for key in entries if key not in hidden})
    who(out, decision["by"])
    private.text(10, decision.get("reason"))
    private.metadata(11, {key: entries[key] for key in hidden})
    return committed(out, private, salt)


def problem(request, keys):
    """What does not fit, as one word, and the decision; None if everything fits."""
    chain, decisions = request["chain"], request.get("decisions", [])
    first, salt = chain.get("first", 0), bytes.fromhex(chain.get("salt", ""))
    hashes = [decision_hash(decision, salt) for decision in decisions[first:]]
    found, marks = [digest[:8].hex() for digest in hashes], chain.get("marks", [])
    for place in range(max(len(found), len(marks))):
        if found[place:place + 1] != marks[place:place + 1]:
            return misplaced(place, found, marks), first + place
    amended = [decision["metadata"] for decision in decisions if is_amendment(decision)]
    chained = [decision["metadata"] for decision in decisions[first:] if is_amendment(decision)]
    content = bytes.fromhex(chained[0]["previous_content"]) if chained else content_hash(request)
    head = submission_hash(request, content, first, salt)
    if head[:8].hex() != chain["origin"]:
        return "Submission", None
    for digest in hashes:
        head = sha256(b"mgH1", head, digest)
    if head.hex() != chain["head"]:
        return "Head", None
    if amended and amended[-1]["content"] != content_hash(request).hex():
        return "Content", None
    return unsealed(request, chain, decisions, keys) or status(request, decisions)


def misplaced(place, found, marks):
    here, recorded = found[place:place + 1], marks[place:place + 1]
    if not recorded:
        return "Foreign"
    if not here:
        return "Missing"
    is_elsewhere, is_later = here[0] in marks[place:], recorded[0] in found[place:]
    if is_elsewhere:
        return "Reordered" if is_later else "Missing"
    return "Foreign" if is_later else "Changed"


def unsealed(request, chain, decisions, keys):
    seal = chain.get("seal")
    if not seal or not keys:
        return None
    if seal["decisions"] != len(decisions):
        return "Unsealed", seal["decisions"]
    if seal["key"] not in keys:
        return "KeyMissing", None
    out = Canonical(b"mgK1")
    out.text(1, seal["key"])
    out.text(2, request["id"])
    out.number(3, seal.get("from", 0))
    out.number(4, seal["decisions"])
    out.field(5, bytes.fromhex(chain["head"]))
    tag = hmac.new(keys[seal["key"]], out.raw, hashlib.sha256).digest()
    return None if hmac.compare_digest(tag.hex(), seal["tag"]) else ("Seal", None)


def status(request, decisions):
    recorded = [STATUS.get(it["kind"], it["kind"]) for it in decisions if it["category"] == "Lifecycle"]
    recorded = [status for status in recorded if status]
    return None if not recorded or recorded[-1] == request["state"]["status"] else ("Status", None)


def requests_of(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    for part in manifest.get("parts", []):
        raw = (folder / part["file"]).read_bytes()
        if sha256(raw).hex() != part["sha256"]:
            sys.exit("%s: not the file that was exported" % part["file"])
        for line in (gzip.decompress(raw) if part["file"].endswith(".gz") else raw).splitlines():
            yield json.loads(line, parse_float=Decimal)


def root_by(proof):
    """Section 2.1.3.2 of RFC 9162."""
    out = Canonical(b"mgE1")
    out.text(1, proof["id"])
    out.number(2, proof["decisions"])
    out.field(3, bytes.fromhex(proof["head"]))
    reached, place, last = sha256(b"\0", out.raw), proof["place"], proof["size"] - 1
    if place > last:
        return None
    for step in map(bytes.fromhex, proof["path"]):
        if last == 0:
            return None
        if place % 2 or place == last:
            reached = sha256(b"\1", step, reached)
            while place and place % 2 == 0:
                place, last = place >> 1, last >> 1
        else:
            reached = sha256(b"\1", reached, step)
        place, last = place >> 1, last >> 1
    return reached if last == 0 else None


def holds(proof, checkpoint):
    reached = root_by(proof)
    return proof["size"] == checkpoint["size"] and reached is not None and reached.hex() == checkpoint["root"]


def main(words):
    if words[:1] == ["--proof"] and words[2:3] == ["--checkpoint"] and len(words) == 4:
        proof, checkpoint = (json.loads(pathlib.Path(name).read_text()) for name in (words[1], words[3]))
        return 0 if holds(proof, checkpoint) else 1
    if not words or len(words) % 2 == 0 or set(words[1::2]) - {"--key"}:
        sys.exit(__doc__)
    keys = dict(word.split("=", 1) for word in words[2::2])
    keys = {name: bytes.fromhex(key) for name, key in keys.items()}
    for request in requests_of(pathlib.Path(words[0])):
        found = problem(request, keys) if "chain" in request else None
        row = {"id": request["id"], "chained_from": request.get("chain", {"first": None}).get("first", 0)}
        if found:
            row["problem"] = found[0]
            if found[1] is not None:
                row["decision"] = found[1]
        print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
