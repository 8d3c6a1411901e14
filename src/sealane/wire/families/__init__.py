"""One module a family: an object that reads and writes all messages of one kind of peer.

`protocol` says what such an object offers, `known` lists them. A family's messages are told apart by
the version id in each frame, see `sealane.wire.versions`.
"""
