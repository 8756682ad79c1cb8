"""Figures for slides: `make slides`, or `python tools/slides.py 08_uncertainty labs/01_warp --ext pdf`

Runs the chapters that the lecturer's page names for its slides, and draws each of their figures large into the folder slides:
slides/08_uncertainty-3.png is the third figure of that chapter."""
import os, re
import matplotlib, matplotlib.pyplot as plt
from argparse import ArgumentParser
from book import pages, root

out = root/'slides'
fine = {'lines.antialiased': True, 'patch.antialiased': True} # chapters turn it off where that keeps their files small


def lecturer(): return next(o for o in pages('labs') if o.rel == 'labs/00_lecturer.ipynb')


def wanted():
    "Slide, chapter and number of its figure: the rows of the lecturer's table"
    row = re.compile(r'^\| (\d+) [^|]*\|[^|]*\| \[[^\]]*\]\(([^)]+)\.ipynb\), figure (\d+)', re.M)
    found = [o for text in lecturer().text for o in row.findall(text)]
    return [(int(n), os.path.normpath(f'labs/{page}'), int(k)) for n, page, k in found]


def draw(page, ext, dpi):
    "Run the cells of a notebook; each figure that is shown goes into a file"
    from execnb.shell import CaptureShell
    from nbdev.test import nb_test_cells
    shell, made = CaptureShell(page.path), []
    def save(fig):
        made.append(out/f"{page.rel.removesuffix('.ipynb').replace('/', '_')}-{len(made) + 1}.{ext}")
        fig.savefig(made[-1], dpi=dpi, bbox_inches='tight', facecolor='white')
        return b''
    matplotlib.rcdefaults()
    os.chdir(page.path.parent)
    for cell in nb_test_cells(page.path):
        if 'slow' in (cell.directives_ or {}): continue
        shell.run(cell.source)
        if shell.exc: raise shell.exc
        shell.display_formatter.formatters['image/png'].for_type(plt.Figure, save)
        plt.rcParams.update(fine)
    shell.close()
    return made


def main():
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('pages', nargs='*', help="chapters, as 03_warp; default: those of the lecturer's slides")
    parser.add_argument('--ext', default='png', help='png, pdf or svg')
    parser.add_argument('--dpi', type=int, default=300, help='of a png, and of the scans in a pdf')
    args = parser.parse_args()
    every = {o.rel.removesuffix('.ipynb'): o for o in pages()}
    asked = args.pages or list(dict.fromkeys(page for _, page, _ in wanted()))
    lost = [o for o in asked if o not in every]
    if lost: parser.error(f'found {lost[0]!r}, expected a page such as {next(iter(every))!r}')
    os.environ['IN_TEST'] = '1'
    out.mkdir(exist_ok=True)
    for o in asked: print(*(f.relative_to(root) for f in draw(every[o], args.ext, args.dpi)), sep='\n', flush=True)


if __name__ == '__main__': main()
