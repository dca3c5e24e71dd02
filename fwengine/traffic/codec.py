"""`Packet` with its texts and bytes: hands the notations and the wire format to the class, each loaded when first used."""

from __future__ import annotations

from ..model.packet import Packet


class _Codec:
    def parse(self, text: str) -> Packet:
        from .notation import parse

        return parse(text)

    def decode(self, data: bytes, link: str) -> Packet:
        from ..packets.wire import decode_packet

        return decode_packet(data, link)

    def encode(self, packet: Packet, link: str) -> bytes:
        from ..packets.encode import encode

        return encode(packet, link)


Packet.codec = _Codec()

__all__ = ["Packet"]
