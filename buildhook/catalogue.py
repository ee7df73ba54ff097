"""All products of the install, one line each."""

from products import Product

PRODUCTS: tuple[Product, ...] = ()
