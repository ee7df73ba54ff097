"""All products of the install, one line each."""

from products import Product
from viewer import VIEWER

PRODUCTS: tuple[Product, ...] = (VIEWER,)
