"""What the embedded stages see without weights from a hub: stuff (sky, water, road...) and objects (COCO's 80).

This package is a foundation below the stages: calibrate, panorama, lift, understand and segment may import it.
"""
