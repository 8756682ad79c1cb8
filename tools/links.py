"""Links of a built site: `python tools/links.py` reads _docs and names each that leads nowhere

Links within the site, anchors and pictures; links to our files on GitHub and Colab. Other sites are not asked."""
import sys
from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit
from nbdev.config import get_config
from book import nbs, root


class Found(HTMLParser):
    "Addresses and anchors of a page"
    def __init__(self):
        super().__init__()
        self.to, self.ids = set(), set()
    def handle_starttag(self, tag, attrs):
        for k, v in attrs:
            if k in ('href', 'src') and v: self.to.add(v)
            elif k in ('id', 'name') and v: self.ids.add(v)


@cache
def read(path):
    found = Found()
    found.feed(path.read_text(encoding='utf-8'))
    return found


def own_file(to):
    "The file of this repository that an address on GitHub or Colab names, or None"
    cfg = get_config(nbs)
    _, here, file = urlsplit(to).path.partition(f"/{cfg.user}/{cfg.repo}/blob/{cfg.branch}/")
    return file if here else None


def lost(page, to):
    "Does this address lead nowhere?"
    at = urlsplit(to)
    if at.scheme in ('http', 'https'): return bool(own_file(to)) and not (root/own_file(to)).exists()
    if at.scheme: return False
    file = (page.parent/unquote(at.path)).resolve() if at.path else page
    if file.is_dir(): file = file/'index.html'
    if not file.exists(): return True
    return bool(at.fragment) and file.suffix == '.html' and unquote(at.fragment) not in read(file).ids


def broken(site):
    "Page and address of each link that leads nowhere"
    return [(o.relative_to(site).as_posix(), to) for o in sorted(site.rglob('*.html')) for to in sorted(read(o).to) if lost(o, to)]


if __name__ == '__main__':
    found = broken(root/'_docs')
    for page, to in found: print(f"{page}: {to} leads nowhere")
    sys.exit(1 if found else 0)
