"""The benchmark: ours and both peers, side by side, in one run on one machine. Run as
`python -m scripts.bench`."""
