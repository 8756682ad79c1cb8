"What the chapters are, and in which order they are read"
import json, re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

root = Path(__file__).resolve().parent.parent
nbs, lib = root/'nbs', 'segreg_tutorial'
floors = {'methods': 19, 'labs': 98} # chapters in nbs/methods stand after 11 and before 20


@dataclass(frozen=True)
class Page:
    "One notebook"
    path:Path

    @property
    def rel(self): return self.path.relative_to(nbs).as_posix()
    @cached_property
    def nb(self): return json.loads(self.path.read_text(encoding='utf-8'))
    @property
    def cells(self): return self.nb['cells']
    @property
    def code(self): return [''.join(o['source']) for o in self.cells if o['cell_type'] == 'code']
    @property
    def text(self): return [''.join(o['source']) for o in self.cells if o['cell_type'] == 'markdown']
    @property
    def title(self): return re.match('# (.+)', self.text[0])[1]
    @property
    def subtitle(self): return re.search('^> (.+)', self.text[0], re.M)[1]

    @property
    def module(self):
        "The module it exports to, or None"
        found = re.search(r'^#\|\s*default_exp\s+(\S+)', '\n'.join(self.code), re.M)
        return found and f"{lib}.{found[1]}"

    @property
    def number(self):
        "Sorts as it is read: 02 before 02a before 03"
        *folders, name = self.path.relative_to(nbs).parts
        n = re.match(r'(\d+)([a-z]?)_', name)
        here = (int(n[1]), n[2]) if n else (100, '')
        return (floors.get(folders[0], 99), '', *here) if folders else (*here, 0, '')


def pages(folder=''):
    "Every notebook below `nbs`, in reading order"
    found = [o for o in (nbs/folder).rglob('*.ipynb') if not any(p[0] in '._' for p in o.relative_to(nbs).parts)]
    return sorted(map(Page, found), key=lambda o: o.number)


def chapters():
    "The notebooks that are modules too"
    return [o for o in pages() if o.module]
