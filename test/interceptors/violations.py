"""Calls Save with a name that is too short and prints what grpcio makes of the answer.

The argument is the server's address. Only the field numbers of the details are known here:
google.rpc.Status { repeated Any details = 3 }, Any { type_url = 1, value = 2 },
Violations { repeated Violation violations = 1 }, Violation { field = 5, rule_id = 2 },
FieldPath { repeated FieldPathElement elements = 1 }, FieldPathElement { field_name = 2 }.
"""

import json
import sys

import grpc


def fields(data):
    """Yields (number, value) of a message: bytes for length-delimited fields, else a number."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        tag = varint()
        if tag & 7 == 2:
            length = varint()
            yield tag >> 3, data[position : position + length]
            position += length
        elif tag & 7 == 0:
            yield tag >> 3, varint()
        else:
            raise ValueError(f"wire type {tag & 7}")


def every(data, number):
    return [value for found, value in fields(data) if found == number]


def violation(data):
    path = [every(element, 2)[0].decode() for element in every(every(data, 5)[0], 1)]
    return {"path": ".".join(path), "rule": every(data, 2)[0].decode()}


channel = grpc.insecure_channel(sys.argv[1])
save = channel.unary_unary("/connectum.guarded.v1.GuardedService/Save")
try:
    save(b"\x0a\x01x", timeout=20)
    raise SystemExit("the call succeeded")
except grpc.RpcError as error:
    metadata = dict(error.trailing_metadata())
    (detail,) = every(metadata["grpc-status-details-bin"], 3)
    json.dump(
        {
            "code": error.code().name,
            "type": every(detail, 1)[0].decode(),
            "violations": [violation(item) for item in every(every(detail, 2)[0], 1)],
        },
        sys.stdout,
    )
