"""Leaders, followers, links and disks hit at random while clients write: `python -m scripts.chaos.replication`."""
