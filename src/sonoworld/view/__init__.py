"""A scene in the browser: the page, its data, and a server on this machine.

`export_folder` writes a static site that any web host can serve as it is; `serve` and `running` show such a folder from
this machine. The page (`web/`, TypeScript) is built at install into `sonoworld/products/viewer`.
"""

from sonoworld.view.document import WorldDocument
from sonoworld.view.export import export_folder
from sonoworld.view.server import running, serve
from sonoworld.view.world import world_document

__all__ = ["WorldDocument", "export_folder", "running", "serve", "world_document"]
