"""A bucket of a store that speaks S3 as a destination, by Amazon's own client (boto3). Keys are the client's business: its files and
environment variables are asked as always.

A large file goes up in parts; which of them the store has is asked from it, so that an upload that was broken off goes on.
"""

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from station.episodes.pushing.destination import Original, PushFailed
from station.episodes.pushing.pace import BLOCK, Gate
from station.errors import UsageError

PART = 8 << 20
_MOST_PARTS = 9000
"""The protocol's limit is 10,000."""


class S3:
    """The destination `s3://bucket/prefix`."""

    def __init__(self, said: str, endpoint: str = "", part_bytes: int = PART) -> None:
        """Raises UsageError where the client is not installed, or no bucket is named."""
        try:
            import boto3
            from botocore.config import Config
        except ModuleNotFoundError as error:
            raise UsageError("s3:// needs the package boto3. Next: pip install 'teleop-station[s3]'") from error
        where = urlsplit(said)
        self._bucket, self._prefix = where.netloc, where.path.strip("/")
        if not self._bucket:
            raise UsageError(f"{said}: names no bucket. Next: s3://bucket/prefix")
        self.name = f"{endpoint or 's3'}/{self._bucket}/{self._prefix}" if endpoint else said.rstrip("/")
        self._part_bytes = part_bytes
        # checksums beyond Content-MD5 are not understood by every store
        config = Config(
            retries={"max_attempts": 5, "mode": "standard"}, request_checksum_calculation="when_required",
            response_checksum_validation="when_required", connect_timeout=10, read_timeout=60,
        )  # fmt: skip
        self._client: Any = boto3.client("s3", endpoint_url=endpoint or None, config=config)

    def holds(self, key: str) -> int | None:
        """Bytes of the copy there."""
        found = self._head(key)
        return None if found is None else int(found["ContentLength"])

    def recording_of(self, key: str) -> str | None:
        """As it was said when it was sent."""
        found = self._head(key)
        return None if found is None else str(found.get("Metadata", {}).get("recording", ""))

    def send(self, original: Original, gate: Gate) -> None:
        """In one piece, or in parts."""
        about = {"recording": original.recording, "sha256": original.sha256}
        with self._asking(original.key), original.path.open("rb") as file:
            if original.size_bytes <= self._part_bytes:
                data = file.read()
                self._client.put_object(
                    Bucket=self._bucket, Key=self._key(original.key), Body=_Paced(data, gate), ContentMD5=_md5(data),
                    Metadata=about, ContentLength=len(data),
                )  # fmt: skip
            else:
                self._send_parts(original, file, about, gate)

    def _send_parts(self, original: Original, file: Any, about: dict[str, str], gate: Gate) -> None:
        key = self._key(original.key)
        upload, there = self._begun(key)
        if upload is None:
            upload = self._client.create_multipart_upload(Bucket=self._bucket, Key=key, Metadata=about)["UploadId"]
        size = max(self._part_bytes, -(-original.size_bytes // _MOST_PARTS))
        parts = []
        for number, data in enumerate(iter(lambda: file.read(size), b""), 1):
            tag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            if there.get(number) != (
                tag,
                len(data),
            ):  # a store that encrypts has tags of its own: then all is sent again
                sent = self._client.upload_part(
                    Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=_Paced(data, gate),
                    ContentMD5=_md5(data), ContentLength=len(data),
                )  # fmt: skip
                tag = str(sent["ETag"]).strip('"')
            parts.append({"PartNumber": number, "ETag": f'"{tag}"'})
        self._client.complete_multipart_upload(
            Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )

    def _begun(self, key: str) -> tuple[str | None, dict[int, tuple[str, int]]]:
        """The newest upload to that key that was broken off, and the parts that the store has of it."""
        found = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key).get("Uploads", [])
        mine = sorted((each for each in found if each["Key"] == key), key=lambda each: str(each.get("Initiated", "")))
        if not mine:
            return None, {}
        upload = str(mine[-1]["UploadId"])
        pages = self._client.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload)
        there = {
            int(part["PartNumber"]): (str(part["ETag"]).strip('"'), int(part["Size"]))
            for page in pages
            for part in page.get("Parts", [])
        }
        return upload, there

    def read_back(self, key: str, gate: Gate) -> str:
        """All of it."""
        digest = hashlib.sha256()
        with self._asking(key):
            body = self._client.get_object(Bucket=self._bucket, Key=self._key(key))["Body"]
            while data := body.read(BLOCK):
                gate(len(data))
                digest.update(data)
        return digest.hexdigest()

    def _head(self, key: str) -> dict[str, Any] | None:
        with self._asking(key):
            from botocore.exceptions import ClientError

            try:
                found: dict[str, Any] = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                    return None
                raise
            return found

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    @contextmanager
    def _asking(self, key: str) -> Iterator[None]:
        """Whatever the client raises is one sentence."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError, OSError) as error:
            raise PushFailed(
                f"{self.name}, {key}: {' '.join(str(error).split())}. Next: check the address, the bucket and the keys "
                "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or ~/.aws); the same command goes on where it was"
            ) from error


class _Paced(io.BytesIO):
    """Bytes that are handed on no faster than the gate lets them."""

    def __init__(self, data: bytes, gate: Callable[[int], None]) -> None:
        super().__init__(data)
        self._gate = gate

    def read(self, size: int | None = -1, /) -> bytes:
        """At most a block at once."""
        data = super().read(BLOCK if size is None or size < 0 or size > BLOCK else size)
        if data:
            self._gate(len(data))
        return data


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
