"""The program: `sealane start`, `sealane demo`."""
