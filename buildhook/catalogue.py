"""All products of the install, one line each."""

from detector import DETECTOR
from kernel import KERNEL_PRODUCT
from products import Product
from viewer import VIEWER

PRODUCTS: tuple[Product, ...] = (KERNEL_PRODUCT, VIEWER, DETECTOR)
