"""Write the students' version of each lab, with gaps for solutions: `python tools/labs.py`, or `make labs`

`nbs/labs/` has the labs with solutions, in nbgrader's convention; `labs/` gets them as nbgrader would release them:
each region between the marks becomes a gap, an answer in words becomes a place for one, and outputs go."""
import copy, re
from book import Page, pages, root
from readme import dump

release = root/'labs'
gap = ('# YOUR CODE HERE', 'raise NotImplementedError()')
region = re.compile(r'^([ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION$', re.M | re.S)


def labs():
    "The labs with solutions; the lecturer's page has none"
    return [o for o in pages('labs') if solutions(o.nb)]


def role(cell, key): return bool(cell['metadata'].get('nbgrader', {}).get(key))
def solutions(nb): return [o for o in nb['cells'] if role(o, 'solution')]


def opened(source):
    "`source` with a gap for each solution"
    return region.sub(lambda m: '\n'.join(m[1] + line for line in gap), source)


def relink(md):
    "Links of `nbs/labs`, as seen from `labs`"
    return re.sub(r'\]\(\.\./(?=\S+\))', '](../nbs/', md)


def text(cell):
    "What a student reads in a cell"
    src = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown': return 'YOUR ANSWER HERE' if role(cell, 'solution') else relink(src)
    return opened(re.sub(r'^#\|.*\n', '', src, flags=re.M))


def hidden(cell):
    "Set-up for the site alone; the line that installs on Colab is for students too"
    src = ''.join(cell['source'])
    return '#| hide\n' in src and '\n! ' not in src


def student(nb):
    "`nb` as students get it"
    nb = copy.deepcopy(nb)
    nb['cells'] = [o for o in nb['cells'] if not hidden(o)]
    for o in nb['cells']:
        o['source'] = text(o).splitlines(True)
        if o['cell_type'] == 'code': o['outputs'] = []
    return nb


def main():
    release.mkdir(exist_ok=True)
    made = {release/o.path.name: dump(student(o.nb)) for o in labs()}
    for old in release.glob('*.ipynb'):
        if old not in made: old.unlink()
    for path, out in made.items(): path.write_text(out, encoding='utf-8')


if __name__ == '__main__': main()
