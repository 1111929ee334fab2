"""Links of the pages to files of the repository that are no pages become plain text: the site does not hold those files."""

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page without links that lead out of the site; a link to nothing stays, and the strict build says so."""

    def kept(match: re.Match[str]) -> str:
        target = ((DOCS / page.file.src_uri).parent / match[2]).resolve()
        is_page = target.is_relative_to(DOCS) and target.suffix in {".md", ".png", ".svg"}
        return match[0] if is_page or not target.exists() else match[1]

    return LINK.sub(kept, markdown)
