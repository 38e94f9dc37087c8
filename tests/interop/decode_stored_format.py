#!/usr/bin/env python3
"""Decodes stored requests, written from docs/stored-format.md alone. Standard library only.

decode_stored_format.py FILE...   prints one JSON object a file: the whole document.
As a module: decode(data) returns the document, or raises Rejected with the reason.
"""

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
PENDING_REASON = ["Approval", "ExternalCheck", "Schedule", "Dependency", "Quota", "ManualReview"]
DECIDER = ["NotTheRequester", "Anyone"]
QUORUM_REJECTION = ["Any", "WhenImpossible"]
LIFECYCLE = ["Submitted", "Pending", "Approved", "Rejected", "Canceled", "Expired", "Superseded", "Executed",
             "Compensated"]
APPROVAL_DECISION = ["Requested", "Granted", "Rejected", "QuorumSatisfied", "Expired", "Overridden", "Renewed",
                     "Delegated", "Withdrawn"]
VERSION_DECISION = ["Validated", "RevalidationRequired", "RenewedApprovalRequired", "RejectedAsStale"]
EXECUTION_DECISION = ["Claimed", "Released", "Failed"]
DISCUSSION_DECISION = ["Commented"]
DECISIONS = [("Lifecycle", LIFECYCLE), ("Approval", APPROVAL_DECISION), ("VersionResolution", VERSION_DECISION),
             ("Execution", EXECUTION_DECISION), ("Discussion", DISCUSSION_DECISION)]
# What came with version 2.
CAME_LATER = {40, 128}
SEVERITY = ["Info", "Warning", "Error", "Critical"]
COMPENSATION_KIND = ["Rollback", "ForwardCorrection"]
TRIGGER = ["Operator", "Batch", "FailedExecution"]
RELATION = ["Compensates", "CompensatedBy", "BeingCompensatedBy", "WasToBeCompensatedBy"]


class Rejected(Exception):
    """These bytes are not a document; the first word says in which way."""


def decode(data):
    """The document in an envelope, as plain data in the shape that Rust's serde gives it."""
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
        # JSON has no others: they are the text of their bits.
        return number if math.isfinite(number) else "0x%016x" % struct.unpack("<Q", raw)[0]

    def bytes(self):
        return list(self.raw(self.uint()))

    def option(self, read):
        return read() if self.bool() else None

    def list(self, read):
        count = self.uint()
        if count > len(self.body) - self.place:
            raise Rejected("malformed: more announced than there is room for")
        return [read() for _ in range(count)]

    def kind(self, names):
        number = self.byte()
        if number >= len(names):
            raise Rejected("malformed: no variant %d" % number)
        return names[number]

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


def ascending(keys):
    if any(first >= second for first, second in zip(keys, keys[1:])):
        raise Rejected("malformed: not in ascending order")


def printed(micros):
    if micros > LATEST_TIME:
        raise Rejected("malformed: a time too late")
    time = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=micros)
    fraction = ("%06d" % time.microsecond).rstrip("0")
    return time.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + ("." + fraction if fraction else "") + "Z"


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
        return self.back(self.uint(), self.digests, lambda: list(self.raw(32)))

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
        target = dict(id=self.text(), state_id=self.text(), state_type=self.text(), mutation_type=self.text())
        return dict(
            id=target.pop("id"), target=target, created_at=self.time(), updated_at=self.time(), state=self.state(),
            versioning=dict(expected=self.opt_text(), reviewed=self.opt_text()), requested_by=self.actor(),
            intent=self.intent(), payload=self.option(lambda: dict(content_type=self.text(), bytes=self.bytes())),
            requirements=self.list(self.requirement), approval_round=self.uint(), approvals=self.list(self.approval),
            decisions=self.list(self.decision), side_effects=self.list(self.side_effect), execution=self.execution(),
            metadata=self.metadata())

    def state(self):
        name = self.kind(["Created", "Pending", "Approved", "Rejected", "Canceled", "Expired", "Superseded",
                          "Executed"])
        if name == "Pending":
            return {name: dict(reason=self.kind(PENDING_REASON), expires_at=self.opt_time())}
        if name == "Superseded":
            return {name: dict(by=self.text())}
        if name == "Executed":
            return {name: dict(at=self.time(), resulting_version=self.opt_text())}
        return name

    def new_actor(self):
        return dict(
            kind=self.kind(ACTOR_KIND), mode=self.kind(ACTOR_MODE), id=self.opt_text(), name=self.opt_text(),
            roles=self.set(), groups=self.set(), reason=self.opt_text(), correlation_id=self.opt_text(),
            causation_id=self.opt_text(), session_id=self.opt_text(), source_address=self.opt_text(),
            user_agent=self.opt_text(), time_zone=self.opt_text(), culture=self.opt_text(), at=self.opt_time(),
            metadata=self.metadata())

    def intent(self):
        return dict(
            operation=self.text(), category=self.text(), description=self.opt_text(), risk=self.kind(RISK),
            reversible=self.bool(), blast_radius=self.option(self.blast_radius), tags=self.set(),
            created_at=self.opt_time(), metadata=self.metadata())

    def blast_radius(self):
        return dict(scope=self.kind(SCOPE), estimated_count=self.option(self.uint), description=self.opt_text())

    def requirement(self):
        return dict(kind=self.text(), description=self.text(), fulfilled=self.bool(), data=self.metadata())

    def approval(self):
        return dict(
            id=self.text(), target=dict(actor_ids=self.set(), roles=self.set(), groups=self.set()),
            description=self.text(), name=self.opt_text(), step=self.uint(), quorum=self.option(self.quorum),
            expires_at=self.opt_time(), decider=self.kind(DECIDER), state=self.approval_state(),
            metadata=self.metadata())

    def quorum(self):
        return dict(group=self.text(), required=self.uint(), rejection=self.kind(QUORUM_REJECTION))

    def approval_state(self):
        name = self.kind(["Pending", "Approved", "Rejected", "Satisfied", "Expired"])
        if name == "Approved":
            return {name: self.verdict()}
        if name == "Rejected":
            return {name: dict(verdict=self.verdict(), rejection=self.option(self.rejection))}
        return name if name == "Pending" else {name: self.cause()}

    def verdict(self):
        return dict(by=self.actor(), at=self.time(), reason=self.opt_text(), digest=self.digest())

    def cause(self):
        return dict(by=self.actor(), at=self.time(), reason=self.opt_text())

    def rejection(self):
        return dict(code=self.text(), category=self.opt_text(), message=self.text(), metadata=self.metadata())

    def decision(self):
        return dict(kind=self.decision_kind(), by=self.actor(), reason=self.opt_text(), at=self.time(),
                    metadata=self.metadata())

    def decision_kind(self):
        number = self.byte()
        if self.version < 2 and number in CAME_LATER:
            raise Rejected("malformed: no decision %d in version %d" % (number, self.version))
        if number // 32 >= len(DECISIONS) or number % 32 >= len(DECISIONS[number // 32][1]):
            raise Rejected("malformed: no decision %d" % number)
        category, kinds = DECISIONS[number // 32]
        return {category: kinds[number % 32]}

    def side_effect(self):
        return dict(
            effect_type=self.text(), description=self.text(), severity=self.kind(SEVERITY),
            requires_action=self.bool(), at=self.time(), contract_id=self.opt_text(), data=self.option(self.metadata))

    def execution(self):
        return dict(kind=self.execution_kind(), links=self.list(self.link), claim=self.option(self.claim),
                    supersedes=self.list(self.supersession))

    def supersession(self):
        return dict(request=self.text(), at=self.time(), withdrawn=self.bool())

    def execution_kind(self):
        name = self.kind(["Standard", "Compensation"])
        if name == "Standard":
            return name
        return {name: dict(
            compensates=self.text(), kind=self.kind(COMPENSATION_KIND), trigger=self.kind(TRIGGER),
            batch=self.opt_text(), related=self.set(), description=self.opt_text())}

    def link(self):
        return dict(relation=self.kind(RELATION), request=self.text(), kind=self.kind(COMPENSATION_KIND),
                    trigger=self.kind(TRIGGER), batch=self.opt_text(), at=self.time())

    def claim(self):
        return dict(id=as_uuid(self.raw(16)), by=self.actor(), at=self.time(), lease_ends_at=self.time())

    def value_of(self, kind, level):
        if kind == 0:
            return "null"
        if kind in (1, 2):
            return {"bool": kind == 2}
        if kind > 9:
            raise Rejected("malformed: no kind of value %d" % kind)
        name = ["integer", "float", "text", "bytes", "time", "list", "map"][kind - 3]
        read = dict(integer=self.int, float=self.f64, text=self.text, bytes=self.bytes, time=self.time,
                    list=lambda: self.list(lambda: self.value(level + 1)), map=lambda: self.metadata(level + 1))
        return {name: read[name]()}


def utf8(data):
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Rejected("malformed: %s" % error) from error


def as_uuid(data):
    text = data.hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(json.dumps(decode(file.read()), ensure_ascii=False, sort_keys=True))
