#!/usr/bin/env python3
"""Decodes stored requests, written from docs/stored-format.md alone. Standard library only.

decode_stored_format.py FILE...   prints one JSON object a file: the whole document.
As a module: decode(data) returns the document, or raises Rejected with the reason.
"""

import base64
import json
import math
import struct
import sys
import zlib
from datetime import datetime, timedelta, timezone

NEWEST = 2
LIMIT = 1024 * 1024
LATEST_TIME = 253402207199999999
DEEPEST = 16

RISK = ["Low", "Medium", "High", "Critical"]
SCOPE = ["Single", "Module", "System", "Global"]
ACTOR_KIND = ["Unknown", "User", "System", "Service", "Policy", "Scheduler", "Administrator"]
ACTOR_MODE = ["Simulate", "Validate", "Commit"]
PENDING_REASON = ["Approval", "ExternalCheck", "Schedule", "Dependency", "Quota", "ManualReview", "Correction", "Revalidation"]
DECIDER = ["NotTheRequester", "Anyone"]
QUORUM_REJECTION = ["Any", "WhenImpossible"]
LIFECYCLE = ["Submitted", "Pending", "Approved", "Rejected", "Canceled", "Expired", "Superseded", "Executed",
             "Compensated", "Amended"]
APPROVAL_DECISION = ["Requested", "Granted", "Rejected", "QuorumSatisfied", "Expired", "Overridden", "Renewed",
                     "Delegated", "Withdrawn", "Reassigned", "Added", "Removed", "Escalated"]
VERSION_DECISION = ["Validated", "RevalidationRequired", "RenewedApprovalRequired", "RejectedAsStale"]
EXECUTION_DECISION = ["Claimed", "Released", "Failed", "Scheduled"]
DISCUSSION_DECISION = ["Commented"]
DECISIONS = [("Lifecycle", LIFECYCLE), ("Approval", APPROVAL_DECISION), ("VersionResolution", VERSION_DECISION),
             ("Execution", EXECUTION_DECISION), ("Discussion", DISCUSSION_DECISION)]
# What came with version 2.
CAME_LATER = {9, 40, 41, 42, 43, 44, 99, 128}
REASONS = ["Optional", "ForRejecting", "Always"]
# Marks a byte that rare parts follow.
MARK = 128
SEVERITY = ["Info", "Warning", "Error", "Critical"]
COMPENSATION_KIND = ["Rollback", "ForwardCorrection"]
TRIGGER = ["Operator", "Batch", "FailedExecution"]
RELATION = ["Compensates", "CompensatedBy", "BeingCompensatedBy", "WasToBeCompensatedBy", "Resubmits", "ResubmittedAs"]
RESUBMISSIONS = {"resubmits": "Resubmits", "resubmitted_as": "ResubmittedAs"}


def parse_chain(raw):
    """The chain of a history, which docs/proof.md explains."""
    place = 0

    def take(count):
        nonlocal place
        if count > len(raw) - place:
            raise Rejected("malformed: the chain is cut off")
        place += count
        return raw[place - count:place]

    parts = take(1)[0]
    if parts > 3:
        raise Rejected("malformed: parts %d of a chain" % parts)
    chain = present(first=int.from_bytes(take(4), "little") or None, head=take(32).hex(), origin=take(8).hex())
    if parts & 1:
        chain["salt"] = take(16).hex()
    if parts & 2:
        sealed = [int.from_bytes(take(4), "little") for _ in range(2)]
        tag = take(32).hex()
        key = take(take(1)[0]).decode()
        chain["seal"] = present(key=key, tag=tag, decisions=sealed[1])
        if sealed[0]:
            chain["seal"]["from"] = sealed[0]
    marks = raw[place:]
    if len(marks) % 8:
        raise Rejected("malformed: a mark of a chain is cut off")
    if marks:
        chain["marks"] = [marks[at:at + 8].hex() for at in range(0, len(marks), 8)]
    return chain


class Rejected(Exception):
    """These bytes are not a document; the first word says in which way."""


def decode(data):
    """The document in an envelope, as plain data in the form of docs/json.md; the payload always in Base64."""
    magic = b"\x89MGR"
    if not magic.startswith(data[:4]):
        raise Rejected("foreign")
    if len(data) > 4 and data[4] != 1:
        raise Rejected("malformed: envelope version 0" if data[4] == 0 else "unsupported envelope version")
    if len(data) > LIMIT:
        raise Rejected("over limit")
    if len(data) < 16:
        raise Rejected("truncated")
    flags, version, length, checksum = struct.unpack_from("<xBHII", data, 4)
    body = data[16:]
    if len(body) != length:
        raise Rejected("truncated" if len(body) < length else "malformed: bytes behind the body")
    if zlib.crc32(body, zlib.crc32(data[:12])) != checksum:
        raise Rejected("checksum mismatch")
    if flags & ~1:
        raise Rejected("unsupported flags")
    if version == 0 or version > NEWEST:
        raise Rejected("malformed: version 0" if version == 0 else "unsupported schema version")
    if flags & 1:
        body = decompress(body)
    reader = Document(body, version)
    document = reader.document()
    reader.finish()
    return document


def decompress(body):
    """The body that was compressed to this: its length, then a zlib stream."""
    if len(body) < 4:
        raise Rejected("malformed: a compressed body without its length")
    length, = struct.unpack_from("<I", body)
    if 16 + length > LIMIT:
        raise Rejected("over limit")
    stream = zlib.decompressobj()
    try:
        # One byte more than there may be, since 0 would stand for any number.
        plain = stream.decompress(body[4:], length + 1)
    except zlib.error as error:
        raise Rejected("malformed: " + str(error))
    if len(plain) != length or not stream.eof or stream.unused_data:
        raise Rejected("malformed: a zlib stream of another length")
    return plain


class Primitives:
    def __init__(self, body):
        self.body = body
        self.place = 0

    def finish(self):
        if self.place != len(self.body):
            raise Rejected("malformed: bytes behind the document")

    def raw(self, count):
        taken = self.body[self.place:self.place + count]
        if len(taken) != count:
            raise Rejected("malformed: the body ends within a value")
        self.place += count
        return taken

    def byte(self):
        return self.raw(1)[0]

    def uint(self):
        first = self.byte()
        if first < 251:
            return first
        if first > 253:
            raise Rejected("malformed: no number begins with %d" % first)
        return int.from_bytes(self.raw(1 << (first - 250)), "little")

    def int(self):
        number = self.uint()
        return -(number + 1) // 2 if number % 2 else number // 2

    def bool(self):
        byte = self.byte()
        if byte > 1:
            raise Rejected("malformed: neither true nor false")
        return byte == 1

    def f64(self):
        raw = self.raw(8)
        number = struct.unpack("<d", raw)[0]
        if math.isnan(number):
            return {"$float": "0x%016x" % struct.unpack("<Q", raw)[0]}
        digits = repr(abs(number)).split("e")[0].replace(".", "").strip("0")
        is_plain = number % 1 != 0 and 1e-5 <= abs(number) < 1e15 and len(digits) <= 15
        return number if is_plain else {"$float": float_text(number)}

    def integer(self):
        number = self.int()
        return number if abs(number) < 2 ** 53 else {"$integer": str(number)}

    def bytes(self):
        return base64.b64encode(self.raw(self.uint())).decode()

    def option(self, read):
        return read() if self.bool() else None

    def list(self, read):
        count = self.uint()
        if count > len(self.body) - self.place:
            raise Rejected("malformed: more announced than there is room for")
        return [read() for _ in range(count)]

    def kind(self, names, later=()):
        name = named(names, self.byte())
        if self.version < 2 and name in later:
            raise Rejected("malformed: no variant %s in version %d" % (name, self.version))
        return name

    def with_extras(self, version, known=1):
        """A byte, and the bits of the rare parts that follow it; they came with version 2."""
        byte = self.byte()
        if byte < MARK:
            return byte, 0
        extras = self.byte()
        if version < 2 or extras == 0 or extras & ~known:
            raise Rejected("malformed: rare parts %d in version %d" % (extras, version))
        return byte - MARK, extras

    def set(self):
        members = self.list(self.text)
        ascending([member.encode() for member in members])
        return members

    def metadata(self, level=1):
        entries = self.list(lambda: (self.text(), self.value(level)))
        ascending([key.encode() for key, _ in entries])
        return dict(entries)

    def value(self, level):
        if level > DEEPEST:
            raise Rejected("malformed: nests too deep")
        return self.value_of(self.byte(), level)

    def micros(self):
        return printed(self.uint())


def named(names, number):
    if number >= len(names):
        raise Rejected("malformed: no variant %d" % number)
    return names[number]


def ascending(keys):
    if any(first >= second for first, second in zip(keys, keys[1:])):
        raise Rejected("malformed: not in ascending order")


def printed(micros):
    if micros > LATEST_TIME:
        raise Rejected("malformed: a time too late")
    time = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)
    return time.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + ".%06dZ" % time.microsecond


def duration(micros):
    """As ISO 8601 in hours, minutes and seconds."""
    seconds, rest = divmod(micros, 1000000)
    text = "".join("%d%s" % (number, unit) for number, unit in [(seconds // 3600, "H"), (seconds // 60 % 60, "M")] if number)
    if rest:
        text += "%d.%sS" % (seconds % 60, ("%06d" % rest).rstrip("0"))
    elif seconds % 60 or not text:
        text += "%dS" % (seconds % 60)
    return "PT" + text


def float_text(number):
    """The shortest digits, with a fraction or an exponent without sign and zeros."""
    return repr(number).replace("e+", "e").replace("e-0", "e-")


def present(**fields):
    """An object without the fields that hold nothing."""
    return {name: value for name, value in fields.items() if value is not None and value not in ([], {})}


def unless(usual, value):
    return None if value == usual else value


class Document(Primitives):
    """What repeats is written once and referred to."""

    def __init__(self, body, version):
        super().__init__(body)
        self.version = version
        self.texts, self.times, self.digests, self.actors = [], [], [], []
        self.pool = self.raw(self.uint())
        utf8(self.pool)

    def finish(self):
        super().finish()
        if self.pool:
            raise Rejected("malformed: text left over")

    def text(self):
        return self.text_of(self.uint())

    def opt_text(self):
        number = self.uint()
        return self.text_of(number - 1) if number else None

    def text_of(self, number):
        if number % 2:
            if number // 2 >= len(self.texts):
                raise Rejected("malformed: no such text")
            return self.texts[number // 2]
        length = number // 2
        if length > len(self.pool):
            raise Rejected("malformed: the texts end")
        text, self.pool = utf8(self.pool[:length]), self.pool[length:]
        if length >= 3:
            self.texts.append(text)
        return text

    def time(self):
        return self.back(self.uint(), self.times, self.micros)

    def opt_time(self):
        number = self.uint()
        return self.back(number - 1, self.times, self.micros) if number else None

    def digest(self):
        return self.back(self.uint(), self.digests, lambda: self.raw(32).hex())

    def actor(self):
        return self.back(self.uint(), self.actors, self.new_actor)

    def back(self, steps, known, read):
        if steps > len(known):
            raise Rejected("malformed: nothing so many steps back")
        if steps:
            return known[-steps]
        new = read()
        known.append(new)
        return new

    def document(self):
        target = present(id=self.text(), state_id=self.text(), state_type=self.text(), mutation_type=self.text())
        return present(
            id=target.pop("id"), target=target, created_at=self.time(), updated_at=self.time(), state=self.state(),
            versioning=present(expected=self.opt_text(), reviewed=self.opt_text()), requested_by=self.actor(),
            intent=self.intent(), **self.limits_and_payload(),
            requirements=self.list(self.requirement), approval_round=self.uint(), approvals=self.list(self.approval),
            decisions=self.list(self.decision), side_effects=self.list(self.side_effect), execution=self.execution(),
            metadata=self.metadata())

    def limits_and_payload(self):
        has_payload, extras = self.with_extras(self.version, 1 | 2 | 8 | 16)
        if has_payload > 1:
            raise Rejected("malformed: neither true nor false")
        limits = present(distinct=self.bool() or None, excluded=self.set()) if extras & 1 else None
        unique_key = self.text() if extras & 2 else None
        named = present(actor_ids=self.set(), roles=self.set(), groups=self.set()) if extras & 16 else None
        chain = parse_chain(self.raw(self.uint())) if extras & 8 else None
        payload = {"content_type": self.text(), "base64": self.bytes()} if has_payload else None
        return {"approver_limits": limits, "unique_key": unique_key, "participants": named, "chain": chain, "payload": payload}

    def state(self):
        name = self.kind(["Created", "Pending", "Approved", "Rejected", "Canceled", "Expired", "Superseded",
                          "Executed"])
        if name == "Pending":
            return present(status=name, reason=self.kind(PENDING_REASON, ["Correction", "Revalidation"]), expires_at=self.opt_time())
        if name == "Superseded":
            return present(status=name, by=self.text())
        if name == "Executed":
            return present(status=name, at=self.time(), resulting_version=self.opt_text())
        return present(status=name)

    def new_actor(self):
        kind, extras = self.with_extras(self.version)
        acting_for = present(id=self.text(), grounds=self.text()) if extras else None
        return present(
            kind=named(ACTOR_KIND, kind), acting_for=acting_for, mode=unless("Commit", self.kind(ACTOR_MODE)), id=self.opt_text(), name=self.opt_text(),
            roles=self.set(), groups=self.set(), reason=self.opt_text(), correlation_id=self.opt_text(),
            causation_id=self.opt_text(), session_id=self.opt_text(), source_address=self.opt_text(),
            user_agent=self.opt_text(), time_zone=self.opt_text(), culture=self.opt_text(), at=self.opt_time(),
            metadata=self.metadata())

    def intent(self):
        return present(
            operation=self.text(), category=self.text(), description=self.opt_text(), risk=self.kind(RISK),
            reversible=self.bool(), blast_radius=self.option(self.blast_radius), tags=self.set(),
            created_at=self.opt_time(), metadata=self.metadata())

    def blast_radius(self):
        return present(scope=self.kind(SCOPE), estimated_count=self.option(self.uint), description=self.opt_text())

    def requirement(self):
        return present(kind=self.text(), description=self.text() or None, fulfilled=self.bool(), data=self.metadata())

    def approval(self):
        return present(
            id=self.text(), target=self.target(),
            description=self.text() or None, name=self.opt_text(), step=self.uint(), quorum=self.option(self.quorum),
            expires_at=self.opt_time(), **self.decider(), state=self.approval_state(), metadata=self.metadata())

    def decider(self):
        decider, extras = self.with_extras(self.version, known=31)
        reasons = self.kind(REASONS) if extras & 1 else None
        later = present(mandatory=extras & 2 != 0 or None, delegation=self.delegation() if extras & 4 else None,
                        escalation=self.escalation() if extras & 8 else None,
                        expires_after=self.period() if extras & 16 else None)
        return {"decider": unless("NotTheRequester", named(DECIDER, decider)), "reasons": unless("Optional", reasons), **later}

    def target(self):
        return present(actor_ids=self.set(), roles=self.set(), groups=self.set())

    def delegation(self):
        return {"from": self.target(), "by": self.list(self.text), "to": self.text()}

    def escalation(self):
        return present(after=duration(self.uint()), to=self.target(), at=self.opt_time(), recorded=self.bool() or None,
                       delegation=self.option(self.delegation))

    def quorum(self):
        return present(group=self.text(), required=self.uint(), rejection=unless("Any", self.kind(QUORUM_REJECTION)))

    def approval_state(self):
        name = self.kind(["Pending", "Approved", "Rejected", "Satisfied", "Expired"])
        if name == "Approved":
            return present(status=name, **self.verdict())
        if name == "Rejected":
            return present(status=name, **self.verdict(), rejection=self.option(self.rejection))
        return present(status=name, **(self.cause() if name != "Pending" else {}))

    def verdict(self):
        return present(by=self.actor(), at=self.time(), reason=self.opt_text(), digest=self.digest())

    def cause(self):
        return present(by=self.actor(), at=self.time(), reason=self.opt_text())

    def rejection(self):
        return present(code=self.text(), category=self.opt_text(), message=self.text(), metadata=self.metadata())

    def decision(self):
        return present(**self.decision_kind(), by=self.actor(), reason=self.opt_text(), at=self.time(),
                    metadata=self.metadata())

    def decision_kind(self):
        number = self.byte()
        if self.version < 2 and number in CAME_LATER:
            raise Rejected("malformed: no decision %d in version %d" % (number, self.version))
        if number // 32 >= len(DECISIONS) or number % 32 >= len(DECISIONS[number // 32][1]):
            raise Rejected("malformed: no decision %d" % number)
        category, kinds = DECISIONS[number // 32]
        return {"category": category, "kind": kinds[number % 32]}

    def side_effect(self):
        effect = present(
            effect_type=self.text(), description=self.text() or None, severity=self.kind(SEVERITY),
            requires_action=self.bool(), at=self.time(), contract_id=self.opt_text())
        data = self.option(self.metadata)
        return effect if data is None else dict(effect, data=data)

    def execution(self):
        kind, extras = self.with_extras(self.version, known=3)
        timing = self.timing() if extras & 1 else {}
        retries = self.retries() if extras & 2 else {}
        kind, links = unless("Standard", self.execution_kind(kind)), self.list(self.link)
        resubmissions = {}
        for name, relation in RESUBMISSIONS.items():
            found = [link for link in links if link["relation"] == relation]
            if len(found) > 1:
                raise Rejected("malformed: two links of one resubmission")
            resubmissions[name] = {key: value for key, value in found[0].items() if key != "relation"} if found else None
        links = [link for link in links if link["relation"] not in RESUBMISSIONS.values()]
        return present(**timing, kind=kind, links=links, claim=self.option(self.claim), supersedes=self.list(self.supersession),
                       **resubmissions, **retries)

    def supersession(self):
        return present(request=self.text(), at=self.time(), withdrawn=self.bool())

    def timing(self):
        fields = self.byte()
        if not 1 <= fields <= 3:
            raise Rejected("malformed: no set of times %d" % fields)
        return {"not_before": self.time() if fields & 1 else None, "valid_for": self.period() if fields & 2 else None}

    def period(self):
        micros = self.uint()
        if micros == 0:
            raise Rejected("malformed: a period of 0")
        return duration(micros)

    def retries(self):
        fields = self.byte()
        if not 1 <= fields <= 3:
            raise Rejected("malformed: no set of retries %d" % fields)
        return present(retry=self.retry_policy() if fields & 1 else None,
                       failed_attempts=self.failed_attempts() if fields & 2 else None)

    def retry_policy(self):
        return present(attempts=self.uint(), first_pause=self.period(), longest_pause=self.period())

    def failed_attempts(self):
        return present(failed=self.uint(), allowed=self.uint(), last_at=self.time(), message=self.text(),
                       code=self.opt_text(), next_at=self.time())

    def execution_kind(self, number):
        name = named(["Standard", "Compensation"], number)
        if name == "Standard":
            return name
        return present(
            type=name, compensates=self.text(), kind=self.kind(COMPENSATION_KIND), trigger=self.kind(TRIGGER),
            batch=self.opt_text(), related=self.set(), description=self.opt_text())

    def link(self):
        relation, request = self.kind(RELATION, RESUBMISSIONS.values()), self.text()
        if relation in RESUBMISSIONS.values():
            return present(relation=relation, request=request, at=self.time())
        return present(relation=relation, request=request, kind=self.kind(COMPENSATION_KIND), trigger=self.kind(TRIGGER),
                       batch=self.opt_text(), at=self.time())

    def claim(self):
        return present(id=self.raw(16).hex(), by=self.actor(), at=self.time(), lease_ends_at=self.time())

    def value_of(self, kind, level):
        if kind == 0:
            return None
        if kind in (1, 2):
            return kind == 2
        if kind > 9:
            raise Rejected("malformed: no kind of value %d" % kind)
        read = [self.integer, self.f64, self.text, lambda: {"$bytes": self.bytes()}, lambda: {"$time": self.time()},
                lambda: self.list(lambda: self.value(level + 1)), lambda: self.map(level + 1)]
        return read[kind - 3]()

    def map(self, level):
        entries = self.metadata(level)
        return {"$map": entries} if any(key.startswith("$") for key in entries) else entries


def utf8(data):
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Rejected("malformed: %s" % error) from error


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(json.dumps(decode(file.read()), ensure_ascii=False, sort_keys=True))
