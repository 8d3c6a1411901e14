"""The program: `sealane start`, `sealane demo`, `sealane remote`."""
