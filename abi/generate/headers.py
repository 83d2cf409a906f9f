#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes one C header for each I/O Kit class. Usage: headers.py TABLES OUTPUT_FOLDER"""
import os
import re
import sys

from c_types import (ENUMERATIONS, SCALARS, STRUCTURES, declare, is_tag, parameter,
                     parameter_names, uses_word)
from names import Names
from tables import ARCHITECTURES, Tables, length_prefixed, release_number

NOTICE = ('/* SPDX-License-Identifier: BSD-3-Clause */\n'
          '/* {}; generated from abi/tables, do not edit. */\n')
# What -DABI_OLDEST selects: the release whose symbol names a class table of ours uses.
OLDEST = {'i386': [(1004, '10.4.8')], 'x86_64': [(1200, '12.0.1'), (1006, '10.6')]}
INTEGER_SIZES = {'uint8_t': 1, 'int8_t': 1, 'char': 1, 'bool': 1, 'uint16_t': 2, 'int16_t': 2,
                 'uint32_t': 4, 'int32_t': 4, 'uint64_t': 8, 'int64_t': 8}


class ClassHeader:
    """The part of a class's header for one architecture."""

    def __init__(self, tables, names, own, architecture, opaque):
        self.tables, self.names, self.own = tables, names, own
        self.architecture, self.opaque = architecture, opaque
        self.lines = []
        self.new = tables.new_slots(architecture, own.name)

    def emit(self, line=''):
        self.lines.append(line)

    def text(self):
        self.object()
        self.vtable()
        self.data()
        self.functions()
        self.outside()
        self.virtual_calls()
        self.super_calls()
        self.inherit()
        return '\n'.join(self.lines) + '\n'

    # -- the object

    def object(self):
        name, size = self.own.name, self.own.row[f'max_sizeof_{self.architecture}']
        table = f'{name}_table' if self.architecture == 'i386' else f'{name}_vtable'
        self.emit(f'struct {name} {{\n    union {{\n        unsigned char object_bytes[{size}];')
        self.emit(f'        const struct {table} *vtable;')
        taken = set()
        for owner in self.tables.chain(name):
            for row in owner.fields:
                self.field(owner, row, taken)
        self.emit('    };\n};')
        self.emit(f'_Static_assert(sizeof(struct {name}) == {size}, "{name}: size");\n')

    def field(self, owner, row, taken):
        offset = row[f'offset_{self.architecture}']
        places = {part.split('/')[0] for part in row[f'{self.architecture}_by_version'].split(';')}
        if offset == '-' or len(places) > 1:    # a field that moved is no business of a driver's
            return
        name = row['field']
        name = f'{owner.name}_{name}' if name in taken else name
        if name in taken or not re.match(r'^[A-Za-z_]\w*$', name):
            return
        taken.add(name)
        if '.' in offset:
            byte, bit, width = re.match(r'(\d+)\.(\d+):(\d+)', offset).groups()
            skip = f'unsigned : {bit}; ' if bit != '0' else ''
            declaration = f'{skip}unsigned {name} : {width}'
            offset = byte
        else:
            declaration = self.field_type(row['type'], name, int(row[f'size_{self.architecture}']))
        before = f'unsigned char before_{name}[{offset}]; ' if offset != '0' else ''
        self.emit(f'        struct {{ {before}{declaration}; }};')

    def field_type(self, text, name, size):
        array = re.match(r'^(.*?)\[(\d+)\]$', text)
        if array and '(' not in text:
            count = int(array.group(2))
            # An array of bytes may have another length on the other architecture.
            if size % count or array.group(1).endswith('char'):
                return f'unsigned char {name}[{size}]'
            return f'{self.field_type(array.group(1), name, size // count)}[{count}]'
        if '*' in text or '(' in text:
            return declare(text, name, self.opaque)
        words = set(re.findall(r'[A-Za-z_]\w*', declare(text, '', set()))) - {'const', 'volatile'}
        volatile = 'volatile ' if 'volatile' in text else ''
        if words <= STRUCTURES | ENUMERATIONS:
            return declare(text, name, self.opaque)
        if words <= SCALARS:
            kind = declare(text, '', set()).replace('volatile ', '')
            if INTEGER_SIZES.get(kind, 8 if self.architecture == 'x86_64' else 4) != size:
                kind = f'uint{size * 8}_t'
            return f'{volatile}{kind} {name}'
        return f'unsigned char {name}[{size}]'

    # -- functions

    def counterpart(self, member, identifier):
        """The same member on x86_64, which tells what an i386 `long` stands for."""
        if self.architecture == 'x86_64':
            return member
        rows = self.names.by_name['x86_64'].get((self.own.name, identifier), [])
        same = [m for m in rows if len(m.arguments) == len(member.arguments)]
        return same[0] if same else None

    def signature(self, member, name, this, identifier=None):
        """A C prototype; `this` is the class of the first parameter or None."""
        other = self.counterpart(member, identifier or name)
        wide = [uses_word(parameter(a)[0]) for a in other.arguments] if other else \
            [False] * len(member.arguments)
        parameters = [f'{this} *me'] if this else []
        for argument, argument_name, is_wide in zip(member.arguments,
                                                    parameter_names(member.arguments), wide):
            if argument == '...':
                parameters.append('...')
                continue
            parameters.append(declare(parameter(argument)[0], argument_name, self.opaque, is_wide))
        structor = 'void *' if self.architecture == 'i386' else 'void'
        returns = structor if member.returns == '-' else re.sub(r' *const$', '', member.returns)
        return declare(returns, f'{name}({", ".join(parameters) or "void"})', self.opaque,
                       uses_word(other.returns) if other else False)

    def introduced(self, slot):
        """The newest occupant that the introducing class gave the slot, with name and class."""
        name, introducer = self.names.of_slot(self.architecture, self.own.name, slot)
        return name, introducer, self.tables.new_slots(self.architecture, introducer)[slot]

    def vtable(self):
        name = self.own.name
        self.emit(f'struct {name}_vtable {{')
        for slot in range(self.tables.slot_count(self.architecture, name)):
            member_name, introducer, member = self.introduced(slot)
            header = self if introducer == name else \
                ClassHeader(self.tables, self.names, self.tables.classes[introducer],
                            self.architecture, self.opaque)
            prototype = header.signature(member, f'(*{member_name})', introducer, member_name)
            self.emit(f'    {prototype}; /* {slot} */')
        self.emit(f'}};\nstruct {name}_table {{\n    uintptr_t offset_to_top, rtti;')
        self.emit(f'    struct {name}_vtable slots;\n    uintptr_t terminator;\n}};')
        self.emit(f'extern const struct {name}_table {name}_table_symbol '
                  f'__asm("__ZTV{length_prefixed(name)}");\n')

    def data(self):
        name, mangled = self.own.name, length_prefixed(self.own.name)
        self.emit(f'extern OSMetaClass {name}_gMetaClass __asm("__ZN{mangled}10gMetaClassE");')
        self.emit(f'extern const OSMetaClass *const {name}_metaClass '
                  f'__asm("__ZN{mangled}9metaClassE");')
        self.emit(f'extern const OSMetaClass *const {name}_superClass '
                  f'__asm("__ZN{mangled}10superClassE");\n')

    def function_name(self, member):
        """The C name of the function symbol that fills a slot."""
        rows = [m for m in self.tables.classes[member.owner].members[self.architecture]
                if m.slot is not None]
        member = max((m for m in rows if m.symbol == member.symbol), key=lambda m: m.since)
        newest = max((m for m in rows if m.slot == member.slot), key=lambda m: m.since)
        name = self.names.of_slot(self.architecture, member.owner, member.slot)[0]
        if member.kind == 'pad':
            name = member.method
        elif newest.symbol != member.symbol:
            name += '__until_' + member.until_text.replace('.', '_').replace('-', 'now')
        return f'{member.owner}__{name}'

    def functions(self):
        done = set()
        for member in self.own.members[self.architecture]:
            if member.slot is None or member.kind == 'pure' or member.symbol in done:
                continue
            done.add(member.symbol)
            slot_name, introducer, _ = self.introduced(member.slot)
            header = ClassHeader(self.tables, self.names, self.tables.classes[introducer],
                                 self.architecture, self.opaque)
            prototype = header.signature(member, self.function_name(member), self.own.name,
                                         slot_name)
            since = f' /* since {member.since_text} */' if self.is_late(member) else ''
            self.emit(f'{prototype}\n    __asm("{member.symbol}");{since}')
        self.emit()

    def is_late(self, member):
        return member.since > release_number(OLDEST[self.architecture][-1][1])

    def outside(self):
        for member in self.names.outside(self.architecture, self.own):
            name = self.names.symbol[self.architecture][self.own.name, member.symbol]
            this = None if member.kind == 'static' else self.own.name
            prototype = self.signature(member, f'{self.own.name}_{name}', this, name)
            since = f' /* since {member.since_text} */' if self.is_late(member) else ''
            self.emit(f'{prototype}\n    __asm("{member.symbol}");{since}')
        for member in self.own.members[self.architecture]:
            if member.kind == 'dtor' or self.is_base_constructor(member):
                name = f'{self.own.name}__{member.method}'
                self.emit(f'{self.signature(member, name, self.own.name)}\n'
                          f'    __asm("{member.symbol}");')
        self.emit()

    @staticmethod
    def is_base_constructor(member):
        return member.kind == 'ctor' and member.method == 'construct' and \
            member.symbol.endswith(('C2EPK11OSMetaClass', 'PKcPKS_j'))

    def call(self, member, prototype, callee, introducer):
        cast = 'me' if introducer == self.own.name else f'({introducer} *)me'
        arguments = ', '.join([cast] + parameter_names(member.arguments))
        keyword = '' if member.returns in ('void', '-') else 'return '
        self.emit(f'static inline {prototype}\n{{\n    {keyword}{callee}({arguments});\n}}')

    def callable_slots(self, slots):
        for slot in slots:
            name, introducer, member = self.introduced(slot)
            if member.kind != 'pad' and 'destructor' not in name and '...' not in member.arguments:
                yield name, introducer, member

    def virtual_calls(self):
        slots = 'me->vtable->slots.' if self.architecture == 'i386' else 'me->vtable->'
        for name, introducer, member in self.callable_slots(self.new):
            prototype = self.signature(member, f'{self.own.name}_{name}', self.own.name, name)
            self.call(member, prototype, slots + name, introducer)
        self.emit()

    def super_calls(self):
        count = self.tables.slot_count(self.architecture, self.own.name)
        for name, introducer, member in self.callable_slots(range(count)):
            header = ClassHeader(self.tables, self.names, self.tables.classes[introducer],
                                 self.architecture, self.opaque)
            prototype = header.signature(member, f'{self.own.name}_super_{name}', self.own.name,
                                         name)
            self.call(member, prototype, f'{self.own.name}_table_symbol.slots.{name}', introducer)
        self.emit()

    def inherit(self):
        conditions = []
        for number, release in OLDEST[self.architecture]:
            slots = self.tables.slots(self.architecture, self.own.name, release_number(release))
            if not self.exists_in(release) or not slots:
                continue
            conditions.append(number)
            self.emit(f'#{"if" if len(conditions) == 1 else "elif"} ABI_OLDEST >= {number}')
            self.emit(f'#define {self.own.name}_INHERIT \\')
            for slot in range(self.tables.slot_count(self.architecture, self.own.name)):
                member = slots.get(slot)
                filler = member is None or member.kind == 'pure'
                function = 'iokit_pure_virtual' if filler else self.function_name(member)
                self.emit(f'    .{self.introduced(slot)[0]} = (void *){function}, \\')
            self.emit('    /* every slot, named as in the oldest supported release */')
        if conditions:
            self.emit('#endif')

    def exists_in(self, release):
        number = release_number(release)
        return any(first <= number <= last for first, last, _ in
                   self.own.versions(f'sizeof_{self.architecture}_by_version'))


def write_class(tables, names, own, opaque, folder):
    parts = [NOTICE.format(f'{own.name}: object, vtable and functions'), '#pragma once\n']
    parts.append(f'#include "abi/{own.parent}.h"' if own.parent else '#include "abi/structures.h"')
    for architecture, condition in (('i386', '#if defined(__i386__)'), ('x86_64', '#else')):
        parts.append(f'\n{condition}\n')
        if own.exists(architecture):
            parts.append(ClassHeader(tables, names, own, architecture, opaque).text())
    parts.append('#endif\n')
    with open(os.path.join(folder, f'{own.name}.h'), 'w', encoding='utf-8') as file:
        file.write('\n'.join(parts))


def write_opaque(tables, opaque, folder):
    lines = [NOTICE.format('Names of the classes and of types whose content is not described'),
             '#pragma once\n']
    lines += [f'typedef struct {name} {name};' for name in sorted(tables.classes)]
    for name in sorted(opaque - set(tables.classes)):
        lines.append(f'struct {name};' if is_tag(name) else f'typedef struct {name} {name};')
    with open(os.path.join(folder, 'opaque.h'), 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')


def main():
    tables = Tables(sys.argv[1])
    names = Names(tables)
    opaque = set()
    for own in tables.by_depth():
        write_class(tables, names, own, opaque, sys.argv[2])
    write_opaque(tables, opaque, sys.argv[2])


if __name__ == '__main__':
    main()
