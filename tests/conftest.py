"Promises that are kept, in figures: a test says what it found, results/trust.json keeps it, and the page of promises shows it"
import json
import pytest
from book import root

ledger = root/'results'/'trust.json'


def read(): return json.loads(ledger.read_text(encoding='utf-8')) if ledger.exists() else {}


@pytest.fixture
def trust(request):
    "`trust('...')` in a test: its docstring is the promise, the text what was found"
    test, place = request.node, request.path.relative_to(root).as_posix()
    key = f"{place}::{test.originalname}"
    def found(figure):
        now = dict(promise=test.function.__doc__, found=figure)
        if request.config.getoption('trust'): ledger.write_text(json.dumps(dict(sorted((read() | {key: now}).items())), indent=1) + '\n')
        assert read().get(key) == now, 'pytest tests --trust'
    return found
