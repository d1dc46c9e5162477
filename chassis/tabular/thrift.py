"""Just enough of Thrift's compact protocol to learn from a Parquet file how large it unpacks, before it does.

[Parquet format: FileMetaData, PageHeader.] Structs become dicts by field number; nothing is trusted but its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_DEEPEST = 32


class ThriftError(ValueError):
    """Bytes that are no such thing."""


class Reader:
    """Reads values one after another; `place` is where the next one begins."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self._data = data
        self.place = place

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """A struct with its fields by number."""
        if depth > _DEEPEST:
            raise ThriftError("nested too deep")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            kind = head & 15
            number = number + (head >> 4) if head >> 4 else self._whole()
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_I16, _I32, _I64):
            return self._whole()
        if kind == _BINARY:
            return self._bytes(self._unsigned())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_LIST, _SET):
            return list(self._items(depth + 1))
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind == _DOUBLE:
            return self._bytes(8)
        raise ThriftError(f"kind {kind}")

    def _items(self, depth: int) -> Iterator[Any]:
        if depth > _DEEPEST:
            raise ThriftError("nested too deep")
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._unsigned()
        if count > len(self._data):
            raise ThriftError("more items than bytes")
        for _ in range(count):
            yield self._value(head & 15, depth)

    def _byte(self) -> int:
        if self.place >= len(self._data):
            raise ThriftError("cut short")
        self.place += 1
        return self._data[self.place - 1]

    def _bytes(self, size: int) -> bytes:
        if self.place + size > len(self._data):
            raise ThriftError("cut short")
        self.place += size
        return self._data[self.place - size : self.place]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ThriftError("number too long")

    def _whole(self) -> int:
        zigzag = self._unsigned()
        return (zigzag >> 1) ^ -(zigzag & 1)
