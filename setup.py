"Hands to setuptools what pyproject.toml leaves to settings.ini"
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

ini = ConfigParser(delimiters=['='])
root = Path(__file__).parent
ini.read_string((root/'settings.ini').read_text(encoding='utf-8'))
cfg = ini['DEFAULT']
statuses = {'1': 'Planning', '2': 'Pre-Alpha', '3': 'Alpha', '4': 'Beta', '5': 'Production/Stable'}
samples = 'segreg_tutorial.data_samples'
# to setuptools every folder of data is a package
folders = [samples] + ['.'.join([samples, *o.relative_to(root/'data_samples').parts])
                       for o in sorted((root/'data_samples').rglob('*')) if o.is_dir()]
lines = lambda key: cfg[key].splitlines()

setup(
    author=cfg['author'], author_email=cfg['author_email'], license_expression=cfg['license'],
    keywords=cfg['keywords'], python_requires='>=' + cfg['min_python'],
    classifiers=[f"Development Status :: {cfg['status']} - {statuses[cfg['status']]}",
                 'Programming Language :: Python :: 3', 'Topic :: Scientific/Engineering :: Medical Science Apps.']
                + [f'Intended Audience :: {o.strip()}' for o in cfg['audience'].split(',')],
    install_requires=lines('requirements'),
    extras_require={o.removesuffix('_requirements'): lines(o) for o in cfg if o.endswith('_requirements')},
    packages=find_packages(include=['segreg_tutorial*']) + folders,
    package_dir={samples: 'data_samples'}, package_data={o: ['*'] for o in folders})
