"""Validates messages with the Python implementation of protovalidate.

The argument names a file with {"files": [base64 of a FileDescriptorProto, imports first], "messages": [{"type", "data"}]} and
Writes a list of lists of [field path, rule id] in the same order.
"""

import base64
import json
import sys
import types

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf import any_pb2, duration_pb2, field_mask_pb2  # noqa: F401 (these and the
from google.protobuf import timestamp_pb2, wrappers_pb2  # noqa: F401  next register themselves)
from google.protobuf.internal import builder

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
pool = descriptor_pool.Default()
for text in given["files"]:
    data = base64.b64decode(text)
    name = descriptor_pb2.FileDescriptorProto.FromString(data).name
    if name.startswith("google/protobuf/"):
        continue
    descriptor = pool.AddSerializedFile(data)
    if name == "buf/validate/validate.proto":
        # The package expects generated code and does not bring it.
        module = types.ModuleType("buf.validate.validate_pb2")
        builder.BuildMessageAndEnumDescriptors(descriptor, module.__dict__)
        builder.BuildTopDescriptorsAndMessages(descriptor, module.__name__, module.__dict__)
        package = types.ModuleType("buf.validate")
        package.validate_pb2 = module
        sys.modules.update({"buf": types.ModuleType("buf"), "buf.validate": package})
        sys.modules[module.__name__] = module

import protovalidate  # noqa: E402


def subscript(element):
    kind = element.WhichOneof("subscript")
    return f"[{getattr(element, kind)}]" if kind else ""


def path(violation):
    elements = violation.proto.field.elements
    return ".".join(element.field_name + subscript(element) for element in elements)


def verdict(message):
    try:
        protovalidate.validate(message)
    except protovalidate.ValidationError as error:
        return sorted([path(violation), violation.proto.rule_id] for violation in error.violations)
    return []


verdicts = []
for item in given["messages"]:
    factory = message_factory.GetMessageClass(pool.FindMessageTypeByName(item["type"]))
    verdicts.append(verdict(factory.FromString(base64.b64decode(item["data"]))))
json.dump(verdicts, sys.stdout)
