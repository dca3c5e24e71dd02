"""What the `FW9xx` codes of capture errors mean: one paragraph each, for `fwengine explain`. Knows nothing else."""

from __future__ import annotations

NOT_A_CAPTURE = "FW901"
ENDS_EARLY = "FW902"
DAMAGED = "FW903"
UNSUPPORTED = "FW904"
UNREADABLE = "FW905"
GZIP = "FW906"

EXPLANATIONS: dict[str, str] = {
    NOT_A_CAPTURE: (
        "The file is not a capture: it does not begin with the magic number of pcap, of pcapng, or of gzip around one of "
        "them. An empty file is not a capture either, because even a capture without packets has a file header. Capture "
        "packets with, for example, `tcpdump -w FILE`, or save them from Wireshark as pcapng."
    ),
    ENDS_EARLY: (
        "The file ends in the middle of its header, of a packet record or of a block, as it does when a copy was "
        "interrupted or the capturing program was killed. All packets before that place were read and count; what came "
        "behind them is not known."
    ),
    DAMAGED: (
        "A record says something that cannot be: more than 262,144 captured bytes, a block longer than 16 MiB or whose "
        "two lengths differ, a packet on an interface that was never described. Nothing behind such a record can be "
        "trusted, because one would have to guess where the next one begins. All packets before it were read and count."
    ),
    UNSUPPORTED: (
        "The file is a capture of a kind or version that is not read here. Read are pcap 2.0 to 2.4 (microseconds, "
        "nanoseconds and the modified format, in both byte orders) and pcapng 1.0, plain or compressed with gzip, xz, "
        "bzip2 or (from Python 3.14 on) zstd. Convert other kinds first, for example with `editcap -F pcapng`; "
        "unpack archives first."
    ),
    UNREADABLE: (
        "The operating system refused to open, read or write the file: it does not exist, is a directory, may not be "
        "read by this user, or lies on a device with an error. The message ends with the system's own reason."
    ),
    GZIP: (
        "The compression around the capture is damaged or ends early: all packets that could be decompressed before that "
        "place were read and count. Or bytes of another kind stand behind a compressed stream that is whole: then all of "
        "its packets count, and the message says so; cut these bytes off if they are not part of the capture."
    ),
}
