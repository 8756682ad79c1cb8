"""Renew the results: `python tools/results.py [RUNS ...]`

With folders of runs, each judged run becomes a small file in results/runs, without the paths of this machine.
Then results/README.md and the table in nbs/index.ipynb are made from those files; text outside the marks
stays. Afterwards: `python tools/readme.py`, and `nbdev-test nbs/21a_tables.ipynb --save && nbdev-clean`."""
import sys
from book import Page, nbs, root
from readme import dump

runs = root/'results'/'runs'
ALL = dict(Task04_Hippocampus=160, brain2d=18) # scans to learn from, of those that are not for testing


def front(rows):
    "A line a method with its own options and one labelled scan, and the ceiling: over seeds, on each set of real scans"
    from segreg_tutorial.tables import cell, markdown, told
    runs = {}
    for o in rows:
        every = o['method'] == 'supervised' and o['labelled'] == ALL.get(o['data'])
        name = f"supervised, {' or '.join(map(str, ALL.values()))} labelled" if every else o['method']
        if not cell(o, 'options') and (every or o['labelled'] == 1): runs.setdefault(name, {}).setdefault(o['data'], []).append(o)
    data = sorted(ALL)
    show = [('Dice', 'dice', 3), ('registration', 'registration', 3), ('seconds', 'seconds', 0)]
    body = [[m, *[told(runs[m].get(d, []), *o[1:]) for d in data for o in show]] for m in runs]
    heads = [f"{d.split('_')[-1]} {o[0]}" for d in data for o in show]
    return markdown([['method', *heads], *sorted(body, key=lambda o: o[1], reverse=True)])


def renew(nb, block):
    "`nb` with `block` in the cell that has the marks"
    from segreg_tutorial.tables import filled
    for o in nb['cells']:
        text = ''.join(o['source'])
        if '<!-- results -->' in text: o['source'] = filled(text, block).splitlines(True)
    return nb


def main(*folders):
    sys.path.insert(0, str(root))
    from segreg_tutorial.compare import read_results
    from segreg_tutorial.tables import file_name, save_results
    kept = sorted(runs.glob('*.json'))
    rows = dict(sorted({file_name(o): o for o in read_results([*kept, *folders])}.items()))
    save_results([*rows.values()], root/'results')
    for o in kept:
        if o.name not in rows: o.unlink() # its method's own options changed, and so its name
    index = Page(nbs/'index.ipynb')
    index.path.write_text(dump(renew(index.nb, front([*rows.values()]))), encoding='utf-8')
    print(f'{len(rows)} runs in results/runs')


if __name__ == '__main__': main(*sys.argv[1:])
