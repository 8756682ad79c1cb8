from configparser import ConfigParser
from setuptools import find_packages, setup

cfg = ConfigParser(delimiters=['='])
cfg.read('settings.ini', encoding='utf-8')
cfg = cfg['DEFAULT']
statuses = {'1': 'Planning', '2': 'Pre-Alpha', '3': 'Alpha', '4': 'Beta', '5': 'Production/Stable'}
samples = 'segreg_tutorial.data_samples'

setup(
    author=cfg['author'], author_email=cfg['author_email'], license=cfg['license'],
    keywords=cfg['keywords'], python_requires='>=' + cfg['min_python'],
    classifiers=[f"Development Status :: {cfg['status']} - {statuses[cfg['status']]}",
                 'Programming Language :: Python :: 3', 'Topic :: Scientific/Engineering :: Medical Science Apps.']
                + [f'Intended Audience :: {o.strip()}' for o in cfg['audience'].split(',')],
    install_requires=cfg['requirements'].splitlines(),
    extras_require={o: cfg[f'{o}_requirements'].splitlines() for o in ('dev', 'distributed', 'bench', 'docs')},
    packages=find_packages(include=['segreg_tutorial*']) + [samples],
    package_dir={samples: 'data_samples'}, package_data={samples: ['**/*']})
