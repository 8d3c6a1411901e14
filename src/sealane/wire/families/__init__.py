"""One module a family: how its handshakes look and which version it is spoken in.

A family's messages are told apart by the version id in each frame, see `sealane.wire.versions`.
Only `sealane` carries more than handshakes; the others answer anything else with an error.
"""
