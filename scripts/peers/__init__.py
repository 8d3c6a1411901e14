"""The duel: the same documents and the same requests to a pair of real Elasticsearch clusters
and to a pair of ours, and every difference between the answers. Run as `python -m
scripts.peers`."""
