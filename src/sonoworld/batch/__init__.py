"""Many photos: each becomes a world by a process of its own, here or in a Ray cluster, and nothing finished is lost."""
