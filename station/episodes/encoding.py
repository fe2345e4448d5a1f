"""A sample of the bus as an MCAP message, and back, exactly.

Pictures are foxglove.CompressedImage or foxglove.RawImage in protobuf, everything else is JSON with a JSON schema, so
that a journal opens in Foxglove as it is. What a foxglove picture has no field for (the driver's own frame number, say)
travels in extra fields that the schema in the file declares and stock readers pass over. The few bodies JSON cannot
hold exactly (a NaN, a payload on something that is no picture) go as MessagePack on a channel of their own.
"""

from typing import Any, Literal, NamedTuple

import msgspec
from foxglove_schemas_protobuf import CompressedImage_pb2, RawImage_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from station.bus.messages import SCHEMA, Frame, Header, Message
from station.bus.streams import STREAMS
from station.bus.wire import Sample
from station.clock import NS_PER_S
from station.episodes import older

Encoding = Literal["json", "protobuf", "msgpack"]

_EXTRA = 1001
"""Number of the first extra field: far from foxglove's own."""
_Field = descriptor_pb2.FieldDescriptorProto
_EXTRA_FIELDS = (
    ("station_encoding", _Field.TYPE_STRING),
    ("station_width", _Field.TYPE_INT64),
    ("station_height", _Field.TYPE_INT64),
    ("station_stamp", _Field.TYPE_STRING),
    ("station_device_sequence", _Field.TYPE_INT64),
)
_RAW_NAMES = {"bgr8": ("bgr8", 3), "rgb8": ("rgb8", 3), "z16": ("16UC1", 2)}
"""Our encoding: foxglove's name, bytes per pixel."""


class Schema(NamedTuple):
    """What an MCAP file says about the messages of a channel."""

    name: str
    encoding: str
    data: bytes


class _Picture(NamedTuple):
    message: Any
    schema: Schema


def _with_payload(body: Any) -> Any:
    return tuple[body, tuple[bytes, ...]]


def _picture(module: Any, name: str) -> _Picture:
    file = descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    message = file.message_type[0]
    for number, (field, kind) in enumerate(_EXTRA_FIELDS, _EXTRA):
        message.field.add(name=field, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    message.field[-1].proto3_optional = True  # the frame number may be absent
    message.field[-1].oneof_index = 0
    message.oneof_decl.add(name="_station_device_sequence")
    time = descriptor_pb2.FileDescriptorProto.FromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(time)
    pool.Add(file)
    both = descriptor_pb2.FileDescriptorSet(file=[time, file])
    found = pool.FindMessageTypeByName(f"foxglove.{name}")
    return _Picture(
        message_factory.GetMessageClass(found), Schema(f"foxglove.{name}", "protobuf", both.SerializeToString())
    )


_COMPRESSED = _picture(CompressedImage_pb2, "CompressedImage")
_RAW = _picture(RawImage_pb2, "RawImage")

_json = msgspec.json.Encoder()
_from_json: dict[str, msgspec.json.Decoder[Any]] = {
    kind.name: msgspec.json.Decoder(kind.body) for kind in STREAMS.values()
}
_msgpack = msgspec.msgpack.Encoder()
_from_msgpack: dict[str, msgspec.msgpack.Decoder[Any]] = {
    kind.name: msgspec.msgpack.Decoder(_with_payload(kind.body)) for kind in STREAMS.values()
}


def encode(sample: Sample) -> tuple[Encoding, str, bytes]:
    """(message encoding, schema's name or "" for none, data) of a sample's body and payload.

    Raises ValueError for a kind that the table keeps out of journals.
    """
    if not STREAMS[sample.kind].journal:
        raise ValueError(f"{sample.kind} is nothing that a journal keeps")
    body, payload = sample.body, sample.payload
    if isinstance(body, Frame) and len(payload) == 1:
        picture = _COMPRESSED if body.encoding == "jpeg" else _RAW
        return "protobuf", picture.schema.name, _encode_picture(picture, sample.node, sample.header, body, payload[0])
    if not payload:
        data = _json.encode(body)
        # JSON writes NaN and infinity as null: look twice only where there is one.
        if b"null" not in data or _reads_back(sample.kind, data, body):
            return "json", type(body).__name__, data
    return "msgpack", "", _msgpack.encode((body, payload))


def decode(
    kind: str, encoding: str, schema_name: str, data: bytes | memoryview, schema: int = SCHEMA
) -> tuple[Message, tuple[bytes, ...]]:
    """Body and payload, of today or of an earlier `schema`. Raises ValueError or protobuf's DecodeError on bytes that are none of ours."""
    if schema != SCHEMA and encoding != "protobuf":
        return _decode_older(kind, encoding, data, schema)
    if encoding == "json":
        return _from_json[kind].decode(data), ()
    if encoding == "msgpack":
        body, payload = _from_msgpack[kind].decode(data)
        return body, payload
    return _decode_picture(_COMPRESSED if schema_name == _COMPRESSED.schema.name else _RAW, data)


def _decode_older(kind: str, encoding: str, data: bytes | memoryview, schema: int) -> tuple[Message, tuple[bytes, ...]]:
    value, payload = (msgspec.json.decode(data), ()) if encoding == "json" else msgspec.msgpack.decode(data)
    if not isinstance(value, dict):
        raise ValueError(f"a {kind} that is no object")
    body: Message = msgspec.convert(older.body(kind, schema, value), STREAMS[kind].body)
    return body, tuple(payload)


def schema(name: str) -> Schema:
    """The schema of that name, as `encode` gave it."""
    for picture in (_COMPRESSED, _RAW):
        if picture.schema.name == name:
            return picture.schema
    return Schema(name, "jsonschema", _json_schema(name))


def _reads_back(kind: str, data: bytes, body: Message) -> bool:
    try:
        return bool(_from_json[kind].decode(data) == body)
    except msgspec.ValidationError:
        return False


def _encode_picture(picture: _Picture, node: str, header: Header, body: Frame, data: bytes) -> bytes:
    fields: dict[str, Any] = {
        "frame_id": node, "data": data, "station_encoding": body.encoding, "station_width": body.width,
        "station_height": body.height, "station_stamp": body.stamp, "station_device_sequence": body.device_sequence,
    }  # fmt: skip
    if picture is _COMPRESSED:
        fields["format"] = "jpeg"
    else:
        name, size = _RAW_NAMES[body.encoding]
        fields |= {"encoding": name, "width": body.width, "height": body.height, "step": body.width * size}
    message = picture.message(**fields)
    message.timestamp.seconds, message.timestamp.nanos = divmod(header.captured_at_ns, NS_PER_S)
    return bytes(message.SerializeToString())


def _decode_picture(picture: _Picture, data: bytes | memoryview) -> tuple[Frame, tuple[bytes, ...]]:
    got = picture.message.FromString(data)
    sequence = got.station_device_sequence if got.HasField("station_device_sequence") else None
    return Frame(got.station_encoding, got.station_width, got.station_height, got.station_stamp, sequence), (got.data,)


def _json_schema(name: str) -> bytes:
    body = next(kind.body for kind in STREAMS.values() if kind.body.__name__ == name)
    _, parts = msgspec.json.schema_components([body], ref_template="#/$defs/{name}")
    root = dict(parts.pop(name))
    return msgspec.json.encode(root | {"$defs": parts} if parts else root)
