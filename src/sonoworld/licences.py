"""What licences say about commercial use, as far as their names tell; no legal advice.

A recipe with `commercial = true` refuses what is forbidden, what is allowed under conditions that we cannot check, and
what states nothing. A local folder or file is the user's own matter.
"""

import re

from sonoworld.backend import UNKNOWN, Backend, Options, needed_weights

_RULES = (
    (r"non-?\s?commercial|\bby-nc\b|\bnc\b", "forbids commercial use"),
    (r"flux\W*1?\W*\[?dev", "forbids commercial use"),
    (r"research|evaluation only|academic", "is for research only"),
    (r"stability ai community|stability community", "allows it only below a yearly revenue of 1 M USD"),
    (r"tencent|hunyuan", "excludes the EU, the UK and South Korea"),
    (rf"^({UNKNOWN}|not stated|other|)$", "says nothing that is known here"),
)


def commercial_objection(licence: str) -> str:
    """Why a licence of this name is not safe for commercial use, or "" when nothing speaks against it."""
    name = licence.strip()
    found = next((why for pattern, why in _RULES if re.search(pattern, name, re.IGNORECASE)), "")
    return f"its licence ({name or 'none'}) {found}" if found else ""


def commercial_objections(spec: Backend, options: Options) -> tuple[str, ...]:
    """Why this backend with these options is not for commercial use: one line for each part, none when it is."""
    said = [(spec.name, commercial_objection(spec.licence))]
    if not spec.commercial and not said[0][1]:
        said = [(spec.name, f"its terms ({spec.licence}) do not allow it for everybody")]
    said += [(weights.model, commercial_objection(weights.licence)) for weights in needed_weights(spec, options)]
    return tuple(f"{spec.stage}.{spec.name}: {name}: {why}" for name, why in said if why)
