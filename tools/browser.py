"A browser without a screen, and servers for it"
import os, re, shutil, socket, subprocess, sys, time
from book import root

file = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
flags = '--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split()
patience = 240 # seconds: two cores may be busy


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def serve(words, folder, pattern):
    "Start a server; wait for the address that it prints"
    log = folder/'server.log'
    jupyter = dict.fromkeys(['JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'IPYTHONDIR'], str(folder))
    with log.open('w') as f:
        env = os.environ | jupyter | dict(PYTHONPATH=str(root), BROWSER='true')
        server = subprocess.Popen(words, cwd=folder, env=env, stdout=f, stderr=subprocess.STDOUT)
    began = time.time()
    while time.time() - began < patience and server.poll() is None:
        found = re.search(pattern, log.read_text())
        if found: return server, found[0]
        time.sleep(.2)
    server.kill()
    raise AssertionError(log.read_text())


def end(server):
    server.terminate()
    try: server.wait(30)
    except subprocess.TimeoutExpired: server.kill()


def explorer(run, folder):
    "The page that segreg-explore opens: server and address"
    (folder/'command.py').write_text('import sys\nfrom segreg_tutorial.serve import segreg_explore\nsys.exit(segreg_explore())')
    words = [sys.executable, 'command.py', str(run), '--port', str(free_port()), '--no-browser']
    return serve(words, folder, r'http://127\S+token=\S+')
