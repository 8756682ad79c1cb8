"Hands to setuptools what pyproject.toml leaves to settings.ini"
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

ini = ConfigParser(delimiters=['='])
ini.read_string((Path(__file__).parent/'settings.ini').read_text(encoding='utf-8'))
cfg = ini['DEFAULT']
statuses = {'1': 'Planning', '2': 'Pre-Alpha', '3': 'Alpha', '4': 'Beta', '5': 'Production/Stable'}
samples = 'segreg_tutorial.data_samples'
lines = lambda key: cfg[key].splitlines()

setup(
    author=cfg['author'], author_email=cfg['author_email'], license=cfg['license'],
    keywords=cfg['keywords'], python_requires='>=' + cfg['min_python'],
    classifiers=[f"Development Status :: {cfg['status']} - {statuses[cfg['status']]}",
                 'Programming Language :: Python :: 3', 'Topic :: Scientific/Engineering :: Medical Science Apps.']
                + [f'Intended Audience :: {o.strip()}' for o in cfg['audience'].split(',')],
    install_requires=lines('requirements'),
    extras_require={o.removesuffix('_requirements'): lines(o) for o in cfg if o.endswith('_requirements')},
    packages=find_packages(include=['segreg_tutorial*']) + [samples],
    package_dir={samples: 'data_samples'}, package_data={samples: ['**/*']})
