"""Hatchling hook: makes all products before a wheel or an editable install is put together."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))


class ProductsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds every product into `src/sonoworld/products` (see products.py)."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before files are collected."""
        if self.target_name != "wheel":
            return
        import catalogue
        import products

        for product in catalogue.PRODUCTS:
            products.ensure(product)
        if any((products.PRODUCTS / "native").glob("kernel.*[.so|.pyd]")):
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
