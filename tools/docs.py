"""Build the site into _docs: `python tools/docs.py`

nbdev stages the notebooks (signatures, source links, hidden cells), smalldocs renders them from the same
`_quarto.yml` that `nbdev-docs` gives to quarto, so neither quarto nor the network is needed."""
import json, os, re, shutil, sys
from html import escape, unescape
from pathlib import Path
from book import root
from links import broken

number = re.compile(r'(?<![\w-])\d+[a-z]?_(?=\w+\.ipynb)')
guess = re.compile(r'\[`([a-z]+)`\]\((?:\.\./)*(?:\w+/)*(\w+)\.html#\1\)')
maths = re.compile(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', re.S)
limit = 2e6 # bytes of a page
badge = '![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)'
better = """<script>addEventListener('DOMContentLoaded', () => { if (window.katex) for (const o of document.querySelectorAll('.math'))
katex.render(o.dataset.tex, o, {displayMode: o.classList.contains('display'), throwOnError: false}) })</script>"""
here = """<script>addEventListener('DOMContentLoaded', () => { const bar = document.querySelector('#quarto-sidebar'), now = bar?.querySelector('.active')
if (now) bar.scrollTop = now.offsetTop - bar.clientHeight/2 })</script>"""


def tidy(path, cache, cfg):
    "What quarto would do with a staged notebook and smalldocs does not"
    up = '../' * (len(path.relative_to(cache).parts) - 1)
    # nbdev names pages without their number; addresses of our own site made relative work offline too
    text = path.read_text(encoding='utf-8').replace(cfg.doc_url, up)
    # nbdev links every `label` to the function of that name; an argument of this chapter is no such function
    taken = {(a, o) for a, b in re.findall(r'from segreg_tutorial\S*?(\w+) import ([\w, ]+)', text) for o in b.split(', ')}
    here = number.sub('', path.name).removesuffix('.ipynb')
    nb = json.loads(guess.sub(lambda m: m[0] if (m[2], m[1]) in taken or m[2] in (here, 'cli') else f'`{m[1]}`', text))
    for cell in nb['cells']:
        src = ''.join(cell['source'])
        if cell['cell_type'] == 'raw': src = re.sub(r'^output-file:.*\n', '', src, flags=re.M)
        if cell['cell_type'] == 'markdown':
            src = re.sub(r'^#\|.*\n', '', src, flags=re.M).replace(badge, 'Open in Colab') # the picture needs a network
            src = re.sub(r'\]\((?!https?:|#)([^)]+)\)', lambda m: f"]({link(m[1], up, cfg)})", src)
        cell['source'] = src.splitlines(True)
    path.unlink()
    new = path.with_name(number.sub('', path.name))
    if new.exists(): sys.exit(f"{path.name} and another notebook both become {new.name}: rename one")
    new.write_text(json.dumps(nb, ensure_ascii=False), encoding='utf-8')


def link(to, up, cfg):
    "Notebooks by their page's name; files that are not on the site by their source"
    outside = f"../{up}"
    if to.startswith(outside): return f"{cfg.git_url}/blob/{cfg.branch}/{to[len(outside):]}"
    return number.sub('', to)


def finish(path):
    "The sidebar shows where one is; formulas as MathML, which needs no network: where KaTeX can be fetched it draws them again, more finely"
    from latex2mathml.converter import convert
    def one(m):
        tex = unescape(m[2])
        drawn = convert(tex.replace(r'\arg\max', r'\mathrm{argmax}'), display={'inline': 'inline'}.get(m[1], 'block'))
        return f'<span class="math {m[1]}" data-tex="{escape(tex)}">{drawn}</span>'
    old = path.read_text(encoding='utf-8')
    new, n = maths.subn(one, old)
    path.write_text(new.replace('</head>', f"{here}{better if n else ''}</head>", 1), encoding='utf-8')


def main():
    os.chdir(root)
    sys.path.insert(0, str(root))
    os.environ['PYTHONWARNINGS'] = 'ignore::UserWarning'
    from nbdev.config import get_config
    from nbdev.quarto import refresh_quarto_yml
    from nbdev.serve import proc_nbs
    from smalldocs.site import build
    cfg = get_config()
    shutil.rmtree(root/'_proc', ignore_errors=True)
    refresh_quarto_yml()
    cache = proc_nbs(cfg.nbs_path, n_workers=2, force=True)
    for o in sorted(cache.rglob('*.ipynb')): tidy(o, cache, cfg)
    for o in cache.glob('*.yml'): o.write_text(number.sub('', o.read_text(encoding='utf-8')), encoding='utf-8')
    site = build(cache, quiet=True)
    shutil.rmtree(cfg.doc_path, ignore_errors=True)
    shutil.move(cache/cfg.doc_path.name, cfg.doc_path)
    made = sorted(cfg.doc_path.rglob('*.html'))
    for o in made: finish(o)
    wrong = [o for o in map(str, site.warnings) if 'broken link' in o]
    wrong += [f"{page}: {to} leads nowhere" for page, to in broken(cfg.doc_path)]
    wrong += [f"{o.relative_to(cfg.doc_path)}: over 2 MB" for o in made if o.stat().st_size > limit]
    print(f"{len(made)} pages in {cfg.doc_path.relative_to(root)}", *wrong, sep='\n')
    sys.exit(1 if wrong else 0)


if __name__ == '__main__': main()
