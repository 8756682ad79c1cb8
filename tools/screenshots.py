"""Pictures of the site and of the explorer for the docs: `make screenshots`, after `make docs` and `make demo`

Chromium without a screen opens pages of _docs, and the explorer on a run; what it shows goes into nbs/images, in few colours."""
import io, sys, tempfile, threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from PIL import Image
import browser
from book import nbs, root

site = { # picture: page, width and height of the window, words of the heading to begin with
    'site_chapter': ('losses.html', 1280, 760, 'Do the images look alike'),
    'site_phone': ('labs/warp.html', 390, 720, 'A field that shifts'),
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_): pass


def keep(page, name, colours=96):
    "A screenshot as a small PNG"
    full = Image.open(io.BytesIO(page.screenshot())).convert('RGB')
    small = full.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    file = nbs/'images'/f'{name}.png'
    small.save(file, optimize=True)
    print(f'{file.relative_to(root)}: {file.stat().st_size/1000:.0f} kB')


def shoot_site(chromium):
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=root/'_docs'))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, (page, width, height, words) in site.items():
        tab = chromium.new_page(viewport=dict(width=width, height=height))
        tab.goto(f'http://127.0.0.1:{server.server_port}/{page}')
        tab.locator('main :is(h2, h3)', has_text=words).first.evaluate("o => { o.style.scrollMarginTop = '110px'; o.scrollIntoView({behavior: 'instant'}) }")
        tab.wait_for_timeout(1500)
        keep(tab, name)
        tab.close()
    server.shutdown()


def shoot_explorer(chromium, run):
    with tempfile.TemporaryDirectory() as folder:
        server, address = browser.explorer(Path(run).resolve(), Path(folder))
        tab = chromium.new_page(viewport=dict(width=1010, height=790))
        tab.set_default_timeout(1000*browser.patience)
        tab.goto(address)
        tab.wait_for_function("document.querySelector('.segreg-picture')?.naturalWidth > 0")
        field = tab.locator(".widget-hslider:has(label:text-is('Threshold')) .widget-readout")
        field.fill('0.5')
        field.press('Enter')
        for view in ('trust', 'voxel', 'deformation', 'training'):
            tab.click(f"button:text-is('{view}')")
            tab.wait_for_timeout(2000)
            keep(tab, f"explorer_{view}", 64)
        browser.end(server)


def main():
    from playwright.sync_api import sync_playwright
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser.file, args=browser.flags)
        shoot_site(chromium)
        for run in sys.argv[1:]: shoot_explorer(chromium, run)
        chromium.close()


if __name__ == '__main__': main()
