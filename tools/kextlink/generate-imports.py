#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the table of imports for kextlink (format: imports.h).

usage: generate-imports.py TABLES INFO ARCH OLDEST NEWEST OUT

A symbol is allowed everywhere if one of the libraries that INFO (an Info.plist) names in
OSBundleLibraries exports it in every release from OLDEST to NEWEST, and in virtual tables if the
oldest release does: newer kernels put the parent's function into such a slot.
"""
import csv
import os
import plistlib
import sys

APPLE, KPI, FAMILY = 'com.apple.', 'com.apple.kpi.', 'com.apple.iokit.'
EXPORTED_KINDS = ('virtual', 'pad', 'static', 'nonvirtual', 'ctor')
NEWEST = 999999


def number(release):
    parts = [int(part) for part in release.split('.')] + [0, 0]
    return parts[0] * 10000 + parts[1] * 100 + parts[2]


def ranges(text):
    """'libkern:10.5-15.6;private:10.4-10.4.11' -> [(name, first, last)]."""
    for item in text.split(';'):
        name, _, span = item.partition(':')
        first, last = span.split('-')
        yield name, number(first), number(last)


def rows(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        yield from csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE)


def libraries(info, architecture):
    """The bundle identifiers the kext links against."""
    with open(info, 'rb') as file:
        plist = plistlib.load(file)
    return plist.get('OSBundleLibraries_' + architecture) or plist['OSBundleLibraries']


def kpi_spans(folder, architecture, components):
    """(symbol, first, last) for each span in which a named component exports it."""
    for row in rows(folder, 'kpi-symbols.tsv'):
        if row[architecture + '_first'] == '-' or row['symbol'].endswith('*'):
            continue
        first, last = number(row[architecture + '_first']), number(row[architecture + '_last'])
        if row['component_history'] == '-':
            spans = [(name, first, last) for name in row['component'].split('+')]
        else:
            spans = ranges(row['component_history'])
        for name, begin, end in spans:
            if name in components:
                yield row['symbol'], max(first, begin), min(last, end)


def class_symbols(name):
    """What every class has beside its methods; a family kext exports all of it."""
    mangled = f'{len(name)}{name}'
    yield from (f'__ZN{mangled}{ending}' for ending in
                ('10gMetaClassE', '10superClassE', '9metaClassE', 'D2Ev', 'C2EPK11OSMetaClass'))
    yield from (f'__ZTV{mangled}', f'__ZTVN{mangled}9MetaClassE')


def family_spans(folder, architecture, classes):
    spans = {}
    for row in rows(folder, f'vtables-{architecture}.tsv'):
        if row['class'] not in classes:
            continue
        since = number(row['since'])
        until = NEWEST if row['until'] == '-' else number(row['until'])
        first, last = spans.get(row['class'], (since, until))
        spans[row['class']] = min(first, since), max(last, until)
        if row['kind'] in EXPORTED_KINDS:
            yield row['symbol'], since, until
    for name, (first, last) in spans.items():
        for symbol in class_symbols(name):
            yield symbol, first, last


def releases(folder, architecture, oldest, newest):
    """Every examined release of the range: those where something changes."""
    found = {oldest, newest}
    for row in rows(folder, f'vtables-{architecture}.tsv'):
        found |= {number(row[name]) for name in ('since', 'until') if row[name] != '-'}
    return sorted(release for release in found if oldest <= release <= newest)


def slot_count(text, oldest, newest):
    """The largest of '290@10.6-10.10.5;288@10.11-' within the range; 0 = not in it."""
    counts = [0]
    for item in text.split(';'):
        count, _, span = item.partition('@')
        first, _, last = (span or '0-').partition('-')
        if count != '-' and number(first) <= newest and (not last or number(last) >= oldest):
            counts.append(int(count))
    return max(counts)


def main():
    folder, info, architecture, oldest, newest, output = sys.argv[1:]
    linked = libraries(info, architecture)
    oldest, newest = number(oldest), number(newest)
    if architecture == 'i386':
        # The oldest Intel sources are those of 10.4.8; the tables of classes begin there.
        oldest = max(oldest, number('10.4.8'))
    # A component of the tables is a KPI ("iokit") or an old library ("kernel.6.0").
    components = {name.removeprefix(KPI).removeprefix(APPLE) for name in linked}
    classes = [row for row in rows(folder, 'classes.tsv') if row['component'] in linked]
    family = {row['class'] for row in classes if row['component'].startswith(FAMILY)}
    wanted = releases(folder, architecture, oldest, newest)

    exported = {}
    for symbol, first, last in [*kpi_spans(folder, architecture, components),
                                *family_spans(folder, architecture, family)]:
        exported.setdefault(symbol, set()).update(r for r in wanted if first <= r <= last)
    with open(output, 'w', encoding='utf-8') as file:
        file.write(f'# {architecture}, {sys.argv[4]} to {sys.argv[5]}; from abi/tables and '
                   f'{os.path.basename(info)}\n')
        for symbol, having in sorted(exported.items()):
            methods_only = len(having) < len(wanted)
            if wanted[0] in having and (symbol.startswith('__ZN') or not methods_only):
                kind = 'table' if methods_only else 'import'
                file.write(f'{kind}\t{symbol}\n')
        for row in classes:
            count = slot_count(row['slots_' + architecture], oldest, newest)
            if count:
                file.write(f'class\t{row["class"]}\t{count}\n')


if __name__ == '__main__':
    main()
