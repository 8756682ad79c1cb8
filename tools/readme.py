"""Make README.md from nbs/index.ipynb: `python tools/readme.py`

First the list of chapters in index.ipynb is made from the sidebar and their titles. Then text goes over as it is, code in
fences, stored outputs after it; cells with `#| hide` are left out, `#| echo: false` leaves only the output.
Links between notebooks are made to hold from the top folder."""
import base64, json, re
from book import Page, nbs, pages, root

images = nbs/'images'
mark = '<!-- chapters -->'


def contents():
    "A line for each section of the sidebar, in reading order"
    every, lines = {o.rel: o for o in pages()}, []
    for part in (nbs/'sidebar.yml').read_text(encoding='utf-8').split('- section: ')[1:]:
        links = [f"[{every[o].title}]({o})" for o in re.findall(r'- (\S+\.ipynb)', part)]
        lines.append(f"- **{part.splitlines()[0]}**: {', '.join(links)}")
    return '\n'.join(lines)


def filled(nb):
    "`nb` with the list of chapters brought up to date"
    for o in nb['cells']:
        head, found, _ = ''.join(o['source']).partition(mark)
        if found and o['cell_type'] == 'markdown': o['source'] = f"{head}{mark}\n\n{contents()}".splitlines(True)
    return nb


def dump(nb): return json.dumps(nb, sort_keys=True, indent=1, ensure_ascii=False) + '\n'


def relink(md):
    "`](03_warp.ipynb)` as seen from the top folder"
    def up(link): # a lab's link leads to the version with gaps
        if link.startswith('../'): return link[3:]
        return link if link.startswith('labs/') and (root/link).exists() else f"nbs/{link}"
    return re.sub(r'\]\((?!https?:|#|mailto:)([^)]+)\)', lambda m: f"]({up(m[1])})", md)


def fence(text, lang=''): return f"```{lang}\n{text.rstrip()}\n```"


def outputs(cell):
    "Markdown of the stored outputs, and their pictures by file name"
    md, pics = [], {}
    for i, o in enumerate(cell.get('outputs', [])):
        data = o.get('data', {})
        if 'image/png' in data:
            name = f"index-{cell['id']}-{i}.png"
            pics[name] = base64.b64decode(''.join(data['image/png']))
            md.append(f"![](nbs/images/{name})")
        elif 'text/markdown' in data: md.append(relink(''.join(data['text/markdown'])).strip())
        elif 'text' in o or 'text/plain' in data: md.append(fence(''.join(o.get('text') or data['text/plain'])))
    return md, pics


def parts(cell):
    "What one cell gives: pieces of markdown, pictures"
    src = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown': return [relink(src).strip()], {}
    flags = re.findall(r'^#\|\s*(.+?)\s*$', src, re.M)
    if cell['cell_type'] != 'code' or 'hide' in flags: return [], {}
    code = re.sub(r'^#\|.*\n?', '', src, flags=re.M).strip()
    md, pics = outputs(cell)
    return ([fence(code, 'python')] if code and 'echo: false' not in flags else []) + md, pics


def readme(nb):
    "The text of README.md and its pictures"
    made = [parts(o) for o in nb['cells']]
    head = '<!-- Made from nbs/index.ipynb by tools/readme.py: edit there. -->'
    return '\n\n'.join([head] + [o for md, _ in made for o in md]) + '\n', {k: v for _, p in made for k, v in p.items()}


def main():
    index = Page(nbs/'index.ipynb')
    nb = filled(index.nb)
    text, pics = readme(nb)
    index.path.write_text(dump(nb), encoding='utf-8')
    (root/'README.md').write_text(text, encoding='utf-8')
    images.mkdir(exist_ok=True)
    for old in images.glob('index-*.png'):
        if old.name not in pics: old.unlink()
    for name, data in pics.items(): (images/name).write_bytes(data)


if __name__ == '__main__': main()
