#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the data behind abi/xnu_exports.h for x86_64.
Usage: exports.py TABLES OUTPUT_FOLDER (xnu_classes.c, xnu_symbols.c, xnu_traps_0.c ...)"""
import os
import re
import sys

from tables import Tables, length_prefixed, read_table, release_number

NOTICE = ('/* SPDX-License-Identifier: BSD-3-Clause */\n'
          '/* {}; generated from abi/tables, do not edit. */\n')
ARCHITECTURE = 'x86_64'
TRAP_FILES = 4
ROOTS = ('OSMetaClassBase', 'OSMetaClass')      # their functions are all the user-space kernel's
NEWEST = 999999


class Exports:
    def __init__(self, folder):
        self.tables = Tables(folder)
        self.classes = [c for c in self.tables.by_depth() if c.exists(ARCHITECTURE)]
        self.functions = {'___cxa_pure_virtual': '__cxa_pure_virtual'}  # symbol -> readable name
        self.data = set()
        self.rows = set()                       # (symbol, component or '', first, last)
        self.defined = self.mechanical()
        self.add_classes()
        self.add_kernel(read_table(folder, 'kpi-symbols.tsv'))
        named = {row[0] for row in self.rows}
        for symbol in set(self.functions) - named:  # in a vtable, but nobody exports it
            self.rows.add((symbol, '', 0, NEWEST))

    def mechanical(self):
        """Symbols that abi/exports/class_defaults.h defines."""
        result = set()
        for own in self.classes:
            mangled = length_prefixed(own.name)
            result.add(f'__ZTV{mangled}')
            if own.name == 'OSMetaClassBase':
                continue
            result.update(f'__ZN{mangled}{part}' for part in
                          ('10gMetaClassE', '9metaClassE', '10superClassE'))
            if own.name in ROOTS:
                continue
            result.add(f'__ZTVN{mangled}9MetaClassE')
            result.update(f'__ZN{mangled}9MetaClass{part}Ev' for part in ('C1', 'C2', 'D0', 'D1'))
            result.update(f'__ZN{mangled}{part}Ev' for part in ('D0', 'D1'))
            result.update((f'__ZNK{mangled}12getMetaClassEv', f'__ZNK{mangled}9MetaClass5allocEv'))
            if own.name != 'OSObject':
                result.update(f'__ZN{mangled}{part}' for part in
                              ('C1EPK11OSMetaClass', 'C2EPK11OSMetaClass', 'C1Ev', 'C2Ev', 'D2Ev',
                               'nwEm', 'dlEPvm'))
        return result

    def add_classes(self):
        for own in self.classes:
            family = own.component if own.component.startswith('com.apple.iokit.') else ''
            last = NEWEST
            for member in own.members[ARCHITECTURE]:
                if member.kind == 'pure' or member.kind.endswith('-inline'):
                    continue
                self.functions.setdefault(member.symbol, member.readable())
                if family:
                    self.rows.add((member.symbol, family, member.since, member.until))
        for symbol in self.defined:
            own = self.class_of(symbol)
            family = own.component if own.component.startswith('com.apple.iokit.') else ''
            self.data.add(symbol) if symbol[-1] == 'E' or symbol.startswith('__ZTV') else \
                self.functions.setdefault(symbol, symbol)
            self.rows.add((symbol, family, 0, NEWEST))

    def class_of(self, symbol):
        match = re.match(r'__Z(?:TVN|TV|NK|N)(\d+)', symbol)
        return self.tables.classes[symbol[match.end():match.end() + int(match.group(1))]]

    def add_kernel(self, symbols):
        for row in symbols:
            if row['x86_64_first'] == '-' or row['kind'] == 'wildcard':
                continue
            symbol = row['symbol']
            if row['kind'] == 'data':
                self.data.add(symbol)
            else:
                self.functions.setdefault(symbol, symbol[1:])
            first, last = release_number(row['x86_64_first']), self.last(row['x86_64_last'])
            spans = [(component, first, last) for component in row['component'].split('+')]
            if row['component_history'] != '-':
                spans = []
                for part in row['component_history'].split(';'):
                    component, _, span = part.partition(':')
                    since, _, until = span.partition('-')
                    spans.append((component, max(first, release_number(since)),
                                  min(last, self.last(until))))
            self.rows.discard((symbol, '', 0, NEWEST))
            self.rows.update((symbol, f'com.apple.kpi.{component}', since, until)
                             for component, since, until in spans if since <= until)

    @staticmethod
    def last(text):
        """The newest release that was examined stands for what comes after it."""
        return NEWEST if text.startswith('15.6') else release_number(text)

    # -- writing

    def traps(self):
        symbols = sorted(set(self.functions) - self.defined)
        for number in range(TRAP_FILES):
            lines = [NOTICE.format('Weak functions for what the user-space kernel does not define'),
                     '#include "abi/xnu_exports.h"\n',
                     '#define TRAP(number, symbol, readable) \\',
                     '    __attribute__((weak)) void trap_##number(void) __asm(symbol); \\',
                     '    void trap_##number(void) { xnu_unimplemented(readable); }\n']
            for index in range(number, len(symbols), TRAP_FILES):
                readable = self.functions[symbols[index]]
                lines.append(f'TRAP({index}, "{symbols[index]}", "{readable}")')
            yield f'xnu_traps_{number}.c', lines

    def symbols(self):
        rows = sorted(self.rows)
        names = sorted({row[0] for row in rows})
        index = {name: number for number, name in enumerate(names)}
        lines = [NOTICE.format('Every symbol that some release exports, sorted by name'),
                 '#include "abi/exports/exports_data.h"\n']
        for name in names:
            weak = ' __attribute__((weak))' if name in self.data - self.defined else ''
            lines.append(f'extern const char s{index[name]}[] __asm("{name}"){weak};')
        lines.append('\nconst struct xnu_symbol xnu_symbols[] = {')
        for name, component, first, last in rows:
            text = f'"{component}"' if component else 'NULL'
            lines.append(f'    {{"{name}", s{index[name]}, {text}, {first}, {last}}},')
        lines += ['};', self.length('xnu_symbols')]
        return 'xnu_symbols.c', lines

    @staticmethod
    def length(array):
        return f'const size_t {array}_length = sizeof {array} / sizeof *{array};'

    def class_file(self):
        lines = [NOTICE.format('Tables, metaclasses and facts of all classes'),
                 '#include "abi/exports/class_defaults.h"\n#include "abi/exports/exports_data.h"\n']
        for own in self.classes:
            lines.append(self.definition(own))
        for own in self.classes:
            lines += self.class_lists(own)
        number = {own.name: index for index, own in enumerate(self.classes)}
        lines.append('\nstruct xnu_class xnu_classes[] = {')
        for own in self.classes:
            component = own.component if own.component.startswith('com.') else 'com.apple.kpi.iokit'
            meta = f'{own.name}_metaclass_table' if own.name not in ROOTS else 'NULL'
            object_ = f'{own.name}_gMetaClass' if own.name != 'OSMetaClassBase' else 'NULL'
            lines.append(f'    {{"{own.name}", {number.get(own.parent, -1)}, "{component}", '
                         f'{own.name}_table, {meta}, {object_}, 0, 0}},')
        lines.append('};\n\nconst struct xnu_class_data xnu_class_data[] = {')
        for own in self.classes:
            name = own.name
            lines.append(f'    {{{name}_slots, sizeof {name}_slots / sizeof *{name}_slots, '
                         f'{name}_slot_numbers, {name}_sizes}},')
        lines += ['};', self.length('xnu_classes'),
                  f'const uint32_t xnu_releases[] = {{{self.releases()}}};',
                  self.length('xnu_releases')]
        return 'xnu_classes.c', lines

    def definition(self, own):
        slots, length = self.tables.slot_count(ARCHITECTURE, own.name), len(own.name)
        if own.name == 'OSMetaClassBase':
            return f'CLASS_DATA({length}, {own.name}, {slots})'
        if own.name == 'OSMetaClass':
            return (f'CLASS_DATA({length}, {own.name}, {slots})\n'
                    f'METACLASS_DATA({length}, {own.name}, NULL)')
        if own.name == 'OSObject':
            return f'ROOT_CLASS({length}, {own.name}, {slots})'
        newest = self.tables.slots(ARCHITECTURE, own.name, release_number('15.6'))
        macro = 'ABSTRACT_CLASS' if any(m.kind == 'pure' for m in newest.values()) else 'CLASS'
        return f'{macro}({length}, {own.name}, {own.parent}, {slots})'

    def class_lists(self, own):
        members = [m for m in own.members[ARCHITECTURE] if m.slot is not None]
        symbols = sorted({self.occupant(m) for m in members})
        lines = [f'\nextern const char {own.name}_f{n}[] __asm("{symbol}");'
                 for n, symbol in enumerate(symbols)]
        lines.append(f'static const struct xnu_slot {own.name}_slots[] = {{')
        oldest = min(m.since for m in members)
        for m in members:
            since = 0 if m.since == oldest else m.since
            lines.append(f'    {{{m.slot}, {since}, {m.until}, '
                         f'{own.name}_f{symbols.index(self.occupant(m))}}},')
        lines.append('};')
        for column, name in ((f'slots_{ARCHITECTURE}', 'slot_numbers'),
                             (f'sizeof_{ARCHITECTURE}_by_version', 'sizes')):
            versions = ''.join(f'{{{first}, {last}, {value}}}, '
                               for first, last, value in own.versions(column))
            lines.append(f'static const struct xnu_version {own.name}_{name}[] = '
                         f'{{{versions}{{0, 0, 0}}}};')
        return lines

    @staticmethod
    def occupant(member):
        return '___cxa_pure_virtual' if member.kind == 'pure' else member.symbol

    def releases(self):
        """Every release at which a row begins or ends, and the first of what follows none."""
        known = {NEWEST}
        for own in self.classes:
            known.update(m.since for m in own.members[ARCHITECTURE])
            known.update(m.until for m in own.members[ARCHITECTURE])
            for column in (f'slots_{ARCHITECTURE}', f'sizeof_{ARCHITECTURE}_by_version'):
                known.update(n for version in own.versions(column) for n in version[:2] if n)
        for _, _, first, last in self.rows:
            known.update(n for n in (first, last) if n)
        return ', '.join(str(number) for number in sorted(known))


def main():
    exports = Exports(sys.argv[1])
    for name, lines in [*exports.traps(), exports.symbols(), exports.class_file()]:
        with open(os.path.join(sys.argv[2], name), 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
