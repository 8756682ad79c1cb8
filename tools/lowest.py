"""The lowest versions that settings.ini allows, as pip takes them; `make lowest` does"""
import re
from configparser import ConfigParser
from pathlib import Path


def lowest(requirements): # one a line
    "`name==version` for each `name>=version`"
    found = [re.match(r'([\w-]+)>=([\w.]+)', o) for o in requirements.split('\n') if o]
    if not all(found): raise SystemExit(f'settings.ini: expected a lower bound for each of {requirements.split()}')
    return [f'{o[1]}=={o[2]}' for o in found]


if __name__ == '__main__':
    ini = ConfigParser(delimiters=['='])
    ini.read(Path(__file__).parent.parent/'settings.ini')
    print(*lowest(ini['DEFAULT']['requirements']))
