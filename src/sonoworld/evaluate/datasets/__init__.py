"""Where recordings and their scenes come from: SonoScene360, R3VIVAL, synthetic scenes, folders of clips."""
