"""All products of the install, one line each."""

from detector import DETECTOR
from products import Product
from viewer import VIEWER

PRODUCTS: tuple[Product, ...] = (VIEWER, DETECTOR)
